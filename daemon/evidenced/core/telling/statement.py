"""What is written beside a record when its footage is disposed of. Pure.

The record stays, and names files that are not there any more; the statement says since
when, by whose will, and which. It is signed as the record is, and its hash stands in
the audit chain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from evidenced.core.errors import BadInput
from evidenced.core.instants import render_utc
from evidenced.core.keeping.evidence import DISPOSAL
from evidenced.core.keeping.footage import FootageFolder, fate
from evidenced.core.telling.manifest import encode
from evidenced.core.telling.said import said_in

FORMAT = "evidenced-disposal"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What it says; `record` is the SHA-256 of the incident.json that it is about."""

    incident: str
    record: str
    at: datetime
    by: str
    comment: str
    place: str
    files: tuple[str, ...]
    key: str

    @property
    def words(self) -> str:
        """When, by whom or what, and why."""
        return fate(self.at, self.by, self.comment, self.place)


def statement(
    footage: FootageFolder, instance: str, files: Sequence[str], key: str, now: datetime
) -> bytes:
    """The bytes of it: what is hashed and signed. `files` are those that went."""
    value: Mapping[str, object] = {
        "format": FORMAT,
        "version": VERSION,
        "instance": instance,
        "incident": footage.incident,
        "folder": footage.path,
        "record": footage.sha256,
        "at": render_utc(now),
        "by": footage.by,
        "comment": footage.comment,
        "place": footage.place,
        "files": list(files),
        "signed_by": key or None,
    }
    return encode(value)


def read_statement(data: bytes) -> Statement:
    """What these bytes say.

    Raises:
        BadInput: they are no statement, or one that a newer evidenced has written.
    """
    said = said_in(data, f"{DISPOSAL} is no statement of a disposal")
    if said.maybe("format", str) != FORMAT:
        raise said.damaged("its `format` is another")
    if said.number("version") > VERSION:
        raise BadInput(f"{DISPOSAL} was written by a newer evidenced")
    return Statement(
        incident=said.line("incident"),
        record=said.digest("record"),
        at=said.instant("at"),
        by=said.line("by"),
        comment=said.line("comment"),
        place=said.line("place"),
        files=tuple(said.texts("files")),
        key=said.maybe("signed_by", str) or "",
    )
