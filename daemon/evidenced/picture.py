"""A laid-out timeline as SVG that stands in a page: no script, no address, no style.

Colours, light and dark, come from `STYLE`, which whoever shows the picture puts beside
it: the page as a file of its own, the evidence record between its style tags. Every
text is escaped, for labels and topics are whatever a device sent.
"""

import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files

from evidenced.core.phrase import phrase, said
from evidenced.core.spoken import spoken
from evidenced.core.telling.shapes import (
    BAR,
    BOLD,
    LETTER,
    LINE,
    MARGIN,
    NAME,
    ROW,
    Bar,
    LegendEntry,
    Mark,
    PictureLane,
    Tick,
    Timeline,
)
from evidenced.core.telling.timeline import HATCHED
from evidenced.core.telling.timescale import Break

STYLE = files("evidenced").joinpath("picture.css").read_text()

_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
SLIM = 16.0
"""Height of a recorder's bar; a camera's is BAR."""
GAP = 10.0
NOW_AT, BREAK_AT = 27.0, 40.0
"""Where the words of the axis stand, below the clock times."""


def draw(timeline: Timeline, name: str = "timeline") -> str:
    """The picture as an `<svg>` element; `name` keeps apart several in one page."""
    body = [
        _opening(timeline, name),
        f'<title id="{name}-title">{_said(timeline.title)}</title>',
        f'<desc id="{name}-text">{_said(timeline.text)}</desc>',
        _patterns(name),
        *(_break(each, timeline) for each in timeline.breaks),
        *(_tick_line(tick, timeline) for tick in timeline.ticks),
        *_alarm_lines(timeline),
        *_now_line(timeline),
        *(_lane(lane, name) for lane in timeline.lanes),
        # words last: nothing is drawn over them
        *_axis_words(timeline),
        *(_label(lane, timeline) for lane in timeline.lanes),
        *(_key(key, name) for key in timeline.keys),
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


def _break(each: Break, timeline: Timeline) -> str:
    """A band behind a stretch that is drawn shorter than it was."""
    title = said(
        phrase("{length}, drawn shorter", length=spoken(each.length)), timeline.tongue
    )
    return (
        f'<g class="break"><title>{escape(title)}</title>'
        f'<rect x="{_n(each.x)}" y="44" width="{_n(each.width)}" '
        f'height="{_n(_bottom(timeline) - 44)}"/></g>'
    )


def _bottom(timeline: Timeline) -> float:
    last = timeline.lanes[-1]
    return last.y + last.height


def _tick_line(tick: Tick, timeline: Timeline) -> str:
    return _down("tick", tick.x, 20, timeline)


def _down(kind: str, x: float, top: float, timeline: Timeline) -> str:
    return (
        f'<line class="{kind}" x1="{_n(x)}" y1="{_n(top)}" x2="{_n(x)}" '
        f'y2="{_n(_bottom(timeline))}"/>'
    )


def _axis_words(timeline: Timeline) -> Iterable[str]:
    """Clock times, `now`, and how long a break is where that fits."""
    for tick in timeline.ticks:
        yield _text("time", tick.x, 14, tick.label, tick.anchor)
    if timeline.now is not None:
        is_right = timeline.now > timeline.width - 60
        x = timeline.now + (-5 if is_right else 5)
        now = said(phrase("now"), timeline.tongue)
        yield _text("now-word", x, NOW_AT, now, "end" if is_right else "start")
    free_from = timeline.left
    for each in timeline.breaks:
        label = said(spoken(each.length), timeline.tongue)
        middle = each.x + each.width / 2
        half = len(label) * LETTER * 0.45
        if middle - half > free_from and middle + half < timeline.width:
            free_from = middle + half + 4
            yield _text("break-word", middle, BREAK_AT, label, "middle")


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
        top = lane.y + lane.bar_at + SLIM
        for mark in lane.marks:
            if mark.kind in {"alarm", "clear"}:
                yield _down(f"from-{mark.kind}", mark.x, top, timeline)


def _now_line(timeline: Timeline) -> Iterable[str]:
    if timeline.now is not None:
        yield _down("now", timeline.now, 20, timeline)


# ---- the lanes


def _lane(lane: PictureLane, name: str) -> str:
    parts = [f'<g class="lane lane-{lane.kind}">']
    parts += [_bar(lane, bar, name) for bar in lane.bars]
    parts += [_mark(lane, mark) for mark in lane.marks]
    return "".join([*parts, "</g>"])


def _label(lane: PictureLane, timeline: Timeline) -> str:
    """Name and state on one line, below them the words; all of it left of the bars."""
    y, x = lane.y + 14, MARGIN
    end = timeline.left if timeline.left > MARGIN else timeline.width - MARGIN
    chip = len(lane.state) * LETTER + 14 if lane.state else 0.0
    name = _cut(lane.name, (end - x - chip - 2 * GAP) / BOLD)
    parts = ['<g class="label">', _text("name", x, y, name)]
    if lane.state:
        x += len(name) * LETTER * BOLD + GAP
        parts.append(
            f'<g class="state state-{escape(lane.tone)}">'
            + _rect("chip", (x, chip), (y - 12, 17), 8.5)
            + _text("state-word", x + chip / 2, y + 0.5, lane.state, "middle")
            + "</g>"
        )
    for n, line in enumerate(lane.lines):
        parts.append(_text("words", MARGIN, lane.y + NAME + LINE * n + 12, line))
    return "".join([*parts, "</g>"])


def _cut(words: str, width: float) -> str:
    """As much of it as fits; nothing rather than a letter or two."""
    fits = int(width / LETTER)
    if len(words) <= fits:
        return words
    return words[: fits - 1] + "…" if fits > 6 else ""  # noqa: PLR2004


_PATTERNED = {"settle", *HATCHED}


def _bar(lane: PictureLane, bar: Bar, name: str) -> str:
    height = BAR if lane.kind == "camera" else SLIM
    y, end = lane.y + lane.bar_at + bar.row * ROW, bar.x + bar.width
    whole, down = (bar.x, bar.width), (y, height)
    parts = [
        f'<g class="bar bar-{escape(bar.kind)}"><title>{_said(bar.title)}</title>',
        _rect("body", whole, down),
        _rect("roll", (bar.x, bar.pre), down, 0) if bar.pre else "",
        _rect("roll", (end - bar.post, bar.post), down, 0) if bar.post else "",
        _rect("done", (bar.x, bar.width * bar.done), down) if bar.done else "",
        _rect("future", (end - bar.future, bar.future), down, 0) if bar.future else "",
        _rect("pattern", whole, down, fill=f"url(#{name}-hatch)")
        if bar.kind in _PATTERNED
        else "",
        _rect("outline", whole, down),
    ]
    parts += _bar_words(bar, y + height / 2 + 4)
    return "".join([*parts, "</g>"])


def _bar_words(bar: Bar, y: float) -> Iterable[str]:
    """What stands in a bar at its ends, as far as it fits: a roll's words in the roll.

    So the line of the alarm, where a roll ends, goes through no word.
    """
    before, after = bar.pre or bar.width, bar.post or bar.width
    if bar.label and _fits(bar.label, before):
        yield _text("bar-word", bar.x + 6, y, bar.label)
        after = min(after, bar.width - before) if not bar.pre else after
    if bar.end_label and _fits(bar.end_label, after):
        yield _text("bar-word", bar.x + bar.width - 6, y, bar.end_label, "end")


def _fits(words: str, width: float) -> bool:
    return len(words) * LETTER + 12 < width


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
    y = lane.y + lane.bar_at + SLIM / 2
    several = mark.count > 1
    times = f"×{mark.count}" if several else ""  # noqa: RUF001 - the sign of times
    across = max(mark.width, len(times) * LETTER + 4)
    pill = _rect("pill", (-10, across + 20), (-10, 20), 10) if several else ""
    ring = '<circle r="8"/>' if mark.kind in {"refused", "next"} else ""
    place = f"translate({_n(mark.x)},{_n(y)})"
    parts = [
        f'<g class="mark mark-{mark.kind}" transform="{place}">',
        f"<title>{_said(mark.title)}</title>{pill}{ring}",
        f'<path d="{_SHAPES[mark.kind]}"/></g>',
    ]
    if several:
        parts.append(_text("count", mark.x + 11, y + 4, times))
    return "".join(parts)


# ---- the legend


def _key(key: LegendEntry, name: str) -> str:
    """A sample of how it is drawn, and what that means."""
    middle = key.y - 4
    if key.kind in _SHAPES:
        mark = Mark(x=key.x + 9, kind=key.kind, title=key.words)
        lane = PictureLane(y=middle - SLIM / 2, kind="key", name="")
        sample = _mark(lane, mark)
    else:
        sample = _sample(key, (key.x, 20.0), (middle - 6, 12.0), name)
    words = _text("words", key.x + 26, key.y, key.words)
    return f'<g class="legend">{sample}{words}</g>'


def _sample(
    key: LegendEntry, across: tuple[float, float], down: tuple[float, float], name: str
) -> str:
    """A small bar of that kind."""
    kind = {"roll": "exported", "future": "recording", "none": "missing"}.get(
        key.kind, key.kind
    )
    hatch = f"url(#{name}-hatch)" if key.kind in {"none", "settle"} else ""
    return (
        f'<g class="bar bar-{kind}"><title>{escape(key.words)}</title>'
        f"{_rect('body', across, down, 2)}"
        f"{_rect(key.kind, across, down, 0) if key.kind in {'roll', 'future'} else ''}"
        f"{_rect('pattern', across, down, 2, fill=hatch) if hatch else ''}"
        f"{_rect('outline', across, down, 2)}</g>"
    )
