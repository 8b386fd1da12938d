"""Which rows a transaction has changed, noted by the database itself.

Triggers of the writing connection, in no schema: nothing that writes has to think of
them, and no other program fires them. They are SQLite's; another database gets its own.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.engine.interfaces import DBAPIConnection

WATCHED = "watched"
"""Option of a connection that notes which rows its transaction changes."""
KEYS = 3
"""Columns in a primary key at most."""


def watch(engine: Engine, tables: Iterable[Table]) -> Engine:
    """The engine, whose connections note from now on what changes in these tables.

    The notes are the connection's own, in memory; `take_touched` reads them. Triggers
    fire for every statement that changes a row, whoever wrote it, and not where an
    update leaves all as it was. Source: sqlite.org/lang_createtrigger.html.
    """
    script = watching(tables)

    def begin(connection: DBAPIConnection, _record: Any = None) -> None:  # noqa: ANN401
        connection.executescript(script)

    engine.dispose()  # connections from before the tables were there
    event.listen(engine.pool, "connect", begin)
    engine.connect().close()
    return engine.execution_options(**{WATCHED: True})


def watching(tables: Iterable[Table]) -> str:
    """The statements by which a connection notes what changes."""
    return "".join(_watching(tables))


def _watching(tables: Iterable[Table]) -> Iterator[str]:
    yield "CREATE TEMP TABLE IF NOT EXISTS touched (name, a, b, c);\n"
    for table in tables:
        changed = " OR ".join(
            f'OLD."{each.name}" IS NOT NEW."{each.name}"' for each in table.columns
        )
        for act, when, sides in (
            ("INSERT", "", ["NEW"]),
            ("UPDATE", f"WHEN {changed}", ["OLD", "NEW"]),
            ("DELETE", "", ["OLD"]),
        ):
            notes = "".join(
                f"INSERT INTO touched VALUES ('{table.name}', {_parts(side, table)}); "  # noqa: S608 - likewise
                for side in sides
            )
            yield (
                f"CREATE TEMP TRIGGER IF NOT EXISTS {table.name}_{act} AFTER {act} "
                f"ON main.{table.name} {when} BEGIN {notes}END;\n"
            )


def _parts(side: str, table: Table) -> str:
    keys = [f'{side}."{each.name}"' for each in table.primary_key]
    return ", ".join([*keys, "NULL", "NULL"][:KEYS])


Touched = tuple[tuple[Any, ...], Mapping[str, Any] | None]
"""The key of a row, and the row as it is now, None where it is gone."""


def take_touched(
    connection: Connection, tables: Iterable[Table]
) -> Iterator[tuple[Table, list[Touched]]]:
    """The rows that this transaction has changed so far; they are noted no more.

    Asked of the driver itself: it is part of every commit, and SQLAlchemy's way to it
    costs more than what it does.
    """
    if not connection.get_execution_options().get(WATCHED):
        return
    cursor = connection.connection.cursor()
    cursor.execute("SELECT DISTINCT name FROM touched")
    names = {name for (name,) in cursor.fetchall()}
    for table in tables:
        if table.name in names:
            query, read = _reading(table)
            cursor.execute(query)
            yield table, [read(row) for row in cursor.fetchall()]
    if names:
        cursor.execute("DELETE FROM touched")
    cursor.close()


def touch(
    connection: Connection, table: Table, keys: Collection[tuple[Any, ...]]
) -> None:
    """Note these rows as if they had changed; those that are there."""
    names = [f'"{each.name}"' for each in table.primary_key]
    same = " AND ".join(f"{name} = ?" for name in names)
    parts = ", ".join([*names, "NULL", "NULL"][:KEYS])
    if keys:
        connection.exec_driver_sql(
            f"INSERT INTO touched SELECT '{table.name}', {parts} FROM {table.name}"  # noqa: S608 - names of the schema
            f" WHERE {same}",
            list(keys),
        )


@cache
def _reading(table: Table) -> tuple[str, Callable[[tuple[Any, ...]], Touched]]:
    """How the noted rows of a table are asked for, and what is made of each answer."""
    keys = [each.name for each in table.primary_key]
    columns = [each.name for each in table.columns]
    number, first = len(keys), len(keys) + columns.index(keys[0])
    parts = ", ".join(f"t.{part}" for part in "abc"[:number])
    same = " AND ".join(
        f'r."{key}" = t.{part}' for key, part in zip(keys, "abc", strict=False)
    )
    values = ", ".join(f'r."{each}"' for each in columns)
    query = (
        f"SELECT {parts}, {values} FROM (SELECT DISTINCT a, b, c FROM touched"  # noqa: S608 - names of the schema
        f" WHERE name = '{table.name}') t LEFT JOIN {table.name} r ON {same}"
    )

    def read(row: tuple[Any, ...]) -> Touched:
        if row[first] is None:
            return row[:number], None
        return row[:number], dict(zip(columns, row[number:], strict=True))

    return query, read
