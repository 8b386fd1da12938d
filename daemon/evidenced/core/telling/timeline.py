"""One incident as a picture, laid out: values in, places and words out. Pure.

    alarms      when they came, and when the incident was cleared
    a camera    its window: before the alarm, the alarm itself, after it; its state
    a recorder  settle, what it was asked and answered, exports and their progress

`text` tells all of it to those who do not see the picture; `lanes` has what each lane
shows, `evidenced.picture` draws it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from textwrap import wrap

from evidenced.core.incidents.states import CLIPS, EXPORTS
from evidenced.core.instants import ZERO
from evidenced.core.machine import Tone
from evidenced.core.phrase import ENGLISH, Tongue, phrase, said
from evidenced.core.telling.lanes import end_of, lanes_of, last_ends, waits
from evidenced.core.telling.shapes import (
    AXIS,
    BAR,
    LABELS,
    LETTER,
    LINE,
    MARGIN,
    NAME,
    PAD,
    ROW,
    WIDE,
    LegendEntry,
    PictureLane,
    Tick,
    Timeline,
)
from evidenced.core.telling.story import Story, tell_story
from evidenced.core.telling.timescale import Scale, make_scale

ABOVE = 4.0
"""Between a label and the bars below it."""
MAX_LANES = 60
MAX_LINES = 4
"""Of a label's words; what does not fit is in the picture's text."""


def lay_out(story: Story, width: float = WIDE, tongue: Tongue = ENGLISH) -> Timeline:
    """The picture of an incident at `story.now`, its words in this language."""
    has_column = width > 2 * LABELS
    left = MARGIN + (LABELS if has_column else 0.0)
    scale = _scale(story, left, width)
    room = LABELS - MARGIN if has_column else width - 2 * MARGIN
    labelled = [
        _labelled(_said(lane, tongue), room, has_column=has_column)
        for lane in lanes_of(story, scale)
    ]
    shown = _stacked(labelled[:MAX_LANES], AXIS)
    bottom = shown[-1].y + shown[-1].height
    keys = list(_legend(shown, bottom + LINE, width, tongue))
    return Timeline(
        width=width,
        left=left,
        height=(keys[-1].y + 8) if keys else bottom + 4,
        title=said(phrase("Timeline of incident {id}", id=story.incident.id), tongue),
        text=said(tell_story(story), tongue),
        ticks=_ticks(story, scale, tongue),
        breaks=scale.breaks,
        lanes=tuple(shown),
        keys=tuple(keys),
        now=None if story.incident.is_ended else scale.x(story.now),
        tongue=tongue,
    )


# ---- labels and legend


def _said(lane: PictureLane, tongue: Tongue) -> PictureLane:
    """The same with its words in a language: how long they are decides the layout."""
    return replace(
        lane,
        name=said(lane.name, tongue),
        state=said(lane.state, tongue),
        words=said(lane.words, tongue),
        bars=tuple(
            replace(
                bar,
                title=said(bar.title, tongue),
                label=said(bar.label, tongue),
                end_label=said(bar.end_label, tongue),
            )
            for bar in lane.bars
        ),
        marks=tuple(replace(m, title=said(m.title, tongue)) for m in lane.marks),
    )


def _labelled(lane: PictureLane, room: float, *, has_column: bool) -> PictureLane:
    """Its words as lines that fit, and so its height."""
    found = wrap(lane.words, int(room / LETTER)) if lane.words else []
    if len(found) > MAX_LINES:
        found = [*found[: MAX_LINES - 1], f"{found[MAX_LINES - 1][:-1]}…"]
    label = NAME + LINE * len(found)
    bars = BAR + ROW * (lane.rows - 1)
    return replace(
        lane,
        lines=tuple(found),
        bar_at=0.0 if has_column else label + ABOVE,
        height=(max(label, bars) if has_column else label + ABOVE + bars) + PAD,
    )


def _stacked(lanes: Iterable[PictureLane], top: float) -> list[PictureLane]:
    stacked, y = [], top
    for lane in lanes:
        stacked.append(replace(lane, y=y))
        y += lane.height
    return stacked


HATCHED = frozenset(
    str(state)
    for machine in (CLIPS, EXPORTS)
    for state, facts in machine.table.items()
    if facts.tone in {Tone.BAD, Tone.OFF}
)
"""States whose bars hold no footage."""
MEANS = {
    "alarm": phrase("alarm"),
    "clear": phrase("cleared"),
    "roll": phrase("before and after the alarm"),
    "future": phrase("still to come"),
    "settle": phrase("the recorder writes what it filmed"),
    "refused": phrase("refused"),
    "next": phrase("next try"),
    "gap": phrase("nothing recorded"),
    "none": phrase("no footage"),
}
"""What is told by how it is drawn, in the order of the legend."""


def _legend(
    lanes: Iterable[PictureLane], top: float, width: float, tongue: Tongue
) -> Iterator[LegendEntry]:
    """What is in the picture, in as many lines as it takes."""
    there = {kind for lane in lanes for kind in _kinds(lane)}
    x, y = MARGIN, top
    for kind, meaning in MEANS.items():
        if kind not in there:
            continue
        words = said(meaning, tongue)
        length = 26 + len(words) * LETTER + 16
        if x > MARGIN and x + length > width - MARGIN:
            x, y = MARGIN, y + LINE + 3
        yield LegendEntry(x=x, y=y, kind=kind, words=words)
        x += length


def _kinds(lane: PictureLane) -> Iterator[str]:
    for mark in lane.marks:
        yield mark.kind
    for bar in lane.bars:
        yield "none" if bar.kind in HATCHED else bar.kind
        if bar.pre or bar.post:
            yield "roll"
        if bar.future:
            yield "future"


# ---- the axis


def _scale(story: Story, left: float, width: float) -> Scale:
    incident = story.incident
    moments = {incident.opened_at, *(alarm.at for alarm in story.dossier.alarms)}
    for export in story.dossier.exports:
        moments |= {export.requested_at, end_of(export, story.now)}
    for recorder, end in last_ends(incident).items():
        moments.add(end + story.settles.get(recorder, ZERO))
    if not incident.is_ended:
        moments.add(story.now)
        moments |= {clip.due_at for clip in incident.clips if waits(clip, story.now)}
    footage = [clip.window for clip in incident.clips]
    return make_scale(footage, moments, left, width - MARGIN)


def _ticks(story: Story, scale: Scale, tongue: Tongue) -> tuple[Tick, ...]:
    """Clock times of what people ask for, the first ones first, as many as fit."""
    incident, span = story.incident, story.incident.span
    wanted = [span.start, span.end, incident.opened_at]
    if not incident.is_ended:
        wanted.append(story.now)
    exports = story.dossier.exports
    wanted += [end_of(export, story.now) for export in reversed(exports)]
    wanted += [export.requested_at for export in exports]
    wanted += [alarm.at for alarm in story.dossier.alarms]
    taken: list[tuple[float, float]] = []
    ticks = []
    for at in wanted:
        label = said(story.shown(at, story.incident.opened_at), tongue)
        tick = _tick(scale.x(at), label, scale)
        left, right = _extent(tick)
        if all(right + 8 < other or left - 8 > end for other, end in taken):
            taken.append((left, right))
            ticks.append(tick)
    return tuple(sorted(ticks, key=lambda tick: tick.x))


def _tick(x: float, label: str, scale: Scale) -> Tick:
    half = len(label) * LETTER / 2
    if x - half < scale.places[0]:
        return Tick(x=x, label=label, anchor="start")
    if x + half > scale.places[-1]:
        return Tick(x=x, label=label, anchor="end")
    return Tick(x=x, label=label, anchor="middle")


def _extent(tick: Tick) -> tuple[float, float]:
    length = len(tick.label) * LETTER
    left = {"start": 0.0, "middle": length / 2, "end": length}[tick.anchor]
    return tick.x - left, tick.x - left + length
