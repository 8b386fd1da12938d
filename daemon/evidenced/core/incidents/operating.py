"""What an operator does to an incident by hand: cancel it, have it tried again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from types import MappingProxyType

from evidenced.core.camera import Camera
from evidenced.core.errors import Reason, Refused
from evidenced.core.ids import CameraName
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.phrase import phrase


def cancel(incident: Incident, who: str, now: datetime, comment: str = "") -> Change:
    """An operator withdraws every clip that has not ended.

    Exports that run for them are deleted at the recorder by tracking, which finds them
    wanted by nobody. A camera that was lost before stays the reason, and one that was
    lost and tried again is lost as it was.

    Raises:
        IllegalStep: a bug, the table has no such step.
        Refused: nothing is left to cancel.
    """
    said = phrase("cancelled by {who}", who=who) + (f": {comment}" if comment else "")
    clips = [
        clip.moved(
            clip.ended_as or ClipState.CANCELLED,
            reason=clip.reason if clip.ended_as else Reason.OPERATOR,
            message=said,
        )
        for clip in incident.clips
        if not clip.is_ended
    ]
    if not clips:
        raise Refused(
            phrase(
                "incident {id} is {state}: nothing to cancel",
                id=incident.id,
                state=incident.state,
            )
        )
    after = incident.with_clips(*clips, is_open=False, is_active=False).settled(now)
    return Change(
        before=incident,
        after=after,
        event=Event.CANCELLED,
        detail={"by": who}
        | ({"comment": comment} if comment else {})
        | ({"tags": TAGS_STAY} if incident.terms.protect else {}),
    )


TAGS_STAY = "footage that is tagged stays so until a person releases it at the recorder"


NO_CAMERAS: Mapping[CameraName, Camera] = MappingProxyType({})


def retry(
    incident: Incident,
    who: str,
    now: datetime,
    *,
    again: bool = False,
    cameras: Mapping[CameraName, Camera] = NO_CAMERAS,
) -> Change:
    """An operator wants every ended clip that was not exported asked for again.

    With `again` every ended clip: to another folder, and what was exported stays. If
    that brings nothing, it is exported as it was. `cameras` are those of the
    configuration in force: one whose recorder is not configured any more is asked for
    where its camera is now.

    Asked for at once, but not before its window's end and settle. A clip that may have
    been cancelled gets a new number: an export that still runs for the old one stays
    wanted by nobody.
    As with any request, alarms that come later are another incident's: they would move
    what is due already, onto a window that its camera has besides.

    Raises:
        IllegalStep: a bug, the table has no such step.
        Refused: there is none, it awaits its clear, or was imported.
    """
    incident.check_began_here()
    due = _asked_again(incident, now, again=again, cameras=cameras)
    _check_can_retry(incident, due, again=again)
    after = replace(
        incident,
        clips=tuple(sorted(due, key=lambda clip: clip.n)),
        reason=None,
        is_open=False,
        asked_at=now,
        is_late_told=False,
    ).settled(now)
    detail = {"by": who} | ({"again": True} if again else {})
    return Change(before=incident, after=after, event=Event.RETRIED, detail=detail)


def _asked_again(
    incident: Incident,
    now: datetime,
    *,
    again: bool,
    cameras: Mapping[CameraName, Camera],
) -> list[Clip]:
    """All its clips, those that can be asked for again due."""
    fresh = count(max((clip.n for clip in incident.clips), default=0) + 1)
    return [
        _placed(clip, cameras).moved(
            ClipState.DUE,
            n=next(fresh) if _may_run(clip) else clip.n,
            ended_as=clip.state if clip.is_lost or clip.has_footage else clip.ended_as,
            due_at=max(now, incident.first_due(clip)),
            no_video=0,
            **_forgotten(clip),
        )
        if (clip.can_be_asked_again if again else clip.can_retry)
        else clip
        for clip in incident.clips
    ]


def _check_can_retry(incident: Incident, asked: Sequence[Clip], *, again: bool) -> None:
    if tuple(asked) == incident.clips:
        raise Refused(
            phrase(
                "incident {id} is {state}: it has no ended clip{lacks}",
                id=incident.id,
                state=incident.state,
                lacks="" if again else " without footage",
            )
        )
    if incident.is_active:
        raise Refused(
            phrase(
                "incident {id} is {state} until its alarm is cleared: retry what "
                "it lacks then",
                id=incident.id,
                state=incident.state,
            )
        )


def _placed(clip: Clip, cameras: Mapping[CameraName, Camera]) -> Clip:
    camera = cameras.get(clip.camera)
    if camera is not None and clip.reason is Reason.NO_RECORDER:
        clip = replace(clip, recorder=camera.recorder)
    return clip.placed(camera)


def _may_run(clip: Clip) -> bool:
    """Whether an export of it may still run, for it was withdrawn and not ended."""
    return clip.state is ClipState.CANCELLED or clip.ended_as is not None


def _forgotten(clip: Clip) -> dict[str, object]:
    """What a person decided and now takes back is no reason to wait any more."""
    is_taken_back = clip.state is ClipState.CANCELLED
    return {"reason": None, "message": ""} if is_taken_back else {}
