"""What alarms and time do to incidents: open, extend, clear, cut, end.

    alarm        open incident of the group touches?   what happens
    active       no                                    open
    active       yes, before the cut                   extend: windows merge
    active       yes, at the cut or past it            cut: this piece ends at the cut,
                                                       the next one begins there
    clear        yes, and it awaits one                windows end at clear + post-roll
    clear        no                                    nothing (the alarm is counted)
    time         a window ended                        its clips are due after settle
    time         the cut, and still no clear           cut, as above

A clip awaits the clear when its window reaches the cut; only those are ended by it, and
only those go on in the next piece. While an incident awaits its clear, all its clips
record: nothing is asked for, so alarms may still change it.

Windows are in true UTC; the recorder's clock comes in when they are asked for.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from evidenced.core.camera import Camera
from evidenced.core.errors import Reason
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.clipping import arm, new_clip, renumber, with_windows
from evidenced.core.incidents.happening import Happening, Settles
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Clip, Incident, ends_of
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import MILLISECOND, render_utc
from evidenced.core.trust import EVER, Now
from evidenced.core.window import Window

MAX_PIECES = 1000
"""Pieces cut in one go after a long absence; the next turn goes on from there."""


NewId = Callable[[datetime], IncidentId]


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
        asked_at=happening.now.sure,
        fields=happening.reading.fields,
        terms=rule.terms,
        clips=tuple(
            new_clip(n, camera, window, happening)
            for n, (camera, window) in enumerate(happening.windows.items(), start=1)
        ),
        reason=None if happening.cameras else Reason.NO_CAMERA,
    )
    if len(incident.clips) > 1:
        due = arm(incident, incident.clips, happening.settles)
        incident = replace(incident, clips=due)
    incident = incident.settled(happening.now.at)
    detail = dict(happening.trigger)
    if happening.unknown:
        detail["unknown_cameras"] = list(happening.unknown)
    return Change(before=None, after=incident, event=Event.OPENED, detail=detail)


def extend(incident: Incident, happening: Happening, new_id: NewId) -> list[Change]:
    """The alarm joins an incident that it touches, which may be cut on the way.

    The last change's incident is the one that the alarm belongs to.
    """
    moment = happening.reading.moment
    if _is_cut_by(incident, happening):
        return _cut_by_alarm(incident, happening, new_id)
    pieces = _up_to(incident, moment.at, happening, new_id)
    last = pieces[-1].after if pieces else incident
    joined = replace(
        last,
        last_at=max(last.last_at, moment.latest),
        is_active=_awaits_clear(last, happening),
        asked_at=happening.now.sure,
        alarms=last.alarms + 1,
    )
    after = with_windows(joined, happening, _windows_within(last, happening))
    detail = dict(happening.trigger)
    if after.span != last.span:
        detail["end"] = render_utc(after.span.end)
    if happening.unknown:
        detail["unknown_cameras"] = list(happening.unknown)
    change = Change(before=last, after=after, event=Event.EXTENDED, detail=detail)
    return [*pieces, change]


def _is_cut_by(incident: Incident, happening: Happening) -> bool:
    """Whether an alarm begins the next piece of an incident that awaits no clear.

    One that brings no window cannot: there would be nothing to record in it.
    """
    return (
        not incident.is_active
        and bool(happening.cameras)
        and happening.reading.moment.at >= incident.cut_at
    )


def _awaits_clear(incident: Incident, happening: Happening) -> bool:
    """Also where an alarm without one (by hand) joins an incident that awaits its."""
    return incident.is_active or (
        happening.rule.clear is not None and bool(happening.cameras)
    )


def _windows_within(incident: Incident, happening: Happening) -> dict[Camera, Window]:
    """The alarm's windows inside one piece.

    In a piece that goes on from another, a camera that went on with it begins at the
    cut without pre-roll; what lies before is the earlier piece's. One that joins later
    has its pre-roll. A piece that awaits its clear reaches to the next cut.
    """
    going_on = {
        clip.camera
        for clip in incident.clips
        if incident.continues and clip.window.start <= incident.first_at
    }
    is_awaiting = _awaits_clear(incident, happening)
    windows = {}
    for camera, window in happening.windows.items():
        floor = incident.first_at if camera.name in going_on else window.start
        start = max(window.start, floor)
        end = incident.cut_at if is_awaiting else window.end
        if start < end:
            windows[camera] = Window(start=start, end=end)
    return windows


def _cut_by_alarm(
    incident: Incident, happening: Happening, new_id: NewId
) -> list[Change]:
    """Split at the cut: together the pieces cover what one long incident would."""
    cut = incident.cut_at
    whole = with_windows(incident, happening, happening.windows)
    first = _ended_at_cut(whole, cut, happening.settles, happening.now.at)
    moment = happening.reading.moment
    second = replace(
        _blank_piece(incident, cut, new_id),
        last_at=moment.latest,
        is_active=happening.rule.clear is not None,
        asked_at=happening.now.sure,
        fields=dict(happening.reading.fields),
        terms=happening.rule.terms,
    )
    rest = [
        replace(
            clip, window=Window(start=max(clip.window.start, cut), end=clip.window.end)
        )
        for clip in whole.clips
        if clip.window.end > cut and not clip.is_ended
    ]
    clips = arm(second, renumber(rest), happening.settles)
    second = replace(second, clips=clips)
    detail = dict(happening.trigger) | {"continues": incident.id}
    return [
        _cut_change(incident, first, second.id, cut),
        Change(before=None, after=second, event=Event.CONTINUED, detail=detail),
    ]


def clear(incident: Incident, happening: Happening, new_id: NewId) -> list[Change]:
    """The alarm is over: windows end at the later of clear and last alarm + post-roll.

    A clear that is older than the last alarm still ends it: footage of that alarm is
    kept whole, and an incident that waited for another clear would never end. One that
    comes after it was taken as lost ends it where it was.
    """
    at = max(happening.reading.moment.latest, incident.last_at)
    lost_at = happening.rule.clear_lost_at(incident.last_at)
    at = at if lost_at is None else min(at, lost_at)
    at = max(min(at, happening.now.furthest), incident.last_at)
    pieces = _up_to(incident, at, happening, new_id)
    last = pieces[-1].after if pieces else incident
    clips = [_cleared(clip, at) if _awaits(last, clip) else clip for clip in last.clips]
    over = replace(
        last, is_active=False, asked_at=happening.now.sure, alarms=last.alarms + 1
    )
    due = arm(over, clips, happening.settles, happening.now.at)
    after = replace(over, clips=due).settled(happening.now.at)
    detail = dict(happening.trigger) | {"end": render_utc(after.span.end)}
    return [
        *pieces,
        Change(before=last, after=after, event=Event.CLEARED, detail=detail),
    ]


def _up_to(
    incident: Incident, until: datetime, happening: Happening, new_id: NewId
) -> list[Change]:
    """The cuts that lie before a message, as far as its clock may be believed."""
    now = happening.now
    until = min(until, now.furthest)
    return advance(incident, until, happening.settles, now.at, new_id)


def _awaits(incident: Incident, clip: Clip) -> bool:
    """Whether the clear that is awaited ends this clip: its window reaches the cut."""
    return clip.window.end >= incident.cut_at and not clip.is_ended


def _cleared(clip: Clip, at: datetime) -> Clip:
    """The clip with its end known; nothing is left of one that began after it."""
    end = at + clip.post_roll
    if end > clip.window.start:
        return replace(clip, window=Window(start=clip.window.start, end=end))
    return clip.moved(
        ClipState.CANCELLED,
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
        clips = _going_on(piece)
        second = replace(
            _blank_piece(piece, cut, new_id), is_active=True, asked_at=now, alarms=0
        )
        due = arm(second, renumber(clips), settles)
        second = replace(second, clips=due)
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


def _going_on(piece: Incident) -> list[Clip]:
    """The clips of the next piece, each from this one's cut to its own.

    One a camera: two windows of it reach past the cut where a post-roll is longer.
    """
    window = Window(start=piece.cut_at, end=piece.cut_at + piece.terms.max_length)
    going_on = {
        clip.camera: replace(clip, window=window)
        for clip in piece.clips
        if _awaits(piece, clip)
    }
    return list(going_on.values())


def turn(
    incident: Incident,
    now: Now,
    settles: Settles,
    new_id: NewId,
    *,
    may_go_on: bool = True,
    clear_within: timedelta | None = None,
) -> list[Change]:
    """What the passing of time does: cut what goes on, end what has ended.

    A cut waits until it has come for sure; a window ends by the clock that opened it.
    Without `may_go_on` the cut is the end: no rule can clear it any more. So is the
    first cut that is `clear_within` after the last alarm: the clear was lost.
    """
    until, lost_at = now.sure, EVER
    if clear_within is not None:
        lost_at = incident.last_at + clear_within
        until = min(until, lost_at - MILLISECOND)
    changes = advance(incident, until, settles, now.at, new_id) if may_go_on else []
    last = changes[-1].after if changes else incident
    is_over = last.is_active and now.sure >= last.cut_at
    is_over = is_over and (not may_go_on or last.cut_at >= lost_at)
    after = _ended(replace(last, is_active=False) if is_over else last, now.at)
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
    ends = ends_of(incident.clips)
    ended = [
        clip.moved(ClipState.DUE)
        for clip in incident.clips
        if clip.state is ClipState.RECORDING and ends[clip.recorder] <= now
    ]
    if not ended:
        return incident
    return incident.with_clips(*ended).settled(now)


def _ended_at_cut(
    incident: Incident, cut: datetime, settles: Settles, now: datetime
) -> Incident:
    clips = [
        replace(
            clip,
            window=Window(start=clip.window.start, end=min(clip.window.end, cut)),
        )
        if not clip.is_ended
        else clip
        for clip in incident.clips
        if clip.window.start < cut or clip.is_ended
    ]
    over = replace(incident, is_active=False)
    return _ended(replace(over, clips=arm(over, clips, settles)), now)


def _blank_piece(incident: Incident, cut: datetime, new_id: NewId) -> Incident:
    """What every next piece begins with; windows and state are the caller's.

    The latest alarm is the earlier piece's until there is another: a clear that comes
    late is measured against it, not against the cut.
    """
    return Incident(
        id=new_id(cut),
        rule=incident.rule,
        key=incident.key,
        opened_at=cut,
        first_at=cut,
        last_at=incident.last_at,
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
