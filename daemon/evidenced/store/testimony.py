"""What the chain says of evidence records: folders, their fate, their time stamps.

The store is only read, in one snapshot each.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from evidenced.core.errors import StoreError
from evidenced.core.ids import DestinationName
from evidenced.core.incidents.history import Event
from evidenced.core.instants import from_ms
from evidenced.core.keeping.footage import fate
from evidenced.core.keeping.stamps import KeptStamp, of_detail
from evidenced.store.dialect import Database
from evidenced.store.schema import history
from evidenced.store.snapshot import ODD, looking_at

_STAMPED = (
    select(history.c.seq, history.c.detail)
    .where(history.c.event == Event.STAMPED.value)
    .order_by(history.c.seq)
)
_RECORDED = (
    select(history.c.incident, history.c.at, history.c.event, history.c.detail)
    .where(
        history.c.event.in_(
            [
                *(Event.RECORDED.value, Event.IMPORTED.value),
                *(Event.DISPOSED.value, Event.MOVED.value),
            ]
        )
    )
    .order_by(history.c.seq)
)
_ANY_OF = select(history.c.seq).where(history.c.incident == bindparam("of")).limit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFolder:
    """An evidence record as the chain names it: the last one of its folder."""

    incident: str
    path: str
    sha256: str
    destination: DestinationName
    is_kept: bool = False
    """Whether it is in the store, for no share showed its folder."""
    fate: str = ""
    """What became of its footage, in words; "" while it should be there."""
    statement: str = ""
    """The SHA-256 of what says so beside the record; "" where nothing does."""


def recorded_folders(database: Database) -> list[RecordedFolder]:
    """Every folder whose record the history names, by its latest entries. Blocks.

    Raises:
        StoreError: the store cannot be read.
    """
    found: dict[tuple[str, str], RecordedFolder] = {}
    with looking_at(database) as connection:
        try:
            for incident, at, event, detail in connection.execute(_RECORDED):
                entry = json.loads(detail)
                read = _READ.get(event, _gone)
                found |= {
                    (each.destination, each.path): each
                    for each in read(incident, at, entry)
                }
        except ODD as error:
            raise StoreError(f"{database.name} cannot be read: {error}") from error
    return list(found.values())


def stamps_in(database: Database) -> list[KeptStamp]:
    """Every time stamp that the history keeps, oldest first. Blocks.

    Raises:
        StoreError: the store cannot be read.
    """
    found = []
    with looking_at(database) as connection:
        for seq, detail in connection.execute(_STAMPED):
            with suppress(*ODD):  # then the chain is broken there, and that is told
                found.append(of_detail(json.loads(detail), f"row {seq}"))
    return found


def _recorded(
    incident: str, _at: int, entry: Mapping[str, Any]
) -> Iterator[RecordedFolder]:
    for each in entry["records"]:
        path = str(each["path"])
        yield RecordedFolder(
            incident=incident,
            path=path,
            sha256=str(each["sha256"]),
            destination=DestinationName(str(entry["destination"])),
            is_kept=path in entry.get("kept", ()),
        )


def _gone(incident: str, at: int, entry: Mapping[str, Any]) -> Iterator[RecordedFolder]:
    by, comment = str(entry["by"]), str(entry.get("comment") or entry.get("rule", ""))
    yield RecordedFolder(
        incident=incident,
        path=str(entry["path"]),
        sha256=str(entry["record"]),
        destination=DestinationName(str(entry["destination"])),
        fate=fate(from_ms(at), by, comment, str(entry.get("place", ""))),
        statement=str(entry.get("statement", "")),
    )


def _imported(
    incident: str, _at: int, entry: Mapping[str, Any]
) -> Iterator[RecordedFolder]:
    yield RecordedFolder(
        incident=incident,
        path=str(entry["path"]),
        sha256=str(entry["record"]),
        destination=DestinationName(str(entry["destination"])),
        fate=str(entry.get("fate", "")),
        statement=str(entry.get("statement", "")),
    )


_READ = {Event.RECORDED.value: _recorded, Event.IMPORTED.value: _imported}


def incidents_in(database: Database, names: Collection[str]) -> set[str]:
    """Those of these incidents that the history has entries of. Blocks.

    Raises:
        StoreError: the store cannot be read.
    """
    with looking_at(database) as connection:
        return {
            each
            for each in names
            if connection.execute(_ANY_OF, {"of": each}).first() is not None
        }
