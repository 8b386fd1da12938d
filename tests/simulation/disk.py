"""The store without threads: the real statements and commits, on virtual time.

A crash throws away what the process had not committed; the database stays as the last
commit left it. Reads run between commits, never within one.
"""

import asyncio
import atexit
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from evidenced.core.cluster import Cluster, HeldLease
from evidenced.core.errors import StoreError
from evidenced.ports import Tx, View
from evidenced.ports.store import Leases
from evidenced.store import StoreSettings, open_store
from evidenced.store.database import store_file
from evidenced.store.retrace import differing
from evidenced.store.seal import SEALED
from evidenced.store.sqlite import UNDISPUTED, begin_writing
from evidenced.store.touched import WATCHED, watching
from evidenced.store.writer import GROUP, Job, commit_group
from simulation.ground import Ground
from simulation.leases import SimClaim

T = TypeVar("T")


@cache
def _template() -> bytes:
    """An empty store as the migrations make it."""
    with TemporaryDirectory() as folder:
        open_store(StoreSettings(directory=Path(folder))).close()
        database = sqlite3.connect(store_file(Path(folder)))
        database.execute("PRAGMA journal_mode = DELETE")
        content = database.serialize()
        database.close()
    return content


@cache
def _raw() -> sqlite3.Connection:
    raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    atexit.register(raw.close)
    return raw


@cache
def _engine() -> Engine:
    """One for all seeds: SQLAlchemy compiles each statement once for an engine."""
    engine = create_engine("sqlite://", poolclass=StaticPool, creator=_raw)
    event.listen(engine, "begin", begin_writing)
    return engine.execution_options(**{WATCHED: True})


@cache
def _reading() -> Engine:
    """Nothing is ever written beside a read: it needs no transaction."""
    return create_engine("sqlite://", poolclass=StaticPool, creator=_raw)


def forget_connections() -> None:
    """After a run that broke off amid a commit, whose transaction would be still open.

    The next run makes its own.
    """
    with suppress(sqlite3.Error):
        _raw().close()
    for cached in (_engine, _reading, _raw):
        cached.cache_clear()


class Disk:
    """What outlives the process, and how it goes wrong."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.engine = _engine()
        self._reading = _reading()
        self.commits = 0
        self.crash_before: set[int] = set()
        self.crash_after: set[int] = set()
        self.fails = False
        self.committed: Callable[[list[Job], SimClaim | None], object] = _nothing
        # while their tables are there: without them SQLite itself falls over
        for (name,) in self.rows("SELECT name FROM temp.sqlite_master"):
            _raw().execute(f"DROP TRIGGER IF EXISTS temp.{name}")
        _raw().deserialize(_template())
        _raw().execute("PRAGMA foreign_keys = ON")
        _raw().executescript(watching(SEALED))

    def look(self, query: Callable[[View], T]) -> T:
        """Read from outside, at once."""
        with self._reading.connect() as connection:
            return query(View(connection))

    def rows(self, sql: str) -> list[Any]:
        return _raw().execute(sql).fetchall()

    def differing(self) -> list[str]:
        """What the tables hold and the history does not give."""
        with self._reading.connect() as connection:
            return list(differing(connection))


def _nothing(_jobs: list[Job], _claim: SimClaim | None) -> None:
    """Nobody looks."""


class SimStore:
    """`ports.Store` of one life of the process. `crash` ends that life."""

    def __init__(
        self,
        disk: Disk,
        is_dead: Callable[[], bool],
        crash: Callable[[str], None],
        claim: SimClaim | None = None,
    ) -> None:
        self._claim = claim
        self._disk = disk
        self._ground = disk.ground
        self._is_dead = is_dead
        self._crash = crash
        self._queue: list[Job] = []
        self._is_planned = False

    @property
    def leases(self) -> Leases | None:
        return self._claim

    @property
    def _is_away(self) -> bool:
        return self._disk.fails or (self._claim is not None and self._claim.is_cut)

    async def write(self, step: Callable[[Tx], T], lease: HeldLease | None = None) -> T:
        if self._is_dead():
            raise asyncio.CancelledError
        future: asyncio.Future[T] = self._ground.loop.create_future()

        def done(_: object) -> None:
            if future.done() or self._is_dead():
                return
            if job.error is None:
                future.set_result(job.result)
            else:
                future.set_exception(job.error)

        job = Job(step, lease)
        job.done.add_done_callback(done)
        self._queue.append(job)
        self._plan()
        return await future

    def _plan(self) -> None:
        if self._queue and not self._is_planned:
            self._is_planned = True
            self._ground.loop.call_later(self._ground.latency(0.01), self._commit)

    def _commit(self) -> None:
        if self._is_dead():
            return
        self._is_planned = False
        jobs, self._queue = self._queue[:GROUP], self._queue[GROUP:]
        self._disk.commits += 1
        number = self._disk.commits
        if number in self._disk.crash_before:
            self._crash(f"before commit {number}")
            return
        if self._is_away:
            for job in jobs:
                job.error = StoreError("the store could not commit: simulated")
                job.settle()
        else:
            commit_group(self._disk.engine, jobs, self._claim or UNDISPUTED)
            self._disk.committed(jobs, self._claim)
            if number in self._disk.crash_after:
                self._crash(f"after commit {number}")
                return
            for job in jobs:
                job.settle()
        self._plan()

    async def read(self, query: Callable[[View], T]) -> T:
        await asyncio.sleep(self._ground.latency(0.005))
        if self._is_dead():
            raise asyncio.CancelledError
        if self._claim is not None and self._claim.is_cut:
            raise StoreError("the store cannot be read: cut off")
        if self._disk.fails and self._ground.random.random() < 0.5:
            raise StoreError("the store cannot be read: simulated")
        return self._disk.look(query)

    async def checkpoint(self) -> None:
        """Its files are in memory."""
        await asyncio.sleep(self._ground.latency(0.01))

    def cluster(self) -> Cluster:
        return Cluster() if self._claim is None else self._claim.cluster()

    def left(self, lease: HeldLease | None = None) -> timedelta:
        return timedelta.max if self._claim is None else self._claim.left(lease)

    async def give_back(self) -> bool:
        return False
