"""Writing rows: what every part of a transaction does it with."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy.dialects.sqlite import dialect, insert

from evidenced.store.view import SqlView


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
            self._db.exec_driver_sql(_text(statement), list(values))


@cache
def _text(statement: Any) -> str:  # noqa: ANN401
    """A statement as the driver takes it, with named parameters; there are a dozen."""
    return str(statement.compile(dialect=dialect(paramstyle="named")))
