"""Reading rows: what every question of the store is asked with."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select

from evidenced.core.instants import from_ms
from evidenced.store.rows import Row

CHUNK = 500
"""Ids in one IN list; SQLite's limit on variables was 999 for a long time."""


class SqlReading:
    """Over one connection; the caller holds the transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _rows(self, query: Select[Any], **values: object) -> list[Row]:
        found = self._db.execute(query, values)
        names = tuple(found.keys())
        # SQLAlchemy's own mappings cost a search for each value that is read
        return [dict(zip(names, row, strict=True)) for row in found.all()]


def chunks(ids: Collection[Any]) -> Iterable[list[Any]]:
    """The ids, so many at a time as one statement takes."""
    listed = list(ids)
    return (listed[at : at + CHUNK] for at in range(0, len(listed), CHUNK))


def instant(value: int | None) -> datetime | None:
    return None if value is None else from_ms(value)
