"""Checking the audit chain: every row recomputed, and what was done to it told.

The file is only read, in one snapshot, so the daemon may go on writing meanwhile.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from evidenced.core.errors import StoreError
from evidenced.core.ids import DestinationName
from evidenced.core.incidents.history import Event
from evidenced.core.keeping.kept import AuditHead
from evidenced.store.history import ANCHOR, GENESIS, link
from evidenced.store.schema import history, meta
from evidenced.store.snapshot import ODD, looking_at

FURTHEST = 1000
"""Rows removed or inserted in one place that are still counted exactly."""
PAGE = 1000
"""Rows in memory at a time."""
_ANCHOR = select(meta.c.value).where(meta.c.key == ANCHOR)
BEGINNING = AuditHead(seq=0, hash=GENESIS)
_RECORDED = (
    select(history.c.incident, history.c.detail)
    .where(history.c.event == Event.RECORDED.value)
    .order_by(history.c.seq)
)
_ROWS = (
    select(
        history.c.seq,
        history.c.incident,
        history.c.at,
        history.c.event,
        history.c.detail,
        history.c.hash,
    )
    .order_by(history.c.seq)
    .execution_options(yield_per=PAGE)
)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One history row as it stands in the file; somebody may have put anything in."""

    seq: int
    incident: Any
    at_ms: Any
    event: Any
    detail: Any
    hash: Any

    def hash_after(self, previous: str, seq: int) -> str | None:
        """What its hash would be as row `seq` after that hash; None for no text."""
        texts = (self.event, self.detail)
        if not all(isinstance(each, str) for each in texts):
            return None
        if not isinstance(self.at_ms, int) or not isinstance(self.incident, str | None):
            return None
        if self.incident == "":  # hashes like none at all, and is never written
            return None
        return link(previous, seq, self.at_ms, (self.incident, *texts))

    def follows(self, previous: str, seq: int) -> bool:
        """Whether it was written as row `seq` after that hash."""
        return isinstance(self.hash, str) and self.hash_after(previous, seq) == (
            self.hash
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found. `head` is the last row up to which the chain is intact.

    `fault` is a sentence where it is broken. `looked_for` is the row that carries the
    hash that was looked for, None when there was none.
    """

    head: AuditHead
    fault: str | None = None
    looked_for: int | None = None


Reread = Callable[[], Iterable[HistoryRow]]


def verify(
    rows: Reread, wanted: str | None = None, start: AuditHead = BEGINNING
) -> Audit:
    """Recompute the chain; `rows` gives all rows in order of `seq`.

    It begins after `start`: the last row that was pruned, or nothing.

    Memory does not grow with the rows. They are read once more where a break has to be
    explained. `wanted` is a hash that was kept elsewhere.
    """
    seq, previous, found = start.seq, start.hash, None
    reader = iter(rows())
    for row in reader:
        fault = _fault(row, seq, previous, reader, rows)
        if fault is not None:
            head = AuditHead(seq=seq, hash=previous)
            return Audit(head=head, fault=fault, looked_for=found)
        seq, previous = row.seq, row.hash
        if previous == wanted:
            found = seq
    return Audit(head=AuditHead(seq=seq, hash=previous), looked_for=found)


def _fault(
    row: HistoryRow,
    seq: int,
    previous: str,
    following: Iterator[HistoryRow],
    rows: Reread,
) -> str | None:
    """Why this row cannot stand after row `seq` with that hash; None when it does."""
    due = seq + 1
    if row.seq < due:
        return f"row {row.seq} was inserted before row {due}"
    if row.seq > due:
        return f"{_span(due, row.seq - 1)} removed"
    if row.follows(previous, due):
        return None
    return (
        _moved(row, previous, rows)
        or _shifted(row, previous, next(following, None))
        or f"row {due} was edited (or row {seq}, with its hash made to fit)"
    )


def _moved(row: HistoryRow, previous: str, rows: Reread) -> str | None:
    """The row is genuine but stands in the wrong place: it was written after another.

    A row that was moved or pushed back still carries the hash that it got in its own
    place, after the row that was before it there.
    """
    if row.follows(GENESIS, 1):
        return f"row 1 stands as row {row.seq}: rows were inserted before it"
    for other in rows():
        if not isinstance(other.hash, str) or other.hash == previous:
            continue
        for own in (other.seq, other.seq + 1, other.seq + 2):
            if row.follows(other.hash, own):
                if other.seq < row.seq:
                    first, last = other.seq + 1, row.seq - 1
                    return f"{_span(first, last)} inserted"
                return f"row {own} stands as row {row.seq}: rows were reordered"
    return None


def _shifted(row: HistoryRow, previous: str, after: HistoryRow | None) -> str | None:
    """The next row tells whether this one was put in, or rows before it taken out."""
    if after is None:
        return None
    if after.follows(previous, row.seq):
        return f"row {row.seq} was inserted"
    if not isinstance(row.hash, str):
        return None
    for gone in range(1, FURTHEST):
        if after.follows(row.hash, after.seq + gone):
            first, last = row.seq, row.seq + gone - 1
            return f"{_span(first, last)} removed and those after renumbered"
    return None


def _span(first: int, last: int) -> str:
    return f"row {first} was" if first == last else f"rows {first} to {last} were"


def verify_file(file: Path, wanted: str | None = None) -> Audit:
    """The audit chain of a store's file. Blocks; changes nothing.

    Raises:
        StoreError: the file cannot be read or is no store.
    """
    with looking_at(file) as connection:
        start = _start(connection)
        return verify(lambda: _rows(connection), wanted, start)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFolder:
    """An evidence record as the chain names it: the last one of its folder."""

    incident: str
    path: str
    sha256: str
    destination: DestinationName
    is_kept: bool
    """Whether it is in the store, for no share showed its folder."""


def recorded_folders(file: Path) -> list[RecordedFolder]:
    """Every folder whose record the history names, by its latest entry. Blocks.

    Raises:
        StoreError: the file cannot be read.
    """
    found: dict[tuple[str, str], RecordedFolder] = {}
    with looking_at(file) as connection:
        try:
            for incident, detail in connection.execute(_RECORDED):
                entry = json.loads(detail)
                destination = DestinationName(str(entry["destination"]))
                for each in entry["records"]:
                    path = str(each["path"])
                    found[destination, path] = RecordedFolder(
                        incident=incident,
                        path=path,
                        sha256=str(each["sha256"]),
                        destination=destination,
                        is_kept=path in entry.get("kept", ()),
                    )
        except ODD as error:
            raise StoreError(f"{file} cannot be read: {error}") from error
    return list(found.values())


def _start(connection: Connection) -> AuditHead:
    """The last row that was pruned, as the store noted it."""
    seq, _, chained = str(connection.scalar(_ANCHOR)).partition(" ")
    return AuditHead(seq=int(seq), hash=chained) if seq.isdecimal() else BEGINNING


def _rows(connection: Connection) -> Iterator[HistoryRow]:
    for values in connection.execute(_ROWS):
        yield HistoryRow(*values)
