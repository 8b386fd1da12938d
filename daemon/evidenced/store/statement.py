"""Writing rows: what every part of a transaction does it with."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.dialects.sqlite import dialect, insert

from evidenced.store.view import SqlView


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
