"""A site has many recorders, and most of them have nothing to do."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from evidenced.core.ids import RecorderName, SessionId
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.recorder import SessionInfo
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import REST
from evidenced.pipeline.link import Link
from evidenced.pipeline.rounds import Rounds
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.station import Station
from evidenced.pipeline.world import World
from evidenced.ports import View
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.agenda import WatchedAgenda
from fakes.clock import FakeClock
from fakes.incident import GATE, LOBBY, ended, t
from fakes.running import Log
from fakes.world import ScriptedRecorder, ToldShare, make_world

MAIN = RecorderName("main")
NOW = t("14:00")
T = TypeVar("T")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


@dataclass
class Site:
    """One station over a store, and how often that was read."""

    store: SqlStore
    reads: int = 0
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))

    def __post_init__(self) -> None:
        log = Log().bound
        self.world = make_world(self.store, self.clock)
        self.agenda = WatchedAgenda(self.clock)
        self._count(self.world)
        info = SessionInfo(session=SessionId("s"), offset=None, version="2.7.3")
        self.recorder = ScriptedRecorder(lambda: info)
        [settings] = self.world.site.recorders.values()
        dice = self.world.dice
        self.link = Link(settings, self.recorder, self.clock, dice, log)  # type: ignore[arg-type]
        shares = Shares(self.world, ToldShare(), self.agenda, log)
        self.station = Station(
            self.world, self.link, shares, self.agenda, Metrics("test"), log
        )
        self.rounds = Rounds(self.world, lambda: (self.station,), self.agenda)

    def _count(self, world: World) -> None:
        read = world.read

        async def counted(query: Callable[[View], T]) -> T:
            self.reads += 1
            return await read(query)

        world.read = counted  # type: ignore[method-assign]


@pytest.fixture
def site(store: SqlStore) -> Site:
    return Site(store)


async def put(store: SqlStore, incident: Incident) -> None:
    change = Change(before=None, after=incident, event=Event.OPENED)
    await store.write(lambda tx: tx.ledger.save([change], NOW))


_LOOPS = (names.protect, names.cover, names.stills, names.track)
AT_NEED = {each(MAIN) for each in _LOOPS}


async def test_loops_of_a_recorder_without_rows_read_nothing_and_rest(
    site: Site,
) -> None:
    """Of 500 recorders they read the store a hundred times a second."""
    before = site.reads
    loops = site.station.loops()
    tasks = [asyncio.create_task(loops[name]()) for name in AT_NEED]
    await site.agenda.all_of(AT_NEED)
    assert site.reads == before
    assert {site.agenda.waiting[name] for name in AT_NEED} == {REST}
    await site.rounds.once()
    assert site.reads == before + 1
    assert not any(site.agenda._event(name).is_set() for name in AT_NEED)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_all_that_go_by_rows_are_woken_where_there_are_some(site: Site) -> None:
    await put(site.store, ended(GATE))  # the annex's
    await site.rounds.once()
    by_rows = AT_NEED | {names.dispatch(MAIN)}
    assert not any(site.agenda._event(name).is_set() for name in by_rows)
    await put(site.store, ended(LOBBY))
    await site.rounds.once()
    assert all(site.agenda._event(name).is_set() for name in by_rows)


async def test_a_recorder_that_is_busy_is_visited_until_its_loops_have_seen_the_end(
    site: Site,
) -> None:
    site.link.seen(1)
    await site.rounds.once()
    assert site.agenda._event(names.track(MAIN)).is_set()
