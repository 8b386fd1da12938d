"""The one writer: a thread that runs steps in order and commits them in groups.

Steps that are queued while a commit is under way share the next one, so the disk's
latency is paid once for all of them. Each runs in a savepoint of its own: one that
fails takes nothing of the others with it.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection, Engine, NestedTransaction, Transaction
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from evidenced.core.cluster import HeldLease
from evidenced.core.errors import RowRefused, StoreError
from evidenced.store.dialect import Claim, cause, is_passing
from evidenced.store.sqlite import UNDISPUTED
from evidenced.store.tx import Tx

GROUP = 64
"""Steps in one commit at most; intake's steps hold hundreds of alarms each."""

ATTEMPTS = 4
"""Of a group that the database gave up in favor of another's transaction."""

Step = Callable[[Tx], Any]


@dataclass(slots=True)
class Job:
    """A step, what it is done under, and where who gave it waits for its result."""

    step: Step
    lease: HeldLease | None = None
    done: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Tell the result; the commit is on disk, or has failed."""
        if self.error is None:
            self.done.set_result(self.result)
        else:
            self.done.set_exception(self.error)


def commit_group(engine: Engine, jobs: list[Job], claim: Claim = UNDISPUTED) -> None:
    """Run the steps in one transaction; then each job has a result or an error."""
    for left in reversed(range(ATTEMPTS)):
        for job in jobs:
            job.result = job.error = None
        try:
            _commit(engine, jobs, claim)
        except (SQLAlchemyError, StoreError) as error:
            if left and is_passing(error):
                continue
            for job in jobs:
                job.error = job.error or _store_error(error)
        return


def _commit(engine: Engine, jobs: list[Job], claim: Claim) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        refused = claim.fence(connection, {job.lease for job in jobs})
        for job in jobs:
            job.error = refused.get(job.lease)
        allowed = [job for job in jobs if job.error is None]
        if len(allowed) == 1:
            _run_alone(connection, transaction, allowed[0])
        else:
            for job in allowed:
                _run(connection, job)
        if transaction.is_active:
            Tx(connection).history.seal()
            _end(transaction, claim)


def _end(transaction: Transaction, claim: Claim) -> None:
    """Commit; where the answer is lost, whoever holds the store knows what it was."""
    try:
        transaction.commit()
    except DBAPIError as error:
        if is_passing(error) or not claim.is_kept():
            raise


def _run_alone(connection: Connection, transaction: Transaction, job: Job) -> None:
    """One step needs no savepoint: the whole transaction is its own."""
    try:
        job.result = job.step(Tx(connection))
    except SQLAlchemyError:
        raise
    except Exception as error:  # noqa: BLE001 - a step's own error goes to its caller
        transaction.rollback()
        job.error = error


def _run(connection: Connection, job: Job) -> None:
    savepoint = connection.begin_nested()
    try:
        job.result = job.step(Tx(connection))
    except SQLAlchemyError as error:
        if is_passing(error):
            raise
        job.error = _store_error(error)
        _undo(savepoint, error)
    except Exception as error:  # noqa: BLE001 - a step's own error goes to its caller
        savepoint.rollback()
        job.error = error
    else:
        savepoint.commit()


def _undo(savepoint: NestedTransaction, cause: SQLAlchemyError) -> None:
    """Back to before the step; without a way back, the whole group fails of the cause.

    A full disk or an I/O error makes SQLite roll all of the transaction back by itself:
    the savepoint is gone then, and nothing may be committed behind it.
    Source: sqlite.org/lang_transaction.html, "Response To Errors Within A Transaction".
    """
    try:
        savepoint.rollback()
    except SQLAlchemyError:
        raise cause from None


def _store_error(error: SQLAlchemyError | StoreError) -> StoreError:
    """One sentence without the statement and its values: those may hold payloads."""
    if isinstance(error, StoreError):
        return error
    is_refusal = isinstance(error, DataError | IntegrityError)
    kind = RowRefused if is_refusal else StoreError
    return kind(f"the store could not commit: {cause(error)}")


class Writer:
    """The thread and its queue. `submit` may be called from one event loop."""

    def __init__(self, engine: Engine, claim: Claim) -> None:
        self._engine = engine
        self._claim = claim
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    async def submit(self, step: Step, lease: HeldLease | None = None) -> Any:  # noqa: ANN401 - what the step returns
        if self._is_closed:
            raise StoreError("the store is closed")
        job = Job(step, lease)
        job.done.set_running_or_notify_cancel()  # a step that is queued is not undone
        self._queue.put(job)
        return await asyncio.wrap_future(job.done)

    def close(self) -> None:
        """Finish what is queued, then end the thread. Blocks for one commit."""
        self._is_closed = True
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        is_open = True
        while is_open:
            jobs, is_open = self._take()
            if jobs:
                commit_group(self._engine, jobs, self._claim)
                for job in jobs:
                    job.settle()

    def _take(self) -> tuple[list[Job], bool]:
        """Wait for one job, then take those that are there; False at the end."""
        jobs: list[Job] = []
        try:
            job = self._queue.get()
            while job is not None:
                jobs.append(job)
                if len(jobs) == GROUP:
                    return jobs, True
                job = self._queue.get_nowait()
        except Empty:
            return jobs, True
        return jobs, False
