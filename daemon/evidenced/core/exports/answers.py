"""When an export request brings nothing: each clip of it takes its own course.

refuse      the recorder answered with an error
reject      no request can be made at all: the path template is wrong
unsendable  it holds what cannot be put on the wire
strand      its recorder is not configured any more
not_sent    it never reached the recorder: it waits, to be sent again as it is
take_back   it waits so, and would be another request by now
leave       it was not sent, for footage that is none of its own lies in its folder
unanswered  it was sent, and no answer came: nothing moves until the list was asked

Each raises IllegalStep, which is a bug, where the tables know no such step.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from evidenced.core.errors import Reason
from evidenced.core.exports.isolation import (
    Cohort,
    RecordedSpans,
    cohorts,
    must_tell_apart,
)
from evidenced.core.exports.retry import (
    Again,
    End,
    Patience,
    after_refusal,
)
from evidenced.core.ids import RecorderName
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState, ExportState
from evidenced.core.instants import render_utc
from evidenced.core.phrase import phrase
from evidenced.core.recorder import Answer

ALERT_ATTEMPT = 3
"""Refusals of one clip after which people are told, once (design.md)."""
UNKNOWN = frozenset({Reason.NO_DEVICE, Reason.NO_SERVER})
"""The configuration names what the recorder does not have."""
NOTHING_KNOWN: RecordedSpans = MappingProxyType({})


def refuse(
    incident: Incident,
    export: ExportRequest,
    answer: Answer,
    patience: Patience,
    recorded: RecordedSpans = NOTHING_KNOWN,
) -> Change:
    """The recorder refused; every clip of the request takes its own course.

    `recorded` is what the recorder said it has of each clip, where it was asked.
    """
    reason = answer.why
    refused = export.moved(
        ExportState.REFUSED,
        code=answer.code,
        text=answer.text,
        answered_at=patience.now.at,
        finished_at=patience.now.at,
    )
    counted = [_counted(clip, answer) for clip in clips_of(incident, export)]
    detail: dict[str, object] = {
        "export": export.id,
        "code": answer.code,
        "reason": reason,
        "text": answer.text,
    }
    event = Event.REFUSED
    if must_tell_apart(reason, counted, patience.policy, patience.now.sure):
        apart = cohorts(reason, counted, recorded)
        clips = _apart(incident, apart, reason, patience)
        detail["apart"] = [[clip.camera for clip in each.clips] for each in apart]
        event = Event.ISOLATED
    else:
        clips = [_on_course(clip, reason, patience) for clip in counted]
    return conclude(incident, refused, clips, event, detail, patience)


def _apart(
    incident: Incident, apart: Sequence[Cohort], reason: Reason, patience: Patience
) -> list[Clip]:
    """The clips in new cohorts: those worth asking for again at once, and the rest."""
    first = max(clip.cohort for clip in incident.clips) + 1
    clips = []
    for cohort, each in enumerate(apart, start=first):
        for clip in each.clips:
            after = (
                clip.moved(ClipState.DUE, due_at=patience.now.at)
                if each.is_soon
                else _on_course(clip, reason, patience)
            )
            clips.append(replace(after, cohort=cohort))
    return clips


def reject(  # noqa: PLR0913 - keywords of what is told
    incident: Incident,
    clips: Iterable[Clip],
    reason: Reason,
    text: str,
    now: datetime,
    *,
    event: Event = Event.REFUSED,
    exports: Sequence[ExportRequest] = (),
    **told: object,
) -> Change:
    """These clips are not asked for any more: the configuration has to change first."""
    rejected = [
        clip.ended(ClipState.REJECTED, message=text, reason=reason) for clip in clips
    ]
    return Change(
        before=incident,
        after=incident.with_clips(*rejected).settled(now),
        event=event,
        detail={**told, "reason": reason, "text": text},
        exports=tuple(exports),
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


def unsendable(
    incident: Incident, export: ExportRequest, text: str, now: datetime
) -> Change:
    """It holds what cannot be put on the wire: asking again changes nothing."""
    undone = export.moved(ExportState.REFUSED, text=text, finished_at=now)
    clips, reason = clips_of(incident, export), Reason.BAD_REQUEST
    return reject(
        incident, clips, reason, text, now, exports=[undone], export=export.id
    )


def strand(
    incident: Incident,
    exports: Iterable[ExportRequest],
    recorder: RecorderName,
    now: datetime,
) -> Change:
    """Its recorder is not in the configuration any more: there is nobody to ask.

    What waits for it or runs there ends, not windows that still record. An operator who
    puts the recorder back has the clips asked for again by `retry`.
    """
    text = not_configured(recorder)
    clips = [
        clip
        for clip in incident.clips
        if clip.recorder == recorder
        and not clip.is_ended
        and clip.state is not ClipState.RECORDING
    ]
    given_up = [
        export.moved(ExportState.CANCELLED, text=text, finished_at=now)
        for export in exports
        if (export.incident, export.recorder) == (incident.id, recorder)
        and export.is_live
    ]
    return reject(
        incident,
        clips,
        Reason.NO_RECORDER,
        text,
        now,
        event=Event.STRANDED,
        exports=given_up,
        recorder=recorder,
    )


def not_configured(recorder: RecorderName) -> str:
    return phrase(
        "recorder {recorder} is not in the configuration any more",
        recorder=repr(recorder),
    )


def not_sent(
    incident: Incident, export: ExportRequest, reason: Reason, text: str
) -> Change:
    """Nothing reached the recorder: no attempt is counted, and no state moves.

    The same row is sent again once the line is worth it. So an outage adds one entry to
    the history, however long it lasts; `ExportRequest.unsent` counts the tries.
    """
    clips = [
        replace(clip, message=text, reason=reason)
        for clip in clips_of(incident, export)
    ]
    waiting = replace(export, text=text, unsent=export.unsent + 1, is_unsent=True)
    return Change(
        before=incident,
        after=incident.with_clips(*clips),
        event=Event.NOT_SENT,
        detail={"export": export.id, "reason": reason, "text": text},
        exports=(waiting,),
    )


def take_back(
    incident: Incident, export: ExportRequest, text: str, now: datetime
) -> Change:
    """A request that never left would be another one by now: its clips are due again.

    Its destination is held, or a reload, a clock or a budget changed what is asked for.
    """
    undone = export.moved(ExportState.REFUSED, text=text, finished_at=now)
    return _due_again(incident, undone)


def _due_again(incident: Incident, undone: ExportRequest) -> Change:
    clips = [clip.moved(ClipState.DUE) for clip in clips_of(incident, undone)]
    return Change(
        before=incident,
        after=incident.with_clips(*clips),
        event=Event.TAKEN_BACK,
        detail={"export": undone.id, "text": undone.text},
        exports=(undone,),
    )


def leave(
    incident: Incident, export: ExportRequest, text: str, now: datetime
) -> Change:
    """It was not sent, for something lies in its folder: its clips are due again.

    The export keeps the folder, so that the next one goes elsewhere.
    """
    undone = export.moved(ExportState.CANCELLED, text=text, finished_at=now)
    return _due_again(incident, undone)


def refuse_clip(clip: Clip, answer: Answer, patience: Patience) -> Clip:
    """The clip after an answer that brought no footage: due again, or ended.

    One that the recorder had taken was counted when it did.
    """
    return _on_course(_counted(clip, answer), answer.why, patience)


def _counted(clip: Clip, answer: Answer) -> Clip:
    is_counted = clip.state is ClipState.EXPORTING
    return replace(
        clip,
        attempts=clip.attempts if is_counted else clip.attempts + 1,
        no_video=_no_video(clip, answer.why),
        code=answer.code,
        message=answer.text,
        reason=answer.reason,
    )


def _no_video(clip: Clip, reason: Reason) -> int:
    """How many answers in a row said that there is no video, this one included.

    An export that vanished in between says nothing of the camera: the count stays.
    """
    if reason is Reason.NO_VIDEO:
        return clip.no_video + 1
    return clip.no_video if reason is Reason.EXPORT_VANISHED else 0


def _on_course(clip: Clip, reason: Reason, patience: Patience) -> Clip:
    """The clip, which counts the answer already, due again or ended by its reason."""
    match after_refusal(reason, clip, patience.policy, patience.now, patience.jitter):
        case Again(at=at):
            return clip.moved(ClipState.DUE, due_at=at)
        case End(state=state):
            return clip.ended(state)


def conclude(
    incident: Incident,
    export: ExportRequest,
    clips: Sequence[Clip],
    event: Event,
    detail: Mapping[str, object],
    patience: Patience,
) -> Change:
    clips = [_not_early(incident, clip) for clip in clips]
    after = incident.with_clips(*clips).settled(patience.now.at)
    tries = [clip.due_at for clip in clips if clip.state is ClipState.DUE]
    if tries:
        detail = {**detail, "next_try": render_utc(min(tries))}
    return Change(
        before=incident, after=after, event=event, detail=detail, exports=(export,)
    )


def _not_early(incident: Incident, clip: Clip) -> Clip:
    """The next try is not before the first one was to be.

    Our clock may have gone back between the request and its answer.
    """
    first = incident.first_due(clip)
    is_early = clip.state is ClipState.DUE and clip.due_at < first
    return replace(clip, due_at=first) if is_early else clip


def clips_of(incident: Incident, export: ExportRequest) -> list[Clip]:
    """The clips that wait for this request: what it could not do is asked for anew."""
    ours = {device.clip for device in export.devices if not device.has_failed}
    return [clip for clip in incident.clips if clip.n in ours and not clip.is_ended]


def newly_stuck(change: Change) -> list[Clip]:
    """Clips whose third answer this is and was a refusal; told once, not at each step.

    One that was accepted at last, or that another request of the incident moves, is no
    reason to tell anybody.
    """
    before = _clips_before(change)
    return [
        clip
        for clip in change.after.clips
        if clip.state is ClipState.DUE
        and clip.attempts == ALERT_ATTEMPT
        and (clip.n not in before or before[clip.n].attempts < ALERT_ATTEMPT)
    ]


def newly_unknown(change: Change) -> list[Clip]:
    """Clips whose device or server the recorder does not know, since this answer.

    The answer to several names none of them: then it is one of these, and the steps
    that follow tell which. Told at once, for only people can mend it.
    """
    before = _clips_before(change)
    return [
        clip
        for clip in change.after.clips
        if clip.reason in UNKNOWN
        and (clip.n not in before or before[clip.n].reason not in UNKNOWN)
    ]


def newly(change: Change, state: ClipState) -> list[Clip]:
    """Clips that this step brought into that state."""
    before = _clips_before(change)
    return [
        clip
        for clip in change.after.clips
        if clip.state is state
        and (clip.n not in before or before[clip.n].state is not state)
    ]


def _clips_before(change: Change) -> dict[int, Clip]:
    return {clip.n: clip for clip in change.before.clips} if change.before else {}
