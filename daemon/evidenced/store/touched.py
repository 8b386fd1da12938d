"""Which rows a transaction has changed, noted by the database itself.

Triggers write the key of each into the connection's own table `touched`, so nothing
that writes has to think of them. Here are SQLite's, which are the writing connection's
own, in no schema: no other program fires them. Those of PostgreSQL: `triggers`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Table, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection

WATCHED = "watched"
"""Option of a connection that notes which rows its transaction changes."""
NOTED = "noted"
"""Of a connection: how many rows were noted since its table was last made anew."""
MOST_NOTED = 5_000
COLUMNS = ("name", "a", "b", "c")
"""Of `touched`: a table, and its row's key as far as that goes."""


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
    yield f"CREATE TEMP TABLE IF NOT EXISTS touched ({', '.join(COLUMNS)});\n"
    for table in tables:
        changed = " OR ".join(
            f'OLD."{each.name}" IS NOT NEW."{each.name}"' for each in table.columns
        )
        for act, when, sides in (
            ("INSERT", "", ["NEW."]),
            ("UPDATE", f"WHEN {changed}", ["OLD.", "NEW."]),
            ("DELETE", "", ["OLD."]),
        ):
            notes = "".join(
                f"INSERT INTO touched VALUES ('{table.name}', {parts(table, side)}); "  # noqa: S608 - likewise
                for side in sides
            )
            yield (
                f"CREATE TEMP TRIGGER IF NOT EXISTS {table.name}_{act} AFTER {act} "
                f"ON main.{table.name} {when} BEGIN {notes}END;\n"
            )


def parts(table: Table, side: str = "") -> str:
    """What `touched` gets behind the table's name: the key of a row."""
    keys = [f'{side}"{each.name}"' for each in table.primary_key]
    return ", ".join([*keys, "NULL", "NULL"][: len(COLUMNS) - 1])


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
    names, number = {name for (name,) in cursor.fetchall()}, 0
    for table in tables:
        if table.name in names:
            query, read = _reading(table, connection.dialect.name)
            cursor.execute(query)
            found = [read(row) for row in cursor.fetchall()]
            number += len(found)
            yield table, found
    if names:
        cursor.execute(_emptying(connection, number))
    cursor.close()


def _emptying(connection: Connection, number: int) -> str:
    """How what was read is forgotten.

    Nobody gives back the room of rows in PostgreSQL's temporary tables: now and then
    it gets a new file, which costs as much as some commits.
    """
    noted = connection.info.get(NOTED, 0) + number
    is_full = noted > MOST_NOTED and connection.dialect.name == "postgresql"
    connection.info[NOTED] = 0 if is_full else noted
    return "TRUNCATE touched" if is_full else "DELETE FROM touched"


def touch(
    connection: Connection, table: Table, keys: Collection[tuple[Any, ...]]
) -> None:
    """Note these rows as if they had changed; those that are there."""
    names = [each.name for each in table.primary_key]
    same = " AND ".join(f'"{name}" = :{name}' for name in names)
    if keys:
        connection.execute(
            text(
                f"INSERT INTO touched SELECT '{table.name}', {parts(table)}"  # noqa: S608 - names of the schema
                f" FROM {table.name} WHERE {same}"
            ),
            [dict(zip(names, key, strict=True)) for key in keys],
        )


@cache
def _reading(
    table: Table, dialect: str
) -> tuple[str, Callable[[tuple[Any, ...]], Touched]]:
    """How the noted rows of a table are asked for, and what is made of each answer."""
    keys = [each.name for each in table.primary_key]
    columns = [each.name for each in table.columns]
    number, first = len(keys), len(keys) + columns.index(keys[0])
    noted = [
        _typed(f"t.{part}", key, dialect)
        for key, part in zip(table.primary_key, COLUMNS[1:], strict=False)
    ]
    same = " AND ".join(
        f'r."{key}" = {part}' for key, part in zip(keys, noted, strict=True)
    )
    values = ", ".join(f'r."{each}"' for each in columns)
    query = (
        f"SELECT {', '.join(noted)}, {values}"  # noqa: S608 - names of the schema
        f" FROM (SELECT DISTINCT a, b, c FROM touched WHERE name = '{table.name}') t"
        f" LEFT JOIN {table.name} r ON {same}"
    )

    def read(row: tuple[Any, ...]) -> Touched:
        if row[first] is None:
            return row[:number], None
        return row[:number], dict(zip(columns, row[number:], strict=True))

    return query, read


def _typed(part: str, key: ColumnElement[Any], dialect: str) -> str:
    """A noted part of a key as it was; SQLite kept it so."""
    is_number = key.type.python_type is int and dialect != "sqlite"
    return f"CAST({part} AS bigint)" if is_number else part
