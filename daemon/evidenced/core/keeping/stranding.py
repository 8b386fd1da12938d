"""Clips whose recorder is not in the configuration any more: there is nobody to ask.

They end as rejected, with the reason, and requests that are under way are given up: an
operator who puts the recorder back has them asked for again by `retry`.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from evidenced.core.errors import Reason
from evidenced.core.ids import RecorderName
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState, ExportState
from evidenced.core.keeping.tag import Tag, TagState


def strand(
    incident: Incident,
    exports: Iterable[ExportRequest],
    recorder: RecorderName,
    now: datetime,
) -> Change:
    """End what waits for this recorder or runs there; not windows that still record."""
    text = _text(recorder)
    clips = [
        clip.moved(ClipState.REJECTED, message=text, reason=Reason.NO_RECORDER)
        for clip in incident.clips
        if clip.recorder == recorder
        and not clip.is_ended
        and clip.state is not ClipState.RECORDING
    ]
    given_up = [
        export.moved(ExportState.CANCELLED, text=text, finished_at=now)
        for export in exports
        if export.incident == incident.id
        and export.recorder == recorder
        and export.is_live
    ]
    after = incident.with_clips(*clips).settled(now)
    if after.is_ended and after.reason is None:
        after = replace(after, reason=Reason.NO_RECORDER)
    return Change(
        before=incident,
        after=after,
        event=Event.STRANDED,
        detail={"recorder": recorder, "reason": Reason.NO_RECORDER, "text": text},
        exports=tuple(given_up),
    )


def strand_tag(tag: Tag) -> Tag:
    """A tag whose recorder is gone; a retry of its clip makes it wanted again."""
    return tag.moved(TagState.REFUSED, due_at=None, message=_text(tag.recorder))


def _text(recorder: RecorderName) -> str:
    return f"recorder {recorder!r} is not in the configuration any more"
