"""The whole store from one database into another: from one host to two, and back.

All rows in one transaction, which is committed once the copy's audit chain and every
row have been proved: until then there is nothing in the target. Both are held
meanwhile, so no daemon writes either.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Table, insert, select

from evidenced.core.errors import HeldElsewhere, StoreError
from evidenced.store import dialect
from evidenced.store.audit import PAGE, Audit, verify_rows
from evidenced.store.database import (
    LOCK,
    StoreSettings,
    database_of,
    store_file,
    take_lock,
)
from evidenced.store.dialect import Database
from evidenced.store.history import StoredHistory
from evidenced.store.migrate import migrate
from evidenced.store.retrace import differing
from evidenced.store.schema import metadata
from evidenced.store.seal import SEALED, key_of
from evidenced.store.snapshot import connected
from evidenced.store.touched import Touched

Tell = Callable[[str, int], None]
"""Called with the name of a table and how many of its rows are over."""


def copy_store(source: StoreSettings, target: StoreSettings, tell: Tell) -> Audit:
    """Copy everything; what the audit chain of the copy is. Blocks.

    Raises:
        StoreError: a daemon runs on either, the target holds something, one of them
            cannot be used, or the copy is not what the chain says; then the target is
            empty.
    """
    new = database_of(target)
    with ExitStack() as stack:
        stack.enter_context(_held(source))
        with connected(source):
            """There is something to be copied."""
        stack.enter_context(_held(target, is_new=True))
        try:
            found = _copied(source, new, tell)
        except dialect.ERRORS as error:
            why = dialect.cause(error)
            raise StoreError(f"{new.name} cannot be written: {why}") from error
        if target.server is None:
            _give(store_file(target.directory))
    return found


@contextmanager
def _held(settings: StoreSettings, *, is_new: bool = False) -> Iterator[None]:
    """Nobody else writes this store."""
    database, folder = database_of(settings), settings.directory
    with ExitStack() as undo:
        if settings.server is None:
            try:
                if is_new:
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = take_lock(folder / LOCK)
            except OSError as error:
                raise StoreError(
                    f"{folder}: {error.strerror}; it must be a folder that this user "
                    "can write"
                ) from error
            undo.callback(os.close, lock)
            _give(folder / LOCK)
        try:
            undo.callback(database.claim().close)
        except HeldElsewhere as held:
            database.leave()
            raise StoreError(
                f"{database.name}: an evidenced is running on it, on node {held.node}; "
                "stop that one first"
            ) from held
        yield


def _give(file: Path) -> None:
    """To the service's own user, whose the folder is; root may do this."""
    owner = file.parent.stat()
    os.chown(file, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _copied(source: StoreSettings, new: Database, tell: Tell) -> Audit:
    engine = new.writing()
    try:
        migrate(engine, new.name)
        with engine.connect() as connection, connection.begin():
            _check_empty(connection, new.name)
            with connected(source) as old:
                changed = [
                    (table, row)
                    for table in metadata.sorted_tables
                    for row in _copy_table(old, connection, table, new, tell)
                ]
            StoredHistory(connection).seal_rows(changed)
            return _proved(connection, new.name)
    finally:
        engine.dispose()


def _check_empty(connection: Connection, name: str) -> None:
    for table in metadata.sorted_tables:
        if connection.execute(select(table).limit(1)).first() is not None:
            raise StoreError(
                f"{name} holds a store already; name a folder or a database in which "
                "there is none"
            )


def _copy_table(
    old: Connection, new: Connection, table: Table, database: Database, tell: Tell
) -> list[Touched]:
    """The rows of it that the new database keeps otherwise than they were sealed."""
    number, changed = 0, list[Touched]()
    statement, ordered = dialect.driven(insert(table), new.dialect)
    with old.execute(select(table).execution_options(yield_per=PAGE)) as found:
        for page in found.mappings().partitions():
            olds = [dict(row) for row in page]
            rows = [
                {name: database.kept(value) for name, value in row.items()}
                for row in olds
            ]
            new.exec_driver_sql(statement, [ordered(row) for row in rows])
            changed += (
                (tuple(row[name] for name in key_of(table)), row)
                for row, was in zip(rows, olds, strict=True)
                if row != was and table in SEALED
            )
            number += len(rows)
            tell(table.name, number)
    database.number_on(new, table)
    return changed


def _proved(connection: Connection, name: str) -> Audit:
    found = verify_rows(connection)
    faults = [found.fault] if found.fault else list(differing(connection))
    if faults:
        more = f", and {len(faults) - 1} more" if faults[1:] else ""
        raise StoreError(
            f"the copy in {name} was taken back: {faults[0]}{more}; see what `audit "
            "verify` says of the store itself"
        )
    return found
