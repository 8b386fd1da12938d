"""Checking the audit chain: every row recomputed, and what was done to it told.

The file is only read, in one snapshot, so the daemon may go on writing meanwhile.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidenced.core.errors import StoreError
from evidenced.core.incidents.history import Event
from evidenced.core.keeping.records import AuditHead
from evidenced.store.absence import no_store
from evidenced.store.chain import ANCHOR, GENESIS, link

BUSY_S = 10.0
FURTHEST = 1000
"""Rows removed or inserted in one place that are still counted exactly."""
_ANCHOR = f"SELECT value FROM meta WHERE key = '{ANCHOR}'"  # noqa: S608 - ours
BEGINNING = AuditHead(seq=0, hash=GENESIS)
_RECORDED = (
    f"SELECT incident, detail FROM history WHERE event = '{Event.RECORDED}' "  # noqa: S608
    "ORDER BY seq"
)
_ROWS = "SELECT seq, incident, at, event, detail, hash FROM history ORDER BY seq"


@dataclass(frozen=True, slots=True)
class Row:
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


Reread = Callable[[], Iterable[Row]]


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
    row: Row, seq: int, previous: str, following: Iterator[Row], rows: Reread
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


def _moved(row: Row, previous: str, rows: Reread) -> str | None:
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


def _shifted(row: Row, previous: str, after: Row | None) -> str | None:
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


def verify_file(path: Path, wanted: str | None = None) -> Audit:
    """The audit chain of a store's file. Blocks; changes nothing.

    Raises:
        StoreError: the file cannot be read or is no store.
    """
    if not path.is_file():
        raise no_store(path)
    try:
        with closing(opened(path)) as connection:
            connection.execute("BEGIN")  # one snapshot for both readings
            start = _start(connection)
            return verify(lambda: _rows(connection), wanted, start)
    except (sqlite3.Error, OverflowError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFolder:
    """An evidence record as the chain names it: the last one of its folder."""

    incident: str
    path: str
    sha256: str


def recorded_folders(file: Path) -> list[RecordedFolder]:
    """Every folder whose record the history names, by its latest entry. Blocks.

    Raises:
        StoreError: the file cannot be read.
    """
    found: dict[str, RecordedFolder] = {}
    try:
        with closing(opened(file)) as connection:
            for incident, detail in connection.execute(_RECORDED):
                for each in json.loads(detail)["records"]:
                    path = str(each["path"])
                    found[path] = RecordedFolder(
                        incident=incident, path=path, sha256=str(each["sha256"])
                    )
    except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{file} cannot be read: {error}") from error
    return list(found.values())


def opened(path: Path) -> sqlite3.Connection:
    """The store's file, for reading only."""
    # as_uri escapes what a URI would read as its own. Source: sqlite.org/uri.html
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
    )
    connection.text_factory = _text
    return connection


def _text(raw: bytes) -> str:
    """Text as it stands; what is no UTF-8 was not written by us and fits no hash."""
    return raw.decode("utf-8", "surrogateescape")


def _start(connection: sqlite3.Connection) -> AuditHead:
    """The last row that was pruned, as the store noted it."""
    note = connection.execute(_ANCHOR).fetchone()
    if note is None:
        return BEGINNING
    seq, _, chained = str(note[0]).partition(" ")
    return AuditHead(seq=int(seq), hash=chained) if seq.isdecimal() else BEGINNING


def _rows(connection: sqlite3.Connection) -> Iterator[Row]:
    for values in connection.execute(_ROWS):
        yield Row(*values)
