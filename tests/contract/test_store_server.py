"""A store in PostgreSQL: judged when it is opened, held by one node, lost and back."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from evidenced.core.errors import HeldElsewhere, StoreError
from evidenced.store import (
    SqlStore,
    StoreSettings,
    database_of,
    lease,
    open_store,
)
from evidenced.store.snapshot import open_snapshot, read_cluster
from evidenced.store.tx import Tx
from fakes.postgres import Postgres, on_server

LIFE = timedelta(seconds=1)


@pytest.fixture
def url(postgres: Postgres, fresh: str) -> str:
    return postgres.database(fresh)


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LIFE", LIFE)
    monkeypatch.setattr(lease, "RENEW", LIFE / 4)


def node(url: str, folder: Path, name: str) -> StoreSettings:
    return on_server(url, folder / name, name)


@pytest.fixture
def opened(url: str, tmp_path: Path) -> Iterator[Callable[[str], SqlStore]]:
    stores: list[SqlStore] = []

    def make(name: str) -> SqlStore:
        stores.append(open_store(node(url, tmp_path, name)))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def noting(value: str) -> Callable[[Tx], None]:
    return lambda tx: tx.notes.save("who", value)


def told(store: SqlStore) -> str | None:
    return store.read_now(lambda view: view.notes.get("who"))


async def test_the_second_node_is_told_who_has_it(
    opened: Callable[[str], SqlStore],
) -> None:
    first = opened("a")
    with pytest.raises(HeldElsewhere, match="node a has it") as caught:
        opened("b")
    assert caught.value.node == "a"
    await first.write(noting("a"))
    assert told(first) == "a"


async def test_a_node_that_stops_hands_over_at_once(url: str, tmp_path: Path) -> None:
    first = open_store(node(url, tmp_path, "a"))
    await first.write(noting("a"))
    await asyncio.to_thread(first.close)
    second = open_store(node(url, tmp_path, "b"))  # the lease had seconds to run
    assert told(second) == "a"
    second.close()


def standing(store: SqlStore) -> dict[str, tuple[bool, list[str]]]:
    """Of each node whether it is there, and what it holds."""
    return {
        each.name: (each.is_up, sorted(each.holds)) for each in store.cluster().nodes
    }


async def test_every_node_knows_all_and_who_works(
    opened: Callable[[str], SqlStore], url: str, tmp_path: Path
) -> None:
    first = open_store(node(url, tmp_path, "a"))
    assert standing(first) == {"a": (True, [lease.ALL])}
    assert first.cluster().answer is not None
    waiting = node(url, tmp_path, "b")
    with pytest.raises(HeldElsewhere):
        open_store(waiting)
    with psycopg.connect(url) as other:  # as if it had died a while ago
        for name, ago in (("c", timedelta(minutes=1)), ("d", timedelta(days=31))):
            other.execute("INSERT INTO nodes VALUES (%s, now(), now())", [name])
            past = "UPDATE nodes SET seen = now() - %s WHERE name = %s"
            other.execute(past, [ago, name])
    with pytest.raises(HeldElsewhere):
        open_store(waiting)
    found = read_cluster(waiting)
    assert {each.name: each.is_up for each in found.nodes} == {
        "a": True,
        "b": True,
        "c": False,
    }
    database_of(waiting).leave()
    first.close()
    second = opened("b")
    assert standing(second) == {"b": (True, [lease.ALL]), "c": (False, [])}
    assert second.cluster().changes == found.changes + 1


@pytest.mark.usefixtures("short_lease")
async def test_what_a_stale_node_writes_is_refused(
    opened: Callable[[str], SqlStore], url: str
) -> None:
    """It stood still, its lease ran out, and another one took over."""
    first = opened("a")
    lost = asyncio.Event()
    loop = asyncio.get_running_loop()
    first.claim.on_lost = lambda: loop.call_soon_threadsafe(lost.set)
    with psycopg.connect(url) as other:  # as if it had not renewed for long
        other.execute("UPDATE leases SET until = clock_timestamp() - interval '1 h'")
        other.execute("UPDATE leases SET epoch = epoch + 1, node = 'b'")
    with pytest.raises(StoreError, match="another node has taken over"):
        await first.write(noting("a"))
    await lost.wait()
    assert told(first) is None
    assert first.claim.left() == timedelta()


async def test_a_lease_that_ran_out_unseen_is_nobody_s_and_renewed(
    opened: Callable[[str], SqlStore], url: str
) -> None:
    first = opened("a")
    with psycopg.connect(url) as other:
        other.execute("UPDATE leases SET until = clock_timestamp() - interval '1 s'")
    with pytest.raises(StoreError, match="is being renewed"):
        await first.write(noting("a"))


async def test_a_database_that_is_away_is_an_error_and_works_again(
    postgres: Postgres, url: str, opened: Callable[[str], SqlStore]
) -> None:
    store = opened("a")
    await store.write(noting("before"))
    name = url.rpartition("/")[-1]
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as boss:
        boss.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        boss.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [name],
        )
        with pytest.raises(StoreError):
            await store.write(noting("away"))
        with pytest.raises(StoreError, match="cannot be read"):
            await store.read(lambda view: view.notes.get("who"))
        boss.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await store.write(noting("after"))
    assert told(store) == "after"


async def test_no_text_is_refused_for_a_character(
    opened: Callable[[str], SqlStore],
) -> None:
    store = opened("a")
    await store.write(noting("a\0b\N{SNOWMAN}"))
    assert told(store) == "a\N{REPLACEMENT CHARACTER}b\N{SNOWMAN}"


def test_texts_that_sort_otherwise_are_refused(
    postgres: Postgres, tmp_path: Path
) -> None:
    odd = postgres.database(options="ENCODING 'SQL_ASCII'")
    with pytest.raises(StoreError, match="createdb -T template0 --locale=C -E UTF8"):
        open_store(node(odd, tmp_path, "a"))


def test_a_server_that_is_not_there_is_one_sentence_without_the_password(
    tmp_path: Path,
) -> None:
    settings = node("postgresql://me:geheim@127.0.0.1:1/x", tmp_path, "a")
    with pytest.raises(StoreError, match=r"cannot be used: .*refused") as caught:
        open_store(settings)
    said = f"{caught.value} {settings!r}"
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value), said


async def test_a_password_is_asked_for_at_each_connection(
    url: str, tmp_path: Path
) -> None:
    asked: list[Any] = []

    def password() -> str:
        asked.append(None)
        return "secret"

    settings = node(url, tmp_path, "a")
    assert settings.server is not None
    server = replace(settings.server, password=password)
    store = open_store(replace(settings, server=server))
    before = len(asked)
    store.close()
    assert before > 0
    assert "secret" not in repr(server)


async def test_whoever_looks_in_sees_the_last_commit_and_needs_no_lease(
    opened: Callable[[str], SqlStore], url: str, tmp_path: Path
) -> None:
    store = opened("a")
    await store.write(noting("a"))
    with open_snapshot(node(url, tmp_path, "looking")) as view:
        assert view.notes.get("who") == "a"
        with pytest.raises(DBAPIError, match="read-only"):
            view.notes.save("who", "b")
