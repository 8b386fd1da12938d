"""The lanes of a timeline picture: alarms, cameras, what a recorder was asked. Pure.

Cameras stand above the recorder that they are asked of. Nothing is told by place or
colour alone: each bar and mark has a title, each lane its words.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from evidenced.core.alarms.alarm import Signal
from evidenced.core.alarms.payload import one_line
from evidenced.core.ids import RecorderName
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState, ExportState
from evidenced.core.instants import ZERO
from evidenced.core.keeping.kept import KeptAlarm
from evidenced.core.phrase import first_line, glued, joined, phrase, plural, word
from evidenced.core.spoken import spoken
from evidenced.core.telling.cameranames import camera_name
from evidenced.core.telling.shapes import Bar, Mark, PictureLane
from evidenced.core.telling.story import (
    Story,
    alarm_words,
    answer_words,
    asked_words,
    export_words,
    roll_words,
    window_words,
)
from evidenced.core.telling.timescale import Scale

NEAR = 15.0
"""Marks closer than this are drawn as one with a count."""
COUNTED = 34.0
"""The same beside one that has a count, which takes room."""
MAX_ROWS = 4


def lanes_of(story: Story, scale: Scale) -> Iterator[PictureLane]:
    """All of them, from the alarms on."""
    yield _alarm_lane(story, scale)
    yield from _recorder_lanes(story, scale)


def last_ends(incident: Incident) -> dict[RecorderName, datetime]:
    """When the last window of each recorder ends."""
    ends: dict[RecorderName, datetime] = {}
    for clip in incident.clips:
        end = clip.window.end
        ends[clip.recorder] = max(ends.get(clip.recorder, end), end)
    return ends


def end_of(export: ExportRequest, now: datetime) -> datetime:
    """When it ended, or now while it runs."""
    return max(export.finished_at or now, export.requested_at)


def waits(clip: Clip, now: datetime) -> bool:
    return clip.state is ClipState.DUE and clip.due_at > now


def _alarm_lane(story: Story, scale: Scale) -> PictureLane:
    incident = story.incident
    marks = [
        Mark(
            x=scale.x(alarm.at),
            kind="clear" if alarm.signal is Signal.CLEAR else "alarm",
            title=_came(story, alarm),
        )
        for alarm in story.dossier.alarms
    ]
    if not marks and not incident.continues:
        title = phrase(
            "alarm at {opened_at}", opened_at=story.shown(incident.opened_at)
        )
        marks = [Mark(x=scale.x(incident.opened_at), kind="alarm", title=title)]
    return PictureLane(
        kind="alarms",
        name=phrase("Alarms") if incident.alarms != 1 else phrase("Alarm"),
        words=alarm_words(story),
        marks=gather(marks),
    )


def _came(story: Story, alarm: KeptAlarm) -> str:
    at, topic = story.shown(alarm.at), one_line(alarm.topic, 80)
    if alarm.signal is Signal.CLEAR:
        return phrase("cleared at {at}: {topic}", at=at, topic=topic)
    return phrase("alarm at {at}: {topic}", at=at, topic=topic)


def gather(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Marks of one kind that would lie on each other become one with a count."""
    found: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: mark.x):
        last = found[-1] if found else None
        is_near = last and mark.x - last.x - last.width < _room(last)
        if last and is_near and last.kind == mark.kind:
            count = last.count + mark.count
            more = plural("and {n} more", "and {n} more", count - 1)
            title = glued(first_line(last.title), "\n", more)
            width = mark.x - last.x
            found[-1] = replace(last, width=width, title=title, count=count)
        else:
            found.append(mark)
    return tuple(found)


def _room(mark: Mark) -> float:
    return NEAR if mark.count == 1 else COUNTED


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
    states = list(dict.fromkeys(clip.state for clip in clips))
    return PictureLane(
        kind="camera",
        name=camera_name(clips[0]),
        state=joined(" + ", map(word, states)),
        tone=states[0].value,
        words=_window_words(story, clips),
        bars=tuple(
            bar
            for clip in clips
            for bar in (_clip_bar(story, clip, scale), *_gap_bars(story, clip, scale))
        ),
    )


def _window_words(story: Story, clips: Sequence[Clip]) -> str:
    """Of one that awaits its clear, up to when it goes on at most."""
    incident = story.incident
    if len(clips) > 1:
        return plural("{n} window", "{n} windows", len(clips))
    if incident.is_active and clips[0].window.end >= incident.cut_at:
        begin, cut = story.shown(clips[0].window.start), story.shown(incident.cut_at)
        return phrase(
            "from {begin}, still open; until {cut} at the latest", begin=begin, cut=cut
        )
    return window_words(story, clips[0].window)


def _gap_bars(story: Story, clip: Clip, scale: Scale) -> list[Bar]:
    gaps = clip.coverage.gaps if clip.coverage and clip.has_footage else ()
    return [
        Bar(
            x=scale.x(gap.start),
            width=max(scale.x(gap.end) - scale.x(gap.start), 2.0),
            kind="gap",
            title=phrase(
                "{camera}: nothing recorded {window}",
                camera=camera_name(clip),
                window=window_words(story, gap),
            ),
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
        title=glued(
            camera_name(clip), ": ", window_words(story, window), "; ", word(clip.state)
        ),
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
    return PictureLane(
        kind="recorder",
        name=phrase("Recorder {recorder}", recorder=recorder),
        words=asked_words(story, exports, clips),
        rows=max(rows, default=0) + 1,
        bars=(*_settle_bars(story, recorder, scale), *bars),
        marks=(
            *gather(_refusals(story, exports, scale)),
            *_next_marks(story, clips, scale),
        ),
    )


def _refusals(
    story: Story, exports: Sequence[ExportRequest], scale: Scale
) -> Iterator[Mark]:
    """One mark for each run of requests that the recorder refused alike."""
    for said, run in groupby(exports, key=_refused_with):
        refused = list(run)
        if said is None:
            continue
        first, last = refused[0], refused[-1]
        x = scale.x(first.requested_at)
        title = export_words(story, first)
        if len(refused) > 1:
            title = phrase(
                "asked {n} times from {start} to {end}, refused: {answer}",
                n=len(refused),
                start=story.shown(first.requested_at),
                end=story.shown(last.requested_at, first.requested_at),
                answer=said,
            )
        yield Mark(
            x=x,
            width=scale.x(last.requested_at) - x,
            kind="refused",
            title=title,
            count=len(refused),
        )


def _refused_with(export: ExportRequest) -> str | None:
    is_refused = export.state is ExportState.REFUSED
    return answer_words(export) if is_refused else None


def _rows(exports: Sequence[ExportRequest], now: datetime) -> list[int]:
    """The row of each export, so that none covers another that ran beside it."""
    free_at: list[datetime] = []
    rows = []
    for export in exports:
        row = next(
            (n for n, at in enumerate(free_at) if at <= export.requested_at),
            min(len(free_at), MAX_ROWS - 1),
        )
        free_at[row : row + 1] = [end_of(export, now)]
        rows.append(row)
    return rows


def _settle_bars(story: Story, recorder: RecorderName, scale: Scale) -> list[Bar]:
    settle = story.settles.get(recorder, ZERO)
    if not settle:
        return []
    end = last_ends(story.incident)[recorder]
    left, right = scale.x(end), scale.x(end + settle)
    title = phrase(
        "{length} for the recorder to write what it recorded",
        length=spoken(settle),
    )
    return [Bar(x=left, width=max(right - left, 3.0), kind="settle", title=title)]


def _export_bar(story: Story, export: ExportRequest, row: int, scale: Scale) -> Bar:
    left = scale.x(export.requested_at)
    right = scale.x(end_of(export, story.now))
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
    tries = {clip.due_at for clip in clips if waits(clip, story.now)}
    return [
        Mark(
            x=scale.x(at),
            kind="next",
            title=phrase("next try at {at}", at=story.shown(at)),
        )
        for at in sorted(tries)[:1]
    ]
