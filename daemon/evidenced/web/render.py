"""Values as the API's objects. Names are promises; times are UTC with Z. Pure."""

from collections.abc import Sequence
from datetime import datetime

from evidenced.core.alarms.payload import keepable
from evidenced.core.incidents.export import ExportedDevice, ExportRequest
from evidenced.core.incidents.history import Entry
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import render_utc
from evidenced.core.keeping.evidence import Record
from evidenced.core.keeping.records import Dossier, KeptAlarm
from evidenced.core.keeping.tag import Tag
from evidenced.ports.status import RecorderStatus, ShareStatus

JsonObject = dict[str, object]


def _utc(at: datetime | None) -> str | None:
    return None if at is None else render_utc(at)


def incident_row(incident: Incident, exports: Sequence[ExportRequest]) -> JsonObject:
    """An incident as lists show it: alarms as a count, and no history."""
    return {
        "id": incident.id,
        "rule": incident.rule,
        "key": incident.key,
        "state": incident.state,
        "reason": incident.reason,
        "opened": render_utc(incident.opened_at),
        "ended": None if incident.is_active else render_utc(incident.span.end),
        "finished": _utc(incident.finished_at),
        "fields": dict(incident.fields),
        "destination": incident.terms.destination,
        "continues": incident.continues,
        "alarms": incident.alarms,
        "clips": [_clip(clip) for clip in incident.clips],
        "exports": [_export(export) for export in exports],
    }


def incident_object(dossier: Dossier) -> JsonObject:
    """An incident with all that is kept of it.

    The first and last alarms of a storm are kept; `alarm_count` is how many there were.
    """
    return incident_row(dossier.incident, dossier.exports) | {
        "alarms": [_alarm(alarm) for alarm in dossier.alarms],
        "alarm_count": dossier.incident.alarms,
        "history": [entry_object(entry) for entry in dossier.history],
        "record": record_object(dossier.record) if dossier.record else None,
        "tags": [tag_object(tag) for tag in dossier.tags],
    }


def _clip(clip: Clip) -> JsonObject:
    """`next_try` is there while the clip waits for it; a due clip's may be past."""
    return {
        "camera": clip.camera,
        "label": clip.label,
        "recorder": clip.recorder,
        "server": clip.server,
        "device": clip.device,
        "start": render_utc(clip.window.start),
        "end": render_utc(clip.window.end),
        "state": clip.state,
        "attempts": clip.attempts,
        "code": clip.code,
        "message": clip.message,
        "reason": clip.reason,
        "next_try": render_utc(clip.due_at) if clip.state is ClipState.DUE else None,
    }


def _export(export: ExportRequest) -> JsonObject:
    """`progress` is percent; the devices' times are the recorder's own clock."""
    return {
        "recorder": export.recorder,
        "exportid": export.exportid,
        "path": export.path,
        "bandwidth": export.bandwidth,
        "devices": [_device(device) for device in export.devices],
        "clock_offset_s": export.offset.total_seconds(),
        "requested": render_utc(export.requested_at),
        "answered": _utc(export.answered_at),
        "finished": _utc(export.finished_at),
        "state": export.state,
        "progress": round(export.percent, 1),
        "code": export.code,
        "message": export.text,
    }


def _device(device: ExportedDevice) -> JsonObject:
    return {
        "server": device.asked.server,
        "device": device.asked.device,
        "start": render_utc(device.asked.window.start),
        "end": render_utc(device.asked.window.end),
        "progress": device.percent,
    }


def _alarm(alarm: KeptAlarm) -> JsonObject:
    """`cut_from` only where the store keeps no more than the payload's beginning."""
    said: JsonObject = {
        "received": render_utc(alarm.received_at),
        "time": render_utc(alarm.at),
        "time_source": alarm.time_source,
        "signal": alarm.signal,
        "topic": alarm.topic,
        "payload": keepable(alarm.payload),
    }
    if alarm.whole is not None:
        whole = alarm.whole
        said["cut_from"] = {"bytes": whole.size, "sha256": whole.sha256}
    return said


def entry_object(entry: Entry) -> JsonObject:
    return {
        "at": render_utc(entry.at),
        "event": entry.event,
        "detail": dict(entry.detail),
    }


def share_object(status: ShareStatus) -> JsonObject:
    return {
        "destination": status.destination,
        "up": status.problem is None,
        "problem": status.problem,
        "no_records": status.no_records,
    }


def record_object(record: Record) -> JsonObject:
    """The evidence record of an incident; `folders` are those it lies in."""
    due, written = record.due_at, record.written_at
    return {
        "state": record.state,
        "revision": record.revision,
        "written": None if written is None else render_utc(written),
        "signed_by": record.key or None,
        "message": record.message,
        "next_try": None if due is None else render_utc(due),
        "folders": [
            {
                "path": each.path,
                "files": each.files,
                "bytes": each.size_bytes,
                "sha256": each.sha256,
            }
            for each in record.folders
        ],
    }


def tag_object(tag: Tag) -> JsonObject:
    """One camera of a protected incident, as the recorder keeps it."""
    return {
        "camera": tag.camera,
        "recorder": tag.recorder,
        "state": tag.state,
        "start": render_utc(tag.window.start),
        "end": render_utc(tag.window.end),
        "tag": tag.tag_id or None,
        "code": tag.code,
        "message": tag.message,
        "next_try": None if tag.due_at is None else render_utc(tag.due_at),
    }


def recorder_object(status: RecorderStatus, now: datetime) -> JsonObject:
    """`clock_offset_s` is recorder minus host, null where unknown."""
    offset, wait = status.offset, status.next_try
    return {
        "name": status.name,
        "up": status.is_up,
        "problem": status.problem,
        "reason": status.reason,
        "version": status.version,
        "clock_offset_s": None if offset is None else offset.total_seconds(),
        "exports": status.exports,
        "limited_until": _utc(status.limited_until),
        "next_try": None if wait is None else render_utc(now + wait),
        "holds": [
            {
                "destination": name,
                "reason": hold.reason,
                "message": hold.text,
                "since": render_utc(hold.since),
                "refusals": hold.failures,
                "next_try": render_utc(hold.next_try),
            }
            for name, hold in status.holds.items()
        ],
    }
