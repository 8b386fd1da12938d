"""A folder with footage and its record, as the daemon would have written it."""

from collections.abc import Mapping
from datetime import UTC
from hashlib import sha256
from pathlib import Path

from evidenced.core.keeping.evidence import (
    PAGE,
    RECORD,
    SIGNATURE,
    HashedFile,
    Record,
    RecordState,
    SeenFile,
)
from evidenced.core.keeping.kept import AuditHead, Dossier
from evidenced.core.telling.manifest import (
    Circumstances,
    Folder,
    encode,
    manifest,
    with_page,
)
from evidenced.evidence.signature import Signer
from fakes.incident import LOBBY, ended, requested, t

SHOWN = b"page"
"""In the place of a page: what is hashed is any bytes."""


def record_of(name: str, files: Mapping[str, bytes], key: str = "") -> bytes:
    """The incident.json of a folder of this name with these files."""
    incident, export = requested(ended(LOBBY))
    dossier = Dossier(incident=incident, alarms=(), exports=(export,), history=())
    record = Record(
        incident=incident.id,
        state=RecordState.WANTED,
        wanted_at=t("12:00"),
        due_at=None,
    )
    around = Circumstances(
        instance="hq",
        site="",
        zone=UTC,
        now=t("13:00"),
        head=AuditHead(seq=1, hash=""),
        versions={},
        rule=None,
        key=key,
    )
    hashed = tuple(
        HashedFile(
            folder=f"V:\\{name}",
            file=SeenFile(name=each, size=len(data), modified_ns=0),
            sha256=sha256(data).hexdigest(),
            hashed_at=t("13:00"),
        )
        for each, data in files.items()
    )
    folder = Folder(path=f"V:\\{name}", place=(name,), files=hashed, others=())
    value = manifest(dossier, record, folder, around)
    return encode(with_page(value, SHOWN))


def lay_out(folder: Path, files: Mapping[str, bytes], signer: Signer) -> None:
    """The whole folder, made anew, with a signed record."""
    folder.mkdir(parents=True)
    record = record_of(folder.name, files, signer.key())
    papers = {PAGE: SHOWN, RECORD: record, SIGNATURE: signer.sign(record) or b""}
    for name, data in (files | papers).items():
        (folder / name).write_bytes(data)
