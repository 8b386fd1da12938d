import asyncio

import pytest
from apscheduler.events import EVENT_SCHEDULER_SHUTDOWN
from apscheduler.triggers.cron import CronTrigger

from evidenced.host.timetable import Timetable


async def stopped(timetable: Timetable) -> None:
    """The scheduler lets go on the loop, a while after it was told to."""
    over = asyncio.Event()
    timetable._scheduler.add_listener(lambda _: over.set(), EVENT_SCHEDULER_SHUTDOWN)
    timetable.stop()
    await over.wait()


async def test_it_wakes_on_the_loop_whenever_the_calendar_says() -> None:
    loop, woken = asyncio.get_running_loop(), asyncio.Queue[bool]()
    timetable = Timetable(
        CronTrigger(second="*"),
        lambda: woken.put_nowait(asyncio.get_running_loop() is loop),
    )
    timetable.start()
    async with asyncio.timeout(60):
        assert [await woken.get(), await woken.get()] == [True, True]
    await stopped(timetable)


@pytest.mark.parametrize("trigger", [None, CronTrigger(year=2000)])
async def test_without_an_hour_it_wakes_nobody(trigger: CronTrigger | None) -> None:
    timetable = Timetable(trigger, lambda: pytest.fail("woken"))
    timetable.start()
    assert not [j for j in timetable._scheduler.get_jobs() if j.next_run_time]
    await stopped(timetable)
