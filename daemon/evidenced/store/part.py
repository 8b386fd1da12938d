"""What each concept's object over a connection reads and writes rows with."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Select, bindparam, update
from sqlalchemy.dialects.sqlite import dialect, insert

from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import MILLISECOND, from_ms, to_ms

CHUNK = 500
"""Ids in one IN list; SQLite's limit on variables was 999 for a long time."""

Row = Mapping[str, Any]
Step = tuple[Incident | None, Incident]
"""An incident before and after what happened to it; None for a new one."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Part:
    """One concept over one connection; the caller holds the transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _rows(self, query: Select[Any], **values: object) -> list[Row]:
        found = self._db.execute(query, values)
        names = tuple(found.keys())
        # SQLAlchemy's own mappings cost a search for each value that is read
        return [dict(zip(names, row, strict=True)) for row in found.all()]

    def _many(self, statement: Any, values: Sequence[dict[str, Any]]) -> None:  # noqa: ANN401
        """Run it once for each row.

        Rows hold only what the driver itself takes, so they go to it as they are:
        SQLAlchemy's own look at each value costs as much as the insert.
        """
        if values:
            text, ordered = _driven(statement)
            self._db.exec_driver_sql(text, [ordered(row) for row in values])


@cache
def _driven(statement: Any) -> tuple[str, Callable[[dict[str, Any]], Any]]:  # noqa: ANN401
    """A statement as the driver takes it, and a row's values in its order.

    Values by position: the driver would look each name up again for each row. There
    are two dozen of them.
    """
    compiled = statement.compile(dialect=dialect(paramstyle="qmark"))
    names = compiled.positiontup
    if len(names) == 1:
        return str(compiled), lambda row: (row[names[0]],)
    return str(compiled), itemgetter(*names)


def update_of(table: Any, keys: Sequence[str], columns: Iterable[str]) -> Any:  # noqa: ANN401
    """Only these columns of the row with these keys: no other index is touched."""
    statement = update(table).where(*(table.c[key] == bindparam(key) for key in keys))
    return statement.values({column: bindparam(column) for column in columns})


def upsert(table: Any, *keys: str) -> Any:  # noqa: ANN401 - SQLAlchemy's own typing
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(keys),
        set_={
            column.name: statement.excluded[column.name]
            for column in table.columns
            if column.name not in keys
        },
    )


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
