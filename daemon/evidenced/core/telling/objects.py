"""Incidents and what belongs to them as JSON values: one shape for all who read them.

The API, `--json`, MQTT and incident.json are made of these. Names are promises.
Instants are UTC with Z and milliseconds; windows are in true UTC, what was asked in
the recorder's own time stands beside them as `asked`. Pure.
"""

import base64
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from evidenced.core.address import known_as, parts_of
from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.payload import KEPT_BYTES, keepable
from evidenced.core.incidents.coverage import NOT_ASKED, Coverage
from evidenced.core.incidents.export import ExportedDevice, ExportRequest
from evidenced.core.incidents.history import Entry
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import CLIP_LOST, ClipState
from evidenced.core.instants import render_utc
from evidenced.core.keeping.evidence import Record
from evidenced.core.keeping.footage import FootageFolder
from evidenced.core.keeping.held import Held
from evidenced.core.keeping.kept import Dossier, KeptAlarm, RefusedAlarm
from evidenced.core.keeping.loss import Loss
from evidenced.core.keeping.still import Still
from evidenced.core.keeping.tag import Tag
from evidenced.core.window import Window

JsonObject = dict[str, object]

COUNTED = [s for s in ClipState if s is ClipState.EXPORTED or s in CLIP_LOST]
"""The clips of an incident that MQTT tells the number of."""


def utc(at: datetime | None) -> str | None:
    return None if at is None else render_utc(at)


def retained_state(incident: Incident, exports: Iterable[ExportRequest]) -> JsonObject:
    """What MQTT retains of an incident: see interfaces, "MQTT out"."""
    states = [clip.state for clip in incident.clips]
    return _head(incident) | {
        "clips": {"total": len(states)}
        | {each: states.count(each) for each in COUNTED},
        "path": next((export.path for export in exports), None),
    }


def incident_row(
    incident: Incident,
    exports: Iterable[ExportRequest],
    stills: Collection[Still] = (),
    held: Held | None = None,
) -> JsonObject:
    """An incident as lists show it: alarms as a count, and no history."""
    return _head(incident) | {
        "reason": incident.reason,
        "finished": utc(incident.finished_at),
        "imported": utc(incident.imported_at),
        "fields": dict(incident.fields),
        "destination": incident.terms.destination,
        "protect": incident.terms.protect,
        "continues": incident.continues,
        "alarms": incident.alarms,
        "held": held_object(held),
        "clips": [
            clip_object(clip) | {"stills": _stills(clip, incident, stills)}
            for clip in incident.clips
        ],
        "exports": [export_object(export) for export in exports],
    }


def incident_object(dossier: Dossier, *, is_exact: bool = False) -> JsonObject:
    """An incident with all that is kept of it.

    The first and last alarms of a storm are kept; `alarm_count` is how many there were.
    `is_exact` is whether payloads are as they came, not as they are shown.
    """
    return incident_row(dossier.incident, dossier.exports, dossier.stills) | {
        "alarms": [
            alarm_object(alarm) | (exact(alarm.payload) if is_exact else {})
            for alarm in dossier.alarms
        ],
        "alarm_count": dossier.incident.alarms,
        "tags": [tag_object(tag) for tag in dossier.tags],
        "history": [entry_object(entry) for entry in dossier.history],
        "acknowledged": acknowledged_object(dossier.loss),
        "held": held_object(dossier.held),
        "verified": verified(dossier.incident, dossier.footage),
        "footage": [footage_object(each) for each in dossier.footage],
    }


def acknowledged_object(loss: Loss | None) -> JsonObject | None:
    """Who has taken note of what is lost; null while nobody has, or nothing is."""
    known = loss and loss.acknowledged
    if not known:
        return None
    return {"at": render_utc(known.at), "by": known.by, "comment": known.comment}


def held_object(held: Held | None) -> JsonObject | None:
    """Who holds it, so that nothing of it is taken away; null while nobody does."""
    if held is None:
        return None
    return {"at": render_utc(held.at), "by": held.by, "comment": held.comment}


def verified(incident: Incident, footage: Collection[FootageFolder]) -> str | None:
    """By whose word the footage is there: the recorder's, or ours, who hashed it.

    Null while there is none.
    """
    if not any(clip.has_footage for clip in incident.clips):
        return None
    if any(each.fault and each.is_here for each in footage):
        return "altered"
    return "recorded" if footage else "said"


def footage_object(footage: FootageFolder) -> JsonObject:
    """A folder with a record on a share; `at`, `by` and why where it went."""
    return {
        "path": footage.path,
        "destination": footage.destination,
        "state": footage.state,
        "files": footage.files,
        "bytes": footage.size_bytes,
        "at": utc(footage.at),
        "by": footage.by or None,
        "comment": footage.comment,
        "place": footage.place or None,
        "checked": render_utc(footage.checked_at),
        "fault": footage.fault,
    }


def _head(incident: Incident) -> JsonObject:
    """`ended` is null while a clear is awaited."""
    return {
        "id": incident.id,
        "rule": incident.rule,
        "label": incident.label,
        "summary": incident.summary,
        "key": incident.key,
        "state": incident.state,
        "opened": render_utc(incident.opened_at),
        "ended": None if incident.is_active else render_utc(incident.span.end),
    }


def clip_object(clip: Clip) -> JsonObject:
    """`next_try` is there while the clip waits for it; a due clip's may be past."""
    return {
        "n": clip.n,
        "camera": clip.camera,
        "label": clip.label,
        "recorder": clip.recorder,
        **parts_of(clip.address),
        **window_object(clip.window),
        "state": clip.state,
        "reason": clip.reason,
        "attempts": clip.attempts,
        "code": clip.code or None,
        "message": clip.message,
        "next_try": render_utc(clip.due_at) if clip.state is ClipState.DUE else None,
        "coverage": coverage_object(clip.coverage or NOT_ASKED),
    }


def _stills(
    clip: Clip, incident: Incident, stills: Collection[Still]
) -> list[JsonObject]:
    """Those of its camera, with the first of that camera's clips."""
    first = next(each.n for each in incident.clips if each.camera == clip.camera)
    if clip.n != first:
        return []
    return [still_object(each) for each in stills if each.camera == clip.camera]


def still_object(still: Still) -> JsonObject:
    """`at` is null while there is no picture; `wanted` is the instant asked for."""
    return {
        "n": still.n,
        "wanted": render_utc(still.wanted_at),
        "at": utc(still.at),
        "state": still.state,
        "sha256": still.sha256 or None,
        "bytes": still.size_bytes,
        "width": still.width,
        "height": still.height,
        "message": still.message,
    }


def coverage_object(coverage: Coverage) -> JsonObject:
    """`unseen_s` is how long a gap may be that the questions did not see."""
    return {
        "state": coverage.state,
        "gaps": [window_object(gap) for gap in coverage.gaps],
        "unseen_s": coverage.unseen.total_seconds(),
        "is_loss": coverage.is_loss,
        "message": coverage.text,
    }


def export_object(export: ExportRequest) -> JsonObject:
    """`progress` is percent, `clock_offset_s` recorder minus host.

    `exportid` is what the recorder shows it by, and beside it stand all the words by
    which its adapter finds it again. `unsent` counts tries that did not reach it.
    """
    return {
        "n": export.n,
        "recorder": export.recorder,
        "exportid": known_as(export.handle) or None,
        **parts_of(export.handle),
        "path": export.path,
        "bandwidth": export.bandwidth,
        "state": export.state,
        "unsent": export.unsent,
        "progress": round(export.percent, 1),
        "requested": render_utc(export.requested_at),
        "answered": utc(export.answered_at),
        "finished": utc(export.finished_at),
        "code": export.code or None,
        "message": export.text,
        "clock_offset_s": export.offset.total_seconds(),
        "devices": [_device(each, export.offset) for each in export.devices],
    }


def _device(device: ExportedDevice, offset: timedelta) -> JsonObject:
    asked = device.asked.window
    return {
        "clip": device.clip,
        **parts_of(device.asked.address),
        **window_object(Window(start=asked.start - offset, end=asked.end - offset)),
        "asked": window_object(asked),
        "progress": device.percent,
    }


def alarm_object(alarm: KeptAlarm) -> JsonObject:
    return {
        "n": alarm.n,
        **message_object(alarm),
        "time": render_utc(alarm.at),
        "time_source": alarm.time_source,
        "signal": alarm.signal,
    }


def refused_object(alarm: RefusedAlarm) -> JsonObject:
    """A message that opened nothing.

    `cameras` are those that a silence withheld, `on_until` its end while the alarm may
    still be on then; `incident` was opened for it afterwards.
    """
    held = alarm.withheld
    return {
        "number": alarm.number,
        **message_object(alarm),
        "outcome": alarm.outcome,
        "rule": alarm.rule,
        "why": alarm.detail,
        "cameras": [] if held is None else held.cameras,
        "on_until": None if held is None else utc(held.until),
        "incident": alarm.incident,
    }


def message_object(
    alarm: Alarm | KeptAlarm | RefusedAlarm, most: int = KEPT_BYTES
) -> JsonObject:
    """`payload` is text that is safe to show, of at most so many bytes.

    `cut_from` is there only where no more than the payload's beginning is kept.
    """
    payload = alarm.payload
    said: JsonObject = {
        "received": render_utc(alarm.received_at),
        "topic": alarm.topic,
        "payload": payload if isinstance(payload, str) else keepable(payload, most),
    }
    if alarm.whole is not None:
        whole = alarm.whole
        said["cut_from"] = {"bytes": whole.size, "sha256": whole.sha256}
    return said


def exact(payload: bytes) -> JsonObject:
    """The bytes as they came: as text where they are UTF-8, else in base64."""
    encoding = "utf-8"
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        encoding, text = "base64", base64.b64encode(payload).decode("ascii")
    return {"payload": text, "encoding": encoding, "bytes": len(payload)}


def tag_object(tag: Tag) -> JsonObject:
    """One camera of a protected incident, as the recorder keeps it."""
    return {
        "camera": tag.camera,
        "recorder": tag.recorder,
        **window_object(tag.window),
        "kept": None if tag.kept is None else window_object(tag.kept),
        "state": tag.state,
        "tag": tag.tag_id or None,
        "code": tag.code or None,
        "message": tag.message,
        "next_try": utc(tag.due_at),
    }


def record_object(record: Record) -> JsonObject:
    """The evidence record of an incident; `folders` are those it lies in."""
    return {
        "state": record.state,
        "revision": record.revision,
        "written": utc(record.written_at),
        "signed_by": record.key or None,
        "message": record.message,
        "next_try": utc(record.due_at),
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


def entry_object(entry: Entry) -> JsonObject:
    return {
        "at": render_utc(entry.at),
        "event": entry.event,
        "detail": dict(entry.detail),
    }


def window_object(window: Window) -> JsonObject:
    return {"start": render_utc(window.start), "end": render_utc(window.end)}
