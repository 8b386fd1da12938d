"""Reading rows: what every question of the store is asked with."""

from typing import Any

from sqlalchemy import Connection, Select

from evidenced.store.rows import Row


class SqlReading:
    """Over one connection; the caller holds the transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _rows(self, query: Select[Any], **values: object) -> list[Row]:
        found = self._db.execute(query, values).mappings().all()
        return list(found)  # type: ignore[arg-type]
