"""What an evidence record says: the content of incident.json, as plain JSON values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from hashlib import sha256

from evidenced.core.instants import ZERO, render_utc
from evidenced.core.keeping.evidence import HashedFile, Record
from evidenced.core.keeping.kept import AuditHead, Dossier
from evidenced.core.keeping.still import Still, StillState
from evidenced.core.spoken import zone_word
from evidenced.core.telling.objects import incident_object, utc

FORMAT = "evidenced-record"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the record says besides its incident.

    `rule` are the settings as they were when the incident was opened, None where an
    earlier version did not keep them. `supersedes` names the revision before, by its
    file and hash. `key` is the id of the key that signs, "" for none. `zone` is the
    site's local time, `site` what people call it, "" where nobody said.
    """

    instance: str
    now: datetime
    head: AuditHead
    versions: Mapping[str, str]
    rule: object
    key: str
    zone: tzinfo
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One folder with footage: its path on the recorder, and what lies in it.

    `place` are the folders that lead to it from the root of the share. `is_seen` is
    whether this host sees it; else nothing is known of its files.
    """

    path: str
    place: tuple[str, ...]
    files: tuple[HashedFile, ...]
    others: tuple[str, ...]
    supersedes: Mapping[str, object] | None = None
    is_seen: bool = True


def manifest(
    dossier: Dossier, record: Record, folder: Folder, around: Circumstances
) -> dict[str, object]:
    """The record of the whole incident, with the files of this folder."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "revision": record.revision + 1,
        "supersedes": folder.supersedes,
        "written": render_utc(around.now),
        "instance": around.instance,
        "site": around.site,
        "zone": _zone(around.zone, dossier.incident.opened_at),
        "versions": dict(around.versions),
        "signed_by": around.key or None,
        "incident": incident_object(dossier, is_exact=True),
        "rule": around.rule,
        "audit": {"seq": around.head.seq, "hash": around.head.hash},
        "folder": folder.path,
        "place": "/".join(folder.place),
        "seen": folder.is_seen,
        "files": [_file(each) for each in folder.files],
        "others": list(folder.others),
        "stills": [_picture(each) for each in kept_stills(dossier)],
    }


def kept_stills(dossier: Dossier) -> list[Still]:
    """The pictures that lie beside its footage."""
    return [each for each in dossier.stills if each.state is StillState.KEPT]


def _picture(still: Still) -> dict[str, object]:
    return {
        "name": still.file,
        "camera": still.camera,
        "at": utc(still.at),
        "bytes": still.size_bytes,
        "sha256": still.sha256,
    }


def with_page(value: Mapping[str, object], page: bytes) -> dict[str, object]:
    """The record with the hash of its page, which was made from it."""
    return {**value, "page": sha256(page).hexdigest()}


def encode(value: Mapping[str, object]) -> bytes:
    """The bytes of incident.json: what is hashed and signed is exactly these."""
    return json.dumps(value, indent=1, ensure_ascii=True).encode("ascii") + b"\n"


def _zone(zone: tzinfo, at: datetime) -> dict[str, object]:
    """By its name where it has one, and as it was at that instant."""
    offset = at.astimezone(zone).utcoffset() or ZERO
    return {
        "name": getattr(zone, "key", None),
        "word": zone_word(at, zone),
        "offset_s": int(offset.total_seconds()),
    }


def _file(each: HashedFile) -> dict[str, object]:
    return {
        "name": each.file.name,
        "bytes": each.file.size,
        "sha256": each.sha256,
        "hashed": render_utc(each.hashed_at),
        "earlier_sha256": list(each.was),
    }
