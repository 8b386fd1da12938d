"""What all databases have in common here: statements, and what is asked of each.

The store is written once, in SQL that each of them takes. What is one database's own
(how it is opened, locked, kept small, copied) is in its own file: `sqlite`,
`postgresql`. The schema says what it wants of any (`partial`, `CLUSTERED`, `NUMBER`).
"""

import re
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import cache
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Engine,
    Integer,
    Table,
    bindparam,
    insert,
    text,
)
from sqlalchemy.dialects.postgresql import insert as upserting
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from evidenced.core.cluster import Cluster, HeldLease
from evidenced.core.errors import StoreError

ERRORS = (SQLAlchemyError, sqlite3.Error)
"""Whatever comes of a store that cannot do what it should; see `cause`."""
LOCKING = "locks"
"""Option of a connection whose transaction may change what it reads."""
NUMBER = BigInteger().with_variant(Integer(), "sqlite")
"""Of a column that counts rows: SQLite numbers only what is called INTEGER.
Source: sqlite.org/autoinc.html."""
CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}
"""Of a table whose rows lie in the order of its key, where a database can do that."""
_PARAMSTYLES = {"sqlite": "qmark", "postgresql": "format"}


class Moving(Protocol):
    """Leases of recorders that nodes take and let go of. All but `left` block.

    Each raises StoreError where the database cannot be asked.
    """

    on_gone: Callable[[HeldLease], object]
    """Called from any thread when another node has this lease."""

    def look(
        self, reports: Mapping[str, str], lacks: Collection[str]
    ) -> tuple[Cluster, dict[str, tuple[str, str]]]:
        """The nodes as they are now, and by recorder which node told what of it last.

        `reports` is what this one tells of its own, `lacks` the destinations whose
        shares are not there on it.
        """

    def take_more(self, names: Collection[str]) -> dict[str, HeldLease]:
        """Those of these leases that nobody had are held from now on."""

    def let_go(self, names: Collection[str]) -> None:
        """These are anybody's; nothing more is committed under them by this daemon."""

    def left(self, lease: HeldLease | None = None) -> timedelta:
        """For how long nobody else can have it."""

    def listen(self, tell: Callable[[str], object]) -> None:
        """From now on tell, on a thread, whatever other nodes pass on."""

    def pass_on(self, name: str) -> None:
        """Other nodes are told this name soon, if nothing hinders it."""


class Claim(Protocol):
    """What this daemon may write, and nobody else."""

    @property
    def moving(self) -> Moving | None:
        """The leases of recorders; None where one daemon has all for good."""

    on_lost: Callable[[], object]
    """Called once, from any thread, when another daemon has taken over."""

    def fence(
        self, connection: Connection, leases: Collection[HeldLease | None]
    ) -> Mapping[HeldLease | None, StoreError]:
        """Make sure of these until the end of this transaction.

        Nobody else writes meanwhile. Returns why, for each that is not this daemon's
        or is not known to be.

        None is the lease of what no recorder's lease is for. Raises StoreError.
        """

    def is_kept(self) -> bool:
        """Whether the transaction that was fenced last is there. Blocks for a moment.

        Asked when its COMMIT was sent and not answered. Where that cannot be known now,
        nothing may be written until it is.
        """

    def left(self, lease: HeldLease | None = None) -> timedelta:
        """For how long nobody else can take over."""

    def cluster(self) -> Cluster:
        """The nodes that share the store, as they were seen a moment ago."""

    def close(self) -> None:
        """Let go of it. Blocks."""


class Database(Protocol):
    """Where a store is, and what its database does in its own way. Blocking."""

    @property
    def name(self) -> str:
        """As people are told where the store is; no password is in it."""

    def remedy(self, error: BaseException) -> str:
        """What to do when it cannot be opened for this: the end of that sentence."""

    def judge(self) -> None:
        """Whether evidence may be trusted to it. Raises StoreError. Changes nothing."""

    def claim(self, *, leads: bool = True) -> Claim:
        """Let this daemon be the one that writes, or help the one that does.

        Raises:
            HeldElsewhere: another one is.
            DBAPIError, OSError: the database cannot be asked.
        """

    def leave(self) -> None:
        """This node is not there any more, not even to stand by. Blocks."""

    def cluster(self, connection: Connection) -> Cluster:
        """The nodes that share the store."""

    def writing(self) -> Engine:
        """Connections whose every commit is durable when it returns."""

    def reading(self) -> Engine:
        """Connections that each see one snapshot, and cannot write."""

    def looking(self) -> Engine:
        """Snapshots of whatever is there, whoever wrote it. Raises StoreError."""

    def foreign(self, connection: Connection) -> list[str]:
        """What acts by itself in the store, and none of us made."""

    def watched(self, engine: Engine, tables: Sequence[Table]) -> Engine:
        """The engine, noting which rows of these tables a transaction changes."""

    def kept(self, value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
        """The value as it will be read again."""

    def number_on(self, connection: Connection, table: Table) -> None:
        """Rows were put in with their numbers: the next one gets a higher number."""

    def checkpoint(self, engine: Engine) -> None:
        """Carry what was committed to its final place, if that is ours to do."""

    def give_back(self, connection: Connection) -> bool:
        """Free a little of the room that is not needed; whether more may be freed."""


def cause(error: BaseException) -> str:
    """What the database itself said, in one line, without the statement and its values.

    PostgreSQL's details quote the row. Source: postgresql.org/docs/current/
    protocol-error-fields.html. Its library writes several lines.
    """
    own = error.orig if isinstance(error, DBAPIError) else error
    primary = getattr(getattr(own, "diag", None), "message_primary", None)
    return " ".join(str(primary or own).split())


def without_nul(text: str) -> str:
    """What PostgreSQL keeps of a text: NUL becomes the character for what is none."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def is_passing(error: BaseException) -> bool:
    """Whether the same transaction may succeed at once: it lost against another's.

    Source: postgresql.org/docs/current/mvcc-serialization-failure-handling.html.
    """
    own = error.orig if isinstance(error, DBAPIError) else error
    return getattr(own, "sqlstate", None) in {"40001", "40P01"}


def partial(condition: str) -> dict[str, Any]:
    """Of an index: only these rows are in it."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def insert_numbered(table: Table, number: str = "seq") -> Any:  # noqa: ANN401 - SQLAlchemy's own typing
    """Insert a row that gets the table's next number."""
    others = [column.name for column in table.columns if column.name != number]
    return insert(table).values({name: bindparam(name) for name in others}).inline()


def upsert(table: Table, *keys: str) -> Any:  # noqa: ANN401 - likewise
    """Insert a row, or give the one with these keys all other values.

    PostgreSQL's form of it: SQLite took it over, and compiles it alike.
    Source: sqlite.org/lang_upsert.html.
    """
    statement = upserting(table)
    return statement.on_conflict_do_update(
        index_elements=list(keys),
        set_={
            column.name: statement.excluded[column.name]
            for column in table.columns
            if column.name not in keys
        },
    )


def add_up(table: Table, key: str, number: str) -> Any:  # noqa: ANN401 - likewise
    """Insert a row, or add its number to that of the row with this key."""
    statement = upserting(table)
    total = table.c[number] + statement.excluded[number]
    return statement.on_conflict_do_update(index_elements=[key], set_={number: total})


def insert_new(table: Table) -> Any:  # noqa: ANN401 - likewise
    """Insert a row, unless there is one with its key."""
    return upserting(table).on_conflict_do_nothing()


@cache
def driven(
    statement: Any,  # noqa: ANN401 - likewise
    dialect: Dialect,
) -> tuple[str, Callable[[dict[str, Any]], Any]]:
    """A statement as the driver takes it, and a row's values in its order.

    Values by position: the driver would look each name up again for each row. There
    are two dozen of them.
    """
    compiled = statement.compile(dialect=_positional(dialect))
    names = compiled.positiontup
    if len(names) == 1:
        return str(compiled), lambda row: (row[names[0]],)
    return str(compiled), itemgetter(*names)


_ROW = re.compile(r"VALUES \(([^()]*)\)")
_UNTYPED = re.compile(r"%s(?!::)")


@cache
def gathered(
    statement: Any,  # noqa: ANN401 - likewise
    dialect: Dialect,
) -> str | None:
    """An INSERT that takes a list for each column instead of one row after the other.

    None where the database gains nothing by it. A server reads and answers each row's
    statement, which costs more than the row.
    """
    if dialect.name != "postgresql":
        return None
    text, _ = driven(statement, dialect)
    found = _ROW.search(text)
    if found is None:
        return None
    typed = _UNTYPED.sub("%s::BYTEA", found[1])
    lists = ", ".join(f"{each}[]" for each in typed.split(", "))
    return text.replace(found[0], f"SELECT * FROM unnest({lists})")  # noqa: S608 - names of types


@cache
def _positional(dialect: Dialect) -> Dialect:
    made: Callable[..., Dialect] = type(dialect)
    return made(paramstyle=_PARAMSTYLES[dialect.name])
