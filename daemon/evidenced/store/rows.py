"""Between core values and table rows, both ways. Plain functions, no statements."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.payload import Whole
from evidenced.core.errors import Reason
from evidenced.core.frozen import restored
from evidenced.core.ids import (
    CameraName,
    DestinationName,
    DeviceId,
    ExportId,
    FieldValue,
    GroupKey,
    IncidentId,
    RecorderName,
    RuleName,
    ServerId,
    SessionId,
)
from evidenced.core.incidents.export import ExportedDevice, ExportRequest
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState, ExportState
from evidenced.core.instants import from_ms, to_ms
from evidenced.core.recorder import DeviceWindow
from evidenced.core.severity import Severity
from evidenced.core.terms import Terms
from evidenced.core.window import Window
from evidenced.store.part import Row, dump, instant, length, ms, span_ms


def incident_row(incident: Incident) -> dict[str, Any]:
    span = incident.span
    return {
        **incident_step(incident),
        "rule": incident.rule,
        "key": incident.key,
        "opened_at": to_ms(incident.opened_at),
        "first_at": to_ms(incident.first_at),
        "last_at": to_ms(incident.last_at),
        "start_at": to_ms(span.start),
        "end_at": to_ms(span.end),
        "alarms": incident.alarms,
        "continues": incident.continues,
        "fields": dump(incident.fields),
        "terms": terms_text(incident.terms),
    }


def incident_step(incident: Incident) -> dict[str, Any]:
    """The columns that change without an alarm: see `is_step`."""
    return {
        "id": incident.id,
        "state": incident.state.value,
        "reason": incident.reason and incident.reason.value,
        "finished_at": ms(incident.finished_at),
        "turn_at": ms(incident.turn_at),
        "alert_at": ms(incident.alert_at),
        "is_active": int(incident.is_active),
        "is_open": int(incident.is_open),
        "is_late_told": int(incident.is_late_told),
    }


INCIDENT_STEP = (
    "state",
    "reason",
    "finished_at",
    "turn_at",
    "alert_at",
    "is_active",
    "is_open",
    "is_late_told",
)
ALARMED = ("opened_at", "first_at", "last_at", "alarms", "continues", "fields", "terms")
_alarmed = attrgetter(*ALARMED)


def is_step(before: Incident, after: Incident) -> bool:
    """Whether `incident_step` holds all that is different, its clips aside."""
    return _alarmed(before) == _alarmed(after) and [
        clip.window for clip in before.clips
    ] == [clip.window for clip in after.clips]


@lru_cache(maxsize=256)
def terms_text(terms: Terms) -> str:
    """Remembered: one rule's incidents all have the same."""
    late = terms.alert_after
    return dump(
        {
            "destination": terms.destination,
            "path": terms.path,
            "root": terms.root,
            "priority": terms.priority,
            "bandwidth": terms.bandwidth,
            "max_length": span_ms(terms.max_length),
            "alert_after": None if late is None else span_ms(late),
            "protect": terms.protect,
            "settings": terms.settings,
            "severity": terms.severity,
        }
    )


@lru_cache(maxsize=256)
def _terms(text: str) -> Terms:
    row = json.loads(text)
    late = row["alert_after"]
    return Terms(
        destination=DestinationName(row["destination"]),
        path=row["path"],
        root=row["root"],
        priority=row["priority"],
        bandwidth=row["bandwidth"],
        max_length=length(row["max_length"]),
        alert_after=None if late is None else length(late),
        protect=row.get("protect", False),
        settings=row.get("settings", ""),
        severity=Severity(row.get("severity", Severity.WARNING)),
    )


def incident_of(row: Row, clip_rows: Iterable[Row]) -> Incident:
    return restored(
        Incident,
        id=IncidentId(row["id"]),
        rule=RuleName(row["rule"]),
        key=GroupKey(row["key"]),
        opened_at=from_ms(row["opened_at"]),
        first_at=from_ms(row["first_at"]),
        last_at=from_ms(row["last_at"]),
        is_active=bool(row["is_active"]),
        is_open=bool(row["is_open"]),
        is_late_told=bool(row["is_late_told"]),
        fields=fields_of(json.loads(row["fields"])),
        terms=_terms(row["terms"]),
        clips=tuple(clip_of(each) for each in clip_rows),
        alarms=row["alarms"],
        reason=Reason(row["reason"]) if row["reason"] else None,
        continues=IncidentId(row["continues"]) if row["continues"] else None,
        finished_at=instant(row["finished_at"]),
    )


def fields_of(value: Mapping[str, Any]) -> dict[str, FieldValue]:
    """JSON has no tuples."""
    return {
        name: tuple(each) if isinstance(each, list) else each
        for name, each in value.items()
    }


def clip_row(incident: Incident, clip: Clip) -> dict[str, Any]:
    """`destination` is the incident's, so that the queue can pass over held ones.

    So is `opened_at`: a camera's incidents are found newest first.
    """
    return {
        **clip_step(incident, clip),
        "opened_at": to_ms(incident.opened_at),
        "destination": incident.terms.destination,
        "camera": clip.camera,
        "label": clip.label,
        "recorder": clip.recorder,
        "server": clip.server,
        "device": clip.device,
        "start_at": to_ms(clip.window.start),
        "end_at": to_ms(clip.window.end),
        "post_roll": span_ms(clip.post_roll),
    }


def clip_step(incident: Incident, clip: Clip) -> dict[str, Any]:
    """The columns that change while its window stays: see `is_clip_step`."""
    return {
        "incident": incident.id,
        "n": clip.n,
        "state": clip.state.value,
        "due_at": to_ms(clip.due_at),
        "rank": to_ms(clip.rank),
        "cohort": clip.cohort,
        "attempts": clip.attempts,
        "no_video": clip.no_video,
        "code": clip.code,
        "message": clip.message,
        "reason": clip.reason and clip.reason.value,
    }


CLIP_STEP = (
    "state",
    "due_at",
    "rank",
    "cohort",
    "attempts",
    "no_video",
    "code",
    "message",
    "reason",
)
PLACED = ("camera", "label", "recorder", "server", "device", "window", "post_roll")
_placed = attrgetter(*PLACED)


def is_clip_step(before: Clip, after: Clip) -> bool:
    """Whether `clip_step` holds all that is different."""
    return _placed(before) == _placed(after)


def clip_of(row: Row) -> Clip:
    return restored(
        Clip,
        n=row["n"],
        camera=CameraName(row["camera"]),
        label=row["label"],
        recorder=RecorderName(row["recorder"]),
        server=ServerId(row["server"]),
        device=DeviceId(row["device"]),
        window=Window(start=from_ms(row["start_at"]), end=from_ms(row["end_at"])),
        post_roll=length(row["post_roll"]),
        state=ClipState(row["state"]),
        due_at=from_ms(row["due_at"]),
        rank=from_ms(row["rank"]),
        cohort=row["cohort"],
        attempts=row["attempts"],
        no_video=row["no_video"],
        code=row["code"],
        message=row["message"],
        reason=Reason(row["reason"]) if row["reason"] else None,
    )


def inbox_row(alarm: Alarm) -> dict[str, Any]:
    return {
        "seq": None,  # the database gives the number
        "received_at": to_ms(alarm.received_at),
        "topic": alarm.topic,
        "payload": alarm.payload,
        "is_retained": int(alarm.retained),
        "absence": span_ms(alarm.absence),
        **whole_row(alarm.whole),
    }


def weight(alarm: Alarm) -> int:
    """What it takes in the inbox: topics may have 64 KiB too."""
    return len(alarm.topic.encode(errors="replace")) + len(alarm.payload)


def whole_row(whole: Whole | None) -> dict[str, Any]:
    """NULLs where the payload is kept whole."""
    return {
        "whole_bytes": None if whole is None else whole.size,
        "whole_sha256": None if whole is None else whole.sha256,
    }


def whole_from(row: Row) -> Whole | None:
    size = row["whole_bytes"]
    return None if size is None else Whole(size=size, sha256=row["whole_sha256"])


def inbox_alarm(row: Row) -> Alarm:
    return Alarm(
        topic=row["topic"],
        payload=row["payload"],
        received_at=from_ms(row["received_at"]),
        retained=bool(row["is_retained"]),
        absence=length(row["absence"]),
        whole=whole_from(row),
    )


def export_row(export: ExportRequest) -> dict[str, Any]:
    return {
        "id": export.id,
        "incident": export.incident,
        "recorder": export.recorder,
        "n": export.n,
        "path": export.path,
        "bandwidth": export.bandwidth,
        "devices": _devices_text(export.devices),
        "offset_ms": span_ms(export.offset),
        "state": export.state.value,
        "requested_at": to_ms(export.requested_at),
        "answered_at": ms(export.answered_at),
        "finished_at": ms(export.finished_at),
        "session": export.session,
        "exportid": export.exportid,
        "code": export.code,
        "text": export.text,
    }


def _devices_text(devices: Sequence[ExportedDevice]) -> str:
    return dump(
        [
            [
                device.clip,
                device.asked.server,
                device.asked.device,
                to_ms(device.asked.window.start),
                to_ms(device.asked.window.end),
                device.percent,
            ]
            for device in devices
        ]
    )


def _device(row: Sequence[Any]) -> ExportedDevice:
    clip, server, device, start, end, percent = row
    window = Window(start=from_ms(start), end=from_ms(end))
    return ExportedDevice(
        clip=clip,
        asked=DeviceWindow(
            server=ServerId(server), device=DeviceId(device), window=window
        ),
        percent=percent,
    )


def export_of(row: Row) -> ExportRequest:
    return ExportRequest(
        id=row["id"],
        incident=IncidentId(row["incident"]),
        recorder=RecorderName(row["recorder"]),
        n=row["n"],
        path=row["path"],
        bandwidth=row["bandwidth"],
        devices=tuple(_device(each) for each in json.loads(row["devices"])),
        offset=length(row["offset_ms"]),
        state=ExportState(row["state"]),
        requested_at=from_ms(row["requested_at"]),
        answered_at=instant(row["answered_at"]),
        finished_at=instant(row["finished_at"]),
        session=SessionId(row["session"]) if row["session"] else None,
        exportid=ExportId(row["exportid"]) if row["exportid"] else None,
        code=row["code"],
        text=row["text"],
    )
