"""10,000 incidents due within one second; many waiting; history that grows."""

import asyncio
import math
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

import pytest
import structlog
from rates import alarm, site_of
from recording import report, spread
from sqlalchemy import Connection, event

from evidenced.app import tune_collector
from evidenced.core.address import Address, Handle
from evidenced.core.alarms.alarm import Alarm
from evidenced.core.exports.bandwidth import Budget
from evidenced.core.exports.following import Followed
from evidenced.core.ids import SessionId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.operating import cancel
from evidenced.core.instants import ZERO
from evidenced.core.recorder import (
    Answer,
    Device,
    ExportOrder,
    SessionInfo,
)
from evidenced.core.trust import exactly
from evidenced.core.window import Window
from evidenced.host.clock import SystemClock
from evidenced.host.dice import SystemDice
from evidenced.host.share import Share
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.dispatch import Dispatch
from evidenced.pipeline.intake import accept
from evidenced.pipeline.interpret import Interpret
from evidenced.pipeline.link import Link
from evidenced.pipeline.planner import Capacity, Planner
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.turn import Turn, turn_step
from evidenced.pipeline.world import World
from evidenced.store import SqlStore, StoreSettings, open_store

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

MANY = 10_000
ROLL = timedelta(seconds=30)
LEAD = timedelta(seconds=25)
FILLED = 0.42
"""Of the time that the same incidents take to be opened: 0.95 s of lag on the machine
that the figure was measured on, which opens them in 2.25 s. A busy one is slow at both.
"""
ROUNDS = 3
TURNS = 40


class InstantRecorder:
    """Answers at once, so that only our own time is measured."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, ExportOrder]] = []
        self.all_asked = asyncio.Event()
        self.info = SessionInfo(session=SessionId("s"), offset=None, version="2.7.3")

    async def open_session(self) -> SessionInfo:
        return self.info

    async def export(self, order: ExportOrder) -> tuple[SessionInfo, Answer]:
        self.asked.append((time.time(), order))
        if len(self.asked) == MANY:
            self.all_asked.set()
        return self.info, Answer(code="0", handle=Handle(f"n={len(self.asked)}"))

    async def delete_export(self, _handle: Handle) -> Answer:
        raise NotImplementedError

    async def follow(self, _exports: Sequence[ExportRequest]) -> Followed:
        return Followed(session=self.info.session, verdicts={})

    async def devices(self) -> tuple[Device, ...]:
        return ()

    async def has_video(self, _address: Address, _window: Window) -> bool | None:
        return None

    async def recorded(
        self, _address: Address, _window: Window
    ) -> tuple[datetime, ...] | None:
        return None

    async def close(self) -> None:
        pass


def make_world(folder: Path, store: SqlStore, max_exports: int = MANY) -> World:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    site = site_of(folder, max_exports=max_exports)
    return World(site, store, SystemClock(), SystemDice(), structlog.get_logger())


async def fill(world: World, count: int, at: datetime, spread: timedelta) -> None:
    """Incidents of distinct groups whose alarms are spread evenly over that time."""
    log = structlog.get_logger()
    interpret = Interpret(world, Agenda(world.clock), Metrics("bench"), log)
    now = world.clock.now()
    for first in range(0, count, 500):
        some = range(first, min(first + 500, count))
        messages = [alarm(n, at + spread * n / count) for n in some]
        alarms = [Alarm(topic=t, payload=p, received_at=now) for t, p in messages]
        await world.write(partial(accept, alarms=alarms))
        while await interpret.once():
            pass


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_PASSWORD", "unused")


async def test_ten_thousand_due_within_a_second(tmp_path: Path) -> None:
    """The best round counts: what else the machine does only ever adds."""
    tune_collector()
    rounds = [await _lag(tmp_path / str(n)) for n in range(ROUNDS)]
    spread(f"{MANY} due in 1 s: p99 s of asked minus due", [p99 for p99, _ in rounds])
    assert min(p99 / filled_s for p99, filled_s in rounds) < FILLED


async def _lag(tmp_path: Path) -> tuple[float, float]:
    """p99 of asked minus due, and how long they took to be opened; seconds both."""
    store = open_store(StoreSettings(directory=tmp_path / "state"))
    world = make_world(tmp_path, store)
    settings = next(iter(world.site.recorders.values()))
    recorder = InstantRecorder()
    ends, started = world.clock.now() + LEAD, time.perf_counter()
    await fill(world, MANY, ends - ROLL, timedelta(seconds=1))
    filled_s = time.perf_counter() - started
    assert world.clock.now() < ends, "filling took too long to measure"
    agenda = Agenda(world.clock)
    log = structlog.get_logger()
    link = Link(settings, recorder, world.clock, world.dice, log)
    shares = Shares(world, Share(), agenda, log)
    dispatch = Dispatch(world, link, agenda, Metrics("bench"), log, shares)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(Turn(world, agenda, log).run()),
            group.create_task(dispatch.run()),
        ]
        await asyncio.wait_for(recorder.all_asked.wait(), 120)
        for task in tasks:
            task.cancel()
    store.close()
    settle = settings.settle.total_seconds()
    lags = sorted(
        asked - (order.devices[0].window.end.timestamp() + settle)
        for asked, order in recorder.asked
    )
    p50, p99 = lags[len(lags) // 2], lags[int(len(lags) * 0.99)]
    report(
        f"{MANY} due in 1 s: asked minus due", p50_s=p50, p99_s=p99, filled_s=filled_s
    )
    assert min(lags) >= 0
    return p99, filled_s


async def test_cost_does_not_grow_with_history(tmp_path: Path) -> None:
    """One alarm, one wake, one plan and one poll, with 1,000 and 100,000 finished.

    Told in steps of SQLite's machine, which are the same each time, and in seconds of
    the best of many rounds that take turns: what the machine does besides only adds.
    """
    few = await _History.of(tmp_path / "few", 1_000)
    many = await _History.of(tmp_path / "many", 100_000)
    for name in few.calls:
        steps = await many.steps(name) / await few.steps(name)
        took = await _best_in_turns(few.calls[name], many.calls[name])
        report(
            f"{name}: 100,000 against 1,000 finished",
            ratio_of_steps=steps,
            ratio_of_seconds=took[1] / took[0],
        )
        assert steps < 1.1
        assert took[1] / took[0] < 1.5
    few.store.close()
    many.store.close()


Call = Callable[[], Awaitable[object]]


class _History:
    """A store with so many finished incidents, and what is done on it."""

    def __init__(self, store: SqlStore, world: World) -> None:
        self.store = store
        settings = next(iter(world.site.recorders.values()))
        now = world.clock.now()
        moment = Capacity(now=now, offset=ZERO, slack=ZERO, budget=Budget(limit=0))
        planner = Planner(world.site, settings, moment)
        wake = partial(
            turn_step,
            now=exactly(now),
            settles=world.site.settles,
            new_id=world.new_id,
            clearing={},
        )
        self.calls: dict[str, Call] = {
            "alarm": lambda: fill(world, 500, now, timedelta(seconds=1)),
            "wake": lambda: world.write(wake),
            "plan": lambda: world.write(planner.plan),
            "poll": lambda: world.read(lambda v: v.exports.live(settings.name)),
        }

    @classmethod
    async def of(cls, folder: Path, finished: int) -> Self:
        store = open_store(StoreSettings(directory=folder / "state"))
        world = make_world(folder, store)
        yesterday = world.clock.now() - timedelta(days=1)
        await fill(world, finished, yesterday, timedelta(hours=1))
        await _finish_all(world)
        return cls(store, world)

    async def steps(self, name: str) -> int:
        """What it costs SQLite, in steps of its virtual machine.

        Source: sqlite.org/c3ref/progress_handler.html.
        """
        await self.calls[name]()  # statements are prepared
        steps = 0

        def count() -> None:
            nonlocal steps
            steps += 1

        used: list[sqlite3.Connection] = []

        def begin(connection: Connection, *_: object) -> None:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.set_progress_handler(count, 1)
            used.append(raw)

        engines = (self.store._engine, self.store._reading)
        for engine in engines:
            event.listen(engine, "before_cursor_execute", begin)
        await self.calls[name]()
        for engine in engines:
            event.remove(engine, "before_cursor_execute", begin)
        for raw in used:
            with suppress(sqlite3.ProgrammingError):  # it is closed by now
                raw.set_progress_handler(None, 1)
        assert steps
        return steps


async def _best_in_turns(first: Call, second: Call) -> tuple[float, float]:
    best = [math.inf, math.inf]
    for _ in range(TURNS):
        for n, call in enumerate((first, second)):
            start = time.perf_counter()
            await call()
            best[n] = min(best[n], time.perf_counter() - start)
    return best[0], best[1]


async def _finish_all(world: World) -> None:
    """End every incident, as an operator would by cancelling it."""
    while True:
        now = world.clock.now()
        step = partial(
            turn_step,
            now=exactly(now),
            settles=world.site.settles,
            new_id=world.new_id,
            clearing={},
        )
        changes = await world.write(step)
        if not changes:
            return
        ended = [cancel(change.after, "bench", now) for change in changes]
        await world.write(lambda tx, done=ended, at=now: tx.ledger.save(done, at))  # type: ignore[misc]
