"""The steps of an export request, each as a change of its incident; see also `answers`.

    request    intent: clips are `requested`, windows can no longer change
    accept     the recorder took it, under a number of its own
    adopt      the answer was lost, and the recorder shows the export
    withdraw   nobody wants its clips any more, and it was deleted at the recorder
    vanish     the status list shows nothing, twice
    turn_up    it shows it after all, and it was deleted at the recorder
    proved     the list shows nothing, but the files are there
    finish     the status list says of every device whether it is done; where its folder
               can be seen, that is `core.exports.checking`'s to look at first

Intent, then request, then answer: a crash between any two leaves a row that says what
has to be looked up. Each step raises IllegalStep, which is a bug, where a clip or the
export is in a state from which the tables know no such step.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evidenced.core.address import Handle, known_as, parts_of
from evidenced.core.errors import Reason
from evidenced.core.exports.answers import clips_of, conclude, refuse_clip
from evidenced.core.exports.following import Verdict
from evidenced.core.exports.growth import Sighting
from evidenced.core.exports.retry import (
    Patience,
)
from evidenced.core.incidents.export import ExportedDevice, ExportRequest
from evidenced.core.incidents.history import SHORT, Change, Event
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState, ExportState
from evidenced.core.instants import render_utc
from evidenced.core.recorder import Answer, DeviceWindow


def split(clips: Iterable[Clip], max_devices: int) -> list[tuple[Clip, ...]]:
    """Due clips of one incident, recorder and cohort as as few requests as can be.

    A request holds at most `max_devices` and each device once: whether a recorder
    takes one twice in a request is unknown.
    """
    requests: list[list[Clip]] = []
    for clip in clips:
        for request in requests:
            taken = {each.address for each in request}
            if len(request) < max_devices and clip.address not in taken:
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
    """The intent to ask for these clips: to be committed before anything is sent.

    Wherever a window without length may come from, LEAST of it is asked for.
    """
    asked = [clip if clip.window.length else _lasting(clip) for clip in clips]
    export = ExportRequest(
        id=intent.id,
        incident=incident.id,
        recorder=clips[0].recorder,
        destination=incident.terms.destination,
        n=intent.n,
        path=intent.path,
        bandwidth=intent.bandwidth,
        devices=tuple(_asked(clip, intent.offset) for clip in asked),
        offset=intent.offset,
        requested_at=intent.now,
    )
    after = incident.with_clips(
        *(clip.moved(ClipState.REQUESTED) for clip in asked), is_open=False
    )
    detail: dict[str, object] = {
        "export": export.id,
        "recorder": export.recorder,
        "path": export.path,
        "bandwidth": export.bandwidth,
        "devices": [_told(device) for device in export.devices],
    }
    if intent.offset:
        detail["clock_offset_s"] = intent.offset.total_seconds()
    if short := [clip.camera for clip in clips if not clip.window.length]:
        detail[SHORT] = short
    change = Change(
        before=incident,
        after=after,
        event=Event.REQUESTED,
        detail=detail,
        exports=(export,),
    )
    return change, export


def _lasting(clip: Clip) -> Clip:
    return replace(clip, window=clip.window.lasting())


def _asked(clip: Clip, offset: timedelta) -> ExportedDevice:
    """The window by the recorder's clock, which is so far ahead of ours."""
    window = clip.window.shifted(offset)
    return ExportedDevice(
        clip=clip.n,
        asked=DeviceWindow(address=clip.address, window=window),
    )


def _told(device: ExportedDevice) -> dict[str, object]:
    """A device as the history shows it, in the recorder's own clock."""
    return {
        "clip": device.clip,
        **parts_of(device.asked.address),
        "start": render_utc(device.asked.window.start),
        "end": render_utc(device.asked.window.end),
    }


def accept(
    incident: Incident,
    export: ExportRequest,
    answer: Answer,
    now: datetime,
) -> Change:
    """The recorder is at it, and knows it by the answer's handle."""
    running = export.moved(
        ExportState.EXPORTING,
        handle=answer.handle,
        code=answer.code,
        text=answer.text,
        answered_at=now,
    )
    detail: dict[str, object] = {
        "export": export.id,
        "code": answer.code,
        **_known(answer.handle),
    }
    if export.unsent:
        detail["unsent"] = export.unsent
    return _taken(incident, running, Event.ACCEPTED, detail)


def adopt(
    incident: Incident,
    export: ExportRequest,
    handle: Handle | None,
    now: datetime,
) -> Change:
    """The answer was lost, but the recorder turned out to have taken it."""
    running = export.moved(ExportState.EXPORTING, handle=handle, answered_at=now)
    detail = {"export": export.id, **_known(handle)}
    return _taken(incident, running, Event.ADOPTED, detail)


def _known(handle: Handle | None) -> dict[str, str]:
    """A handle as the history shows it."""
    return {"known_as": known_as(handle), **parts_of(handle)} if handle else {}


def _taken(
    incident: Incident,
    export: ExportRequest,
    event: Event,
    detail: Mapping[str, object],
) -> Change:
    clips = [
        clip.moved(
            ClipState.EXPORTING,
            attempts=clip.attempts + 1,
            no_video=0,
            code="",
            message=export.text,
            reason=None,
        )
        for clip in clips_of(incident, export)
    ]
    return Change(
        before=incident,
        after=incident.with_clips(*clips),
        event=event,
        detail=detail,
        exports=(export,),
    )


def vanish(
    incident: Incident, export: ExportRequest, text: str, patience: Patience
) -> Change:
    """The recorder does not know it any more, or never did: asked for again.

    The next request goes to another path, since files may stand at this one.
    """
    vanished = export.moved(
        ExportState.VANISHED, text=text, finished_at=patience.now.at
    )
    answer = Answer(reason=Reason.EXPORT_VANISHED, text=text)
    clips = [refuse_clip(clip, answer, patience) for clip in clips_of(incident, export)]
    detail = {"export": export.id, "text": text}
    return conclude(incident, vanished, clips, Event.VANISHED, detail, patience)


def prove(
    incident: Incident,
    export: ExportRequest,
    sighting: Sighting,
    patience: Patience,
) -> list[Change]:
    """The list does not show it, but its files lie on the share and no longer grow.

    So it was made, and is not asked for again. Source: design.md, "A lost answer".
    """
    steps = []
    if export.state is ExportState.REQUESTED:
        steps.append(adopt(incident, export, None, patience.now.at))
        incident, export = steps[0].after, steps[0].exports[0]
    verdict = Verdict(
        devices=export.devices,
        done=frozenset(device.clip for device in export.devices),
        failed=frozenset(),
    )
    done = finish(incident, export, verdict, patience, sighting)
    return [*steps, done]


FAILED = "the recorder reports that the export failed"


def is_wanted(incident: Incident, export: ExportRequest) -> bool:
    """Whether any clip of the request still waits for its outcome."""
    return bool(clips_of(incident, export))


def withdraw(
    incident: Incident, export: ExportRequest, text: str, now: datetime
) -> Change:
    """Its clips were cancelled and the recorder was asked to delete it."""
    return _deleted(incident, export, Event.CANCELLED, text, now)


def turn_up(
    incident: Incident, export: ExportRequest, text: str, now: datetime
) -> Change:
    """What had vanished ran on at the recorder, twice by now, and was deleted there."""
    return _deleted(incident, export, Event.TURNED_UP, text, now)


def _deleted(
    incident: Incident, export: ExportRequest, event: Event, text: str, now: datetime
) -> Change:
    gone = export.moved(ExportState.CANCELLED, text=text, finished_at=now)
    return Change(
        before=incident,
        after=incident,
        event=event,
        detail={"export": export.id, **_known(export.handle), "text": text},
        exports=(gone,),
    )


def finish(
    incident: Incident,
    export: ExportRequest,
    verdict: Verdict,
    patience: Patience,
    sighting: Sighting | None = None,
    *,
    is_checked: bool = False,
) -> Change:
    """The recorder is through with it; clips it could not do take their course.

    Where it is to be checked (`is_checked`), the clips that it did wait for that. With
    files that were seen already they need not.
    """
    at = patience.now.at
    state, event = ExportState.FAILED, Event.FAILED
    if verdict.done:
        state, event = ExportState.EXPORTED, Event.EXPORTED
    if verdict.done and is_checked:
        state, event = ExportState.CHECKING, Event.FINISHED
    answer = Answer(reason=Reason.EXPORT_FAILED, text=FAILED)
    clips = []
    for clip in clips_of(incident, export):
        if clip.n not in verdict.done:
            clips.append(refuse_clip(clip, answer, patience))
        elif state is ExportState.EXPORTED:
            clips.append(clip.exported())
    over = export.moved(
        state,
        devices=tuple(
            replace(each, has_failed=each.clip in verdict.failed)
            for each in verdict.devices
        ),
        finished_at=at,
        check_at=at if state is ExportState.CHECKING else None,
    )
    detail: dict[str, object] = {"export": export.id, "path": export.path}
    if sighting is not None:
        detail |= {"files": sighting.files, "bytes": sighting.size_bytes}
    if verdict.failed:
        detail["failed"] = sorted(verdict.failed)
    return conclude(incident, over, clips, event, detail, patience)
