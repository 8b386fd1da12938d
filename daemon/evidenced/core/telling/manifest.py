"""What an evidence record says: the content of incident.json, as plain JSON values.

Windows are in true UTC; what was asked in the recorder's own time stands beside them.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from evidenced.core.alarms.payload import Whole
from evidenced.core.incidents.export import ExportedDevice, ExportRequest
from evidenced.core.incidents.history import Entry
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.instants import render_utc
from evidenced.core.keeping.evidence import HashedFile, Record
from evidenced.core.keeping.records import AuditHead, Dossier, KeptAlarm
from evidenced.core.keeping.tag import Tag
from evidenced.core.window import Window

FORMAT = "evidenced-record"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the record says besides its incident.

    `rule` are the settings as they were when the incident was opened, None where an
    earlier version did not keep them. `supersedes` names the revision before, by its
    file and hash. `key` is the id of the key that signs, "" for none.
    """

    instance: str
    now: datetime
    head: AuditHead
    versions: Mapping[str, str]
    rule: object
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One folder with footage: its path on the recorder, and what lies in it."""

    path: str
    files: tuple[HashedFile, ...]
    others: tuple[str, ...]
    supersedes: Mapping[str, object] | None = None


def manifest(
    dossier: Dossier, record: Record, folder: Folder, around: Circumstances
) -> dict[str, object]:
    """The record of the whole incident, with the files of this folder."""
    incident = dossier.incident
    return {
        "format": FORMAT,
        "version": VERSION,
        "revision": record.revision + 1,
        "supersedes": folder.supersedes,
        "written": render_utc(around.now),
        "instance": around.instance,
        "versions": dict(around.versions),
        "signed_by": around.key or None,
        "incident": _incident(incident),
        "rule": around.rule,
        "alarms": [_alarm(alarm) for alarm in dossier.alarms],
        "clips": [_clip(clip) for clip in incident.clips],
        "exports": [_export(export) for export in dossier.exports],
        "tags": [_tag(tag) for tag in dossier.tags],
        "history": [_entry(entry) for entry in dossier.history],
        "audit": {"seq": around.head.seq, "hash": around.head.hash},
        "folder": folder.path,
        "files": [_file(each) for each in folder.files],
        "others": list(folder.others),
    }


def with_page(value: Mapping[str, object], page: bytes) -> dict[str, object]:
    """The record with the hash of its page, which was made from it."""
    return {**value, "page": sha256(page).hexdigest()}


def encode(value: Mapping[str, object]) -> bytes:
    """The bytes of incident.json: what is hashed and signed is exactly these."""
    return json.dumps(value, indent=1, ensure_ascii=True).encode("ascii") + b"\n"


def _incident(incident: Incident) -> dict[str, object]:
    finished = incident.finished_at
    return {
        "id": incident.id,
        "rule": incident.rule,
        "key": incident.key,
        "state": incident.state,
        "reason": incident.reason,
        "opened": render_utc(incident.opened_at),
        "ended": render_utc(incident.span.end),
        "finished": None if finished is None else render_utc(finished),
        "fields": dict(incident.fields),
        "alarms": incident.alarms,
        "continues": incident.continues,
        "destination": incident.terms.destination,
        "protect": incident.terms.protect,
    }


def _alarm(alarm: KeptAlarm) -> dict[str, object]:
    return {
        "n": alarm.n,
        "signal": alarm.signal,
        "received": render_utc(alarm.received_at),
        "time": render_utc(alarm.at),
        "time_source": alarm.time_source,
        "topic": alarm.topic,
        "payload": payload(alarm.payload, alarm.whole),
    }


def payload(raw: bytes, whole: Whole | None = None) -> dict[str, object]:
    """The bytes as they came: as text where they are UTF-8, else in base64.

    Of a later alarm of a storm only the beginning is kept: it says so, with the size
    and hash of the whole.
    """
    encoding = "utf-8"
    try:
        data = raw.decode()
    except UnicodeDecodeError:
        encoding, data = "base64", base64.b64encode(raw).decode("ascii")
    kept = {"encoding": encoding, "data": data, "bytes": len(raw)}
    if whole is None:
        return kept
    return kept | {"cut_from": {"bytes": whole.size, "sha256": whole.sha256}}


def _clip(clip: Clip) -> dict[str, object]:
    return {
        "n": clip.n,
        "camera": clip.camera,
        "label": clip.label,
        "recorder": clip.recorder,
        "server": clip.server,
        "device": clip.device,
        "window": _window(clip.window),
        "state": clip.state,
        "reason": clip.reason,
        "attempts": clip.attempts,
        "code": clip.code,
        "message": clip.message,
    }


def _export(export: ExportRequest) -> dict[str, object]:
    return {
        "n": export.n,
        "recorder": export.recorder,
        "exportid": export.exportid,
        "session": export.session,
        "path": export.path,
        "state": export.state,
        "bandwidth": export.bandwidth,
        "requested": render_utc(export.requested_at),
        "answered": _at(export.answered_at),
        "finished": _at(export.finished_at),
        "code": export.code,
        "text": export.text,
        "clock_offset_s": export.offset.total_seconds(),
        "devices": [_device(each, export.offset) for each in export.devices],
    }


def _device(device: ExportedDevice, offset: timedelta) -> dict[str, object]:
    asked = device.asked.window
    true = Window(start=asked.start - offset, end=asked.end - offset)
    return {
        "clip": device.clip,
        "server": device.asked.server,
        "device": device.asked.device,
        "window": _window(true),
        "asked_in_recorder_time": _window(asked),
    }


def _tag(tag: Tag) -> dict[str, object]:
    return {
        "camera": tag.camera,
        "recorder": tag.recorder,
        "window": _window(tag.window),
        "state": tag.state,
        "tag": tag.tag_id or None,
        "code": tag.code,
        "message": tag.message,
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "at": render_utc(entry.at),
        "event": entry.event,
        "detail": dict(entry.detail),
    }


def _file(each: HashedFile) -> dict[str, object]:
    return {
        "name": each.file.name,
        "bytes": each.file.size,
        "sha256": each.sha256,
        "hashed": render_utc(each.hashed_at),
        "earlier_sha256": list(each.was),
    }


def _window(window: Window) -> dict[str, str]:
    return {"start": render_utc(window.start), "end": render_utc(window.end)}


def _at(instant: datetime | None) -> str | None:
    return None if instant is None else render_utc(instant)


def total(files: Iterable[HashedFile]) -> int:
    """Bytes of them all."""
    return sum(each.file.size for each in files)
