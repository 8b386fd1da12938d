"""What is asked of a PostgreSQL server, and how it is told that it will not do."""

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from evidenced.cli import online
from evidenced.cli.online import OnlineVerdict
from evidenced.config.load import load_text
from evidenced.core.errors import BadInput, StoreAway, StoreError
from evidenced.store import SqlStore, lease, open_store
from evidenced.store.lease import Lease
from evidenced.store.tx import Tx
from fakes.line import Line
from fakes.postgres import Postgres, on_server

NUMBER = re.compile(rb"(K\x00\x00\x00\x0c)....", re.DOTALL)
MADE_UP = b"\x00\x7f\xff\xff"
"""BackendKeyData. Source: PostgreSQL's protocol, message formats."""
LIFE = timedelta(seconds=1)
HANG_UP = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.database()


@pytest.fixture
def store(postgres: Postgres, fresh: str, tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(on_server(postgres.database(fresh), tmp_path))
    yield opened
    opened.close()


def noting(value: str) -> Callable[[Tx], None]:
    return lambda tx: tx.notes.save("who", value)


def told(store: SqlStore) -> str | None:
    return store.read_now(lambda view: view.notes.get("who"))


async def until_kept(store: SqlStore, value: str) -> None:
    async with asyncio.timeout(10):
        while told(store) != value:
            with suppress(StoreError):
                await store.write(noting(value))


async def until_refused(store: SqlStore) -> None:
    """Write again and again until an error comes of it, which is raised."""
    async with asyncio.timeout(10):
        while True:
            await store.write(noting("refused"))


def setting(url: str, name: str, value: str) -> None:
    """From now on it is so in new connections to this database."""
    database = url.rpartition("/")[-1]
    with psycopg.connect(url, autocommit=True) as boss:
        boss.execute(f"ALTER DATABASE {database} SET {name} = {value}")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("synchronous_commit", "off", "could be lost"),
        ("synchronous_commit", "local", "could be lost"),
        ("session_replication_role", "replica", "would not be sealed"),
        ("search_path", "ghost", "names no schema"),
    ],
)
def test_what_evidence_cannot_be_trusted_to_is_refused(
    url: str, tmp_path: Path, name: str, value: str, why: str
) -> None:
    setting(url, name, value)
    with pytest.raises(StoreError, match=f"{name} .*{why}.*{name}"):
        open_store(on_server(url, tmp_path))
    with psycopg.connect(url) as other:
        assert other.execute("SELECT to_regclass('leases')").fetchone() == (None,)


def test_options_of_the_address_count_too(url: str, tmp_path: Path) -> None:
    options = "options=-c%20synchronous_commit%3Doff"
    with pytest.raises(StoreError, match="synchronous_commit = off"):
        open_store(on_server(f"{url}?{options}", tmp_path))


async def test_what_a_server_is_set_to_counts_in_each_commit(
    postgres: Postgres, store: SqlStore
) -> None:
    """Under a daemon that runs, or at a standby that was promoted."""
    await store.write(noting("before"))
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as boss:
        boss.execute("ALTER SYSTEM SET synchronous_commit = off")
        try:
            boss.execute("SELECT pg_reload_conf()")
            with pytest.raises(StoreError, match="synchronous_commit = off"):
                await until_refused(store)  # each connection hears of it by itself
        finally:
            boss.execute("ALTER SYSTEM RESET synchronous_commit")
            boss.execute("SELECT pg_reload_conf()")
            while boss.execute("SHOW synchronous_commit").fetchone() != ("on",):
                pass
    await until_kept(store, "after")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("datestyle", "German, DMY"),
        ("default_transaction_isolation", "serializable"),
        ("idle_session_timeout", "1ms"),
        ("statement_timeout", "1ms"),
    ],
)
async def test_settings_for_others_are_not_ours(
    url: str, tmp_path: Path, name: str, value: str
) -> None:
    setting(url, name, f"'{value}'")
    store = open_store(on_server(url, tmp_path))
    shown = await store.write(
        lambda tx: tx.connection.exec_driver_sql(f"SHOW {name}").scalar_one()
    )
    assert str(shown) != value
    assert store.cluster().nodes
    store.close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            ("evidenced@", "poor@"),
            r"lets poor make no tables: ALTER DATABASE test\d+ O",
        ),
        (("evidenced@", "idle@"), "not permitted to log in"),
        (("evidenced@", "ghost@"), 'role "ghost" does not exist'),
        (("/test", "/ghost"), "does not exist"),
        (("/test", "/%zz"), 'invalid percent-encoded token: "%zz'),
        (("evidenced@127.0.0.1", "me:geheim@[::1"), "IPv6 host address$"),
        (("127.0.0.1:", "127.0.0.1:9"), "invalid port number"),
        (("/test", "/?bogus=1#"), 'invalid URI query parameter: "bogus"'),
        (("/test", "/?sslmode=never&user="), "invalid sslmode value"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused_at_once(
    url: str, tmp_path: Path, change: tuple[str, str], why: str
) -> None:
    """Not waited out as a server that is away is."""
    with psycopg.connect(url, autocommit=True) as boss, suppress(psycopg.Error):
        boss.execute("CREATE ROLE poor LOGIN")
        boss.execute("CREATE ROLE idle")
    with pytest.raises(StoreError, match=why) as caught:
        open_store(on_server(url.replace(*change), tmp_path))
    assert not isinstance(caught.value, StoreAway)
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("table", ["leases", "nodes", "incidents"])
def test_tables_of_another_program_are_told(
    url: str, tmp_path: Path, table: str
) -> None:
    with psycopg.connect(url) as other:
        other.execute(f"CREATE TABLE {table} (x int)")
    with pytest.raises(StoreError, match=r"give it a database of its own$") as caught:
        open_store(on_server(url, tmp_path))
    assert "LINE" not in str(caught.value)


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LIFE", LIFE)
    monkeypatch.setattr(lease, "RENEW", LIFE / 4)


@pytest.mark.usefixtures("short_lease")
async def test_a_password_that_cannot_be_read_is_waited_out(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is being replaced: neither the lease nor the writer ends of it."""
    is_there, asked, renewed = True, asyncio.Event(), asyncio.Event()
    loop, renew = asyncio.get_running_loop(), Lease._renew

    def renewing(self: Lease, connection: psycopg.Connection[Any]) -> None:
        renew(self, connection)
        loop.call_soon_threadsafe(renewed.set)

    monkeypatch.setattr(Lease, "_renew", renewing)

    def password() -> str:
        if is_there:
            return "secret"
        loop.call_soon_threadsafe(asked.set)
        raise BadInput("the secret file cannot be read")

    settings = on_server(url, tmp_path)
    assert settings.server is not None
    server = replace(settings.server, password=password)
    store = open_store(replace(settings, server=server))
    is_there = False
    with psycopg.connect(url, autocommit=True) as boss:
        boss.execute(HANG_UP)
    with pytest.raises(StoreError):
        await until_refused(store)
    await asked.wait()
    is_there = True
    await until_kept(store, "after")
    renewed.clear()
    async with asyncio.timeout(10):
        await renewed.wait()  # by the thread that asked in vain
    store.close()


def test_check_online_tries_it(url: str) -> None:
    config = load_text(f'daemon.store = "{url}"\nmqtt.url = "mqtts://b.example"').config
    (found,) = online._store(config)
    assert found.verdict is OnlineVerdict.FINE
    setting(url, "synchronous_commit", "off")
    (found,) = online._store(config)
    assert found.place == "daemon.store"
    assert found.verdict is OnlineVerdict.PROBLEM
    assert "synchronous_commit = off" in found.text
    with psycopg.connect(url) as other:  # nothing was made there
        assert other.execute("SELECT to_regclass('leases')").fetchone() == (None,)


def test_what_a_line_says_that_breaks_is_one_line(
    postgres: Postgres, fresh: str, tmp_path: Path
) -> None:
    """libpq writes several, which stood in the API and the log as they were."""
    url = postgres.database(fresh)
    with Line(postgres.port) as line:
        near = url.replace(str(postgres.port), str(line.port))
        store = open_store(on_server(near, tmp_path))
        line.cut()
        with pytest.raises(StoreError, match="closed the connection") as caught:
            told(store)
        line.mend()
        store.close()
    assert "\n" not in str(caught.value)


@contextmanager
def pooler(port: int) -> Iterator[int]:
    """Before that server, as PgBouncer is: each client is told a number made up."""

    def carry(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(NUMBER.sub(rb"\1" + MADE_UP, data))
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client = undo.enter_context(listener.accept()[0])
                server = undo.enter_context(
                    socket.create_connection(("127.0.0.1", port))
                )
                for each in ((client, server), (server, client)):
                    Thread(target=carry, args=each, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as undo:
        Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_a_pooler_is_refused_with_a_sentence(url: str, tmp_path: Path) -> None:
    """Behind it no connection is the daemon's own, and its lock is anybody's."""
    port = urlsplit(url).port
    assert port is not None
    with pooler(port) as between:
        behind = url.replace(f":{port}", f":{between}")
        with pytest.raises(StoreError, match="through a pooler") as caught:
            open_store(on_server(behind, tmp_path))
    assert "name the server itself" in str(caught.value)
