from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from evidenced.core.errors import Reason
from evidenced.core.exports.retry import Again, End, RetryPolicy, after_refusal
from evidenced.core.steadiness import (
    LONG_ENOUGH,
    LONG_ENOUGH_UNSYNCED,
    STEP,
    Steadiness,
    may_delete,
    may_give_up,
)
from evidenced.core.window import Window
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.janitor import PRUNE, Janitor
from evidenced.ports import Remembered, Session
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.incident import ended
from fakes.running import Log
from fakes.world import make_world

YEARS = timedelta(days=20 * 365)
RETAIN = timedelta(days=90)


def test_a_clock_is_steady_from_its_start_or_its_last_step() -> None:
    clock, steadiness = FakeClock(), Steadiness()

    def look() -> timedelta:
        return steadiness.look(clock.now(), clock.monotonic())

    assert look() == timedelta(0)
    assert not steadiness.was_set
    clock.advance(timedelta(minutes=50))
    clock.jump(STEP)  # a step that retention need not mind
    assert look() == timedelta(minutes=50)
    for step in (YEARS, -YEARS, 2 * STEP, -2 * STEP):
        clock.jump(step)
        assert look() == timedelta(0)
        clock.advance(timedelta(days=3))
        assert look() == timedelta(days=3)


@pytest.mark.parametrize(
    ("steady", "in_sync", "trusted"),
    [
        (LONG_ENOUGH, True, True),
        (LONG_ENOUGH, None, True),
        (LONG_ENOUGH, False, False),
        (LONG_ENOUGH_UNSYNCED, False, True),
        (LONG_ENOUGH - timedelta(seconds=1), True, False),
        (LONG_ENOUGH_UNSYNCED - timedelta(seconds=1), False, False),
    ],
)
def test_what_a_clock_may_decide(
    *, steady: timedelta, in_sync: bool | None, trusted: bool
) -> None:
    assert may_delete(steady, in_sync=in_sync) == trusted


@pytest.mark.parametrize(
    ("steady", "was_set", "in_sync", "may"),
    [
        (timedelta(0), False, True, True),
        (timedelta(0), False, None, True),
        (timedelta(0), False, False, False),
        (timedelta(0), True, True, False),
        (LONG_ENOUGH - timedelta(seconds=1), True, True, False),
        (LONG_ENOUGH, True, True, True),
        (LONG_ENOUGH, False, False, True),
    ],
)
def test_what_a_clock_may_give_up(
    *, steady: timedelta, was_set: bool, in_sync: bool | None, may: bool
) -> None:
    assert may_give_up(steady, was_set=was_set, in_sync=in_sync) == may


def test_nothing_is_given_up_while_the_clock_may_be_wrong_by_years(
    store: SqlStore,
) -> None:
    clock, policy = FakeClock(), RetryPolicy()
    world, end = make_world(store, clock), clock.now()
    clip = replace(ended().clips[0], window=Window(start=end - RETAIN, end=end))

    def asked() -> Again | End:
        patient = world.patient(policy)
        return after_refusal(Reason.NO_VIDEO, clip, patient, clock.now(), 1.0)

    assert world.patient(policy) == policy
    assert isinstance(asked(), Again)
    clock.jump(YEARS)
    assert isinstance(asked(), Again)
    clock.advance(LONG_ENOUGH / 2)
    assert isinstance(asked(), Again)
    clock.jump(-YEARS)
    clock.advance(LONG_ENOUGH)
    assert isinstance(asked(), Again)
    clock.advance(policy.give_up)
    assert isinstance(asked(), End)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Bench:
    """A janitor, and up to when it pruned."""

    def __init__(self, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, log = FakeClock(), Log()
        view = SimpleNamespace(remembered=Remembered())
        self.janitor = Janitor(
            make_world(store, self.clock, log),
            cast("Session", view),
            Agenda(self.clock),
            log.bound,
        )
        self.pruned: list[datetime] = []

        async def prune(before: datetime) -> None:
            self.pruned.append(before)

        monkeypatch.setattr(self.janitor, "_prune", prune)

    async def after(self, passed: timedelta) -> list[datetime]:
        """What was pruned after so much time, a round each minute and at its end."""
        for step in (PRUNE, passed - PRUNE):
            self.clock.advance(step)
            await self.janitor.once()
        pruned, self.pruned = self.pruned, []
        return pruned


async def test_a_clock_that_is_wrong_for_a_while_deletes_nothing(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows do not come back when the clock is right again."""
    bench = Bench(store, monkeypatch)
    await bench.janitor.once()
    bench.clock.jump(YEARS)  # as a start with a dead battery
    assert await bench.after(LONG_ENOUGH / 2) == []
    bench.clock.jump(-YEARS)
    assert await bench.after(LONG_ENOUGH / 2) == []
    assert await bench.after(LONG_ENOUGH) != []
    bench.clock.jump(YEARS)
    assert await bench.after(LONG_ENOUGH / 2) == []
    bench.clock.jump(-YEARS)
    found = await bench.after(2 * LONG_ENOUGH)
    assert found == [bench.clock.now() - RETAIN]


async def test_a_clock_that_is_set_while_it_is_judged_deletes_nothing(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(store, monkeypatch)
    await bench.janitor.once()
    judge, right = bench.janitor._world.steady, bench.clock.now()

    def judged() -> timedelta:
        steady = judge()
        bench.clock.jump(YEARS)
        return steady

    monkeypatch.setattr(bench.janitor._world, "steady", judged)
    bench.clock.advance(LONG_ENOUGH)
    await bench.janitor.once()
    assert bench.pruned == [right + LONG_ENOUGH - RETAIN]


async def test_a_clock_that_nobody_keeps_may_delete_after_a_day(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(store, monkeypatch)
    bench.clock.sync = False
    await bench.janitor.once()
    assert await bench.after(LONG_ENOUGH_UNSYNCED / 2) == []
    assert await bench.after(LONG_ENOUGH_UNSYNCED) == [bench.clock.now() - RETAIN]
