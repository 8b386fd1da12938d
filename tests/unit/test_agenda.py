"""Who looks next, where clocks jump and timers sleep."""

import asyncio
from datetime import timedelta

import pytest
from typing_extensions import override

from evidenced.pipeline.agenda import Agenda
from fakes.clock import FakeClock

SOON = timedelta(seconds=5)
LONG = timedelta(minutes=5)
DEADLINE_S = 60


class Watched(Agenda):
    """Knows that a loop has begun to wait."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.begun = asyncio.Event()

    @override
    def _event(self, name: str) -> asyncio.Event:
        self.begun.set()
        return super()._event(name)


async def waiting(agenda: Watched, until: timedelta | None) -> asyncio.Task[None]:
    at = None if until is None else agenda._clock.now() + until
    task = asyncio.create_task(agenda.wait("turn", at, LONG))
    await agenda.begun.wait()
    assert not task.done()
    return task


async def is_woken(agenda: Agenda, task: asyncio.Task[None]) -> bool:
    """Whether the loop is told to go on, and then it does; one that waits is let go."""
    is_hinted = agenda._event("turn").is_set()
    if not is_hinted:
        task.cancel()
    done, _ = await asyncio.wait({task}, timeout=DEADLINE_S)
    assert done
    return is_hinted


@pytest.mark.parametrize(
    ("awaited", "at", "woken"),
    [
        (SOON, 2 * SOON, False),
        (SOON, SOON, False),
        (2 * SOON, SOON, True),
        (SOON, -SOON, True),
        (None, LONG, True),
    ],
)
async def test_a_loop_is_woken_for_what_comes_before_what_it_waits_for(
    awaited: timedelta | None, at: timedelta, *, woken: bool
) -> None:
    clock = FakeClock()
    agenda = Watched(clock)
    task = await waiting(agenda, awaited)
    agenda.sooner("turn", clock.now() + at)
    assert await is_woken(agenda, task) == woken


async def test_a_loop_whose_timer_slept_is_woken() -> None:
    """The host was suspended, and what it waits for is past."""
    clock = FakeClock()
    agenda = Watched(clock)
    task = await waiting(agenda, SOON)
    clock.jump(10 * SOON)
    agenda.sooner("turn", clock.now() + SOON)
    assert await is_woken(agenda, task)


async def test_what_comes_while_a_loop_looks_is_not_missed() -> None:
    """It may have read the rows before that was written."""
    clock = FakeClock()
    agenda = Agenda(clock)
    agenda.sooner("turn", clock.now() + LONG)
    async with asyncio.timeout(DEADLINE_S):
        await agenda.wait("turn", None, LONG)


@pytest.mark.parametrize("until", [-LONG, timedelta(milliseconds=5)])
async def test_an_instant_is_waited_for_until_it_has_come(until: timedelta) -> None:
    clock = FakeClock()
    agenda = Agenda(clock)
    async with asyncio.timeout(DEADLINE_S):
        await agenda.wait("turn", clock.now() + until, LONG)
    assert agenda._awaited == {}
