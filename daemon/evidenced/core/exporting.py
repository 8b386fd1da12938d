"""The steps of an export request, each as a change of its incident.

    request    intent: clips are `requested`, windows can no longer change
    accept     the recorder answered 0 and an exportid
    refuse     the recorder answered with an error
    reject     no request can be made at all: the path template is wrong
    unanswered no answer came: nothing moves until the status list was asked
    not_sent   the request never reached the recorder
    adopt      the answer was lost, and the status list shows the export
    withdraw   nobody wants its clips any more, and it was deleted at the recorder
    vanish     the status list shows nothing, twice
    finish     the status list says of every device whether it is done

Intent, then request, then answer: a crash between any two leaves a row that says what
has to be looked up.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from types import MappingProxyType

from evidenced.core.errors import Reason, Refused
from evidenced.core.export import ExportedDevice, ExportRequest
from evidenced.core.history import Change, Event
from evidenced.core.ids import ExportId, SessionId
from evidenced.core.incident import RANK_PER_POINT, Clip, Incident
from evidenced.core.instants import render_utc
from evidenced.core.isolation import Cohort, Recorded, cohorts, must_tell_apart
from evidenced.core.matching import Verdict
from evidenced.core.recorder import Answer, DeviceWindow
from evidenced.core.retry import (
    Again,
    End,
    Patience,
    after_refusal,
    reason_of,
)
from evidenced.core.states import ClipState, ExportState

NOTHING_KNOWN: Recorded = MappingProxyType({})


def split(clips: Iterable[Clip], max_devices: int) -> list[tuple[Clip, ...]]:
    """Due clips of one incident, recorder and cohort as as few requests as can be.

    A request holds at most `max_devices` and each device once: whether a recorder
    takes one twice in a request is unknown.
    """
    requests: list[list[Clip]] = []
    for clip in clips:
        for request in requests:
            taken = {(each.server, each.device) for each in request}
            if len(request) < max_devices and (clip.server, clip.device) not in taken:
                request.append(clip)
                break
        else:
            requests.append([clip])
    return [tuple(request) for request in requests]


def free_path(
    base: str, used: Iterable[str], with_suffix: Callable[[str, int], str]
) -> str:
    """The base path, or the first suffixed one that no export of ours may hold."""
    taken = {path.casefold() for path in used}
    n = 1
    while with_suffix(base, n).casefold() in taken:
        n += 1
    return with_suffix(base, n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a new export request is made of besides its clips."""

    id: int
    n: int
    path: str
    bandwidth: int
    offset: timedelta
    now: datetime


def request(
    incident: Incident, clips: Sequence[Clip], intent: Intent
) -> tuple[Change, ExportRequest]:
    """The intent to ask for these clips: to be committed before anything is sent."""
    devices = tuple(
        ExportedDevice(
            clip=clip.n,
            asked=DeviceWindow(
                server=clip.server,
                device=clip.device,
                window=clip.window.shifted(intent.offset),
            ),
        )
        for clip in clips
    )
    export = ExportRequest(
        id=intent.id,
        incident=incident.id,
        recorder=clips[0].recorder,
        n=intent.n,
        path=intent.path,
        bandwidth=intent.bandwidth,
        devices=devices,
        offset=intent.offset,
        requested_at=intent.now,
    )
    after = replace(
        incident.with_clips(*(clip.moved(ClipState.REQUESTED) for clip in clips)),
        is_open=False,
    )
    detail: dict[str, object] = {
        "export": export.id,
        "recorder": export.recorder,
        "path": export.path,
        "bandwidth": export.bandwidth,
        "devices": [_told(device) for device in devices],
    }
    if intent.offset:
        detail["clock_offset_s"] = intent.offset.total_seconds()
    change = Change(
        before=incident,
        after=after,
        event=Event.REQUESTED,
        detail=detail,
        exports=(export,),
    )
    return change, export


def _told(device: ExportedDevice) -> dict[str, object]:
    """A device as the history shows it, in the recorder's own clock."""
    return {
        "clip": device.clip,
        "server": device.asked.server,
        "device": device.asked.device,
        "start": render_utc(device.asked.window.start),
        "end": render_utc(device.asked.window.end),
    }


def _clips_of(incident: Incident, export: ExportRequest) -> list[Clip]:
    ours = {device.clip for device in export.devices}
    return [clip for clip in incident.clips if clip.n in ours and not clip.is_ended]


def accept(
    incident: Incident,
    export: ExportRequest,
    session: SessionId,
    answer: Answer,
    now: datetime,
) -> Change:
    """The recorder is at it, under an exportid that holds in this session."""
    running = replace(
        export.moved(ExportState.EXPORTING),
        session=session,
        exportid=answer.exportid,
        code=answer.code,
        text=answer.text,
        answered_at=now,
    )
    detail = {
        "export": export.id,
        "code": answer.code,
        "exportid": answer.exportid,
        "session": session,
    }
    return _taken(incident, running, Event.ACCEPTED, detail)


def adopt(
    incident: Incident,
    export: ExportRequest,
    session: SessionId,
    exportid: ExportId,
    now: datetime,
) -> Change:
    """The answer was lost, but the status list shows that the recorder took it."""
    running = replace(
        export.moved(ExportState.EXPORTING),
        session=session,
        exportid=exportid,
        answered_at=now,
    )
    detail = {"export": export.id, "exportid": exportid, "session": session}
    return _taken(incident, running, Event.ADOPTED, detail)


def _taken(
    incident: Incident,
    export: ExportRequest,
    event: Event,
    detail: Mapping[str, object],
) -> Change:
    clips = [
        replace(
            clip.moved(ClipState.EXPORTING),
            attempts=clip.attempts + 1,
            no_video=0,
            code=export.code,
            message=export.text,
            reason=None,
        )
        for clip in _clips_of(incident, export)
    ]
    return Change(
        before=incident,
        after=incident.with_clips(*clips),
        event=event,
        detail=detail,
        exports=(export,),
    )


def refuse(
    incident: Incident,
    export: ExportRequest,
    answer: Answer,
    patience: Patience,
    recorded: Recorded = NOTHING_KNOWN,
) -> Change:
    """The recorder refused; every clip of the request takes its own course.

    `recorded` is what the recorder said it has of each clip, where it was asked.
    """
    reason = reason_of(answer.code)
    refused = replace(
        export.moved(ExportState.REFUSED),
        code=answer.code,
        text=answer.text,
        answered_at=patience.now,
        finished_at=patience.now,
    )
    counted = [_counted(clip, reason, answer) for clip in _clips_of(incident, export)]
    detail: dict[str, object] = {
        "export": export.id,
        "code": answer.code,
        "reason": reason,
        "text": answer.text,
    }
    event = Event.REFUSED
    if must_tell_apart(reason, counted, patience.policy, patience.now):
        apart = cohorts(reason, counted, recorded)
        clips = _apart(incident, apart, reason, patience)
        detail["apart"] = [[clip.camera for clip in each.clips] for each in apart]
        event = Event.ISOLATED
    else:
        clips = [_on_course(clip, reason, patience) for clip in counted]
    return _ended(incident, refused, clips, event, detail, patience)


def _apart(
    incident: Incident, apart: Sequence[Cohort], reason: Reason, patience: Patience
) -> list[Clip]:
    """The clips in new cohorts: those worth asking for again at once, and the rest."""
    first = max(clip.cohort for clip in incident.clips) + 1
    clips = []
    for cohort, each in enumerate(apart, start=first):
        for clip in each.clips:
            after = (
                replace(clip.moved(ClipState.DUE), due_at=patience.now)
                if each.is_soon
                else _on_course(clip, reason, patience)
            )
            clips.append(replace(after, cohort=cohort))
    return clips


def reject(
    incident: Incident, clips: Sequence[Clip], reason: Reason, text: str, now: datetime
) -> Change:
    """No request can be made of these clips: the configuration has to change first."""
    rejected = [
        replace(clip.moved(ClipState.REJECTED), message=text, reason=reason)
        for clip in clips
    ]
    after = incident.with_clips(*rejected).settled(now)
    return Change(
        before=incident,
        after=replace(after, reason=after.reason or reason),
        event=Event.REFUSED,
        detail={"reason": reason, "text": text},
    )


def unanswered(
    incident: Incident, export: ExportRequest, reason: Reason, text: str
) -> Change:
    """Sent, and no answer came: the outcome is unknown, so nothing moves yet."""
    return Change(
        before=incident,
        after=incident,
        event=Event.UNANSWERED,
        detail={"export": export.id, "reason": reason, "text": text},
    )


def cancel(incident: Incident, who: str, now: datetime) -> Change:
    """An operator withdraws every clip that has not ended.

    Exports that run for them are deleted at the recorder by tracking, which finds them
    wanted by nobody.

    Raises:
        Refused: nothing is left to cancel.
    """
    clips = [
        replace(
            clip.moved(ClipState.CANCELLED),
            reason=Reason.OPERATOR,
            message=f"cancelled by {who}",
        )
        for clip in incident.clips
        if not clip.is_ended
    ]
    if not clips:
        raise Refused(f"incident {incident.id} is {incident.state}: nothing to cancel")
    after = replace(
        incident.with_clips(*clips), is_open=False, is_active=False
    ).settled(now)
    return Change(
        before=incident,
        after=replace(after, reason=after.reason or Reason.OPERATOR),
        event=Event.CANCELLED,
        detail={"by": who},
    )


def retry(incident: Incident, who: str, now: datetime) -> Change:
    """An operator wants every ended clip that was not exported asked for again.

    Asked for at once, but not before its window's end and settle. A cancelled clip gets
    a new number: an export that still runs for the old one stays wanted by nobody.

    Raises:
        Refused: there is none.
    """
    points = RANK_PER_POINT * incident.terms.priority
    fresh = count(max((clip.n for clip in incident.clips), default=0) + 1)
    again = {
        clip.n: replace(
            clip.moved(ClipState.DUE),
            n=next(fresh) if clip.state is ClipState.CANCELLED else clip.n,
            due_at=max(now, clip.rank - points),
            no_video=0,
        )
        for clip in incident.clips
        if clip.state in _RETRIED and clip.window.length
    }
    if not again:
        raise Refused(
            f"incident {incident.id} is {incident.state}: it has no ended clip "
            "without footage"
        )
    clips = sorted(
        (again.get(clip.n, clip) for clip in incident.clips), key=lambda clip: clip.n
    )
    after = replace(incident, clips=tuple(clips), reason=None).settled(now)
    return Change(before=incident, after=after, event=Event.RETRIED, detail={"by": who})


_RETRIED = frozenset({ClipState.MISSING, ClipState.REJECTED, ClipState.CANCELLED})


def unsendable(
    incident: Incident, export: ExportRequest, text: str, now: datetime
) -> Change:
    """It holds what cannot be put on the wire: asking again changes nothing."""
    undone = replace(export.moved(ExportState.REFUSED), text=text, finished_at=now)
    clips = [
        replace(clip.moved(ClipState.REJECTED), message=text, reason=Reason.BAD_REQUEST)
        for clip in _clips_of(incident, export)
    ]
    after = incident.with_clips(*clips).settled(now)
    return Change(
        before=incident,
        after=replace(after, reason=after.reason or Reason.BAD_REQUEST),
        event=Event.REFUSED,
        detail={"export": export.id, "reason": Reason.BAD_REQUEST, "text": text},
        exports=(undone,),
    )


def not_sent(
    incident: Incident, export: ExportRequest, reason: Reason, text: str, now: datetime
) -> Change:
    """Nothing reached the recorder: no attempt is counted, the clips are due again."""
    undone = replace(export.moved(ExportState.REFUSED), text=text, finished_at=now)
    clips = [
        replace(clip.moved(ClipState.DUE), message=text, reason=reason)
        for clip in _clips_of(incident, export)
    ]
    return Change(
        before=incident,
        after=incident.with_clips(*clips),
        event=Event.NOT_SENT,
        detail={"export": export.id, "reason": reason, "text": text},
        exports=(undone,),
    )


def vanish(
    incident: Incident, export: ExportRequest, text: str, patience: Patience
) -> Change:
    """The recorder does not know it any more, or never did: asked for again.

    The next request goes to another path, since files may stand at this one.
    """
    vanished = replace(
        export.moved(ExportState.VANISHED), text=text, finished_at=patience.now
    )
    answer = Answer(code=0, text=text)
    clips = [
        _refused(clip, Reason.EXPORT_VANISHED, answer, patience)
        for clip in _clips_of(incident, export)
    ]
    detail = {"export": export.id, "text": text}
    return _ended(incident, vanished, clips, Event.VANISHED, detail, patience)


def is_wanted(incident: Incident, export: ExportRequest) -> bool:
    """Whether any clip of the request still waits for its outcome."""
    return bool(_clips_of(incident, export))


def withdraw(
    incident: Incident, export: ExportRequest, text: str, now: datetime
) -> Change:
    """Its clips were cancelled and the recorder was asked to delete it."""
    gone = replace(export.moved(ExportState.CANCELLED), text=text, finished_at=now)
    return Change(
        before=incident,
        after=incident,
        event=Event.CANCELLED,
        detail={"export": export.id, "exportid": export.exportid, "text": text},
        exports=(gone,),
    )


def finish(
    incident: Incident, export: ExportRequest, verdict: Verdict, patience: Patience
) -> Change:
    """The recorder is through with it; clips it could not do take their course."""
    state = ExportState.EXPORTED if verdict.done else ExportState.FAILED
    over = replace(
        export.moved(state), devices=verdict.devices, finished_at=patience.now
    )
    answer = Answer(code=0, text="the recorder reports that the export failed")
    clips = []
    for clip in _clips_of(incident, export):
        if clip.n in verdict.done:
            clips.append(replace(clip.moved(ClipState.EXPORTED), message=""))
        else:
            clips.append(_refused(clip, Reason.EXPORT_FAILED, answer, patience))
    event = Event.EXPORTED if verdict.done else Event.FAILED
    detail: dict[str, object] = {"export": export.id, "path": export.path}
    if verdict.failed:
        detail["failed"] = sorted(verdict.failed)
    return _ended(incident, over, clips, event, detail, patience)


def _refused(clip: Clip, reason: Reason, answer: Answer, patience: Patience) -> Clip:
    """The clip after an answer that brought no footage: due again, or ended.

    One that the recorder had taken was counted when it did.
    """
    return _on_course(_counted(clip, reason, answer), reason, patience)


def _counted(clip: Clip, reason: Reason, answer: Answer) -> Clip:
    is_counted = clip.state is ClipState.EXPORTING
    return replace(
        clip,
        attempts=clip.attempts if is_counted else clip.attempts + 1,
        no_video=clip.no_video + 1 if reason is Reason.NO_VIDEO else 0,
        code=answer.code,
        message=answer.text,
        reason=reason,
    )


def _on_course(clip: Clip, reason: Reason, patience: Patience) -> Clip:
    """A clip that counts the answer, on the course that its reason has."""
    match after_refusal(reason, clip, patience.policy, patience.now, patience.jitter):
        case Again(at=at):
            return replace(clip.moved(ClipState.DUE), due_at=at)
        case End(is_missing=True):
            return clip.moved(ClipState.MISSING)
        case End():
            return clip.moved(ClipState.REJECTED)


def _ended(
    incident: Incident,
    export: ExportRequest,
    clips: Sequence[Clip],
    event: Event,
    detail: Mapping[str, object],
    patience: Patience,
) -> Change:
    after = incident.with_clips(*clips).settled(patience.now)
    tries = [clip.due_at for clip in clips if clip.state is ClipState.DUE]
    if tries:
        detail = {**detail, "next_try": render_utc(min(tries))}
    if after.is_ended and after.reason is None:
        reasons = [clip.reason for clip in after.clips if clip.reason is not None]
        after = replace(after, reason=reasons[0] if reasons else None)
    return Change(
        before=incident, after=after, event=event, detail=detail, exports=(export,)
    )
