"""Waits that a wrong clock made longer than any wait is, cut short.

What was postponed while the host's clock was ahead, by years perhaps, waits for an
instant of that clock when it is right again. But no wait is longer than the longest
back-off: what lies further ahead than that is due now. Only a clip never before its
window's end and settle; one whose window itself lies in the future stays there, for
nobody knows its true time (`Kind.CLOCK` tells of it).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from evidenced.core.ids import RecorderName
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import render_utc
from evidenced.core.keeping.evidence import Record
from evidenced.core.keeping.tag import Tag


def shortened(
    incident: Incident, recorder: RecorderName, now: datetime, longest: timedelta
) -> Change | None:
    """The incident with this recorder's clips due as soon as they can be; or None."""
    clips = {
        clip: max(now, incident.first_due(clip))
        for clip in incident.clips
        if clip.recorder == recorder and clip.state is ClipState.DUE
    }
    moved = [
        replace(clip, due_at=at)
        for clip, at in clips.items()
        if clip.due_at > max(at, now + longest)
    ]
    if not moved:
        return None
    return Change(
        before=incident,
        after=incident.with_clips(*moved),
        event=Event.SHORTENED,
        detail={
            "cameras": sorted({clip.camera for clip in moved}),
            "next_try": render_utc(min(clip.due_at for clip in moved)),
        },
    )


def shortened_record(record: Record, now: datetime) -> Record:
    """Looked at now, and from the beginning: it counted from instants to come."""
    return replace(
        record,
        due_at=now,
        wanted_at=min(record.wanted_at, now),
        survey="",
        surveyed_at=None,
    )


def shortened_tag(tag: Tag, now: datetime) -> Tag:
    """Looked at now; what was asked counts as asked now at the latest."""
    asked = tag.asked_at
    return replace(tag, due_at=now, asked_at=None if asked is None else min(asked, now))
