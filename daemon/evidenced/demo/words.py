"""What happens, in words that need no knowledge of the program."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from evidenced.core.export import ExportRequest
from evidenced.core.history import Entry, Event
from evidenced.core.incident import Incident
from evidenced.core.retry import EXPORT_CODES
from evidenced.core.states import EXPORT_LIVE, ClipState, IncidentState

Detail = Mapping[str, object]


def count(n: int, noun: str) -> str:
    """`1 clip`, `2 clips`."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def tell(entry: Entry) -> str:
    """One history entry as a sentence; what is not foreseen is told by its word."""
    words = _SENTENCES.get(entry.event)
    if words is not None:
        return words(entry.detail)
    text = entry.detail.get("text")
    return f"{entry.event}: {text}" if text else entry.event


def _opened(detail: Detail) -> str:
    clips = detail.get("clips")
    cameras = count(len(clips) if isinstance(clips, Mapping) else 0, "camera")
    return f"incident opened, {cameras} ({detail.get('time_source')})"


def _window_end(text: str) -> Callable[[Detail], str]:
    def words(detail: Detail) -> str:
        end = detail.get("end")
        return f"{text} {_clock(end)}" if isinstance(end, str) else "one more alarm"

    return words


def _requested(detail: Detail) -> str:
    devices = detail.get("devices")
    cameras = count(len(devices) if isinstance(devices, Sequence) else 0, "camera")
    return f"asks the recorder for {cameras} in one request"


def _refused(detail: Detail) -> str:
    code = detail.get("code")
    reason = EXPORT_CODES.get(code) if isinstance(code, int) else None
    what = f"the recorder says {code}: {reason or detail.get('reason')}"
    again = detail.get("next_try")
    if isinstance(again, str):
        return f"{what}; asks again at {_clock(again)}"
    return what


def _clock(utc: str) -> str:
    """The time of day on the wall of whoever watches."""
    return f"{datetime.fromisoformat(utc).astimezone():%H:%M:%S}"


_SENTENCES: Mapping[str, Callable[[Detail], str]] = {
    Event.OPENED: _opened,
    Event.EXTENDED: _window_end("one more alarm: the window now ends at"),
    Event.CLEARED: _window_end("cleared: the window ends at"),
    Event.ENDED: lambda _: "the window has ended; its footage settles",
    Event.REQUESTED: _requested,
    Event.ACCEPTED: lambda d: f"the recorder exports it as its number {d['exportid']}",
    Event.REFUSED: _refused,
    Event.EXPORTED: lambda d: f"exported to {d['path']}",
    Event.SEEN: lambda d: f"its footage is on the share: {d['files']} files",
    Event.RECORDED: lambda _: "evidence record written beside it, hashed and signed",
}


def why(
    incident: Incident, exports: Sequence[ExportRequest], now: datetime
) -> tuple[str, float | None]:
    """What an incident is doing and why, and the percentage of a running export."""
    live = [each for each in exports if each.state in EXPORT_LIVE]
    match incident.state:
        case IncidentState.RECORDING if incident.is_active:
            return "until it clears", None
        case IncidentState.RECORDING:
            return f"{_left(incident.span.end, now)} of post-roll to go", None
        case IncidentState.WAITING:
            return _waiting(incident, now), None
        case IncidentState.EXPORTING:
            percents = [each.percent for each in live]
            devices = sum(len(each.devices) for each in live)
            mean = sum(percents) / len(percents) if percents else 0.0
            return count(devices, "camera"), mean
        case IncidentState.EXPORTED:
            return count(len(incident.clips), "clip"), 100.0
        case _:
            messages = [clip.message for clip in incident.clips if clip.message]
            return "; ".join(dict.fromkeys(messages)), None


def _waiting(incident: Incident, now: datetime) -> str:
    due = [clip for clip in incident.clips if clip.state is ClipState.DUE]
    first = min(due, key=lambda clip: clip.due_at)
    if first.due_at <= now:
        return "its turn is next"
    wait = _left(first.due_at, now)
    if first.code is not None and first.code < 0:
        return f"{first.code} no video yet: try {first.attempts + 1} in {wait}"
    return f"footage settles, {wait}"


def _left(until: datetime, now: datetime) -> str:
    return f"{max(0.0, (until - now).total_seconds()):.0f} s"
