"""A laid-out timeline as SVG that stands in a page: no script, no address, no style.

Colours, light and dark, come from `STYLE`, which whoever shows the picture puts beside
it: the page as a file of its own, the evidence record between its style tags. Every
text is escaped, for labels and topics are whatever a device sent.
"""

import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files

from evidenced.core.incidents.states import CLIPS, EXPORTS
from evidenced.core.machine import Tone
from evidenced.core.spoken import spoken
from evidenced.core.telling.timeline import (
    BAR_AT,
    LETTER,
    MARGIN,
    ROW,
    Bar,
    Mark,
    PictureLane,
    Tick,
    Timeline,
)

STYLE = files("evidenced").joinpath("picture.css").read_text()

_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
BAR = 20.0
SLIM = 16.0
"""Heights of a camera's bar and of a recorder's."""
GAP = 10.0
BOLD = 1.12
"""How much wider bold letters are."""


def draw(timeline: Timeline, name: str = "timeline") -> str:
    """The picture as an `<svg>` element; `name` keeps apart several in one page."""
    body = [
        _opening(timeline, name),
        f'<title id="{name}-title">{_said(timeline.title)}</title>',
        f'<desc id="{name}-text">{_said(timeline.text)}</desc>',
        _patterns(name),
        *_breaks(timeline),
        *(_tick(tick, timeline) for tick in timeline.ticks),
        *_alarm_lines(timeline),
        *_now(timeline),
        *(_lane(lane, timeline, name) for lane in timeline.lanes),
        "</svg>",
    ]
    return "\n".join(body)


def _opening(timeline: Timeline, name: str) -> str:
    return (
        f'<svg class="timeline" viewBox="0 0 {_n(timeline.width)} '
        f'{_n(timeline.height)}" role="img" '
        f'aria-labelledby="{name}-title {name}-text" focusable="false">'
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _patterns(name: str) -> str:
    return (
        f'<defs><pattern id="{name}-hatch" width="7" height="7" '
        'patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<line class="hatch" x1="0" y1="0" x2="0" y2="7"/></pattern></defs>'
    )


# ---- the axis


def _breaks(timeline: Timeline) -> Iterable[str]:
    """Stretches that are drawn shorter: a band, and how long it is where that fits."""
    free_from = 0.0
    for each in timeline.breaks:
        title = f"{spoken(each.length)}, drawn shorter"
        yield (
            f'<g class="break"><title>{escape(title)}</title>'
            f'<rect x="{_n(each.x)}" y="34" width="{_n(each.width)}" '
            f'height="{_n(timeline.height - 38)}"/></g>'
        )
        label = spoken(each.length)
        middle = each.x + each.width / 2
        half = len(label) * LETTER * 0.45
        if middle - half > max(free_from, 0) and middle + half < timeline.width:
            free_from = middle + half + 4
            yield _text("break-word", middle, 37, label, "middle")


def _tick(tick: Tick, timeline: Timeline) -> str:
    return (
        f'<line class="tick" x1="{_n(tick.x)}" y1="20" x2="{_n(tick.x)}" '
        f'y2="{_n(timeline.height - 4)}"/>'
        + _text("time", tick.x, 14, tick.label, tick.anchor)
    )


def _said(words: str) -> str:
    """Escaped; what would turn the direction of the text around is shown as such."""
    return escape(_TURNING.sub("\ufffd", words))


def _text(kind: str, x: float, y: float, words: str, anchor: str = "start") -> str:
    return (
        f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">'
        f"{_said(words)}</text>"
    )


def _alarm_lines(timeline: Timeline) -> Iterable[str]:
    """From each alarm down through the windows that it made."""
    for lane in timeline.lanes:
        for mark in lane.marks:
            if mark.kind in {"alarm", "clear"}:
                yield (
                    f'<line class="from-{mark.kind}" x1="{_n(mark.x)}" '
                    f'y1="{_n(lane.y + BAR_AT + 12)}" x2="{_n(mark.x)}" '
                    f'y2="{_n(timeline.height - 4)}"/>'
                )


def _now(timeline: Timeline) -> Iterable[str]:
    if timeline.now is None:
        return
    x = timeline.now
    is_right = x > timeline.width - 60
    yield (
        f'<line class="now" x1="{_n(x)}" y1="20" x2="{_n(x)}" '
        f'y2="{_n(timeline.height - 4)}"/>'
    )
    yield _text(
        "now-word",
        x + (-5 if is_right else 5),
        30,
        "now",
        "end" if is_right else "start",
    )


# ---- the lanes


def _lane(lane: PictureLane, timeline: Timeline, name: str) -> str:
    parts = [f'<g class="lane lane-{lane.kind}">', _heading(lane, timeline)]
    parts += [_bar(lane, bar, name) for bar in lane.bars]
    parts += [_mark(lane, mark) for mark in lane.marks]
    return "".join([*parts, "</g>"])


def _heading(lane: PictureLane, timeline: Timeline) -> str:
    """Name, state and words on one line; what does not fit is cut, the words first."""
    y, x, end = lane.y + 14, MARGIN, timeline.width - MARGIN
    name = _cut(lane.name, (end - x) * 0.6)
    parts = [_text("name", x, y, name)]
    x += len(name) * LETTER * BOLD + GAP
    if lane.state:
        width = len(lane.state) * LETTER + 14
        parts.append(
            f'<g class="state state-{escape(lane.state.split(" ")[0])}">'
            + _rect("chip", (x, width), (y - 12, 17), 8.5)
            + _text("state-word", x + width / 2, y + 0.5, lane.state, "middle")
            + "</g>"
        )
        x += width + GAP
    words = _cut(lane.words, end - x)
    parts.append(_text("words", x, y, words) if words else "")
    return "".join(parts)


def _cut(words: str, width: float) -> str:
    """As much of it as fits; nothing rather than a letter or two."""
    fits = int(width / LETTER)
    if len(words) <= fits:
        return words
    return words[: fits - 1] + "…" if fits > 6 else ""  # noqa: PLR2004


_HATCHED = {
    "settle",
    *(s for s, facts in CLIPS.table.items() if facts.tone in {Tone.BAD, Tone.OFF}),
    *(s for s, facts in EXPORTS.table.items() if facts.tone in {Tone.BAD, Tone.OFF}),
}


def _bar(lane: PictureLane, bar: Bar, name: str) -> str:
    height = BAR if lane.kind == "camera" else SLIM
    y, end = lane.y + BAR_AT + bar.row * ROW, bar.x + bar.width
    whole, down = (bar.x, bar.width), (y, height)
    parts = [
        f'<g class="bar bar-{escape(bar.kind)}"><title>{_said(bar.title)}</title>',
        _rect("body", whole, down),
        _rect("roll", (bar.x, bar.pre), down, 0) if bar.pre else "",
        _rect("roll", (end - bar.post, bar.post), down, 0) if bar.post else "",
        _rect("done", (bar.x, bar.width * bar.done), down) if bar.done else "",
        _rect("future", (end - bar.future, bar.future), down, 0) if bar.future else "",
        _rect("pattern", whole, down, fill=f"url(#{name}-hatch)")
        if bar.kind in _HATCHED
        else "",
        _rect("outline", whole, down),
    ]
    parts += _bar_words(bar, y + height / 2 + 4)
    return "".join([*parts, "</g>"])


def _bar_words(bar: Bar, y: float) -> Iterable[str]:
    """What stands in a bar at its ends, as far as it fits."""
    room = bar.width - 12
    if bar.label and len(bar.label) * LETTER < room:
        room -= len(bar.label) * LETTER + 12
        yield _text("bar-word", bar.x + 8, y, bar.label)
    if bar.end_label and len(bar.end_label) * LETTER < room:
        yield _text("bar-word", bar.x + bar.width - 8, y, bar.end_label, "end")


def _rect(
    kind: str,
    across: tuple[float, float],
    down: tuple[float, float],
    radius: float = 4,
    fill: str = "",
) -> str:
    """A rectangle from (x, width) and (y, height)."""
    (x, width), (y, height) = across, down
    painted = f' fill="{fill}"' if fill else ""
    return (
        f'<rect class="{kind}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" '
        f'height="{_n(height)}" rx="{_n(radius)}"{painted}/>'
    )


_SHAPES = {
    "alarm": "M-8,-7 L8,-7 L0,8 Z",
    "clear": "M-7,0 L0,-8 L7,0 L0,8 Z",
    "refused": "M-5,-5 L5,5 M-5,5 L5,-5",
    "next": "M0,-5 L0,0 L4,3",
}
"""A triangle, a diamond, a cross, the hands of a clock: told apart without colour."""


def _mark(lane: PictureLane, mark: Mark) -> str:
    y = lane.y + BAR_AT + SLIM / 2
    several = mark.count > 1
    pill = _rect("pill", (-10, mark.width + 20), (-10, 20), 10) if several else ""
    ring = '<circle r="8"/>' if mark.kind in {"refused", "next"} else ""
    place = f"translate({_n(mark.x)},{_n(y)})"
    parts = [
        f'<g class="mark mark-{mark.kind}" transform="{place}">',
        f"<title>{_said(mark.title)}</title>{pill}{ring}",
        f'<path d="{_SHAPES[mark.kind]}"/></g>',
    ]
    if mark.count > 1:
        times = f"×{mark.count}"  # noqa: RUF001 - the sign of multiplication
        parts.append(_text("count", mark.x + 11, y + 4, times))
    return "".join(parts)
