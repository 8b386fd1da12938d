"""What an incident is doing, for the demo's table."""

from collections.abc import Sequence
from datetime import datetime

from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import EXPORT_LIVE, ClipState, IncidentState
from evidenced.core.telling.sentences import count


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
