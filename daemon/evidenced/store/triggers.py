"""The triggers by which PostgreSQL notes which rows a transaction has changed.

A trigger there is its table's and fires for whoever changes a row. It writes only where
the connection has a table for it, a temporary one that the daemon's writing connections
make: what somebody else changes is not noted, so the daemon does not seal it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from evidenced.store.touched import COLUMNS, WATCHED, parts

NAME = "evidenced_touched"
"""Of each trigger; its function is called so, and by its table."""
AFTER_ANY_ROW = 29
"""`pg_trigger.tgtype` of one that fires after each row, however it was changed."""

# not ON COMMIT DELETE ROWS: that takes some ms of each commit, for all of a table's
# files are truncated, and only `touched` knows whether anything is in it
_NOTES = f"CREATE TEMP TABLE touched ({', '.join(f'{each} text' for each in COLUMNS)})"
_BODY = """
BEGIN
    IF to_regclass('pg_temp.touched') IS NULL
        OR (TG_OP = 'UPDATE' AND OLD IS NOT DISTINCT FROM NEW) THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO pg_temp.touched VALUES ('{name}', {old});
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO pg_temp.touched VALUES ('{name}', {new});
    END IF;
    RETURN NULL;
END
"""
_MAKE = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$;
CREATE OR REPLACE TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION {function}()
"""
_TRIGGERS = """
SELECT r.relname, t.tgname, f.prosrc,
    t.tgtype = %(kind)s AND t.tgenabled = 'O' AND t.tgqual IS NULL AND t.tgnargs = 0
FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid
JOIN pg_proc f ON f.oid = t.tgfoid
WHERE NOT t.tgisinternal AND r.relnamespace = current_schema()::regnamespace
ORDER BY 1, 2
"""
_OTHERS = """
SELECT 'rule ' || rulename FROM pg_rules WHERE schemaname = current_schema()
UNION ALL SELECT 'view ' || viewname FROM pg_views WHERE schemaname = current_schema()
UNION ALL SELECT 'policy ' || policyname FROM pg_policies
    WHERE schemaname = current_schema()
UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger ORDER BY 1
"""


def watch(engine: Engine, tables: Iterable[Table]) -> Engine:
    """The engine, whose connections note from now on what changes in these tables.

    The triggers are made where they are missing or are not as they should be.
    """

    def begin(connection: DBAPIConnection, _record: Any = None) -> None:  # noqa: ANN401
        cursor = connection.cursor()
        cursor.execute(_NOTES)
        connection.commit()
        cursor.close()

    with engine.begin() as connection:
        there = {table for table, _, is_ours in _found(connection, tables) if is_ours}
        for table in tables:
            if table.name not in there:
                connection.exec_driver_sql(_making(table))
    engine.dispose()  # connections that have no place for notes
    event.listen(engine.pool, "connect", begin)
    engine.connect().close()
    return engine.execution_options(**{WATCHED: True})


def foreign(connection: Connection, tables: Iterable[Table]) -> list[str]:
    """What acts by itself in the database: we make nothing but these triggers there."""
    found = [
        f"trigger {name} of {table}"
        for table, name, is_ours in _found(connection, tables)
        if not is_ours
    ]
    return [*found, *connection.exec_driver_sql(_OTHERS).scalars()]


def _found(
    connection: Connection, tables: Iterable[Table]
) -> Iterator[tuple[str, str, bool]]:
    """The table and name of each trigger, and whether it is as we make it."""
    bodies = {table.name: _body(table) for table in tables}
    rows = connection.exec_driver_sql(_TRIGGERS, {"kind": AFTER_ANY_ROW})
    for table, name, body, is_plain in rows:
        yield table, name, name == NAME and is_plain and bodies.get(table) == body


def _body(table: Table) -> str:
    return _BODY.format(
        name=table.name, old=parts(table, "OLD."), new=parts(table, "NEW.")
    )


def _making(table: Table) -> str:
    return _MAKE.format(
        function=f"{NAME}_{table.name}", body=_body(table), name=NAME, table=table.name
    )
