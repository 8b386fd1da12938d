"""Rows of evidence records, of files' hashes and of tags, both ways."""

import json
from datetime import datetime
from typing import Any

from evidenced.core.ids import (
    CameraName,
    DeviceId,
    IncidentId,
    RecorderName,
    ServerId,
)
from evidenced.core.instants import from_ms, to_ms
from evidenced.core.keeping.evidence import (
    HashedFile,
    Record,
    RecordFolder,
    RecordState,
    SeenFile,
)
from evidenced.core.keeping.tag import Tag, TagState
from evidenced.core.window import Window
from evidenced.store.rows import Row, dump


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _at(value: int | None) -> datetime | None:
    return None if value is None else from_ms(value)


def record_row(record: Record) -> dict[str, Any]:
    folders = [[f.path, f.files, f.size_bytes, f.sha256] for f in record.folders]
    return {
        "incident": record.incident,
        "state": record.state.value,
        "wanted_at": to_ms(record.wanted_at),
        "due_at": _ms(record.due_at),
        "revision": record.revision,
        "tries": record.tries,
        "survey": record.survey,
        "surveyed_at": _ms(record.surveyed_at),
        "intended": dump(list(record.intended)),
        "folders": dump(folders),
        "key": record.key,
        "written_at": _ms(record.written_at),
        "message": record.message,
    }


def record_of(row: Row) -> Record:
    return Record(
        incident=IncidentId(row["incident"]),
        state=RecordState(row["state"]),
        wanted_at=from_ms(row["wanted_at"]),
        due_at=_at(row["due_at"]),
        revision=row["revision"],
        tries=row["tries"],
        survey=row["survey"],
        surveyed_at=_at(row["surveyed_at"]),
        intended=tuple(json.loads(row["intended"])),
        folders=tuple(
            RecordFolder(path=path, files=files, size_bytes=size, sha256=sha)
            for path, files, size, sha in json.loads(row["folders"])
        ),
        key=row["key"],
        written_at=_at(row["written_at"]),
        message=row["message"],
    )


def file_row(incident: IncidentId, each: HashedFile) -> dict[str, Any]:
    """A name as JSON text: one that is no UTF-8 is no text that SQLite takes."""
    return {
        "incident": incident,
        "folder": each.folder,
        "name": json.dumps(each.file.name),
        "size": each.file.size,
        "modified_ns": each.file.modified_ns,
        "sha256": each.sha256,
        "hashed_at": to_ms(each.hashed_at),
        "was": dump(list(each.was)),
    }


def file_of(row: Row) -> HashedFile:
    return HashedFile(
        folder=row["folder"],
        file=SeenFile(
            name=json.loads(row["name"]),
            size=row["size"],
            modified_ns=row["modified_ns"],
        ),
        sha256=row["sha256"],
        hashed_at=from_ms(row["hashed_at"]),
        was=tuple(json.loads(row["was"])),
    )


def tag_row(tag: Tag) -> dict[str, Any]:
    return {
        "incident": tag.incident,
        "camera": tag.camera,
        "recorder": tag.recorder,
        "server": tag.server,
        "device": tag.device,
        "start_at": to_ms(tag.window.start),
        "end_at": to_ms(tag.window.end),
        "state": tag.state.value,
        "due_at": _ms(tag.due_at),
        "n": tag.n,
        "asked_at": _ms(tag.asked_at),
        "asked_start": tag.asked and to_ms(tag.asked.start),
        "asked_end": tag.asked and to_ms(tag.asked.end),
        "kept_start": tag.kept and to_ms(tag.kept.start),
        "kept_end": tag.kept and to_ms(tag.kept.end),
        "failures": tag.failures,
        "tag_id": tag.tag_id,
        "code": tag.code,
        "message": tag.message,
    }


def tag_of(row: Row) -> Tag:
    return Tag(
        incident=IncidentId(row["incident"]),
        camera=CameraName(row["camera"]),
        recorder=RecorderName(row["recorder"]),
        server=ServerId(row["server"]),
        device=DeviceId(row["device"]),
        window=Window(start=from_ms(row["start_at"]), end=from_ms(row["end_at"])),
        state=TagState(row["state"]),
        due_at=_at(row["due_at"]),
        n=row["n"],
        asked_at=_at(row["asked_at"]),
        asked=_window(row["asked_start"], row["asked_end"]),
        kept=_window(row["kept_start"], row["kept_end"]),
        failures=row["failures"],
        tag_id=row["tag_id"],
        code=row["code"],
        message=row["message"],
    )


def _window(start: int | None, end: int | None) -> Window | None:
    if start is None or end is None:
        return None
    return Window(start=from_ms(start), end=from_ms(end))
