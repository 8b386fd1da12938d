"""One incident as a picture, laid out: values in, places and words out. Pure.

    alarms      when they came, and when the incident was cleared
    a camera    its window: before the alarm, the alarm itself, after it; its state
    a recorder  settle, what it was asked and answered, exports and their progress

Cameras stand above the recorder that they are asked of. Nothing is told by place or
colour alone: each bar and mark has a title, each lane its words, and `text` tells all
of it to those who do not see the picture. `evidenced.picture` draws it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from evidenced.core.alarms.alarm import Signal
from evidenced.core.alarms.payload import one_line
from evidenced.core.ids import RecorderName
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState, ExportState
from evidenced.core.instants import ZERO
from evidenced.core.spoken import spoken
from evidenced.core.telling.story import (
    Story,
    alarm_words,
    asked_words,
    camera_name,
    export_words,
    roll_words,
    tell_story,
    window_words,
)
from evidenced.core.telling.timescale import Break, Scale, make_scale

WIDE = 960.0
NARROW = 340.0
"""Widths to lay out for: a screen with room, and a phone."""
MARGIN = 14.0
AXIS = 44.0
"""Height of the clock times above the lanes."""
LANE = 54.0
BAR_AT = 22.0
"""Where a lane's bar begins, below its words."""
ROW = 24.0
"""A recorder's exports that ran at once lie in rows below each other."""
LETTER = 6.4
"""Mean width of a letter of the picture's text, for what fits beside each other."""
NEAR = 15.0
"""Marks closer than this are drawn as one with a count."""
MAX_LANES = 60
MAX_ROWS = 4


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

    Several that lie on each other are one of a `width`, with their `count`.
    """

    x: float
    width: float = 0.0
    kind: str
    title: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLane:
    """One row of the picture with its words above its bars. `state` may be empty."""

    y: float
    height: float = LANE
    kind: str
    name: str
    state: str = ""
    words: str = ""
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A laid-out picture; `now` is None where it has no place in it."""

    width: float
    height: float
    title: str
    text: str
    ticks: tuple[Tick, ...]
    breaks: tuple[Break, ...]
    lanes: tuple[PictureLane, ...]
    now: float | None = None


def lay_out(story: Story, width: float = WIDE) -> Timeline:
    """The picture of an incident at `story.now`."""
    scale = _scale(story, width)
    lanes = _stacked([_alarm_lane(story, scale), *_recorder_lanes(story, scale)], AXIS)
    shown = lanes[:MAX_LANES]
    last = shown[-1]
    return Timeline(
        width=width,
        height=last.y + last.height + 4,
        title=f"Timeline of incident {story.incident.id}",
        text=tell_story(story),
        ticks=_ticks(story, scale),
        breaks=scale.breaks,
        lanes=tuple(shown),
        now=None if story.incident.is_ended else scale.x(story.now),
    )


# ---- the axis


def _scale(story: Story, width: float) -> Scale:
    incident = story.incident
    moments = {incident.opened_at, *(alarm.at for alarm in story.dossier.alarms)}
    for export in story.dossier.exports:
        moments |= {export.requested_at, _end_of(export, story.now)}
    for recorder, end in _last_ends(incident).items():
        moments.add(end + story.settles.get(recorder, ZERO))
    if not incident.is_ended:
        moments.add(story.now)
        moments |= {clip.due_at for clip in incident.clips if _waits(clip, story.now)}
    footage = [clip.window for clip in incident.clips]
    return make_scale(footage, moments, MARGIN, width - MARGIN)


def _last_ends(incident: Incident) -> dict[RecorderName, datetime]:
    ends: dict[RecorderName, datetime] = {}
    for clip in incident.clips:
        end = clip.window.end
        ends[clip.recorder] = max(ends.get(clip.recorder, end), end)
    return ends


def _end_of(export: ExportRequest, now: datetime) -> datetime:
    return max(export.finished_at or now, export.requested_at)


def _waits(clip: Clip, now: datetime) -> bool:
    return clip.state is ClipState.DUE and clip.due_at > now


def _ticks(story: Story, scale: Scale) -> tuple[Tick, ...]:
    """Clock times of what people ask for, the first ones first, as many as fit."""
    incident, span = story.incident, story.incident.span
    wanted = [span.start, span.end, incident.opened_at]
    if not incident.is_ended:
        wanted.append(story.now)
    exports = story.dossier.exports
    wanted += [_end_of(export, story.now) for export in reversed(exports)]
    wanted += [export.requested_at for export in exports]
    wanted += [alarm.at for alarm in story.dossier.alarms]
    taken: list[tuple[float, float]] = []
    ticks = []
    for at in wanted:
        tick = _tick(scale.x(at), story.shown(at, story.incident.opened_at), scale)
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


# ---- the lanes


def _stacked(lanes: Iterable[PictureLane], top: float) -> list[PictureLane]:
    stacked, y = [], top
    for lane in lanes:
        stacked.append(replace(lane, y=y))
        y += lane.height
    return stacked


def _alarm_lane(story: Story, scale: Scale) -> PictureLane:
    incident = story.incident
    marks = [
        Mark(
            x=scale.x(alarm.at),
            kind="clear" if alarm.signal is Signal.CLEAR else "alarm",
            title=f"{'cleared' if alarm.signal is Signal.CLEAR else 'alarm'} at "
            f"{story.shown(alarm.at)}: {one_line(alarm.topic, 80)}",
        )
        for alarm in story.dossier.alarms
    ]
    if not marks and not incident.continues:
        title = f"alarm at {story.shown(incident.opened_at)}"
        marks = [Mark(x=scale.x(incident.opened_at), kind="alarm", title=title)]
    return PictureLane(
        y=0,
        kind="alarms",
        name="Alarms" if incident.alarms != 1 else "Alarm",
        words=alarm_words(story),
        marks=gather(marks),
    )


def gather(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Marks of one kind that would lie on each other become one with a count."""
    found: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: mark.x):
        last = found[-1] if found else None
        if last and last.kind == mark.kind and mark.x - last.x - last.width < NEAR:
            count = last.count + mark.count
            title = f"{last.title.splitlines()[0]}\nand {count - 1} more"
            width = mark.x - last.x
            found[-1] = replace(last, width=width, title=title, count=count)
        else:
            found.append(mark)
    return tuple(found)


def _recorder_lanes(story: Story, scale: Scale) -> Iterable[PictureLane]:
    by_recorder = sorted(story.incident.clips, key=lambda clip: clip.recorder)
    for recorder, found in groupby(by_recorder, key=lambda clip: clip.recorder):
        clips = list(found)
        cameras = dict.fromkeys(clip.camera for clip in clips)
        for camera in cameras:
            mine = [clip for clip in clips if clip.camera == camera]
            yield _camera_lane(story, mine, scale)
        yield _recorder_lane(story, recorder, clips, scale)


def _camera_lane(story: Story, clips: Sequence[Clip], scale: Scale) -> PictureLane:
    states = list(dict.fromkeys(clip.state.value for clip in clips))
    return PictureLane(
        y=0,
        kind="camera",
        name=camera_name(clips[0]),
        state=" + ".join(states),
        words=window_words(story, clips[0].window)
        if len(clips) == 1
        else f"{len(clips)} windows",
        bars=tuple(
            bar
            for clip in clips
            for bar in (_clip_bar(story, clip, scale), *_gap_bars(story, clip, scale))
        ),
    )


def _gap_bars(story: Story, clip: Clip, scale: Scale) -> list[Bar]:
    gaps = clip.coverage.gaps if clip.coverage and clip.has_footage else ()
    return [
        Bar(
            x=scale.x(gap.start),
            width=max(scale.x(gap.end) - scale.x(gap.start), 2.0),
            kind="gap",
            title=f"{camera_name(clip)}: nothing recorded {window_words(story, gap)}",
        )
        for gap in gaps
    ]


def _clip_bar(story: Story, clip: Clip, scale: Scale) -> Bar:
    window, opened_at = clip.window, story.incident.opened_at
    left, right = scale.x(window.start), scale.x(window.end)
    width = max(right - left, 3.0)
    pre = (
        scale.x(min(opened_at, window.end)) - left
        if not story.incident.continues
        else 0.0
    )
    core_end = max(window.end - clip.post_roll, window.start)
    post = 0.0 if story.incident.is_active else right - scale.x(core_end)
    before, after = roll_words(story, clip)
    future = right - scale.x(story.now) if story.now < window.end else 0.0
    return Bar(
        x=left,
        width=width,
        kind=clip.state.value,
        title=f"{camera_name(clip)}: {window_words(story, window)}; {clip.state}",
        label=before,
        end_label=after,
        pre=max(0.0, min(pre, width)),
        post=max(0.0, min(post, width - max(pre, 0.0))),
        future=min(future, width),
    )


# ---- what a recorder was asked


def _recorder_lane(
    story: Story, recorder: RecorderName, clips: Sequence[Clip], scale: Scale
) -> PictureLane:
    exports = [each for each in story.dossier.exports if each.recorder == recorder]
    running = [each for each in exports if each.state is not ExportState.REFUSED]
    rows = _rows(running, story.now)
    bars = [
        _export_bar(story, export, row, scale)
        for export, row in zip(running, rows, strict=True)
    ]
    marks = [
        Mark(
            x=scale.x(export.requested_at),
            kind="refused",
            title=export_words(story, export),
        )
        for export in exports
        if export.state is ExportState.REFUSED
    ]
    return PictureLane(
        y=0,
        height=LANE + max(rows, default=0) * ROW + 6,
        kind="recorder",
        name=f"Recorder {recorder}",
        words=asked_words(story, exports, clips),
        bars=(*_settle_bars(story, recorder, scale), *bars),
        marks=(*gather(marks), *_next_marks(story, clips, scale)),
    )


def _rows(exports: Sequence[ExportRequest], now: datetime) -> list[int]:
    """The row of each export, so that none covers another that ran beside it."""
    free_at: list[datetime] = []
    rows = []
    for export in exports:
        row = next(
            (n for n, at in enumerate(free_at) if at <= export.requested_at),
            min(len(free_at), MAX_ROWS - 1),
        )
        free_at[row : row + 1] = [_end_of(export, now)]
        rows.append(row)
    return rows


def _settle_bars(story: Story, recorder: RecorderName, scale: Scale) -> list[Bar]:
    settle = story.settles.get(recorder, ZERO)
    if not settle:
        return []
    end = _last_ends(story.incident)[recorder]
    left, right = scale.x(end), scale.x(end + settle)
    title = f"settle: {spoken(settle)} for the recorder to write what it recorded"
    return [Bar(x=left, width=max(right - left, 3.0), kind="settle", title=title)]


def _export_bar(story: Story, export: ExportRequest, row: int, scale: Scale) -> Bar:
    left = scale.x(export.requested_at)
    right = scale.x(_end_of(export, story.now))
    done = export.percent / 100 if export.is_live else None
    return Bar(
        x=left,
        width=max(right - left, 6.0),
        row=row,
        kind=export.state.value,
        title=export_words(story, export),
        label=f"{export.percent:.0f} %" if done is not None else "",
        done=done,
    )


def _next_marks(story: Story, clips: Sequence[Clip], scale: Scale) -> list[Mark]:
    tries = {clip.due_at for clip in clips if _waits(clip, story.now)}
    return [
        Mark(x=scale.x(at), kind="next", title=f"next try at {story.shown(at)}")
        for at in sorted(tries)[:1]
    ]
