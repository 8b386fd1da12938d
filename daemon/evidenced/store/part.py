"""What each concept's object over a connection reads and writes rows with."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Table, bindparam, update

from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import from_ms
from evidenced.store.codec import Codec, Row
from evidenced.store.dialect import LOCKING, driven, gathered

T = TypeVar("T")
CHUNK = 500
"""Ids in one IN list; SQLite's limit on variables was 999 for a long time."""

Step = tuple[Incident | None, Incident]
"""An incident before and after what happened to it; None for a new one."""


class StorePart:
    """One concept over one connection; the caller holds the transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _rows(self, query: Select[Any], **values: object) -> list[Row]:
        found = self._db.execute(query, values)
        names = tuple(found.keys())
        # SQLAlchemy's own mappings cost a search for each value that is read
        return [dict(zip(names, row, strict=True)) for row in found.all()]

    def _values(self, codec: Codec[T], query: Select[Any], **values: object) -> list[T]:
        return [codec.value(row) for row in self._rows(query, **values)]

    def _by_ids(self, query: Select[Any], ids: Collection[Any]) -> list[Row]:
        """Of a query for `ids`, however many they are."""
        query = self._locked(query)
        return [row for some in chunks(ids) for row in self._rows(query, ids=some)]

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
            text, ordered = driven(statement, self._db.dialect)
            self._db.exec_driver_sql(text, [ordered(row) for row in values])

    def _add(
        self,
        statement: Any,  # noqa: ANN401
        values: Sequence[dict[str, Any]],
    ) -> None:
        """`_many` of rows that are inserted, each with a key of its own."""
        text = gathered(statement, self._db.dialect)
        if text is None or not values:
            self._many(statement, values)
            return
        _, ordered = driven(statement, self._db.dialect)
        columns = zip(*map(ordered, values), strict=True)
        self._db.exec_driver_sql(text, tuple(map(list, columns)))

    def _move(
        self, table: Table, keys: Sequence[str], values: Sequence[dict[str, Any]]
    ) -> None:
        """Only the columns that these rows have: no other index is touched."""
        if values:
            self._many(_update(table, tuple(keys), tuple(values[0])), values)


@cache
def _for_update(query: Select[Any]) -> Select[Any]:
    """Remembered, so that SQLAlchemy knows it again. All are constants of a file."""
    return query.with_for_update()


@cache
def _update(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> Any:  # noqa: ANN401
    statement = update(table).where(*(table.c[key] == bindparam(key) for key in keys))
    return statement.values(
        {each: bindparam(each) for each in columns if each not in keys}
    )


def chunks(ids: Collection[Any]) -> Iterable[list[Any]]:
    """The ids, so many at a time as one statement takes."""
    listed = list(ids)
    return (listed[at : at + CHUNK] for at in range(0, len(listed), CHUNK))


def instant(value: int | None) -> datetime | None:
    """What milliseconds since 1970 stand for, or nothing."""
    return None if value is None else from_ms(value)
