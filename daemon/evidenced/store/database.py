"""Opening the store: lock, pragmas, migrations; then writer and readers."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from evidenced.core.errors import StoreError
from evidenced.store.migrate import migrate
from evidenced.store.room import begin_file, checkpoint
from evidenced.store.tx import Tx, View
from evidenced.store.writer import Writer

T = TypeVar("T")

FILE = "evidenced.sqlite3"
LOCK = "evidenced.lock"
READERS = 2
JOURNAL_BYTES = 16 * 1024 * 1024
"""What stays of the journal's file after a storm."""
CHECKPOINT_PAGES = 8_000
"""About 32 MB: a checkpoint writes every page again and waits for the disk; in a storm
of alarms at the default of 1,000 it comes with every seventh commit. Housekeeping does
it beside the writer long before, except in a storm."""
BUSY_MS = 10_000
"""Wait for another process's lock (backup, audit verify) before giving up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where the state lives: one folder for one daemon."""

    directory: Path


class SqlStore:
    """`ports.Store` over SQLite in WAL mode, every commit on disk before it returns.

    Source: sqlite.org/pragma.html#pragma_synchronous: in WAL mode only FULL keeps the
    last commits through a power failure.
    """

    def __init__(self, engine: Engine, reading: Engine, lock: int) -> None:
        self._engine = engine
        self._reading = reading
        self._lock = lock
        self._writer = Writer(engine)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="store-keep")

    async def write(self, step: Callable[[Tx], T]) -> T:
        result: T = await self._writer.submit(step)
        return result

    async def read(self, query: Callable[[View], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self.read_now, query)

    def read_now(self, query: Callable[[View], T]) -> T:
        """`read` for callers without an event loop. Blocks."""
        try:
            with self._reading.connect() as connection:
                return query(View(connection))
        except SQLAlchemyError as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise StoreError(f"the store cannot be read: {cause}") from error

    async def checkpoint(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._keeper, self._checkpoint)

    def _checkpoint(self) -> None:
        try:
            connection = self._reading.raw_connection()
            try:
                checkpoint(connection.cursor())
            finally:
                connection.close()
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StoreError(f"the store's journal stays as it is: {error}") from error

    def close(self) -> None:
        """Finish queued steps and let go of the file. Blocks for one commit."""
        self._writer.close()
        self._readers.shutdown()
        self._keeper.shutdown()
        self._reading.dispose()
        self._engine.dispose()
        os.close(self._lock)


def open_store(settings: StoreSettings) -> SqlStore:
    """The store in this folder, made or migrated if need be; ours alone.

    Raises:
        StoreError: the folder cannot be written, another daemon holds it, the file is
            damaged, or a newer version wrote it.
    """
    directory = settings.directory
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = take_lock(directory / LOCK)
    except OSError as error:
        raise StoreError(
            f"state_dir {directory}: {error.strerror}; "
            "it must be a folder that this user can write"
        ) from error
    try:
        begin_file(directory / FILE)
        engine = make_engine(directory / FILE)
        migrate(engine, directory / FILE)
    except (DatabaseError, sqlite3.Error) as error:
        os.close(lock)
        cause = error.orig if isinstance(error, DatabaseError) else error
        raise StoreError(
            f"{directory / FILE}: {cause}; it was left as it is: "
            "restore a backup into this folder, or move it away to start empty"
        ) from error
    except StoreError:
        os.close(lock)
        raise
    return SqlStore(engine, make_engine(directory / FILE, is_reader=True), lock)


def take_lock(path: Path) -> int:
    """The lock of a folder's one user, held until the handle is closed.

    Raises:
        OSError: the file cannot be opened.
        StoreError: somebody else holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise StoreError(
            f"state_dir {path.parent}: another evidenced is running on it; "
            "stop that one first (systemctl stop evidenced), or give this one a "
            "folder of its own"
        ) from None
    return handle


def make_engine(path: Path, *, is_reader: bool = False) -> Engine:
    """An engine whose connections all have the pragmas that durability needs.

    The driver's own transactions are off. A writer begins with BEGIN IMMEDIATE, since
    a transaction that begins as a reader cannot always become a writer; a reader's
    BEGIN takes its snapshot at the first query and holds up nobody.
    Source: docs.sqlalchemy.org, "Serializable isolation / Savepoints / Transactional
    DDL" of the pysqlite dialect.
    """
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=READERS + 2,
        max_overflow=1,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000},
    )
    event.listen(engine, "connect", _on_connect)
    if is_reader:
        event.listen(engine, "connect", _refuse_writes)
    event.listen(engine, "begin", _begin_reading if is_reader else _begin_writing)
    return engine


def _on_connect(connection: DBAPIConnection, _record: Any) -> None:  # noqa: ANN401
    connection.isolation_level = None
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
    """A snapshot's objects could save; checkpoints still work, they change no row."""
    connection.execute("PRAGMA query_only = ON")


def _begin_writing(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
