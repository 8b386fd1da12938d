"""Opening the store: lock, pragmas, migrations; then writer and readers."""

import asyncio
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine

from evidenced.core.cluster import Cluster, HeldLease
from evidenced.core.errors import StoreError
from evidenced.store import dialect, sqlite
from evidenced.store.dialect import Claim, Database
from evidenced.store.migrate import HEAD, migrate, revision_of
from evidenced.store.moving import leases_of
from evidenced.store.seal import SEALED
from evidenced.store.tx import Tx, View
from evidenced.store.writer import Writer

T = TypeVar("T")

LOCK = "evidenced.lock"
READERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """A database that several nodes share. `password` is asked at each connection."""

    url: str
    node: str
    monotonic: Callable[[], float]
    now: Callable[[], datetime]
    password: Callable[[], str] | None = field(default=None, repr=False)
    site: str = ""
    """What tells the node's configuration apart from others."""
    instance: str = ""
    """Whose database it is: nodes of another one are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where the state lives: a folder of this daemon, or a server beside it."""

    directory: Path
    server: ServerSettings | None = None


class SqlStore:
    """`ports.Store`: every commit is on disk before it returns."""

    def __init__(
        self, database: Database, engine: Engine, claim: Claim, lock: int | None = None
    ) -> None:
        self.claim = claim
        self._database = database
        self._engine = engine
        self._reading = database.reading()
        self._lock = lock
        self._writer = Writer(engine, claim)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="store-keep")
        self.leases = leases_of(claim, self._keeper)

    async def write(self, step: Callable[[Tx], T], lease: HeldLease | None = None) -> T:
        result: T = await self._writer.submit(step, lease)
        return result

    async def read(self, query: Callable[[View], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self.read_now, query)

    def read_now(self, query: Callable[[View], T]) -> T:
        """`read` for callers without an event loop. Blocks."""
        try:
            with self._reading.connect() as connection:
                return query(View(connection))
        except dialect.ERRORS as error:
            why = dialect.cause(error)
            raise StoreError(f"the store cannot be read: {why}") from error

    async def checkpoint(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._keeper, self._checkpoint)

    def _checkpoint(self) -> None:
        try:
            self._database.checkpoint(self._reading)
        except dialect.ERRORS as error:
            raise StoreError(
                f"the store's journal stays as it is: {dialect.cause(error)}"
            ) from error

    def left(self, lease: HeldLease | None = None) -> timedelta:
        return self.claim.left(lease)

    def cluster(self) -> Cluster:
        return self.claim.cluster()

    async def give_back(self) -> bool:
        found: bool = await self._writer.submit(
            lambda tx: self._database.give_back(tx.connection)
        )
        return found

    def close(self) -> None:
        """Finish queued steps and let go of the file. Blocks for one commit."""
        self._writer.close()
        self._readers.shutdown()
        self._keeper.shutdown()
        self._reading.dispose()
        self._engine.dispose()
        self.claim.close()
        if self._lock is not None:
            os.close(self._lock)


def join_store(settings: StoreSettings) -> SqlStore:
    """The store of a node that helps: it writes what its recorders' leases allow.

    Raises:
        StoreError: it cannot be used, or is of another version.
    """
    database = database_of(settings)
    with ExitStack() as undo:
        claim = database.claim(leads=False)
        undo.callback(claim.close)
        try:
            engine = database.writing()
            undo.callback(engine.dispose)
            with engine.connect() as connection:
                found = revision_of(connection)
            if found != HEAD:
                raise StoreError(
                    f"{database.name} has schema {found}, this evidenced writes {HEAD}"
                )
            engine = database.watched(engine, SEALED)
        except dialect.ERRORS as error:
            raise StoreError(
                f"{database.name}: {dialect.cause(error)}; {database.remedy(error)}"
            ) from error
        undo.pop_all()
    return SqlStore(database, engine, claim)


def open_store(settings: StoreSettings) -> SqlStore:
    """The store, made or migrated if need be; ours alone.

    Raises:
        HeldElsewhere: another node is the one that writes; this one may ask again.
        StoreError: the folder cannot be written, another daemon holds it, the database
            is damaged or cannot be used, or a newer version wrote it.
    """
    directory, database = settings.directory, database_of(settings)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = take_lock(directory / LOCK)
    except OSError as error:
        raise StoreError(
            f"state_dir {directory}: {error.strerror}; "
            "it must be a folder that this user can write"
        ) from error
    with ExitStack() as undo:
        undo.callback(os.close, lock)
        claim = database.claim()
        undo.callback(claim.close)
        try:
            engine = database.writing()
            undo.callback(engine.dispose)
            migrate(engine, database.name)
            engine = database.watched(engine, SEALED)
        except dialect.ERRORS as error:
            raise StoreError(
                f"{database.name}: {dialect.cause(error)}; {database.remedy(error)}"
            ) from error
        undo.pop_all()
    return SqlStore(database, engine, claim, lock)


def database_of(settings: StoreSettings) -> Database:
    """Where these settings put the store."""
    if settings.server is None:
        return sqlite.SqliteFile(store_file(settings.directory))
    try:
        from evidenced.store.postgresql import PostgresServer  # noqa: PLC0415
    except ImportError as error:
        raise StoreError(
            "a store in PostgreSQL needs its driver: pip install evidenced[postgresql]"
        ) from error
    server = settings.server
    return PostgresServer(
        server.url,
        server.node,
        server.monotonic,
        server.now,
        server.password,
        server.site,
        server.instance,
    )


def store_file(directory: Path) -> Path:
    """Where the store of this folder is, as people are told."""
    return directory / sqlite.FILE


_LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def take_lock(path: Path) -> int:
    """The lock of a folder's one user, held until the handle is closed.

    Root takes it too, in a folder that is the service's: no link there is followed.

    Raises:
        OSError: the file cannot be opened.
        StoreError: somebody else holds it.
    """
    handle = os.open(path, _LOCK_FLAGS, 0o600)
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
