import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.events import EVENT_JOB_MISSED
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from evidenced.host.wakeup import Wakeup
from evidenced.ports import Waker

HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


class Sleeper:
    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self.wakes = 0
        self.loop = asyncio.get_running_loop()

    def wake(self) -> None:
        assert asyncio.get_running_loop() is self.loop
        self.wakes += 1
        self.woken.set()

    async def wait(self) -> None:
        async with asyncio.timeout(10):
            await self.woken.wait()
        self.woken.clear()


@pytest.fixture
async def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture
async def wakeup(sleeper: Sleeper) -> AsyncIterator[Wakeup]:
    wakeup = Wakeup(sleeper.wake)
    wakeup.start()
    yield wakeup
    wakeup.stop()
    await asyncio.sleep(0)  # the scheduler lets go on the loop's next turn


async def test_it_is_a_waker(wakeup: Wakeup) -> None:
    port: Waker = wakeup
    port.wake_at(None)


async def test_a_past_instant_wakes_at_once(wakeup: Wakeup, sleeper: Sleeper) -> None:
    wakeup.wake_at(now() - HOUR)
    await sleeper.wait()


async def test_the_scheduler_s_default_would_have_dropped_it() -> None:
    missed = asyncio.Event()
    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.add_listener(lambda _: missed.set(), EVENT_JOB_MISSED)
    scheduler.start()
    scheduler.add_job(missed.clear, "date", run_date=now() - HOUR)
    async with asyncio.timeout(10):
        await missed.wait()
    scheduler.shutdown(wait=False)
    await asyncio.sleep(0)


async def test_a_near_instant_wakes_when_it_has_come(
    wakeup: Wakeup, sleeper: Sleeper
) -> None:
    at = now() + timedelta(milliseconds=30)
    wakeup.wake_at(at)
    await sleeper.wait()
    assert now() >= at


async def test_a_new_instant_replaces_the_planned_one(
    wakeup: Wakeup, sleeper: Sleeper
) -> None:
    wakeup.wake_at(now() + HOUR)
    wakeup.wake_at(now())
    await sleeper.wait()
    assert sleeper.wakes == 1
    assert wakeup._scheduler.get_jobs() == []


async def test_none_plans_none(wakeup: Wakeup, sleeper: Sleeper) -> None:
    wakeup.wake_at(now() + HOUR)
    wakeup.wake_at(None)
    assert wakeup._scheduler.get_jobs() == []
    assert sleeper.wakes == 0


async def test_the_same_past_instant_wakes_again_after_it_did(
    wakeup: Wakeup, sleeper: Sleeper
) -> None:
    at = now() - HOUR
    for _ in range(3):
        wakeup.wake_at(at)
        await sleeper.wait()
    assert sleeper.wakes == 3


async def test_a_thousand_plans_are_one_job(wakeup: Wakeup) -> None:
    for minutes in range(1000):
        wakeup.wake_at(now() + HOUR + timedelta(minutes=minutes))
    assert len(wakeup._scheduler.get_jobs()) == 1


async def test_what_was_planned_before_the_start_counts(sleeper: Sleeper) -> None:
    wakeup = Wakeup(sleeper.wake)
    wakeup.wake_at(now() + HOUR)
    wakeup.wake_at(now() - HOUR)
    wakeup.start()
    await sleeper.wait()
    wakeup.stop()
    await asyncio.sleep(0)


async def test_nothing_wakes_after_stop(wakeup: Wakeup, sleeper: Sleeper) -> None:
    wakeup.stop()
    wakeup.stop()
    wakeup.wake_at(now() - HOUR)
    for _ in range(5):
        await asyncio.sleep(0)
    assert sleeper.wakes == 0
    assert wakeup._scheduler.get_jobs() == []


async def test_who_is_woken_may_plan_the_next_at_once() -> None:
    """The scheduler dropped it, for the last one was not quite over."""
    done = asyncio.Event()
    wakes = 0

    def wake() -> None:
        nonlocal wakes
        wakes += 1
        if wakes < 20:
            wakeup.wake_at(now() - HOUR - wakes * HOUR)
        else:
            done.set()

    wakeup = Wakeup(wake)
    wakeup.start()
    wakeup.wake_at(now() - HOUR)
    async with asyncio.timeout(10):
        await done.wait()
    wakeup.stop()
    await asyncio.sleep(0)
