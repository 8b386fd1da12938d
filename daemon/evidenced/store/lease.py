"""Who may write what: each lease is one node's at a time, by the database's own clock.

Theory of operation. A lease is a row with an epoch that each new holder counts up:
`all` is what is done in one place, `recorder:NAME` what has to do with one recorder. A
holder pushes the ends of its leases ahead every RENEW; who finds one ended takes it.
Every transaction begins by waiting until no other node writes, and locks the rows of
the leases that its steps are done under (`fence`), so:

    node a (epoch 7)                        node b
    BEGIN; fence 7; save a request
    ... stands still for a minute ...       finds the end passed; has the server hang
                                            up on a, which lets go of its lock; epoch 8
    wakes up, goes on, COMMIT: refused
    BEGIN; fence 7: no such row             BEGIN; fence 8; ...

Nothing that a stale node decided is ever committed, whatever its own clock says, and a
takeover waits for a commit that is under way. What cannot be fenced is a request to a
recorder: it is sent only while `left` says that the lease outlives it.

One node writes at a time (`WAIT`): each step sees the last state and nobody writes
beside it, as with a file. It is waited for before any lease is locked, so that a node
can renew its leases while another one's transaction stands still. Leases are locked in
the order of their names, here and in `leaserows.RENEW`.

A COMMIT whose answer is lost with the connection is decided by asking for the
transaction's number on another one (`is_kept`). While nobody answers that, its step has
failed as far as anybody here knows, and nothing else is committed: if it turns out then
that it was kept, what this daemon has in memory is wrong, and it starts over.
Source: postgresql.org/docs/current/functions-info.html, `pg_xact_status`.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import Connection

from evidenced.core.cluster import ALL, Cluster, HeldLease
from evidenced.core.errors import HeldElsewhere, LeaseLost, StoreError
from evidenced.store import leaserows, nodes
from evidenced.store.dialect import cause
from evidenced.store.hints import Connect, Hints
from evidenced.store.judging import fault

LIFE = timedelta(seconds=10)
RENEW = timedelta(seconds=3)
QUICK = timedelta(seconds=0.5)
"""An answer that took longer says nothing of the server's clock."""

_OUTCOME = "SELECT pg_xact_status(%s::xid8)"
_IN_PROGRESS, _COMMITTED = "in progress", "committed"
ASK_AGAIN = timedelta(milliseconds=100)
ASK = 20
"""Times, about a transaction whose end is not known."""


def application(session: str) -> str:
    """What connections of a session call themselves; a name of the node may follow."""
    return f"evidenced {session}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A node in one run: `session` is a new one each time, `site` what it works by.

    Nodes of another `instance` have no business in its database. `now` is this host's
    clock.
    """

    node: str
    session: str
    now: Callable[[], datetime]
    site: str = ""
    instance: str = ""

    @property
    def values(self) -> dict[str, str]:
        """For statements."""
        return {"node": self.node, "session": self.session}

    @property
    def seen(self) -> dict[str, str]:
        """What others see of it."""
        return {"node": self.node, "site": self.site, "instance": self.instance}


class Lease:
    """`dialect.Claim` of a node, from `take` to `close`.

    One that leads has `ALL`, and is over when another daemon takes that. Besides, and
    without it, a node may have any number of recorders' leases.
    """

    def __init__(
        self,
        connect: Connect,
        who: Identity,
        where: str,
        monotonic: Callable[[], float],
    ) -> None:
        self._connect = connect
        self._monotonic = monotonic
        self._where = where
        self._who = who
        self._hints = Hints(connect, monotonic)
        self._cluster = Cluster()
        self._held: dict[str, int] = {}
        self._asked: psycopg.Connection[Any] | None = None
        self._ends = 0.0
        self._lacks = ""
        self._transaction = ""
        self._is_unknown = False
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self.on_lost: Callable[[], object] = lambda: None
        self.on_gone: Callable[[HeldLease], object] = lambda _: None

    def take(self, *, leads: bool) -> None:
        """Begin: be there, and have `ALL` where this node is to lead. Blocks.

        Raises:
            HeldElsewhere: another daemon has it now.
            StoreError: it is another instance's.
            psycopg.Error: the server cannot be asked.
        """
        asked = self._monotonic()
        with self._connect() as connection:
            with suppress(psycopg.errors.UniqueViolation):  # the other one made it too
                for statement in (leaserows.MAKE, nodes.MAKE, nodes.MAKE_REPORTS):
                    connection.execute(statement)
            connection.commit()
            try:
                self._join(connection)
            except psycopg.errors.UndefinedColumn:
                connection.rollback()
                _widen(connection)
                self._join(connection)
            connection.commit()  # it is there, whoever has the lease
            if leads:
                self._lead(connection)
            self._look(connection, timedelta(seconds=self._monotonic() - asked))
        self._ends = asked + LIFE.total_seconds()
        self._thread.start()

    def _join(self, connection: psycopg.Connection[Any]) -> None:
        nodes.check_instance(connection.execute, self._who.seen, self._where)
        self._see(connection)

    def _lead(self, connection: psycopg.Connection[Any]) -> None:
        row = connection.execute(leaserows.HOLDER, {"name": ALL}).fetchone()
        node, is_over = row or ("", True)
        if is_over:
            self._held.update(self._taken(connection, [ALL]))
        if ALL not in self._held:
            raise HeldElsewhere(node, self._where)

    def _taken(
        self, connection: psycopg.Connection[Any], names: Collection[str]
    ) -> dict[str, int]:
        """Those that were to be had, with their epochs.

        Whoever had one whose time is over may stand still with its locks. The server's
        own time limits do not see a client that stops between the messages of a
        pipeline, which is how rows are written (seen with 15): it is hung up on.
        """
        values = {"names": list(names), "life": LIFE, **self._who.values}
        for (session,) in connection.execute(leaserows.ENDED, values).fetchall():
            connection.execute(leaserows.HANG_UP, [f"{application(session)}%"])
        return dict(connection.execute(leaserows.TAKE, values).fetchall())

    def take_more(self, names: Collection[str]) -> dict[str, HeldLease]:
        """The leases among these that nobody has; each is held from now on. Blocks.

        Raises:
            StoreError: the server cannot be asked.
        """
        asked = self._monotonic()
        with self._asking() as connection:
            found = self._taken(connection, names)
        self._held.update(found)
        self._ends = min(self._ends, asked + LIFE.total_seconds())
        return {name: HeldLease(name, epoch) for name, epoch in found.items()}

    def let_go(self, names: Collection[str]) -> None:
        """These are anybody's at once. Blocks until no commit of ours is under way.

        Raises:
            StoreError: the server cannot be asked: others wait until they end.
        """
        mine = [
            HeldLease(each, self._held.pop(each))
            for each in names
            if each in self._held
        ]
        if mine:
            with self._asking() as connection:
                connection.execute(leaserows.RELEASE, _values(mine))

    def fence(
        self, connection: Connection, leases: Collection[HeldLease | None]
    ) -> dict[HeldLease | None, StoreError]:
        """See `dialect.Claim`."""
        if self._is_unknown:
            self._find_out()
        mine = {each: each or self._whole() for each in leases}
        connection.exec_driver_sql(leaserows.WAIT)
        rows = connection.exec_driver_sql(leaserows.FENCE, _values(mine.values())).all()
        found = {
            HeldLease(name, epoch): is_in_time for name, epoch, is_in_time, *_ in rows
        }
        *_, settings, self._transaction = rows[0] if rows else ({}, "")
        if rows and (why := fault(settings)) is not None:
            raise StoreError(f"{self._where} {why}")
        refused: dict[HeldLease | None, StoreError] = {}
        for each, held in mine.items():
            if held not in found:
                refused[each] = self._gone(held)
            elif not found[held]:
                text = f"{self._where}: the lease ran out and is being renewed"
                refused[each] = StoreError(text)
        return refused

    def _whole(self) -> HeldLease:
        return HeldLease(ALL, self._held.get(ALL, 0))

    def _gone(self, held: HeldLease) -> StoreError:
        """It is another node's, or was let go of: what was done under it is over."""
        if held.name == ALL:
            self._lose()
            return StoreError(f"{self._where}: another node has taken over")
        if self._held.get(held.name) == held.epoch:
            del self._held[held.name]
            self.on_gone(held)
        return LeaseLost(f"{self._where}: {held.name} is another node's")

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
        """A server that never heard of it has nothing of it: another was promoted.

        A commit whose connection ends while it waits for the synchronous standby is
        kept by the server, and may not be there yet: what is committed after it tells.
        Source: postgresql.org/docs/current/warm-standby.html, "Planning for High
        Availability".
        """
        with self._connect() as connection:
            try:
                asked = connection.execute(_OUTCOME, [self._transaction])
                (outcome,) = asked.fetchone() or ("aborted",)
            except psycopg.errors.InvalidParameterValue:
                return "aborted"
            self._see(connection)  # whose commit waits for the standby, after that one
        return str(outcome)

    def left(self, lease: HeldLease | None = None) -> timedelta:
        """For how long nobody else can have it, by this host's monotonic clock."""
        held = lease or self._whole()
        if self._is_over.is_set() or self._held.get(held.name) != held.epoch:
            return timedelta()
        return timedelta(seconds=max(0.0, self._ends - self._monotonic()))

    def close(self) -> None:
        """Let go of all at once. Blocks until the server knows, or cannot be asked."""
        self._is_over.set()
        self._hints.close()
        if self._thread.is_alive():
            self._thread.join()
        if self._asked is not None:
            self._asked.close()
        with suppress(psycopg.Error), self._connect() as connection:
            connection.execute(leaserows.RELEASE, _values(self._all()))
            if ALL in self._held:
                connection.execute(nodes.FORGET, self._who.values)

    @property
    def moving(self) -> "Lease":
        """See `dialect.Claim`."""
        return self

    def cluster(self) -> Cluster:
        """All nodes, as they were seen a moment ago."""
        return self._cluster

    def listen(self, tell: Callable[[str], object]) -> None:
        """See `dialect.Moving`."""
        self._hints.start(tell)

    def pass_on(self, name: str) -> None:
        """See `dialect.Moving`."""
        self._hints.pass_on(name)

    def look(
        self, reports: Mapping[str, str], lacks: Collection[str]
    ) -> tuple[Cluster, dict[str, tuple[str, str]]]:
        """Who has what now, and what was told of recorders; this is told. Blocks.

        Raises:
            StoreError: the server cannot be asked.
        """
        self._lacks = "\n".join(sorted(lacks))
        with self._asking() as connection:
            self._see(connection)
            nodes.report(connection.execute, self._who.node, reports)
            found = nodes.cluster(connection.execute)
            told = nodes.reports(connection.execute)
        self._cluster = replace(found, answer=self._cluster.answer)
        return found, told

    def _all(self) -> list[HeldLease]:
        return [HeldLease(name, epoch) for name, epoch in dict(self._held).items()]

    @contextmanager
    def _asking(self) -> Iterator[psycopg.Connection[Any]]:
        """A transaction of its own, on one connection as long as that works.

        Asked by one thread at a time.
        """
        kept, self._asked = self._asked, None
        try:
            kept = kept or self._connect()
            yield kept
            kept.commit()
        except psycopg.Error as error:
            if kept is not None:
                kept.close()
            raise StoreError(
                f"{self._where} cannot be asked: {cause(error)}"
            ) from error
        self._asked = kept

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
        asked, mine = self._monotonic(), self._all()
        rows = connection.execute(
            leaserows.RENEW, {**_values(mine), "life": LIFE}
        ).fetchall()
        connection.commit()
        renewed = {name for (name,) in rows}
        for each in mine:
            if each.name not in renewed:
                self._gone(each)
        self._ends = asked + LIFE.total_seconds()
        self._look(connection, timedelta(seconds=self._monotonic() - asked))

    def _see(self, connection: psycopg.Connection[Any]) -> None:
        ahead = self._ahead(connection)
        who = {**self._who.seen, "lacks": self._lacks}
        nodes.see(connection.execute, who, ahead)

    def _ahead(self, connection: psycopg.Connection[Any]) -> timedelta | None:
        """By how much this host's clock is ahead of the database's, give or take QUICK.

        Asked for alone: what is written may have to wait.
        """
        before, asked = self._who.now(), self._monotonic()
        ((now,),) = connection.execute(nodes.NOW).fetchall()
        took = timedelta(seconds=self._monotonic() - asked)
        return None if took > QUICK else before + took / 2 - now

    def _look(self, connection: psycopg.Connection[Any], answer: timedelta) -> None:
        self._see(connection)
        found = nodes.cluster(connection.execute)
        connection.commit()
        self._cluster = replace(found, answer=answer)


def _widen(connection: psycopg.Connection[Any]) -> None:
    """Tables of before get what they lack; waits for the steps that are under way."""
    for statement in (leaserows.WIDEN, nodes.WIDEN):
        connection.execute(statement)
    connection.commit()


def _values(held: Collection[HeldLease]) -> dict[str, Any]:
    return {
        "names": [each.name for each in held],
        "epochs": [each.epoch for each in held],
    }
