"""What each concept's object over a connection reads and writes rows with."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, update

from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import MILLISECOND, from_ms, to_ms
from evidenced.store.dialect import LOCKING, driven

CHUNK = 500
"""Ids in one IN list; SQLite's limit on variables was 999 for a long time."""

Row = Mapping[str, Any]
Step = tuple[Incident | None, Incident]
"""An incident before and after what happened to it; None for a new one."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class StorePart:
    """One concept over one connection; the caller holds the transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _rows(self, query: Select[Any], **values: object) -> list[Row]:
        found = self._db.execute(query, values)
        names = tuple(found.keys())
        # SQLAlchemy's own mappings cost a search for each value that is read
        return [dict(zip(names, row, strict=True)) for row in found.all()]

    def _locked(self, query: Select[Any]) -> Select[Any]:
        """The query of rows that the same transaction may change by what it reads.

        Nobody else may change them until it ends. A database whose writers come one
        after another needs no such lock and leaves the clause out; a snapshot, in
        which nothing can be changed, takes none anywhere.
        """
        is_locking = LOCKING in self._db.get_execution_options()
        return _for_update(query) if is_locking else query

    def _many(self, statement: Any, values: Sequence[dict[str, Any]]) -> None:  # noqa: ANN401
        """Run it once for each row.

        Rows hold only what the driver itself takes, so they go to it as they are:
        SQLAlchemy's own look at each value costs as much as the insert.
        """
        if values:
            text, ordered = driven(statement)
            self._db.exec_driver_sql(text, [ordered(row) for row in values])


@cache
def _for_update(query: Select[Any]) -> Select[Any]:
    """Remembered, so that SQLAlchemy knows it again. All are constants of a file."""
    return query.with_for_update()


def update_of(table: Any, keys: Sequence[str], columns: Iterable[str]) -> Any:  # noqa: ANN401
    """Only these columns of the row with these keys: no other index is touched."""
    statement = update(table).where(*(table.c[key] == bindparam(key) for key in keys))
    return statement.values({column: bindparam(column) for column in columns})


def chunks(ids: Collection[Any]) -> Iterable[list[Any]]:
    """The ids, so many at a time as one statement takes."""
    listed = list(ids)
    return (listed[at : at + CHUNK] for at in range(0, len(listed), CHUNK))


def dump(value: object) -> str:
    """Compact JSON with sorted keys: the same value is always the same text."""
    return _ENCODER.encode(value)


def ms(at: datetime | None) -> int | None:
    """Milliseconds since 1970, or nothing."""
    return None if at is None else to_ms(at)


def instant(value: int | None) -> datetime | None:
    """The reverse of `ms`."""
    return None if value is None else from_ms(value)


def span_ms(length: timedelta) -> int:
    """A length of time in milliseconds."""
    return length // MILLISECOND


def length(value: int) -> timedelta:
    """The reverse of `span_ms`."""
    return timedelta(milliseconds=value)
