"""What is SQLite's own: how it is opened, begun, written to, kept small and copied.

A file in the state folder, with nothing to set up: the store of one daemon.
"""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import NullPool, QueuePool

from evidenced.core.cluster import Cluster, HeldLease
from evidenced.core.errors import StoreError
from evidenced.store.dialect import LOCKING, Claim
from evidenced.store.touched import watch

FILE = "evidenced.sqlite3"
MAGIC = b"SQLite format 3\x00"
"""How each SQLite file begins. Source: sqlite.org/fileformat.html."""
BESIDE = ("-wal", "-shm")
"""Files beside a store in WAL mode. Source: sqlite.org/tempfiles.html."""
CONNECTIONS = 4
JOURNAL_BYTES = 16 * 1024 * 1024
"""What stays of the journal's file after a storm."""
CHECKPOINT_PAGES = 8_000
"""About 32 MB: a checkpoint writes every page again and waits for the disk; in a storm
of alarms at the default of 1,000 it comes with every seventh commit. Housekeeping does
it beside the writer long before, except in a storm."""
BUSY_MS = 10_000
"""Wait for another process's lock (backup, audit verify) before giving up."""
PAGES_AT_ONCE = 256
"""A megabyte, about 13 ms of the writer (measured): no more than a batch of alarms."""
SPARE_PAGES = 4_096
"""16 MB that stay free: pages given back today would be asked for tomorrow."""
SPARE_SHARE = 4
"""So does a quarter of the file."""


# ---- opening


def begin_file(path: Path) -> None:
    """Let a new file be one that can give room back: later is too late.

    Raises:
        sqlite3.Error: there is no room, or the disk fails.
    """
    if path.exists() and path.stat().st_size:
        return
    path.touch(mode=0o600)  # and so are the files that are made beside it
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")  # which writes the first page


def writing(path: Path) -> Engine:
    """An engine whose connections all have the pragmas that durability needs.

    It begins with BEGIN IMMEDIATE, since a transaction that begins as a reader cannot
    always become a writer: nobody writes beside it, so it needs no locks on rows.
    Source: docs.sqlalchemy.org, "Serializable isolation / Savepoints / Transactional
    DDL" of the pysqlite dialect.
    """
    engine = _pooled(path)
    event.listen(engine, "begin", begin_writing)
    return engine.execution_options(**{LOCKING: True})


def reading(path: Path) -> Engine:
    """Snapshots beside the writer: BEGIN takes one at the first query, holds up nobody.

    Writes are refused: the objects of a snapshot could save. Checkpoints still work.
    """
    engine = _pooled(path)
    event.listen(engine, "connect", _refuse_writes)
    event.listen(engine, "begin", _begin_reading)
    return engine


def looking(path: Path) -> Engine:
    """Snapshots of a file that may be anybody's: only read, and text as it stands.

    What is no UTF-8 was not written by us; it must be seen, not refused.

    Raises:
        StoreError: there is none.
    """
    if not path.is_file():
        raise no_store(path)
    # as_uri escapes what a URI would read as its own. Source: sqlite.org/uri.html
    engine = create_engine(
        f"sqlite:///{path.absolute().as_uri()}?mode=ro&uri=true",
        poolclass=NullPool,
        connect_args={"timeout": BUSY_MS / 1000},
    )
    event.listen(engine, "connect", _look)
    event.listen(engine, "begin", _begin_reading)
    return engine


def no_store(path: Path) -> StoreError:
    """With the whole path: without `state_dir` it depends on the folder one is in."""
    where = path.absolute()
    return StoreError(
        f"{where} is not there: nothing was stored yet, or elsewhere; the folder is "
        "daemon.state_dir, and without it $STATE_DIRECTORY, else ./state"
    )


def scratch() -> sqlite3.Connection:
    """A file of one's own that is gone when it is closed; most of it in memory.

    Source: sqlite.org/inmemorydb.html, "Temporary Databases".
    """
    return sqlite3.connect("", isolation_level=None)


def foreign(connection: Connection) -> list[str]:
    """What acts by itself in the file: we make no triggers and no views there."""
    query = (
        "SELECT type || ' ' || name FROM sqlite_master"
        " WHERE type IN ('trigger', 'view') ORDER BY 1"
    )
    return list(connection.exec_driver_sql(query).scalars())


def _pooled(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=CONNECTIONS,
        max_overflow=1,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000},
    )
    event.listen(engine, "connect", _on_connect)
    return engine


def _on_connect(connection: DBAPIConnection, _record: Any) -> None:  # noqa: ANN401
    """In WAL mode only FULL keeps the last commits through a power failure.

    Source: sqlite.org/pragma.html#pragma_synchronous.
    """
    connection.isolation_level = None  # the driver's own transactions are off
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"journal_size_limit = {JOURNAL_BYTES}",
        "cache_size = -16000",
        "temp_store = MEMORY",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _refuse_writes(connection: DBAPIConnection, _record: Any) -> None:  # noqa: ANN401
    connection.execute("PRAGMA query_only = ON")


def _look(connection: DBAPIConnection, _record: Any) -> None:  # noqa: ANN401
    connection.isolation_level = None
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")


def begin_writing(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


# ---- room


def give_back(connection: Connection) -> bool:
    """Free a little of the room that is not needed; whether more may be freed."""

    def pragma(name: str) -> int:
        found: int = connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
        return found

    pages, free = pragma("page_count"), pragma("freelist_count")
    surplus = free - max(SPARE_PAGES, pages // SPARE_SHARE)
    for _ in range(min(surplus, PAGES_AT_ONCE)):
        # One page each: the driver takes a single step of a statement that has no
        # columns, and a step is a page.
        connection.exec_driver_sql("PRAGMA incremental_vacuum(1)")
    return surplus > PAGES_AT_ONCE and pragma("freelist_count") < free


def checkpoint(engine: Engine) -> None:
    """Carry the journal into the file, as far as nobody reads what would be replaced.

    Passive: neither writer nor readers wait for it. The writer begins the journal anew
    once all of it has been carried over, so it stays as small as what comes between two
    of these. Source: sqlite.org/pragma.html#pragma_wal_checkpoint.
    """
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        try:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
            cursor.fetchall()
        finally:
            cursor.close()


# ---- copies


def is_database(path: Path) -> bool:
    """Whether the file begins as one. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def copy(source: Path, target: Path) -> None:
    """The store as it is at this moment, in one file that needs none beside it."""
    with closing(_raw(source, "?mode=ro")) as old, closing(_raw(target)) as new:
        old.backup(new)  # all pages in one step: nobody's write starts it anew
        new.execute("PRAGMA journal_mode = DELETE")


def damage(path: Path) -> str | None:
    """What is wrong with the file's pages, in the database's words."""
    with closing(_raw(path, "?mode=ro")) as file:
        (verdict,) = file.execute("PRAGMA integrity_check(1)").fetchone()
    return None if verdict == "ok" else str(verdict)


def _raw(path: Path, how: str = "") -> sqlite3.Connection:
    uri = path.absolute().as_uri() + how
    return sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1000, isolation_level=None)


# ---- as one of the store's databases


class Undisputed:
    """`dialect.Claim` where nobody else can come."""

    def __init__(self) -> None:
        self.on_lost: Callable[[], object] = lambda: None
        self.moving = None

    def fence(
        self, _connection: Connection, _leases: Collection[HeldLease | None]
    ) -> Mapping[HeldLease | None, StoreError]:
        return {}

    def is_kept(self) -> bool:
        """A file's commit that failed has failed."""
        return False

    def left(self, _lease: HeldLease | None = None) -> timedelta:
        return timedelta.max

    def cluster(self) -> Cluster:
        return Cluster()

    def close(self) -> None:
        """Nothing to do."""


UNDISPUTED = Undisputed()


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """`dialect.Database`: the file in a state folder."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def remedy(self, _error: BaseException) -> str:
        return (
            "it was left as it is: restore a backup into this folder, or move it away "
            "to start empty"
        )

    def judge(self) -> None:
        """It is opened so that commits are durable; see `writing`."""

    def claim(self, *, leads: bool = True) -> Claim:  # noqa: ARG002 - nobody helps
        """Whoever has the lock of the folder has the file."""
        return Undisputed()

    def leave(self) -> None:
        """Nobody would know."""

    def cluster(self, _connection: Connection) -> Cluster:
        return Cluster()

    def writing(self) -> Engine:
        begin_file(self.path)
        return writing(self.path)

    def reading(self) -> Engine:
        return reading(self.path)

    def looking(self) -> Engine:
        return looking(self.path)

    def foreign(self, connection: Connection) -> list[str]:
        return foreign(connection)

    def watched(self, engine: Engine, tables: Sequence[Table]) -> Engine:
        return watch(engine, tables)

    def kept(self, value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
        return value

    def number_on(self, _connection: Connection, _table: Table) -> None:
        """It looks for the highest one each time."""

    def checkpoint(self, engine: Engine) -> None:
        checkpoint(engine)

    def give_back(self, connection: Connection) -> bool:
        return give_back(connection)
