"""Which daemon may write: one at a time, by the database's own clock.

Theory of operation. A lease is a row with an epoch that each new holder counts up. The
holder pushes its end ahead every RENEW; who finds it ended takes it. Every transaction
begins by locking that row for its own epoch (`fence`), so:

    node a (epoch 7)                        node b
    BEGIN; fence 7; save a request
    ... stands still for a minute ...       finds the end passed; has the server hang
                                            up on a, which lets go of its lock; epoch 8
    wakes up, goes on, COMMIT: refused
    BEGIN; fence 7: no such row             BEGIN; fence 8; ...

Nothing that a stale node decided is ever committed, whatever its own clock says, and a
takeover waits for a commit that is under way. What cannot be fenced is a request to a
recorder: it is sent only while `left` says that the lease outlives it.

A COMMIT whose answer is lost with the connection is decided by asking for the
transaction's number on another one (`is_kept`). While nobody answers that, its step has
failed as far as anybody here knows, and nothing else is committed: if it turns out then
that it was kept, what this daemon has in memory is wrong, and it starts over.
Source: postgresql.org/docs/current/functions-info.html, `pg_xact_status`.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

import psycopg
from sqlalchemy import Connection

from evidenced.core.cluster import Cluster
from evidenced.core.errors import HeldElsewhere, StoreError
from evidenced.store import nodes

LIFE = timedelta(seconds=10)
RENEW = timedelta(seconds=3)
ALL = "all"
"""The lease of everything that a daemon does."""

_MAKE = """
CREATE TABLE IF NOT EXISTS leases (
    name text PRIMARY KEY, node text NOT NULL, epoch bigint NOT NULL,
    since timestamptz NOT NULL, until timestamptz NOT NULL)
"""
_TAKE = """
INSERT INTO leases AS held (name, node, epoch, since, until)
VALUES (%(name)s, %(node)s, 1, clock_timestamp(), clock_timestamp() + %(life)s)
ON CONFLICT (name) DO UPDATE SET
    node = excluded.node, epoch = held.epoch + 1,
    since = excluded.since, until = excluded.until
WHERE held.until < clock_timestamp() RETURNING epoch
"""
_RENEW = """
UPDATE leases SET until = clock_timestamp() + %(life)s
WHERE name = %(name)s AND epoch = %(epoch)s
"""
_RELEASE = """
UPDATE leases SET until = clock_timestamp()
WHERE name = %(name)s AND epoch = %(epoch)s
"""
_HOLDER = """
SELECT node, until < clock_timestamp() FROM leases WHERE name = %(name)s
"""
_HANG_UP = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user
AND application_name = left('evidenced ' || %s, 63) AND pid <> pg_backend_pid()
"""
_FENCE = """
SELECT epoch = %(epoch)s, until > clock_timestamp(), pg_current_xact_id()::text
FROM leases WHERE name = %(name)s FOR SHARE
"""
_OUTCOME = "SELECT pg_xact_status(%s::xid8)"
_IN_PROGRESS, _COMMITTED = "in progress", "committed"
ASK_AGAIN = timedelta(milliseconds=100)
ASK = 20
"""Times, about a transaction whose end is not known."""


class Connect(Protocol):
    """Makes a connection of its own, past every pool."""

    def __call__(self) -> psycopg.Connection[Any]: ...


class Lease:
    """Held from `take` to `close`, or until another daemon takes it."""

    def __init__(
        self, connect: Connect, node: str, where: str, monotonic: Callable[[], float]
    ) -> None:
        self._connect = connect
        self._monotonic = monotonic
        self._where = where
        self._values: dict[str, Any] = {"name": ALL, "node": node, "life": LIFE}
        self._cluster = Cluster()
        self._ends = 0.0
        self._transaction = ""
        self._is_unknown = False
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self.on_lost: Callable[[], object] = lambda: None

    def take(self) -> None:
        """Blocks for one answer of the server.

        Raises:
            HeldElsewhere: another daemon has it now.
            psycopg.Error: the server cannot be asked.
        """
        asked = self._monotonic()
        with self._connect() as connection:
            with suppress(psycopg.errors.UniqueViolation):  # the other one made it too
                connection.execute(_MAKE)
                connection.execute(nodes.MAKE)
            connection.commit()
            nodes.see(connection.execute, self._values["node"])
            connection.commit()  # it is there, whoever has the lease
            holder = connection.execute(_HOLDER, self._values).fetchone()
            self._end(connection, holder)
            found = connection.execute(_TAKE, self._values).fetchone()
            if found is None:
                raise HeldElsewhere(holder[0] if holder else "", self._where)
            self._look(connection, timedelta(seconds=self._monotonic() - asked))
        self._values["epoch"] = found[0]
        self._ends = asked + LIFE.total_seconds()
        self._thread.start()

    def _end(
        self, connection: psycopg.Connection[Any], holder: tuple[str, bool] | None
    ) -> None:
        """Hang up on a holder whose time is over: it may stand still with its lock.

        The server's own time limits do not see a client that stops between the
        messages of a pipeline, which is how rows are written (seen with 15).
        """
        if holder is None:
            return
        node, is_over = holder
        if not is_over:
            raise HeldElsewhere(node, self._where)
        connection.execute(_HANG_UP, [node])

    def fence(self, connection: Connection) -> None:
        """Claim on to the lease until the end of this transaction.

        Raises:
            StoreError: it is not this daemon's any more, or not known to be.
        """
        if self._is_unknown:
            self._find_out()
        row = connection.exec_driver_sql(_FENCE, self._values).one_or_none()
        is_mine, is_in_time, self._transaction = row or (False, False, "")
        if not is_mine:
            self._lose()
            raise StoreError(f"{self._where}: another node has taken over")
        if not is_in_time:
            raise StoreError(f"{self._where}: the lease ran out and is being renewed")

    def is_kept(self) -> bool:
        """See `dialect.Claim`."""
        for _ in range(ASK):
            with suppress(psycopg.Error):
                outcome = self._outcome()
                if outcome != _IN_PROGRESS:
                    return outcome == _COMMITTED
            if self._is_over.wait(ASK_AGAIN.total_seconds()):
                break
        self._is_unknown = True
        return False

    def _find_out(self) -> None:
        """What became of the transaction whose step was told that it failed."""
        try:
            outcome = self._outcome()
        except psycopg.Error as error:
            raise StoreError(f"{self._where} cannot be asked") from error
        if outcome == _IN_PROGRESS:
            raise StoreError(f"{self._where}: the last commit is not decided yet")
        if outcome == _COMMITTED:
            self._lose()
            raise StoreError(f"{self._where}: what seemed lost is there; starting over")
        self._is_unknown = False

    def _outcome(self) -> str:
        """A server that never heard of it has nothing of it: another was promoted."""
        with self._connect() as connection:
            try:
                asked = connection.execute(_OUTCOME, [self._transaction])
                (outcome,) = asked.fetchone() or ("aborted",)
            except psycopg.errors.InvalidParameterValue:
                return "aborted"
        return str(outcome)

    def left(self) -> timedelta:
        """For how long nobody else can have it, by this host's monotonic clock."""
        if self._is_over.is_set():
            return timedelta()
        return timedelta(seconds=max(0.0, self._ends - self._monotonic()))

    def close(self) -> None:
        """Let go of it at once. Blocks until the server knows, or cannot be asked."""
        self._is_over.set()
        self._thread.join()
        with suppress(psycopg.Error), self._connect() as connection:
            connection.execute(_RELEASE, self._values)
            connection.execute(nodes.FORGET, self._values)

    def cluster(self) -> Cluster:
        """All nodes, as they were seen a moment ago."""
        return self._cluster

    def _lose(self) -> None:
        if not self._is_over.is_set():
            self._is_over.set()
            self.on_lost()

    def _keep(self) -> None:
        connection: psycopg.Connection[Any] | None = None
        while not self._is_over.wait(RENEW.total_seconds()):
            try:
                connection = connection or self._connect()
                self._renew(connection)
            except psycopg.Error:  # asked again soon; the fence decides meanwhile
                self._cluster = replace(self._cluster, answer=None)
                if connection is not None:
                    connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def _renew(self, connection: psycopg.Connection[Any]) -> None:
        asked = self._monotonic()
        done = connection.execute(_RENEW, self._values)
        connection.commit()
        if done.rowcount:
            self._ends = asked + LIFE.total_seconds()
        else:
            self._lose()
        self._look(connection, timedelta(seconds=self._monotonic() - asked))

    def _look(self, connection: psycopg.Connection[Any], answer: timedelta) -> None:
        nodes.see(connection.execute, self._values["node"])
        found = nodes.cluster(connection.execute)
        connection.commit()
        self._cluster = replace(found, answer=answer)
