"""Writing rows: what every part of a transaction does it with."""

from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Table, bindparam, update
from sqlalchemy.dialects.sqlite import dialect, insert

from evidenced.store.view import SqlView


class Moves:
    """Rows of one table of which some columns change, and which.

    Only those are written: no other index is touched, and a row in which nothing
    changed is not written at all.
    """

    def __init__(self, table: Table, *keys: str) -> None:
        self.table = table
        self.keys = keys
        self.by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}

    def add(self, changed: dict[str, Any], **keys: Any) -> None:  # noqa: ANN401
        if changed:
            self.by_columns.setdefault(tuple(changed), []).append({**changed, **keys})


@cache
def _update_of(table: Table, keys: Sequence[str], columns: Sequence[str]) -> Any:  # noqa: ANN401
    """Remembered: few sets of columns ever change together."""
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


class SqlWriting(SqlView):
    """A view that also writes; each concept's own statements are in a file of theirs.

    `tx.SqlTx` is all of them together.
    """

    def _many(self, statement: Any, values: Sequence[dict[str, Any]]) -> None:  # noqa: ANN401
        """Run it once for each row.

        Rows hold only what the driver itself takes, so they go to it as they are:
        SQLAlchemy's own look at each value costs as much as the insert.
        """
        if values:
            text, ordered = _driven(statement)
            self._db.exec_driver_sql(text, [ordered(row) for row in values])

    def _move(self, moves: Moves) -> None:
        for columns, values in moves.by_columns.items():
            self._many(_update_of(moves.table, moves.keys, columns), values)


@cache
def _driven(statement: Any) -> tuple[str, Callable[[dict[str, Any]], Any]]:  # noqa: ANN401
    """A statement as the driver takes it, and a row's values in its order.

    Values by position: the driver would look each name up again for each row. There
    are a few dozen of them.
    """
    compiled = statement.compile(dialect=dialect(paramstyle="qmark"))
    names = compiled.positiontup
    if len(names) == 1:
        return str(compiled), lambda row: (row[names[0]],)
    return str(compiled), itemgetter(*names)
