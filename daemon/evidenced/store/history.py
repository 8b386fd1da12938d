"""The history, which is the audit chain: it only grows at its end.

Each row carries the SHA-256 of itself and of the one before, so a row that is edited,
removed, inserted or moved breaks the chain from there on. Rows cut off at the end are
seen only against a head that was kept elsewhere: it is published, logged and written
into every evidence record.
"""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256

from sqlalchemy import Table, bindparam, insert, select

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Entry
from evidenced.core.instants import from_ms, to_ms
from evidenced.core.keeping.kept import AuditHead
from evidenced.store.codec import Row, dump
from evidenced.store.part import StorePart
from evidenced.store.schema import TOLD, history
from evidenced.store.seal import SEALED_EVENT, seals, seals_of
from evidenced.store.touched import Touched

GENESIS = "0" * 64


def link(
    previous: str, seq: int, at_ms: int, parts: tuple[str | None, str, str]
) -> str:
    """The hash of one row. `parts` are incident, event and detail, as they are stored.

    Lengths stand before the texts, and a text that is absent is not an empty one, so no
    two rows write the same bytes.
    """
    written = bytearray()
    for text in (previous, str(seq), str(at_ms), *parts):
        if text is None:
            written += b"-:"
            continue
        raw = text.encode("utf-8", "surrogatepass")
        written += b"%d:" % len(raw)
        written += raw
    return sha256(written).hexdigest()


_HEAD = (
    select(history.c.seq, history.c.hash, history.c.at)
    .order_by(history.c.seq.desc())
    .limit(1)
)
_AFTER = (
    select(history)
    .where(history.c.seq > bindparam("after"), TOLD)
    .order_by(history.c.seq)
    .limit(bindparam("most"))
)
_OF = (
    select(history)
    .where(history.c.incident == bindparam("incident"))
    .order_by(history.c.seq)
)
_ADD = insert(history)


class StoredHistory(StorePart):
    """Each row carries the hash of itself and of the row before."""

    def after(self, seq: int, limit: int) -> list[tuple[int, Entry]]:
        """Entries that follow `seq`, in order, with their numbers; no seals."""
        found = self._rows(_AFTER, after=seq, most=limit)
        return [(row["seq"], _entry(row)) for row in found]

    def of(self, incident: IncidentId) -> list[Entry]:
        """Everything that happened to one incident, in order."""
        return [_entry(row) for row in self._rows(_OF, incident=incident)]

    def head(self) -> AuditHead:
        """The last row's number and hash."""
        row = self._db.execute(_HEAD).one_or_none()
        return (
            AuditHead(seq=0, hash=GENESIS)
            if row is None
            else AuditHead(seq=row.seq, hash=row.hash)
        )

    def write(self, *entries: Entry) -> None:
        """Put these at the end."""
        self._append(
            (to_ms(each.at), each.incident, each.event, dump(each.detail))
            for each in entries
        )

    def seal(self) -> None:
        """Put what this transaction has changed into the chain, as its last act.

        It is of the time of the row before: what was sealed is not dated by it.
        """
        self._append((None, None, SEALED_EVENT, each) for each in seals(self._db))

    def seal_rows(self, rows: Sequence[tuple[Table, Touched]]) -> None:
        """Put these into the chain as they are."""
        self._append((None, None, SEALED_EVENT, each) for each in seals_of(rows))

    def _append(self, rows: Iterable[tuple[int | None, str | None, str, str]]) -> None:
        """Put rows at the end; one without a time has that of the row before."""
        added = list(rows)
        if not added:
            return
        row = self._db.execute(_HEAD).one_or_none()
        seq, previous, last_at = (0, GENESIS, 0) if row is None else row
        chained = []
        for own_at, incident, event, detail in added:
            at = last_at = last_at if own_at is None else own_at
            seq += 1
            previous = link(previous, seq, at, (incident, event, detail))
            chained.append(
                {
                    "seq": seq,
                    "incident": incident,
                    "at": at,
                    "event": event,
                    "detail": detail,
                    "hash": previous,
                }
            )
        self._many(_ADD, chained)


def _entry(row: Row) -> Entry:
    return Entry(
        incident=row["incident"],
        at=from_ms(row["at"]),
        event=row["event"],
        detail=json.loads(row["detail"]),
    )
