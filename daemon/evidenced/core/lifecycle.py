"""What alarms and time do to incidents: open, extend, clear, cut, end.

    alarm        open incident of the group touches?   what happens
    active       no                                    open
    active       yes, before the cut                   extend: windows merge
    active       yes, past the cut                     cut: this piece ends at the cut,
                                                       the next one begins there
    clear        yes, and it awaits one                windows end at clear + post-roll
    clear        no                                    nothing (the alarm is counted)
    time         a window ended                        its clips are due after settle
    time         the cut, and still no clear           cut, as above

Rolls are added in `windows_for` and nowhere else. Windows are in true UTC; the
recorder's clock comes in when they are asked for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from evidenced.core.alarm import Moment, Reading
from evidenced.core.errors import Reason
from evidenced.core.history import Change, Event
from evidenced.core.ids import IncidentId, RecorderName
from evidenced.core.incident import Camera, Clip, Incident
from evidenced.core.instants import render_utc
from evidenced.core.rules import Rule
from evidenced.core.states import ClipState
from evidenced.core.window import Window, merge

RANK_PER_POINT = timedelta(minutes=1)
"""A waiting clip gains one point of priority a minute (design.md, Details)."""

MAX_PIECES = 1000
"""Pieces cut in one go after a long absence; the next turn goes on from there."""

NewId = Callable[[datetime], IncidentId]
Settles = Mapping[RecorderName, timedelta]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An alarm with everything that the step needs to know besides the incident."""

    rule: Rule
    reading: Reading
    cameras: tuple[Camera, ...]
    unknown: tuple[str, ...] = ()
    settles: Settles
    now: datetime
    trigger: Mapping[str, object]


def windows_for(happening: Happening) -> dict[Camera, Window]:
    """Each camera's window for one alarm by itself: the rolls around its moment.

    A rule that awaits a clear keeps the window open until max_length after the alarm.
    The widening for our absence is bounded by max_length.
    """
    rule, moment = happening.rule, happening.reading.moment
    earliest = max(moment.earliest, moment.at - rule.terms.max_length)
    return {
        camera: Window(
            start=earliest - _pre_roll(camera, rule),
            end=_open_end(rule, moment)
            if rule.clear
            else moment.latest + _post_roll(camera, rule),
        )
        for camera in happening.cameras
    }


def _open_end(rule: Rule, moment: Moment) -> datetime:
    return max(moment.at + rule.terms.max_length, moment.latest)


def _pre_roll(camera: Camera, rule: Rule) -> timedelta:
    return rule.pre_roll if camera.pre_roll is None else camera.pre_roll


def _post_roll(camera: Camera, rule: Rule) -> timedelta:
    return rule.post_roll if camera.post_roll is None else camera.post_roll


def span_of(happening: Happening) -> Window:
    """From the first window's start to the last one's end, for the touch test."""
    windows = windows_for(happening).values()
    if not windows:
        rule, moment = happening.rule, happening.reading.moment
        return Window(
            start=moment.earliest - rule.pre_roll, end=moment.latest + rule.post_roll
        )
    return Window(
        start=min(window.start for window in windows),
        end=max(window.end for window in windows),
    )


def find_touching(
    incidents: Iterable[Incident], happening: Happening
) -> Incident | None:
    """The open incident that the alarm belongs to: the latest one that it touches.

    An incident without any known camera takes only alarms without any, so that a storm
    of them is one incident; one with cameras never brings it back to life.
    """
    span = span_of(happening)
    return max(
        (
            each
            for each in incidents
            if each.is_open
            and (each.clips or not happening.cameras)
            and _is_touched(each, span)
        ),
        key=lambda each: (each.first_at, each.id),
        default=None,
    )


def _is_touched(incident: Incident, span: Window) -> bool:
    """One that awaits its clear goes on, even where its cut is overdue."""
    goes_on = incident.is_active and span.end >= incident.span.start
    return goes_on or incident.span.touches(span)


def find_active(incidents: Iterable[Incident], at: datetime) -> Incident | None:
    """The incident that a clear of this instant ends: the latest one begun by then.

    A clear from before the alarm belongs to an earlier one. A piece that goes on from
    another may begin after it: the clear was only late.
    """
    return max(
        (
            each
            for each in incidents
            if each.is_active and (each.continues or each.opened_at <= at)
        ),
        key=lambda each: (each.first_at, each.id),
        default=None,
    )


def open_incident(happening: Happening, new_id: NewId) -> Change:
    """A new incident for an alarm that belongs to none."""
    moment, rule = happening.reading.moment, happening.rule
    incident = Incident(
        id=new_id(moment.at),
        rule=rule.name,
        key=happening.reading.key,
        opened_at=moment.at,
        first_at=moment.at,
        last_at=moment.latest,
        is_active=rule.clear is not None and bool(happening.cameras),
        fields=dict(happening.reading.fields),
        terms=rule.terms,
    )
    incident = _with_windows(incident, happening, windows_for(happening))
    if not incident.clips:
        incident = replace(incident, reason=Reason.NO_CAMERA)
    incident = incident.settled(happening.now)
    detail = dict(happening.trigger)
    if happening.unknown:
        detail["unknown_cameras"] = list(happening.unknown)
    return Change(before=None, after=incident, event=Event.OPENED, detail=detail)


def extend(incident: Incident, happening: Happening, new_id: NewId) -> list[Change]:
    """The alarm joins an incident that it touches, which may be cut on the way.

    The last change's incident is the one that the alarm belongs to.
    """
    moment = happening.reading.moment
    if not incident.is_active and incident.clips and moment.at > incident.cut_at:
        return _cut_by_alarm(incident, happening, new_id)
    pieces = advance(incident, moment.at, happening.settles, happening.now, new_id)
    last = pieces[-1].after if pieces else incident
    merged = _with_windows(last, happening, _windows_within(last, happening))
    after = replace(
        merged,
        last_at=max(last.last_at, moment.latest),
        is_active=_awaits_clear(last, happening) and bool(merged.clips),
        alarms=last.alarms + 1,
    )
    detail = dict(happening.trigger)
    if after.span != last.span:
        detail["end"] = render_utc(after.span.end)
    if happening.unknown:
        detail["unknown_cameras"] = list(happening.unknown)
    change = Change(before=last, after=after, event=Event.EXTENDED, detail=detail)
    return [*pieces, change]


def _awaits_clear(incident: Incident, happening: Happening) -> bool:
    """Also where an alarm without one (by hand) joins an incident that awaits its."""
    return incident.is_active or happening.rule.clear is not None


def _windows_within(incident: Incident, happening: Happening) -> dict[Camera, Window]:
    """The alarm's windows inside one piece.

    A piece that goes on from another begins at the cut without pre-roll, and one that
    awaits its clear reaches to the next cut.
    """
    floor = incident.first_at if incident.continues else None
    windows = {}
    for camera, window in windows_for(happening).items():
        start = window.start if floor is None else max(window.start, floor)
        end = incident.cut_at if _awaits_clear(incident, happening) else window.end
        if start < end:
            windows[camera] = Window(start=start, end=end)
    return windows


def _cut_by_alarm(
    incident: Incident, happening: Happening, new_id: NewId
) -> list[Change]:
    """Split at the cut: together the pieces cover what one long incident would."""
    cut = incident.cut_at
    whole = _with_windows(incident, happening, windows_for(happening))
    first = _ended_at_cut(incident, cut, happening.settles, happening.now)
    moment = happening.reading.moment
    second = replace(
        _blank_piece(incident, cut, new_id),
        last_at=moment.latest,
        is_active=happening.rule.clear is not None,
        fields=dict(happening.reading.fields),
        terms=happening.rule.terms,
    )
    rest = [
        replace(
            clip, window=Window(start=max(clip.window.start, cut), end=clip.window.end)
        )
        for clip in whole.clips
        if clip.window.end > cut
    ]
    second = _armed(replace(second, clips=_renumbered(rest)), happening.settles)
    detail = dict(happening.trigger) | {"continues": incident.id}
    return [
        _cut_change(incident, first, second.id, cut),
        Change(before=None, after=second, event=Event.CONTINUED, detail=detail),
    ]


def clear(incident: Incident, happening: Happening, new_id: NewId) -> list[Change]:
    """The alarm is over: windows end at the later of clear and last alarm + post-roll.

    A clear that is older than the last alarm still ends it: footage of that alarm is
    kept whole, and an incident that waited for another clear would never end.
    """
    at = max(happening.reading.moment.latest, incident.last_at)
    pieces = advance(incident, at, happening.settles, happening.now, new_id)
    last = pieces[-1].after if pieces else incident
    clips = tuple(_cleared(clip, at) for clip in last.clips)
    after = _armed(
        replace(last, clips=clips, is_active=False, alarms=last.alarms + 1),
        happening.settles,
        now=happening.now,
    ).settled(happening.now)
    detail = dict(happening.trigger) | {"end": render_utc(after.span.end)}
    return [
        *pieces,
        Change(before=last, after=after, event=Event.CLEARED, detail=detail),
    ]


def _cleared(clip: Clip, at: datetime) -> Clip:
    """The clip with its end known; nothing is left of one that began after it."""
    end = at + clip.post_roll
    if end > clip.window.start:
        return replace(clip, window=Window(start=clip.window.start, end=end))
    return replace(
        clip.moved(ClipState.CANCELLED),
        window=Window(start=clip.window.start, end=clip.window.start),
        message="the alarm was over before this piece began",
    )


def advance(
    incident: Incident,
    until: datetime,
    settles: Settles,
    now: datetime,
    new_id: NewId,
) -> list[Change]:
    """Cut an incident that still awaits its clear, as often as its length asks for.

    The last change's incident is the piece that goes on; empty when nothing is cut.
    """
    changes: list[Change] = []
    piece = incident
    while piece.is_active and until >= piece.cut_at and len(changes) < 2 * MAX_PIECES:
        cut = piece.cut_at
        first = _ended_at_cut(piece, cut, settles, now)
        clips = [
            replace(
                clip,
                window=Window(start=cut, end=cut + piece.terms.max_length),
            )
            for clip in piece.clips
        ]
        second = replace(_blank_piece(piece, cut, new_id), is_active=True)
        second = _armed(replace(second, clips=_renumbered(clips)), settles)
        changes += [
            _cut_change(piece, first, second.id, cut),
            Change(
                before=None,
                after=second,
                event=Event.CONTINUED,
                detail={"continues": piece.id},
            ),
        ]
        piece = second
    return changes


def turn(
    incident: Incident, now: datetime, settles: Settles, new_id: NewId
) -> list[Change]:
    """What the passing of time does: cut what goes on, end what has ended."""
    changes = advance(incident, now, settles, now, new_id)
    last = changes[-1].after if changes else incident
    after = _ended(last, now)
    if after is not last:
        detail = {"alarms": after.alarms, "end": render_utc(after.span.end)}
        changes.append(
            Change(before=last, after=after, event=Event.ENDED, detail=detail)
        )
    return changes


def _ended(incident: Incident, now: datetime) -> Incident:
    """Clips whose recorder's last window has ended become due."""
    if incident.is_active:
        return incident
    ends = _ends(incident.clips)
    ended = [
        clip.moved(ClipState.DUE)
        for clip in incident.clips
        if clip.state is ClipState.RECORDING and ends[clip.recorder] <= now
    ]
    return incident.with_clips(*ended) if ended else incident


def _ended_at_cut(
    incident: Incident, cut: datetime, settles: Settles, now: datetime
) -> Incident:
    clips = tuple(
        replace(
            clip,
            window=Window(start=clip.window.start, end=min(clip.window.end, cut)),
        )
        for clip in incident.clips
        if clip.window.start < cut
    )
    ended = replace(incident, clips=clips, is_active=False)
    return _ended(_armed(ended, settles), now)


def _blank_piece(incident: Incident, cut: datetime, new_id: NewId) -> Incident:
    """What every next piece begins with; windows and state are the caller's."""
    return Incident(
        id=new_id(cut),
        rule=incident.rule,
        key=incident.key,
        opened_at=cut,
        first_at=cut,
        last_at=cut,
        fields=incident.fields,
        terms=incident.terms,
        continues=incident.id,
    )


def _cut_change(
    before: Incident, after: Incident, next_id: IncidentId, cut: datetime
) -> Change:
    return Change(
        before=before,
        after=after,
        event=Event.ENDED,
        detail={"cut": render_utc(cut), "goes_on_as": next_id},
    )


def _with_windows(
    incident: Incident, happening: Happening, windows: Mapping[Camera, Window]
) -> Incident:
    """The incident with one alarm's windows merged into its clips, camera by camera."""
    clips = list(incident.clips)
    fresh = count(max((clip.n for clip in clips), default=0) + 1)
    for camera, window in windows.items():
        mine = [clip for clip in clips if clip.camera == camera.name]
        others = [clip for clip in clips if clip.camera != camera.name]
        clips = [*others, *_merged(mine, camera, window, happening.rule, fresh)]
    clips.sort(key=lambda clip: clip.n)
    return _armed(
        replace(incident, clips=tuple(clips)), happening.settles, now=happening.now
    )


def _merged(
    mine: Sequence[Clip],
    camera: Camera,
    window: Window,
    rule: Rule,
    fresh: "count[int]",
) -> list[Clip]:
    merged = []
    for hull in merge([*(clip.window for clip in mine), window]):
        inside = [clip for clip in mine if hull.touches(clip.window)]
        if inside:
            merged.append(replace(inside[0], window=hull))
        else:
            merged.append(_new_clip(next(fresh), camera, hull, rule))
    return merged


def _new_clip(n: int, camera: Camera, window: Window, rule: Rule) -> Clip:
    return Clip(
        n=n,
        camera=camera.name,
        label=camera.label or camera.name,
        recorder=camera.recorder,
        server=camera.server,
        device=camera.device,
        window=window,
        post_roll=_post_roll(camera, rule),
        due_at=window.end,
        rank=window.end,
    )


def _renumbered(clips: Iterable[Clip]) -> tuple[Clip, ...]:
    return tuple(
        replace(clip, n=n, state=ClipState.RECORDING)
        for n, clip in enumerate(clips, start=1)
    )


def _armed(
    incident: Incident, settles: Settles, *, now: datetime | None = None
) -> Incident:
    """Due instants and ranks that follow from the windows, one for each recorder.

    With `now`, a clip that had ended records again if its recorder's end has moved
    past it.
    """
    ends = _ends(incident.clips)
    points = RANK_PER_POINT * incident.terms.priority
    clips = []
    for clip in incident.clips:
        end = ends[clip.recorder]
        due = end + settles.get(clip.recorder, timedelta(0))
        again = now is not None and clip.state is ClipState.DUE and end > now
        if clip.due_at != due or clip.rank != due + points or again:
            state = ClipState.RECORDING if again else clip.state
            clip = replace(clip, due_at=due, rank=due + points, state=state)  # noqa: PLW2901
        clips.append(clip)
    return replace(incident, clips=tuple(clips))


def _ends(clips: Iterable[Clip]) -> dict[RecorderName, datetime]:
    """The end of the last window on each recorder."""
    ends: dict[RecorderName, datetime] = {}
    for clip in clips:
        ends[clip.recorder] = max(
            ends.get(clip.recorder, clip.window.end), clip.window.end
        )
    return ends
