"""Two nodes write one store in PostgreSQL, each under its own recorders' leases."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import psycopg
import pytest

from evidenced.core.cluster import ALL, Cluster, HeldLease
from evidenced.core.errors import LeaseLost, StoreError
from evidenced.host.clock import SystemClock
from evidenced.ports.store import Leases
from evidenced.store import (
    SqlStore,
    StoreSettings,
    join_store,
    lease,
    open_store,
)
from evidenced.store.snapshot import read_cluster
from evidenced.store.tx import Tx
from fakes.postgres import Postgres, on_server

LIFE = timedelta(seconds=1)
WAY = 10.0
AGAIN_S = 0.05
"""How often a hint is repeated until the other node listens."""
"""Seconds that anything here may take."""


def settings(url: str, folder: Path, name: str) -> StoreSettings:
    made = on_server(url, folder / name, name)
    assert made.server is not None
    return replace(made, server=replace(made.server, site="1"))


@pytest.fixture
def url(postgres: Postgres, fresh: str) -> str:
    return postgres.database(fresh)


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LIFE", LIFE)
    monkeypatch.setattr(lease, "RENEW", LIFE / 4)


@pytest.fixture
def stores(url: str, tmp_path: Path) -> Iterator[tuple[SqlStore, SqlStore]]:
    """Of the node that leads, and of one that helps."""
    first = open_store(settings(url, tmp_path, "a"))
    second = join_store(settings(url, tmp_path, "b"))
    yield first, second
    for store in (second, first):
        store.close()


def leases(store: SqlStore) -> Leases:
    assert store.leases is not None
    return store.leases


def noting(value: str) -> Callable[[Tx], None]:
    return lambda tx: tx.notes.save("who", value)


def told(store: SqlStore) -> str | None:
    return store.read_now(lambda view: view.notes.get("who"))


def end(url: str, name: str) -> None:
    """As if its holder had not renewed it for long."""
    with psycopg.connect(url) as other:
        other.execute(
            "UPDATE leases SET until = clock_timestamp() - interval '1 h'"
            " WHERE name = %s",
            [name],
        )


async def test_each_writes_under_its_own_lease_and_no_other(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    first, second = stores
    (one,) = (await leases(first).take(["recorder:1"])).values()
    assert await leases(second).take(["recorder:1"]) == {}
    (two,) = (await leases(second).take(["recorder:2"])).values()
    await first.write(noting("a"))
    await first.write(noting("a1"), one)
    await second.write(noting("b2"), two)
    assert told(first) == "b2"
    with pytest.raises(LeaseLost, match="another node's"):
        await second.write(noting("stale"), HeldLease("recorder:2", two.epoch + 1))
    with pytest.raises(StoreError):
        await second.write(noting("stale"))  # what is no recorder's
    assert told(first) == "b2"


async def test_of_steps_that_share_a_commit_those_go_that_are_fenced(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    _, second = stores
    mine = (await leases(second).take(["recorder:1"]))["recorder:1"]
    gone = HeldLease("recorder:2", 7)
    step = noting
    results = await asyncio.gather(
        *(second.write(step(f"{n}"), gone if n % 2 else mine) for n in range(20)),
        return_exceptions=True,
    )
    assert [isinstance(each, LeaseLost) for each in results] == [False, True] * 10
    assert told(second) == "18"


async def test_what_was_let_go_of_is_anybody_s_at_once_and_fenced(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    first, second = stores
    old = (await leases(first).take(["recorder:1"]))["recorder:1"]
    assert leases(first).left(old) > timedelta()
    await leases(first).let_go(["recorder:1"])
    assert leases(first).left(old) == timedelta()
    with pytest.raises(StoreError):
        await first.write(noting("stale"), old)
    new = (await leases(second).take(["recorder:1"]))["recorder:1"]
    assert new.epoch == old.epoch + 1
    with pytest.raises(LeaseLost):
        await first.write(noting("stale"), old)
    await second.write(noting("b"), new)
    await leases(second).let_go(["recorder:1"])
    again = (await leases(first).take(["recorder:1"]))["recorder:1"]
    with pytest.raises(LeaseLost):  # of the same node, and an earlier tenure
        await first.write(noting("stale"), old)
    await first.write(noting("a"), again)
    assert told(first) == "a"


async def test_who_loses_a_lease_is_told_and_keeps_the_others(
    stores: tuple[SqlStore, SqlStore], url: str
) -> None:
    first, second = stores
    gone: asyncio.Queue[HeldLease] = asyncio.Queue()
    leases(second).when_gone(gone.put_nowait)
    mine = await leases(second).take(["recorder:1", "recorder:2"])
    end(url, "recorder:1")
    with pytest.raises(StoreError, match="is being renewed"):
        await second.write(noting("late"), mine["recorder:1"])
    end(url, "recorder:1")
    taken = await leases(first).take(["recorder:1", "recorder:2"])
    assert list(taken) == ["recorder:1"]
    with pytest.raises((LeaseLost, StoreError)):
        await second.write(noting("stale"), mine["recorder:1"])
    async with asyncio.timeout(WAY):
        assert await gone.get() == mine["recorder:1"]
    assert leases(second).left(mine["recorder:1"]) == timedelta()
    assert leases(second).left(mine["recorder:2"]) > timedelta()


@pytest.mark.usefixtures("short_lease")
async def test_a_node_that_stands_still_amid_a_commit_holds_up_nobody_for_long(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    """Whoever takes its recorder ends its transaction: it had the turn to write."""
    first, second = stores
    mine = (await leases(second).take(["recorder:1"]))["recorder:1"]
    stands, goes_on = asyncio.Event(), Event()
    loop = asyncio.get_running_loop()

    def stand(tx: Tx) -> None:
        tx.notes.save("who", "stale")
        loop.call_soon_threadsafe(stands.set)
        goes_on.wait(WAY)

    async with asyncio.TaskGroup() as group:
        late = group.create_task(_error(second, stand, mine))
        await stands.wait()
        waiting = group.create_task(first.write(noting("a")))
        second.claim._is_over.set()  # type: ignore[attr-defined]  # it renews no more
        async with asyncio.timeout(WAY):
            while not (taken := await leases(first).take(["recorder:1"])):
                pass
        await waiting
        while await _error(first, noting("a1"), taken["recorder:1"]):
            pass  # on a busy host it may have to be renewed first
        goes_on.set()
        assert isinstance(await late, StoreError)
    assert told(first) == "a1"


async def _error(
    store: SqlStore, step: Callable[[Tx], None], held: HeldLease
) -> StoreError | None:
    try:
        await store.write(step, held)
    except StoreError as error:
        return error
    return None


async def test_all_see_who_has_what_and_what_is_told_of_it(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    first, second = stores
    await leases(second).take(["recorder:1"])
    await leases(second).look({"1": "well"}, ["nas", "far"])
    cluster, told_of = await leases(first).look({"2": "ill"}, ())
    assert {each.name: set(each.holds) for each in cluster.nodes} == {
        "a": {ALL},
        "b": {"recorder:1"},
    }
    assert cluster.leader is not None
    assert cluster.leader.name == "a"
    assert [sorted(each.lacks) for each in cluster.nodes] == [[], ["far", "nas"]]
    assert told_of == {"1": ("b", "well"), "2": ("a", "ill")}


async def test_hints_go_to_the_other_node_and_not_back(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    first, second = stores
    here: asyncio.Queue[str] = asyncio.Queue()
    there: asyncio.Queue[str] = asyncio.Queue()
    leases(first).listen(here.put_nowait)
    leases(second).listen(there.put_nowait)
    async with asyncio.timeout(WAY):
        names = [f"dispatch:{n}" for n in range(1000)]
        heard = None
        while heard is None:  # it listens soon
            leases(first).pass_on("begin")
            with suppress(TimeoutError):
                heard = await asyncio.wait_for(there.get(), AGAIN_S)
        for name in names:
            leases(first).pass_on(name)
        got: set[str] = set()
        while not got.issuperset(names):
            got.add(await there.get())
        leases(second).pass_on("outbox")
        assert await here.get() == "outbox"


OF_BEFORE = """
ALTER TABLE leases DROP COLUMN session;
ALTER TABLE nodes DROP COLUMN site, DROP COLUMN ahead, DROP COLUMN instance,
    DROP COLUMN lacks;
TRUNCATE leases, nodes;
INSERT INTO leases VALUES ('all', 'old', 7, now(), now() - interval '1 h');
INSERT INTO nodes VALUES ('old', now(), now())
"""


async def test_a_store_of_before_recorders_were_spread_is_taken_over(
    url: str, tmp_path: Path
) -> None:
    with psycopg.connect(url) as before:
        before.execute(OF_BEFORE)
    store = open_store(settings(url, tmp_path, "a"))
    names = {each.name for each in store.cluster().nodes}
    assert (names, store.cluster().changes) == ({"old", "a"}, 8)
    assert await leases(store).take(["recorder:main"])
    store.close()


def of_instance(settings: StoreSettings, instance: str) -> StoreSettings:
    assert settings.server is not None
    return replace(settings, server=replace(settings.server, instance=instance))


async def test_another_instance_is_refused_by_its_database(
    url: str, tmp_path: Path
) -> None:
    one = open_store(of_instance(settings(url, tmp_path, "a"), "north"))
    other = of_instance(settings(url, tmp_path, "b"), "south")
    for begin in (open_store, join_store):
        with pytest.raises(
            StoreError, match=r"is that of instance 'north' \(node a\), and"
        ):
            begin(other)
    assert [each.name for each in one.cluster().nodes] == ["a"]
    with psycopg.connect(url) as died:  # and is not forgotten
        died.execute("UPDATE nodes SET seen = now() - interval '1 day'")
        died.execute("UPDATE leases SET until = now() - interval '1 day'")
    with pytest.raises(StoreError, match="to rename one, stop all its nodes first"):
        open_store(other)
    one.close()
    open_store(other).close()  # stopped: it may have been renamed


async def test_one_that_died_may_begin_under_another_instance(
    url: str, tmp_path: Path
) -> None:
    dead = open_store(of_instance(settings(url, tmp_path, "a"), "north"))
    renamed = of_instance(settings(url, tmp_path / "2", "a"), "south")
    with pytest.raises(StoreError, match="is that of instance 'north'"):
        open_store(renamed)
    dead.claim.on_lost = lambda: None
    with psycopg.connect(url) as other:
        other.execute("UPDATE nodes SET seen = now() - interval '11 s'")
    end(url, "all")
    open_store(renamed).close()
    dead.close()


async def test_a_store_that_no_node_has_joined_has_none(
    url: str, tmp_path: Path
) -> None:
    open_store(settings(url, tmp_path, "a")).close()
    for tables in ("nodes", "leases"):
        with psycopg.connect(url) as other:
            other.execute(f"DROP TABLE {tables}")  # type: ignore[arg-type, unused-ignore]
        assert read_cluster(settings(url, tmp_path, "a")) == Cluster()


def test_each_tells_how_far_its_clock_is_ahead(url: str, tmp_path: Path) -> None:
    late = settings(url, tmp_path, "a")
    assert late.server is not None

    def now() -> datetime:
        return SystemClock().now() - timedelta(minutes=3)

    store = open_store(replace(late, server=replace(late.server, now=now)))
    other = join_store(settings(url, tmp_path, "b"))
    found = other.cluster()
    other.close()
    store.close()
    ahead = {each.name: each.ahead for each in found.nodes}
    assert abs(ahead["a"] + timedelta(minutes=3)) < timedelta(seconds=1)
    assert abs(ahead["b"]) < timedelta(seconds=1)
