"""Incidents and clips as rows, both ways. Plain functions, no statements."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.instants import to_ms
from evidenced.store.codec import Codec, Row

ALARMED = (
    "rule",
    "key",
    "opened_at",
    "first_at",
    "last_at",
    "alarms",
    "continues",
    "fields",
    "terms",
)
"""Of an incident: what only alarms change, if anything does."""
PLACED = ("camera", "label", "recorder", "address", "window", "post_roll")
"""Of a clip: what only alarms change, if anything does."""
_INCIDENT = Codec(Incident, clips=None)
_INCIDENT_STEP = _INCIDENT.without(*ALARMED)
_CLIP = Codec(Clip, window=("start_at", "end_at"))
_CLIP_STEP = _CLIP.without(*PLACED)
_alarmed = attrgetter(*ALARMED)
_placed = attrgetter(*PLACED)


def incident_row(incident: Incident) -> dict[str, Any]:
    return {
        **_INCIDENT.row(incident),
        **_computed(incident),
        "start_at": to_ms(incident.span.start),
        "end_at": to_ms(incident.span.end),
    }


def incident_step(incident: Incident) -> dict[str, Any]:
    """The columns that change without an alarm: see `is_step`."""
    return {**_INCIDENT_STEP.row(incident), **_computed(incident)}


def _computed(incident: Incident) -> dict[str, Any]:
    turn, alert = incident.turn_at, incident.alert_at
    return {
        "state": incident.state.value,
        "turn_at": None if turn is None else to_ms(turn),
        "alert_at": None if alert is None else to_ms(alert),
    }


def is_step(before: Incident, after: Incident) -> bool:
    """Whether `incident_step` holds all that is different, its clips aside."""
    return _alarmed(before) == _alarmed(after) and [
        clip.window for clip in before.clips
    ] == [clip.window for clip in after.clips]


def incident_of(row: Row, clips: Iterable[Row]) -> Incident:
    return _INCIDENT.value(row, clips=tuple(map(_CLIP.value, clips)))


def clip_row(incident: Incident, clip: Clip) -> dict[str, Any]:
    """`destination` is the incident's, so that the queue can pass over held ones.

    So is `opened_at`: a camera's incidents are found newest first.
    """
    return {
        **_CLIP.row(clip),
        "incident": incident.id,
        "opened_at": to_ms(incident.opened_at),
        "destination": incident.terms.destination,
    }


def clip_step(incident: Incident, clip: Clip) -> dict[str, Any]:
    """The columns that change while its window stays: see `is_clip_step`."""
    return {**_CLIP_STEP.row(clip), "incident": incident.id}


def is_clip_step(before: Clip, after: Clip) -> bool:
    """Whether `clip_step` holds all that is different."""
    return _placed(before) == _placed(after)
