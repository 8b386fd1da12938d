"""What is PostgreSQL's own: how it is reached, judged, and kept to one daemon.

The URL is libpq's own, so it may name several hosts and ask for TLS. Source:
postgresql.org/docs/current/libpq-connect.html. The password is read at each
connection, so a rotated one works without a restart.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from secrets import token_hex
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import StrDumper
from sqlalchemy import Connection, Engine, Table, create_engine, func, select
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import QueuePool
from typing_extensions import override

from evidenced.core.cluster import Cluster
from evidenced.core.errors import BadInput, StoreAway, StoreError
from evidenced.store import nodes, triggers
from evidenced.store.arrays import Lists
from evidenced.store.dialect import LOCKING, Claim, cause, without_nul
from evidenced.store.judging import judge
from evidenced.store.lease import Identity, Lease, application
from evidenced.store.seal import SEALED

CONNECTIONS = 4
CONNECT_S = 5
SESSION = {
    # A daemon that stands still in a transaction would keep others from its rows.
    "idle_in_transaction_session_timeout": "8s",
    "lock_timeout": "20s",
    "statement_timeout": "60s",
    # A peer that is gone is noticed within some ten seconds.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
    # One that waits in the pool is not taken for forgotten.
    "idle_session_timeout": "0",
    # Values and steps are the same whatever the server's own settings are.
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "client_encoding": "UTF8",
    "default_transaction_isolation": r"read\ committed",
}
"""A daemon's connections, whatever the database or the role has of its own."""
UNMADE = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
REFUSALS = (
    *("authentication failed", "does not exist", "no pg_hba.conf entry"),
    *("not permitted to log in", "unsupported startup parameter"),
)
"""What a server answers that is there and will not have us, in its own English; one
that speaks otherwise is taken for one that is away."""
_BAD, _ASKED = "connection is bad: ", "connection to server"
"""How libpq begins what it says; of an address that is wrong it asks no server."""
_FOREIGN = (psycopg.errors.DuplicateTable, psycopg.errors.DatatypeMismatch, *UNMADE)
"""What comes of tables that have the names of ours, and are otherwise."""


class NoPassword(psycopg.OperationalError):
    """The password cannot be read now. As an error of the driver it is waited out."""


class _Text(StrDumper):
    @override
    def dump(self, obj: str) -> Any:
        return super().dump(without_nul(obj))


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """`dialect.Database`: a database of its own on a server that others may use too."""

    url: str
    node: str
    monotonic: Callable[[], float]
    now: Callable[[], datetime]
    password: Callable[[], str] | None = field(default=None, repr=False)
    site: str = ""
    instance: str = ""
    session: str = field(default_factory=partial(token_hex, 6))
    """Connections of one run have it in common: by it the next holder ends them."""

    def __post_init__(self) -> None:
        try:
            conninfo_to_dict(self.url)
        except psycopg.ProgrammingError as error:
            why = str(error).strip().partition(" in URI: ")[0]  # it may hold a password
            raise StoreError(f"the address of the PostgreSQL database: {why}") from None

    @property
    def name(self) -> str:
        """Without a password, should the URL hold one."""
        parts = conninfo_to_dict(self.url)
        where = parts.get("host") or parts.get("hostaddr") or "this host"
        return f"PostgreSQL database {parts.get('dbname', '')} at {where}"

    def remedy(self, error: BaseException) -> str:
        if isinstance(getattr(error, "orig", error), _FOREIGN):
            return (
                "it holds tables that this evidenced did not make: give it a database "
                "of its own"
            )
        return "see that the server runs and that this user may log in there"

    def judge(self) -> None:
        with _told(self), self.connect() as connection:
            judge(connection, self.name)

    def claim(self, *, leads: bool = True) -> Claim:
        who = Identity(
            node=self.node,
            session=self.session,
            site=self.site,
            instance=self.instance,
            now=self.now,
        )
        self.judge()
        with _told(self):
            lease = Lease(self.connect, who, self.name, self.monotonic)
            lease.take(leads=leads)
        return lease

    def leave(self) -> None:
        with suppress(psycopg.Error), self.connect() as connection:
            connection.execute(nodes.FORGET, {"node": self.node})

    def cluster(self, connection: Connection) -> Cluster:
        """None are known to a store that was copied, or that no node has joined yet."""
        try:
            return nodes.cluster(connection.exec_driver_sql)
        except ProgrammingError as error:
            if isinstance(error.orig, UNMADE):
                return Cluster()
            raise

    def writing(self) -> Engine:
        engine = self._engine("READ COMMITTED")
        return engine.execution_options(**{LOCKING: True})

    def reading(self) -> Engine:
        """Each transaction sees what was committed when it began, and only reads."""
        engine = self._engine("REPEATABLE READ")
        return engine.execution_options(postgresql_readonly=True)

    def looking(self) -> Engine:
        """Nothing but its answers is there to be looked at."""
        return self.reading()

    def foreign(self, connection: Connection) -> list[str]:
        return triggers.foreign(connection, SEALED)

    def watched(self, engine: Engine, tables: Sequence[Table]) -> Engine:
        return triggers.watch(engine, tables)

    def kept(self, value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
        return without_nul(value) if isinstance(value, str) else value

    def number_on(self, connection: Connection, table: Table) -> None:
        (first, *_) = table.primary_key
        if first.type.python_type is not int:
            return
        query = select(
            func.setval(
                func.pg_get_serial_sequence(table.name, first.name), func.max(first)
            )
        )
        connection.execute(query)

    def checkpoint(self, _engine: Engine) -> None:
        """The server's own work."""

    def give_back(self, _connection: Connection) -> bool:
        """The server's own work, too: autovacuum."""
        return False

    def _engine(self, isolation: str) -> Engine:
        return create_engine(
            "postgresql+psycopg://",
            creator=self.connect,
            poolclass=QueuePool,
            pool_size=CONNECTIONS,
            max_overflow=1,
            isolation_level=isolation,
        )

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of its own. Blocks for CONNECT_S a host at most."""
        given = conninfo_to_dict(self.url)
        ours = (f"-c {name}={value}" for name, value in SESSION.items())
        options = " ".join([str(given.get("options", "")), *ours])
        defaults = {
            "connect_timeout": CONNECT_S,
            "target_session_attrs": "read-write",
            "options": options,
        }
        if self.password is not None:
            try:
                defaults["password"] = self.password()
            except BadInput as error:
                raise NoPassword(str(error)) from error
        connection = psycopg.connect(
            self.url,
            **{**defaults, **_own(given)},
            application_name=f"{application(self.session)} {self.node}",
        )
        connection.adapters.register_dumper(str, _Text)
        connection.adapters.register_dumper(list, Lists)
        return connection


@contextmanager
def _told(server: PostgresServer) -> Iterator[None]:
    """A server that cannot be asked, in one sentence."""
    try:
        yield
    except psycopg.Error as error:
        why = cause(error)
        if not isinstance(error, psycopg.OperationalError):
            why = f"{why}; {server.remedy(error)}"
        kind = StoreAway if _is_away(error, why) else StoreError
        raise kind(f"{server.name} cannot be used: {why}") from error


def _is_away(error: psycopg.Error, why: str) -> bool:
    """Whether it may be there again: not where it, or libpq, says that we are wrong."""
    if not isinstance(error, psycopg.OperationalError) or isinstance(error, NoPassword):
        return False
    is_refused = any(words in why for words in REFUSALS)
    is_wrong = why.startswith(_BAD) and _ASKED not in why
    return not (is_refused or is_wrong)


def _own(given: dict[str, Any]) -> dict[str, Any]:
    """What the URL itself says of things that have a default here."""
    return {
        name: given[name]
        for name in ("connect_timeout", "target_session_attrs")
        if name in given
    }
