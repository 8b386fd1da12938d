"""How far an incident is, and why no further: one wording for all who show it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evidenced.core.errors import Reason
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState, ExportState, IncidentState
from evidenced.core.telling.story import Story

REASONS: Mapping[Reason, str] = {
    Reason.NO_VIDEO: "the recorder has no video of it",
    Reason.NO_DEVICE: "the recorder does not know the camera",
    Reason.NO_SERVER: "the recorder does not know the camera's server",
    Reason.BAD_REQUEST: "the recorder does not take the request",
    Reason.BAD_PATH: "the destination's folder cannot be written",
    Reason.DISK_FULL: "the destination's disk is full",
    Reason.NO_CAMERA: "no camera of the rule is configured",
    Reason.NO_RECORDER: "the recorder is no longer configured",
    Reason.UNREACHABLE: "the recorder cannot be reached",
    Reason.TIMEOUT: "the recorder did not answer in time",
    Reason.LOGIN_REFUSED: "the recorder refuses the login",
    Reason.EXPORT_FAILED: "the recorder could not finish the export",
    Reason.EXPORT_VANISHED: "the recorder lost the export",
    Reason.RECORDER_FAULT: "the recorder has a fault",
    Reason.NO_LICENSE: "the recorder has no license for it",
    Reason.SERVER_ERROR: "the recorder answers with an error",
    Reason.GARBAGE: "the recorder answers what cannot be read",
    Reason.OPERATOR: "an operator cancelled it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an incident is: percent for the bar, and words."""

    percent: int
    words: str


def progress(incident: Incident, exports: Sequence[ExportRequest]) -> Progress:
    """Clips that are exported count whole, those that run by their own percent."""
    counted = incident.wanted or incident.clips
    total = len(counted)
    done = sum(clip.has_footage for clip in counted)
    running = sum(
        export.percent / 100 * len(export.devices)
        for export in exports
        if export.state is ExportState.EXPORTING
    )
    percent = int(100 * min(done + running, total) / total) if total else 0
    cameras = "camera" if total == 1 else "cameras"
    words = f"{done} of {total} {cameras} exported"
    off = sum(c.state is ClipState.CANCELLED for c in counted)
    if off and incident.is_withdrawn:
        words += f", {off} cancelled"
    return Progress(percent=percent, words=words)


def why(story: Story) -> str:
    """Why an incident is where it is; empty where its state says it."""
    incident = story.incident
    match incident.state:
        case IncidentState.RECORDING:
            return _why_recording(story)
        case IncidentState.WAITING:
            return _why_waiting(story)
        case IncidentState.EXPORTING:
            running = [e for e in story.dossier.exports if not e.finished_at]
            percent = min((e.percent for e in running), default=0.0)
            return f"the recorder is at it, {percent:.0f} %"
        case IncidentState.EXPORTED:
            return ""
        case _ if incident.is_withdrawn:
            return _who_cancelled(incident)
        case _:
            return reason_words(incident)


def _who_cancelled(incident: Incident) -> str:
    """A person decided so: who, and of which cameras."""
    off = [c for c in incident.wanted if c.state is ClipState.CANCELLED]
    names = ", ".join(dict.fromkeys(clip.label or clip.camera for clip in off))
    said = next((clip.message for clip in off if clip.message), "cancelled")
    return f"{names}: {said}; the rest is exported"


def _why_recording(story: Story) -> str:
    incident = story.incident
    if incident.is_active:
        cut = story.shown(incident.cut_at)
        return f"its clear is awaited; cut at {cut} at the latest"
    return f"films until {story.shown(incident.span.end)}"


def _why_waiting(story: Story) -> str:
    due = [clip for clip in story.incident.clips if clip.state is ClipState.DUE]
    clip = min(due, key=lambda clip: clip.due_at)
    when = (
        f"next try {story.shown(clip.due_at, story.now)}"
        if clip.due_at > story.now
        else "waits for its turn"
    )
    if not clip.attempts and not clip.message:
        return when.replace("next try", "asked at")
    said = f"{clip.message} ({clip.code})" if clip.code else clip.message
    return f"{said or clip.reason}; {when}; {_tries(clip.attempts)}"


def _tries(count: int) -> str:
    return "1 try" if count == 1 else f"{count} tries"


def reason_words(incident: Incident) -> str:
    if incident.reason is None:
        return ""
    return REASONS[incident.reason]


def clip_words(clip: Clip) -> str:
    """What the recorder or an operator said of a clip last."""
    if clip.message:
        return f"{clip.message} ({clip.code})" if clip.code else clip.message
    return REASONS[clip.reason] if clip.reason else ""
