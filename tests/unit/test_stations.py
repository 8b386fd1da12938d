"""Stations are begun and ended with their leases; what they write goes under them."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from evidenced.core.cluster import (
    ALL,
    Cluster,
    ClusterNode,
    HeldLease,
    lease_of,
)
from evidenced.core.errors import LeaseLost, Reason, RecorderError, StoreError
from evidenced.core.ids import RecorderName
from evidenced.core.instants import EPOCH, SECOND
from evidenced.core.site import RecorderSettings
from evidenced.core.spreading import LONGEST_DRAIN, ORPHANED, OVERLOADED, UNSEEING
from evidenced.core.telling.notice import NoticeKind
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.link import Link
from evidenced.pipeline.reports import status_of, written
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.station import Station
from evidenced.pipeline.stations import REPORT_EVERY_S, Seat, Stations
from evidenced.pipeline.world import LEASE
from evidenced.ports.recorder import MAY_ACT
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.agenda import WatchedAgenda
from fakes.clock import FakeClock
from fakes.running import Log
from fakes.world import FixedDice, ScriptedRecorder, ToldShare, make_world

MAIN = RecorderName("main")


def _refused() -> Any:
    raise RecorderError(Reason.UNREACHABLE, "no route", is_sent=False)


class Scripted:
    """`ports.Leases` of a store in which another node may have things too."""

    def __init__(self) -> None:
        self.mine: dict[str, int] = {}
        self.others: set[str] = set()
        self.site = self.leader_site = "1"
        self.told: dict[str, tuple[str, str]] = {}
        self.reports: list[Mapping[str, str]] = []
        self.passed: list[str] = []
        self.is_away = self.hangs = False
        self.gone: Callable[[HeldLease], object] = lambda _: None
        self.tell: Callable[[str], object] = lambda _: None
        self.runs_out = False
        self.is_alone = False
        """The other node leads by a row, and is not there."""
        self.epochs = 0
        self.lacks = frozenset[str]()

    def cluster(self) -> Cluster:
        def node(name: str, site: str, held: Collection[str]) -> ClusterNode:
            holds = dict.fromkeys(held, EPOCH)
            is_up = name == "b" or not self.is_alone
            return ClusterNode(
                name=name,
                is_up=is_up,
                since=EPOCH,
                seen=EPOCH,
                site=site,
                lacks=self.lacks if name == "b" else frozenset(),
                holds=holds,
            )

        return Cluster(
            nodes=(
                node("a", self.leader_site, {ALL, *self.others}),
                node("b", self.site, self.mine),
            )
        )

    async def look(
        self, reports: Mapping[str, str], lacks: Collection[str]
    ) -> tuple[Cluster, dict[str, tuple[str, str]]]:
        if self.hangs:
            await asyncio.Event().wait()
        if self.is_away:
            raise StoreError("away")
        self.reports.append(reports)
        self.lacks = frozenset(lacks)
        return self.cluster(), self.told

    async def take(self, names: Collection[str]) -> dict[str, HeldLease]:
        self.epochs += 1
        free = [name for name in names if name not in {*self.mine, *self.others}]
        self.mine |= dict.fromkeys(free, self.epochs)
        return {name: HeldLease(name, self.epochs) for name in free}

    async def let_go(self, names: Collection[str]) -> None:
        for name in names:
            self.mine.pop(name, None)

    def left(self, lease: HeldLease) -> timedelta:
        is_mine = self.mine.get(lease.name) == lease.epoch
        return SECOND if is_mine and not self.runs_out else timedelta()

    def when_gone(self, tell: Callable[[HeldLease], object]) -> None:
        self.gone = tell

    def listen(self, tell: Callable[[str], object]) -> None:
        self.tell = tell

    def pass_on(self, name: str) -> None:
        self.passed.append(name)


class LeasedStore:
    """The store of a node among others."""

    def __init__(self, store: SqlStore, leases: Scripted) -> None:
        self._store = store
        self.leases = leases
        self.under: list[HeldLease | None] = []
        self.lost: set[HeldLease] = set()

    async def write(self, step: Any, lease: HeldLease | None = None) -> Any:
        self.under.append(lease)
        if lease in self.lost:
            raise LeaseLost("another node's")
        return await self._store.write(step)

    async def read(self, query: Any) -> Any:
        return await self._store.read(query)

    def left(self, lease: HeldLease | None = None) -> timedelta:
        return SECOND if lease is None else self.leases.left(lease)


class OneLoop(Station):
    """A station whose one loop writes whenever it is hinted."""

    def loops(self) -> dict[str, Any]:
        return {"one": self._one}

    async def _one(self) -> None:
        while True:
            self.may_act = MAY_ACT.get()
            await self._world.write(lambda tx: tx.notes.save("who", "x"))
            await self.agenda.wait(names.dispatch(self.name))

    agenda: WatchedAgenda


class Bench:
    def __init__(self, store: SqlStore) -> None:
        self.clock, self.log, self.leases = FakeClock(), Log(), Scripted()
        self.store = LeasedStore(store, self.leases)
        self.world = make_world(cast("Any", self.store), self.clock, self.log)
        self.agenda = WatchedAgenda(self.clock)
        self.made: list[OneLoop] = []
        self.lacks: list[str] = []
        self.shares = Shares(self.world, ToldShare(), self.agenda, self.log.bound)
        self.stations = Stations(
            self.world,
            self.make,
            self.agenda,
            self.log.bound,
            Seat("b", leads=False),
            lambda: self.lacks,
        )

    def make(self, settings: RecorderSettings) -> Station:
        port, log = ScriptedRecorder(_refused), self.log.bound
        link = Link(settings, port, self.clock, FixedDice(), log)
        metrics = Metrics("test")
        made = OneLoop(self.world, link, self.shares, self.agenda, metrics, log)
        made.agenda = self.agenda
        self.made.append(made)
        return made

    async def turn(self) -> None:
        """One look, and all that follows from it."""
        await self.agenda.rests[names.STATIONS].wait()
        self.agenda.rests[names.STATIONS].clear()
        self.agenda.hint_here(names.STATIONS)
        await self.agenda.rests[names.STATIONS].wait()
        await self.store.read(lambda view: view.notes.get("who"))

    @asynccontextmanager
    async def running(self) -> Any:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.stations.run())
            yield task
            task.cancel()

    @asynccontextmanager
    async def overloaded(self) -> Any:
        """It has two recorders that the other node left alone, both busy, for long."""
        site = self.world.site
        (main,) = site.recorders.values()
        annex = replace(main, name=RecorderName("annex"))
        recorders = {each.name: each for each in (main, annex)}
        self.world.adopt(replace(site, recorders=recorders))
        async with self.running() as task:
            await self.turn()
            self.clock.advance(ORPHANED)
            await self.turn()
            for n, link in enumerate(self.stations):
                link.left(n)
            await self.turn()
            assert (len(self.leases.mine), self.draining) == (2, [])
            self.clock.advance(OVERLOADED)
            await self.turn()
            yield task

    @property
    def draining(self) -> list[RecorderName]:
        return [link.settings.name for link in self.stations if link.drains]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    store = open_store(StoreSettings(directory=tmp_path / "state"))
    yield Bench(store)
    store.close()


async def test_a_station_is_begun_with_its_lease_and_writes_under_it(
    bench: Bench,
) -> None:
    async with bench.running():
        await bench.turn()
        assert MAIN in bench.stations
        assert bench.leases.mine == {lease_of(MAIN): 1}
        await bench.turn()
        assert {*bench.store.under} == {HeldLease(lease_of(MAIN), 1)}
        assert bench.made[0].may_act()
        assert LEASE.get() is None  # here it is nobody's
        bench.leases.runs_out = True
        assert not bench.made[0].may_act()
    assert MAIN not in bench.stations


@pytest.mark.parametrize("how", ["gone", "refused", "late", "moved"])
async def test_what_is_lost_is_ended_at_once(bench: Bench, how: str) -> None:
    async with bench.running():
        await bench.turn()
        lease = HeldLease(lease_of(MAIN), 1)
        bench.leases.others.add(lease.name)
        match how:
            case "gone":
                del bench.leases.mine[lease.name]
                bench.leases.gone(HeldLease(lease.name, 7))  # not of this tenure
                assert MAIN in bench.stations
                bench.leases.gone(lease)
            case "refused":
                del bench.leases.mine[lease.name]
                bench.store.lost.add(lease)
                bench.leases.tell(names.dispatch(MAIN))
            case "late":
                bench.leases.is_away = bench.leases.runs_out = True
            case "moved":
                bench.leases.leader_site = "2"
        await bench.turn()
        assert MAIN not in bench.stations
        assert list(bench.stations) == []
        bench.leases.is_away = False
        await bench.turn()
        assert bench.leases.mine == {}
    assert len(bench.made) == 1


async def test_a_share_that_is_not_there_for_long_and_is_elsewhere_moves_recorders(
    bench: Bench,
) -> None:
    async with bench.running():
        await bench.turn()
        bench.lacks = ["nas"]
        await bench.turn()
        await bench.turn()  # the others see it, and so does this one
        bench.clock.advance(UNSEEING - SECOND)
        await bench.turn()
        assert MAIN in bench.stations
        bench.lacks = []  # it had only blinked
        await bench.turn()
        await bench.turn()
        bench.lacks = ["nas"]
        await bench.turn()
        await bench.turn()
        bench.clock.advance(UNSEEING - SECOND)
        await bench.turn()
        assert MAIN in bench.stations
        bench.clock.advance(SECOND)
        await bench.turn()
        assert (bench.leases.mine, list(bench.stations)) == ({}, [])


async def test_a_database_that_does_not_answer_ends_none_that_is_held(
    bench: Bench,
) -> None:
    async with bench.running():
        await bench.turn()
        bench.leases.is_away = True
        await bench.turn()
        assert MAIN in bench.stations


async def test_one_that_hangs_keeps_no_station_from_being_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidenced.pipeline.stations.LONGEST_LOOK_S", 0.0)
    async with bench.running():
        monkeypatch.setattr("evidenced.pipeline.stations.LONGEST_LOOK_S", 9.0)
        await bench.turn()
        assert MAIN in bench.stations
        monkeypatch.setattr("evidenced.pipeline.stations.LONGEST_LOOK_S", 0.0)
        bench.leases.hangs = True
        await bench.turn()
        bench.leases.runs_out = True
        await bench.turn()
        assert MAIN not in bench.stations


async def test_what_is_held_and_not_done_is_let_go_of(bench: Bench) -> None:
    """A take whose answer came too late."""
    bench.leases.mine[lease_of(MAIN)] = 5
    async with bench.running():
        await bench.turn()
        await bench.turn()
        assert MAIN in bench.stations
        assert bench.leases.mine == {lease_of(MAIN): 1}


async def test_a_node_that_is_stopping_takes_none(bench: Bench) -> None:
    bench.world.is_stopping = True
    async with bench.running():
        await bench.turn()
        assert MAIN not in bench.stations


async def test_what_is_always_busy_is_drained_and_moves(bench: Bench) -> None:
    async with bench.overloaded():
        (name,) = bench.draining
        bench.clock.advance(LONGEST_DRAIN - SECOND)
        await bench.turn()
        assert bench.draining == [name]
        bench.clock.advance(SECOND)
        await bench.turn()
        assert lease_of(name) not in bench.leases.mine
        assert (len(bench.leases.mine), bench.draining) == (1, [])


async def test_who_has_its_share_again_begins_anew_on_what_it_drained(
    bench: Bench,
) -> None:
    async with bench.overloaded():
        assert len(bench.draining) == 1
        bench.leases.is_alone = True
        await bench.turn()
        assert (len(bench.leases.mine), bench.draining) == (2, [])


async def test_hints_go_where_the_loop_runs(bench: Bench) -> None:
    async with bench.running():
        await bench.turn()
        other = RecorderName("annex")
        for name in (
            names.dispatch(MAIN),
            names.dispatch(other),
            names.OUTBOX,
            names.SHARES,
        ):
            bench.agenda.hint(name)
        assert bench.leases.passed == [names.dispatch(other), names.OUTBOX]


async def test_how_it_is_is_told_now_and_then_and_when_it_changes(
    bench: Bench,
) -> None:
    async with bench.running():
        await bench.turn()
        await bench.turn()
        await bench.turn()
        assert [list(each) for each in bench.leases.reports if each] == [["main"]]
        bench.clock.advance(timedelta(seconds=REPORT_EVERY_S))
        await bench.turn()
        assert list(bench.leases.reports[-1]) == ["main"]


async def test_what_another_node_tells_is_shown_of_its_recorders(bench: Bench) -> None:
    """And what nobody understands is not."""
    link = bench.make(bench.world.site.recorders[MAIN]).link
    link.failed(
        cast("Any", "export"), RecorderError(Reason.TIMEOUT, "slow", is_sent=True)
    )
    local = bench.clock.now()
    trouble = {(NoticeKind.RECORDER, "main"): "slow"}
    name = lease_of(MAIN)
    bench.leases.others.add(name)
    async with bench.running():
        await bench.turn()
        assert [each.problem for each in bench.stations.recorders(local)] == [None]
        assert bench.stations.unheard() == {MAIN}
        bench.leases.told["main"] = ("a", written(status_of(link, local), trouble))
        bench.leases.told["gone"] = ("a", "{}")
        await bench.turn()
        (told,) = bench.stations.recorders(local)
        assert told.problem == link.problem
        assert bench.stations.unheard() == set()
        assert bench.stations.troubles() == trouble
        assert bench.stations.versions() == {}
        bench.leases.told["main"] = ("a", "{}")
        await bench.turn()
        assert bench.stations.troubles() == {}
