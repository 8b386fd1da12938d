"""What alarms and time do to incidents: open, extend, clear, cut, end.

    alarm        open incident of the group touches?   what happens
    active       no                                    open
    active       yes, before the cut                   extend: windows merge
    active       yes, at the cut or past it            cut: this piece ends at the cut,
                                                       the next one begins there
    clear        one of its group awaits it            windows end at clear + post-roll
    clear        none                                  nothing (it is kept and listed)
    time         a window ended                        its clips are due after settle
    time         the cut, and still no clear           cut, as above
    time         its clear is lost                     the next cut is the end, or
                                                       that of the last post-roll

Windows are in true UTC; the recorder's clock comes in when they are asked for.


What must hold
--------------

The instant of every alarm that was accepted lies in a clip of each of its cameras,
however late it came and whatever was cut before. That is what the daemon is for; all
the rest is so that the same minute is not exported twice, or for ever. Where the two
are at odds, footage twice is better than none. No window that an alarm wants is shorter
than LEAST, and only one that holds no alarm at all becomes void.


Awaiting a clear
----------------

A rule without `clear` knows an alarm's end at once: it wants [alarm - pre-roll, alarm +
post-roll). A rule with one does not. Its incident is *active*: each window reaches to
the cut, as if the alarm would last so long, and the clear brings it back to clear +
post-roll. So "its window reaches the cut" says of a clip that the clear is awaited for
it. A camera that a plain alarm added (by hand, say) ends where it ends.

While an incident is active all its clips record: nothing is asked for, so an alarm may
still change any of them.

A clear ends the latest incident of its group that is active and had begun by then. But
no clip ends before the post-roll of the latest alarm: a clear that is older than it,
because it came late or by another clock, ends the alarm all the same.

A clear may never come. It is lost when `clear_within` has passed since the last alarm;
then the first cut after that is the end. So is the first cut where no rule finds the
incident by its clear any more: a reload took the rule away, or groups otherwise.


Pieces
------

An incident longer than `max_length`, counted from its first alarm, is cut into pieces,
which are incidents of their own: the footage of a door that stands open all night comes
half an hour at a time. At the cut one piece ends without post-roll and the next begins
without pre-roll: no gap, no overlap. `continues` names the piece before; `first_at` is
the cut that the piece begins at. Who cuts?

    - time, of an incident that is active when its cut comes; if that was past when it
      was opened, a little later, for its clear may have come with it (`TOGETHER`),
    - an alarm or a clear whose own time is past the cut (time was not looked at yet),
    - an alarm that touches an incident that is not active, at its cut or past it.

Only clips whose window reaches past the cut go on in the next piece. Time cuts once it
is sure that the cut has come, whatever the host's clock says (see `trust`).


What lies before a cut
----------------------

    rule with clear, cut at 12:30, pre-roll 30 s

    12:00  alarm of gate           i1: gate 11:59:30 - 12:30
    12:30  (time)                  i2: gate 12:30 - 13:00                     came over
    12:30:10  alarm of dock        i2: dock 12:29:40 - 13:00            joins in here
    12:30:10  alarm of gate        i2: gate 12:30 - 13:00
    12:29:20  alarm of dock, late  i2: dock 12:28:50 - 13:00

The gate's second alarm wants footage from 12:29:40 on. i1 has all before the cut, and
i2 leaves it there: the gate *came over* the cut, so its clip of i2 begins exactly at
it. Dock has no clip in i1. It joins in i2, and its pre-roll lies before the cut; so a
clip that begins before the cut did not come over it, and nothing of it is elsewhere.

May a window always be cut off there, of a camera that came over? Its clip of the
earlier piece reaches back to the pre-roll of some alarm y of this camera, whose time is
at most `last_at`, the latest alarm that is known. What reaches back from an alarm at
`last_at` or later is inside that. An alarm that is older than `last_at` may be older
than y too, and the earlier piece may have nothing of it: so it is not cut off, and some
footage may be had twice.

All this rests on the earlier piece: what it had at the cut it has for good. So a piece
that was cut takes no more alarms, and no clear can shorten it.


Late alarms
-----------

An alarm belongs to the open incident of its group that its window touches, the latest
if there are several; else it opens one. An incident is open until its cut, or until the
first request for its footage: after that its windows must not move. So an alarm that is
late for i1 joins i2 where its window reaches there, as it always does that awaits its
clear; or it opens an incident that has some minutes once more.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from evidenced.core.camera import Camera
from evidenced.core.errors import Reason
from evidenced.core.incidents.clipping import arm, new_clip, renumber, with_windows
from evidenced.core.incidents.cutting import (
    NewId,
    advance,
    awaits,
    blank_piece,
    closed,
    cut_change,
    end_windows,
    ended_at_cut,
    last_piece,
    outlasts_cut,
)
from evidenced.core.incidents.happening import Happening, Settles
from evidenced.core.incidents.history import SHORT, Change, Event
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.instants import MILLISECOND, render_utc
from evidenced.core.spoken import spoken
from evidenced.core.trust import EVER, Now
from evidenced.core.window import Window


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
        begun_at=happening.now.sure,
        is_active=happening.awaits_end and bool(happening.cameras),
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
    detail = {**happening.trigger, **_noted(happening)}
    return Change(before=None, after=incident, event=Event.OPENED, detail=detail)


def _noted(happening: Happening) -> dict[str, object]:
    """What the history says of the alarm's cameras."""
    noted: dict[str, object] = {}
    if happening.unknown:
        noted["unknown_cameras"] = list(happening.unknown)
    if happening.short:
        noted[SHORT] = list(happening.short)
    return noted


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
    detail |= _noted(happening)
    change = Change(before=last, after=after, event=Event.EXTENDED, detail=detail)
    return [*pieces, change]


def _is_cut_by(incident: Incident, happening: Happening) -> bool:
    """Whether an alarm begins the next piece of an incident that awaits no clear.

    One that brings no window beyond the cut cannot: there would be nothing to record in
    it. With a post-roll of 0 s that is an alarm whose instant is the cut's.
    """
    cut = incident.cut_at
    return (
        not incident.is_active
        and happening.reading.moment.at >= cut
        and any(each.end > cut for each in happening.windows.values())
    )


def _awaits_clear(incident: Incident, happening: Happening) -> bool:
    """Also where an alarm without one (by hand) joins an incident that awaits its."""
    return incident.is_active or (happening.awaits_end and bool(happening.cameras))


def _windows_within(incident: Incident, happening: Happening) -> dict[Camera, Window]:
    """The alarm's windows inside one piece.

    Of a camera that came over the cut what lies before is the earlier piece's, unless
    a later alarm is known. A piece that awaits its clear reaches to the next cut.
    """
    is_in_order = happening.reading.moment.earliest >= incident.last_at
    came_over = {
        clip.camera
        for clip in incident.clips
        if incident.continues and clip.window.start == incident.first_at
    }
    is_awaiting = _awaits_clear(incident, happening)
    windows = {}
    for camera, window in happening.windows.items():
        has_earlier = is_in_order and camera.name in came_over
        start = max(window.start, incident.first_at) if has_earlier else window.start
        end = incident.cut_at if is_awaiting else window.end
        if start < end:  # else all of it is the earlier piece's
            windows[camera] = Window(start=start, end=end)
    return windows


def _cut_by_alarm(
    incident: Incident, happening: Happening, new_id: NewId
) -> list[Change]:
    """Split at the cut: together the pieces cover what one long incident would."""
    cut = incident.cut_at
    whole = with_windows(incident, happening, happening.windows)
    first = ended_at_cut(whole, cut, happening.settles, happening.now.at)
    moment = happening.reading.moment
    second = replace(
        blank_piece(incident, cut, new_id),
        last_at=moment.latest,
        is_active=happening.awaits_end,
        asked_at=happening.now.sure,
        fields=dict(happening.reading.fields),
        terms=happening.rule.terms,
    )
    rest = [
        replace(
            clip,
            window=Window(
                start=max(clip.window.start, cut), end=clip.window.end
            ).lasting(),
        )
        for clip in whole.clips
        if clip.window.end > cut and not clip.is_ended
    ]
    clips = arm(second, renumber(rest), happening.settles)
    second = replace(second, clips=clips)
    detail = {**happening.trigger, **_noted(happening), "continues": incident.id}
    return [
        cut_change(incident, first, second.id, cut),
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
    cleared = {
        clip.n: closed(clip, at, last.last_at)
        for clip in last.clips
        if awaits(last, clip)
    }
    clips = [cleared.get(clip.n, clip) for clip in last.clips]
    over = replace(
        last, is_active=False, asked_at=happening.now.sure, alarms=last.alarms + 1
    )
    due = arm(over, clips, happening.settles, happening.now.at)
    after = replace(over, clips=due).settled(happening.now.at)
    detail = dict(happening.trigger) | {"end": render_utc(after.span.end)}
    if short := [each.camera for each in cleared.values() if _is_longer(each, at)]:
        detail[SHORT] = short
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


def _is_longer(clip: Clip, at: datetime) -> bool:
    """Whether it is longer than the clear at `at` would have it."""
    return clip.window.end > at + clip.post_roll and not clip.is_void


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

    A cut waits until it has come for sure, and until what came with the first alarm is
    read; a window ends by the clock that opened it.
    Without `may_go_on` the cut is the end: no rule can clear it any more. So is the
    first cut that is `clear_within` after the last alarm: the clear was lost. Where
    that alarm's post-roll reaches past it, a last piece has the rest.
    """
    if incident.is_active and incident.turn_at and now.sure < incident.turn_at:
        return []
    until, lost_at = now.sure, EVER
    if clear_within is not None:
        lost_at = incident.last_at + clear_within
        until = min(until, lost_at - MILLISECOND)
    changes = advance(incident, until, settles, now.at, new_id) if may_go_on else []
    last = changes[-1].after if changes else incident
    is_over = last.is_active and now.sure >= last.cut_at
    is_over = is_over and (not may_go_on or last.cut_at >= lost_at)
    why = _why_over(clear_within if may_go_on else None) if is_over else {}
    if is_over and outlasts_cut(last):
        cut, rest = advance(last, last.cut_at, settles, now.at, new_id)
        return [*changes, cut, last_piece(rest, settles, now.at, why)]
    after = end_windows(replace(last, is_active=False) if is_over else last, now.at)
    if after is not last:
        end = {"alarms": after.alarms, "end": render_utc(after.span.end)}
        detail: dict[str, object] = {**end, **why}
        changes.append(
            Change(before=last, after=after, event=Event.ENDED, detail=detail)
        )
    return changes


def _why_over(clear_within: timedelta | None) -> dict[str, str]:
    """What ends an incident at its cut that has seen no clear."""
    if clear_within is None:
        return {"why": "no rule would find it by its clear any more"}
    return {"why": f"no clear has come within {spoken(clear_within)}"}
