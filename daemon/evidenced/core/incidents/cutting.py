"""Cuts: an incident that awaits its clear goes on in pieces, so that each can be had.

Why the pieces lie as they do stands in `lifecycle`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.clipping import arm, renumber
from evidenced.core.incidents.happening import Settles
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Clip, Incident, ends_of
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import DAY, render_utc
from evidenced.core.spoken import spoken
from evidenced.core.window import Window

MAX_PIECES = 1000
"""Pieces cut in one go after a long absence; the next turn goes on from there."""

LONG_ON = timedelta(hours=4)
"""How long an alarm may be on before people are told that nobody clears it."""

NewId = Callable[[datetime], IncidentId]


def awaits(incident: Incident, clip: Clip) -> bool:
    """Whether the clear that is awaited ends this clip: its window reaches the cut."""
    return clip.window.end >= incident.cut_at and not clip.is_ended


def closed(clip: Clip, at: datetime, last_at: datetime) -> Clip:
    """The clip with its end known; nothing is left of one that began after it.

    Not so where the latest alarm (`last_at`) came as it began: the piece before, which
    ends there, has nothing of that.
    """
    start = clip.window.start
    left = Window(start=start, end=max(at + clip.post_roll, start))
    if left.length or last_at >= start:
        return replace(clip, window=left.lasting())
    text = "the alarm was over before this piece began"
    return clip.moved(ClipState.CANCELLED, window=left, message=text)


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
        first = ended_at_cut(piece, cut, settles, now)
        clips = _going_on(piece)
        second = replace(
            blank_piece(piece, cut, new_id), is_active=True, asked_at=now, alarms=0
        )
        due = arm(second, renumber(clips), settles)
        second = replace(second, clips=due)
        changes += [
            cut_change(piece, first, second.id, cut),
            Change(
                before=None,
                after=second,
                event=Event.CONTINUED,
                detail={"continues": piece.id, **_on_for(piece, cut)},
            ),
        ]
        piece = second
    return changes


def _on_for(piece: Incident, cut: datetime) -> dict[str, str]:
    """How long the alarm has been on, where people are told: nobody may know of it."""
    lasts = cut - (piece.begun_at or cut)
    if _tellings(lasts) == _tellings(lasts - piece.terms.max_length):
        return {}
    return {"on_for": spoken(lasts)}


def _tellings(lasts: timedelta) -> int:
    """After LONG_ON, and from then on once a day."""
    return 0 if lasts < LONG_ON else 1 + lasts // DAY


def _going_on(piece: Incident) -> list[Clip]:
    """The clips of the next piece, each from this one's cut to its own.

    One a camera: two windows of it reach past the cut where a post-roll is longer.
    """
    window = Window(start=piece.cut_at, end=piece.cut_at + piece.terms.max_length)
    going_on = {
        clip.camera: replace(clip, window=window)
        for clip in piece.clips
        if awaits(piece, clip)
    }
    return list(going_on.values())


def outlasts_cut(piece: Incident) -> bool:
    """Whether the post-roll of the latest alarm reaches past the cut."""
    return any(
        piece.last_at + clip.post_roll > piece.cut_at
        for clip in piece.clips
        if awaits(piece, clip)
    )


def last_piece(
    change: Change, settles: Settles, now: datetime, why: Mapping[str, str]
) -> Change:
    """The piece has what is left of the latest alarm's post-roll, and no more."""
    piece = change.after
    clips = [closed(clip, piece.last_at, piece.last_at) for clip in piece.clips]
    over = replace(piece, is_active=False)
    after = replace(over, clips=arm(over, clips, settles, now)).settled(now)
    return replace(change, after=after, detail={**change.detail, **why})


def end_windows(incident: Incident, now: datetime) -> Incident:
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


def ended_at_cut(
    incident: Incident, cut: datetime, settles: Settles, now: datetime
) -> Incident:
    """The piece before the cut: nothing of it lies past that, and no alarm joins it."""
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
    over = replace(incident, is_active=False, is_open=False)
    return end_windows(replace(over, clips=arm(over, clips, settles)), now)


def blank_piece(incident: Incident, cut: datetime, new_id: NewId) -> Incident:
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
        begun_at=incident.begun_at,
        fields=incident.fields,
        terms=incident.terms,
        continues=incident.id,
    )


def cut_change(
    before: Incident, after: Incident, next_id: IncidentId, cut: datetime
) -> Change:
    """What its history says of a piece that goes on as another."""
    return Change(
        before=before,
        after=after,
        event=Event.ENDED,
        detail={"cut": render_utc(cut), "goes_on_as": next_id},
    )
