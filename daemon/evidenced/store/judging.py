"""Whether evidence may be trusted to a PostgreSQL server.

What can be changed under a daemon that runs, or is otherwise at a standby that was
promoted, is asked again in each transaction (`WARY`, by the lease).
"""

from collections.abc import Mapping
from typing import Any

import psycopg

from evidenced.core.errors import StoreError

OLDEST = 15
"""The oldest version that this is tested with."""
DURABLE = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
}
"""Settings under which a commit that returned survives the death of the server, and
with a synchronous standby the loss of it. `remote_write` and `local` do not wait for
the standby's disk. Source: postgresql.org/docs/current/runtime-config-wal.html.
"""
SEALING = {"session_replication_role": ("origin", "local")}
"""Settings under which triggers note what is written, so that it is sealed.
Source: postgresql.org/docs/current/sql-altertable.html, "DISABLE/ENABLE TRIGGER"."""
WARY = (
    "jsonb_build_object("
    + ", ".join(f"'{name}', current_setting('{name}')" for name in (*DURABLE, *SEALING))
    + ")"
)
"""What `fault` is about, as an expression."""
_PLACE = """
SELECT datcollate, pg_encoding_to_char(encoding), pg_backend_pid(), current_schema(),
    has_schema_privilege(current_schema(), 'CREATE')
FROM pg_database WHERE datname = current_database()
"""


def judge(connection: psycopg.Connection[Any], name: str) -> None:
    """Whether evidence may be trusted to this server. Changes nothing there.

    Raises:
        StoreError: it is too old, keeps texts otherwise, does not keep what it says is
            committed, is behind a pooler, or lets this user make no tables; one
            sentence with the remedy.
    """
    version = connection.info.server_version // 10_000
    if version < OLDEST:
        raise StoreError(f"{name} is version {version}; it must be {OLDEST} or later")
    [place] = connection.execute(_PLACE).fetchall()
    [(settings,)] = connection.execute(f"SELECT {WARY}").fetchall()
    why = _misplaced(connection.info, *place) or fault(settings)
    if why is not None:
        raise StoreError(f"{name} {why}")


def _misplaced(
    info: psycopg.ConnectionInfo,
    collation: str,
    encoding: str,
    pid: int,
    schema: str | None,
    may_create: bool | None,  # noqa: FBT001 - a row as it comes
) -> str | None:
    if collation not in ("C", "POSIX") or encoding != "UTF8":
        return (
            f"sorts by {collation} and writes {encoding}; make one that sorts by C and "
            "writes UTF8: createdb -T template0 --locale=C -E UTF8 NAME"
        )
    # PgBouncer makes a number up. Source: its src/client.c, finish_client_login
    if info.backend_pid != pid:
        return (
            "is reached through a pooler, behind which connections are not this "
            "daemon's own; name the server itself"
        )
    if schema is None:
        return (
            "has a search_path that names no schema which is there: "
            f"ALTER ROLE {info.user} RESET search_path, or make that schema"
        )
    if not may_create:
        return (
            f"lets {info.user} make no tables: "
            f"ALTER DATABASE {info.dbname} OWNER TO {info.user}"
        )
    return None


def fault(found: Mapping[str, str]) -> str | None:
    """What is wrong with these settings of the server, with the remedy."""
    for setting, right in (DURABLE | SEALING).items():
        if (value := found[setting]) not in right:
            what = (
                "what it says is committed could be lost"
                if setting in DURABLE
                else "what is written would not be sealed"
            )
            return (
                f"has {setting} = {value}: {what}; "
                f"set {setting} = {right[0]} for this database or its server"
            )
    return None
