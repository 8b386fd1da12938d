"""What a timeline picture is made of: places and words, no story. Pure.

On a wide picture labels have a column of their own at the left, and all that is drawn
to scale lies right of it. On a narrow one each lane's label stands above its bars.
"""

from dataclasses import dataclass

from evidenced.core.phrase import ENGLISH, Tongue
from evidenced.core.telling.timescale import Break

WIDE = 960.0
NARROW = 340.0
"""Widths to lay out for: a screen with room, and a phone."""
MARGIN = 14.0
LABELS = 262.0
"""The column of labels, where there is one."""
AXIS = 44.0
"""Height of the clock times above the lanes."""
NAME = 18.0
LINE = 15.0
"""Heights of a label's first line and of each other."""
BAR = 20.0
ROW = 24.0
"""A recorder's exports that ran at once lie in rows below each other."""
PAD = 12.0
"""Between two lanes."""
LETTER = 6.4
"""Mean width of a letter of the picture's text, for what fits beside each other."""
BOLD = 1.12
"""How much wider bold letters are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A clock time above the lanes; `anchor` is SVG's: start, middle or end."""

    x: float
    label: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A stretch of time. `pre` and `post` are the widths of the rolls at its ends.

    `kind` is a state word or `settle`; `done` is the share that is exported, 0 to 1;
    `future` the width at its end that is still to come.
    """

    x: float
    width: float
    row: int = 0
    kind: str
    title: str
    label: str = ""
    end_label: str = ""
    pre: float = 0.0
    post: float = 0.0
    done: float | None = None
    future: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An instant: `alarm`, `clear`, an attempt that was `refused`, or the `next` try.

    Several that lie on each other, or that were refused in a row, are one of a `width`,
    with their `count`.
    """

    x: float
    width: float = 0.0
    kind: str
    title: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLane:
    """One row of the picture: its label, and what is drawn to scale.

    `lines` are `words` as they fit; `bar_at` is where its first row of bars begins,
    below `y`. `state` may be empty, `tone` is the state whose colours it has.
    """

    y: float = 0.0
    height: float = 0.0
    bar_at: float = 0.0
    kind: str
    name: str
    state: str = ""
    tone: str = ""
    words: str = ""
    lines: tuple[str, ...] = ()
    rows: int = 1
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendEntry:
    """One part of the legend: how something is drawn, and what that means."""

    x: float
    y: float
    kind: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A laid-out picture; `now` is None where it has no place in it.

    `left` is where what is drawn to scale begins. Words are those of `tongue`.
    """

    width: float
    left: float = MARGIN
    height: float
    title: str
    text: str
    ticks: tuple[Tick, ...]
    breaks: tuple[Break, ...]
    lanes: tuple[PictureLane, ...]
    keys: tuple[LegendEntry, ...] = ()
    now: float | None = None
    tongue: Tongue = ENGLISH
