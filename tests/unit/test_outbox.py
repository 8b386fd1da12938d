"""Whom the outbox tells, and that none of them waits for another."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Change, Event, Told
from evidenced.core.incidents.incident import Incident
from evidenced.pipeline import names
from evidenced.pipeline.outbox import CURSOR, TELL_HEAD, Feed, Outbox
from evidenced.pipeline.reading import BATCH
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.agenda import WatchedAgenda
from fakes.clock import FakeClock
from fakes.incident import DOOR, ended, happening, opened, t
from fakes.world import make_world

DEADLINE_S = 60.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Broker:
    """`ports.Publisher` of a broker that is away until it is `back`."""

    def __init__(self) -> None:
        self.back = asyncio.Event()
        self.states: list[str] = []
        self.cleared: list[str] = []
        self.heads: list[bytes] = []
        self._news = asyncio.Condition()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = True) -> None:
        assert retain
        await self.back.wait()
        if topic == "audit":
            self.heads.append(payload)
        else:
            (self.states if payload else self.cleared).append(topic)
        async with self._news:
            self._news.notify_all()

    async def until(self, has_come: Callable[[], bool]) -> None:
        async with self._news:
            await self._news.wait_for(has_come)


class Bench:
    def __init__(self, store: SqlStore) -> None:
        self.store, self.feed, self.broker = store, Feed(), Broker()
        self.clock = FakeClock()
        self.agenda = WatchedAgenda(self.clock)
        world = make_world(store, self.clock)
        self.outbox = Outbox(world, self.broker, self.agenda, self.feed)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as group:
            task = group.create_task(self.outbox.run(), name="outbox")
            yield
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def happens(self, incident: Incident, event: Event) -> None:
        change = Change(before=None, after=incident, event=event)
        await self.store.write(lambda tx: tx.ledger.save([change], t("12:30")))
        self.agenda.hint(names.OUTBOX)


async def test_subscribers_are_told_while_the_broker_is_away(store: SqlStore) -> None:
    bench = Bench(store)
    async with bench.running(), bench.feed.subscribe() as queue:
        await bench.agenda.rests[names.OUTBOX].wait()
        await bench.happens(ended(), Event.OPENED)
        first = await queue.get()
        other = replace(opened(happening("12:00", DOOR)), id=IncidentId("i2"))
        await bench.happens(other, Event.ENDED)
        second = await queue.get()
        assert bench.broker.states == []
        assert [events(first), events(second)] == ["opened", "ended"]
        bench.broker.back.set()
        await bench.broker.until(lambda: len(bench.broker.states) == 2)


async def test_publication_goes_on_where_it_was_and_subscribers_from_now(
    store: SqlStore,
) -> None:
    first = Bench(store)
    async with first.running():
        await first.happens(ended(), Event.OPENED)
    assert await store.read(lambda view: view.notes.get(CURSOR)) is None
    second = Bench(store)
    second.broker.back.set()
    async with second.running(), second.feed.subscribe() as queue:
        await second.broker.until(lambda: bool(second.broker.states))
        assert queue.empty()


def is_longer(heads: list[bytes], count: int) -> bool:
    return len(heads) > count


def events(told: Told | None) -> str:
    assert told is not None
    return told.entry.event


async def test_states_of_pruned_incidents_are_taken_back_whenever_that_can_be(
    store: SqlStore,
) -> None:
    """The broker is away when they are pruned, and then we stop."""
    gone = [IncidentId(f"i{n:03}") for n in range(BATCH + 1)]
    first = Bench(store)
    async with first.running():
        await store.write(lambda tx: tx.retained.take_back(gone))
        first.agenda.hint(names.PUBLISH)
        await first.agenda.rests[names.OUTBOX].wait()
    assert first.broker.cleared == []
    second = Bench(store)
    second.broker.back.set()
    async with second.running():
        await second.broker.until(lambda: len(second.broker.cleared) == len(gone))
        while await store.read(lambda view: view.retained.gone(1)):
            pass  # each look waits for a thread of the store
    assert second.broker.cleared == [f"incidents/{each}" for each in gone]


async def test_the_audit_head_is_told_each_hour(store: SqlStore) -> None:
    bench = Bench(store)
    bench.broker.back.set()
    async with bench.running():
        for hour in range(3):
            bench.agenda.hint(names.PUBLISH)
            await bench.broker.until(partial(is_longer, bench.broker.heads, hour))
            bench.clock.advance(TELL_HEAD)
    assert len(bench.broker.heads) == 3
