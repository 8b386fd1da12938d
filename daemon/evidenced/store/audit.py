"""Checking the audit chain: every row recomputed, and what was done to it told.

The store is only read, in one snapshot, so the daemon may go on writing meanwhile.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from evidenced.core.errors import StoreError
from evidenced.core.incidents.history import Event
from evidenced.core.instants import from_ms, render_utc
from evidenced.core.keeping.heads import KeptHead, Stretch, faults
from evidenced.core.keeping.kept import AuditHead
from evidenced.core.spoken import spoken
from evidenced.store.dialect import Database
from evidenced.store.history import GENESIS, link
from evidenced.store.schema import history
from evidenced.store.snapshot import ODD, looking_at

FURTHEST = 1000
"""Rows removed or inserted in one place that are still counted exactly."""
PAGE = 1000
"""Rows in memory at a time."""
_PRUNED = (
    select(history.c.at, history.c.detail)
    .where(history.c.event == Event.PRUNED.value)
    .order_by(history.c.seq.desc())
    .limit(1)
)
_RESTORED = (
    select(history.c.seq, history.c.at, history.c.detail)
    .where(history.c.event == Event.RESTORED.value)
    .order_by(history.c.seq)
)
BEGINNING = AuditHead(seq=0, hash=GENESIS)
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
        if self.incident == "":  # is never written
            return None
        return link(previous, seq, self.at_ms, (self.incident, *texts))

    def follows(self, previous: str, seq: int) -> bool:
        """Whether it was written as row `seq` after that hash."""
        return isinstance(self.hash, str) and self.hash_after(previous, seq) == (
            self.hash
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """The last time that old rows were taken off the beginning: up to `through`.

    They were from before `before`.
    """

    through: AuditHead
    at: datetime
    before: datetime

    def fault_of(self, first: "HistoryRow", retain: timedelta) -> str | None:
        """Why more was taken off than `retain` lets; None where it was not.

        Pruning leaves an old row in front: one that is young shows that young ones
        were taken.
        """
        gone = f"rows up to {self.through.seq} were taken off on {render_utc(self.at)}"
        if self.at - self.before < retain:
            kept = spoken(self.at - self.before)
            return (
                f"{gone} by a retain of {kept}, and it is {spoken(retain)}: unless "
                "it was lengthened since, they were cut off"
            )
        if from_ms(first.at_ms) >= self.before:
            return (
                f"{gone} as older than {spoken(retain)}, but row {first.seq}, with "
                f"which the chain begins now, was younger: they were cut off"
            )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    """A backup that was put in the place of the store; `seq` is the row that says so.

    `copied` is the last row of the backup, `replaced` that of the store that was there,
    None where it could not be read.
    """

    seq: int
    at: datetime
    copied: int
    replaced: AuditHead | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found. `head` is the last row up to which the chain is intact.

    `rows` is how many there are. `fault` is a sentence where it is broken. `looked_for`
    is the row that carries the hash that was looked for, None when there was none.
    `kept` are sentences: heads kept on shares that are not in it.
    """

    head: AuditHead
    rows: int = 0
    fault: str | None = None
    looked_for: int | None = None
    kept: Sequence[str] = ()
    hashes: Mapping[int, str] = field(default_factory=dict)
    pruning: Pruning | None = None
    restorings: tuple[Restoring, ...] = ()

    @property
    def stretch(self) -> Stretch:
        """What of the chain is here, and what it says that is not."""
        return Stretch(
            first=self.head.seq - self.rows + 1,
            last=self.head.seq,
            pruned_before=None if self.pruning is None else self.pruning.before,
            lost=tuple((each.copied, each.at) for each in self.restorings),
        )


Reread = Callable[[], Iterable[HistoryRow]]


def verify(
    rows: Reread,
    wanted: str | None = None,
    pruning: Pruning | None = None,
    retain: timedelta | None = None,
    kept: Collection[int] = (),
) -> Audit:
    """Recompute the chain; `rows` gives all rows in order of `seq`.

    It begins after the last row that was pruned, or with row 1.

    Memory does not grow with the rows. They are read once more where a break has to be
    explained. `wanted` is a hash that was kept elsewhere, `retain` how long rows have
    to be kept, `kept` numbers of rows whose hashes are to be told.
    """
    hashes: dict[int, str] = {}
    start = BEGINNING if pruning is None else pruning.through
    seq, previous, found, number = start.seq, start.hash, None, 0
    reader = iter(rows())
    for row in reader:
        fault = _fault(row, seq, previous, reader, rows)
        if fault is None and number == 0 and pruning and retain is not None:
            fault = pruning.fault_of(row, retain)
        if fault is not None:
            head = AuditHead(seq=seq, hash=previous)
            return Audit(head=head, rows=number, fault=fault, looked_for=found)
        seq, previous, number = row.seq, row.hash, number + 1
        if previous == wanted:
            found = seq
        if seq in kept:
            hashes[seq] = previous
    return Audit(
        head=AuditHead(seq=seq, hash=previous),
        rows=number,
        looked_for=found,
        pruning=pruning,
        hashes=hashes,
    )


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


def verify_store(
    database: Database,
    wanted: str | None = None,
    retain: timedelta | None = None,
    kept: Sequence[KeptHead] = (),
) -> Audit:
    """The audit chain of a store. Blocks; changes nothing.

    Raises:
        StoreError: it cannot be read or is no store.
    """
    with looking_at(database) as connection:
        return verify_rows(connection, wanted, retain, kept)


def verify_rows(
    connection: Connection,
    wanted: str | None = None,
    retain: timedelta | None = None,
    kept: Sequence[KeptHead] = (),
) -> Audit:
    """The audit chain as this connection sees it."""
    try:
        pruning = _pruning(connection)
    except ODD:  # then the row that says so does not follow either
        pruning = None
    rows = {each.head.seq for each in kept}
    found = verify(lambda: _rows(connection), wanted, pruning, retain, rows)
    if found.fault is not None:
        return found
    found = replace(found, restorings=tuple(_restorings(connection)))
    return replace(found, kept=[*faults(kept, found.hashes, found.stretch)])


def _pruning(connection: Connection) -> Pruning | None:
    """Where the chain says that it begins, if not with row 1."""
    row = connection.execute(_PRUNED).one_or_none()
    if row is None:
        return None
    detail = json.loads(row.detail)
    return Pruning(
        through=AuditHead(seq=int(detail["through"]), hash=str(detail["hash"])),
        at=from_ms(row.at),
        before=datetime.fromisoformat(detail["before"]),
    )


def _restorings(connection: Connection) -> Iterator[Restoring]:
    for row in connection.execute(_RESTORED):
        try:
            yield _restoring(row.seq, from_ms(row.at), json.loads(row.detail))
        except ODD:
            raise StoreError(
                f"row {row.seq} tells of a backup that was restored, and not of which: "
                "evidenced did not write it"
            ) from None


def _restoring(seq: int, at: datetime, detail: Mapping[str, Any]) -> Restoring:
    there = detail["replaced"]
    return Restoring(
        seq=seq,
        at=at,
        copied=int(detail["copied"]),
        replaced=there and AuditHead(seq=int(there["seq"]), hash=there["hash"]),
    )


def _rows(connection: Connection) -> Iterator[HistoryRow]:
    with connection.execute(_ROWS) as found:
        for values in found:
            yield HistoryRow(*values)
