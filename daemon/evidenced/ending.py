"""What is bounded when a node ends what it does."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Iterable
from datetime import timedelta

import structlog

from evidenced.host import log as logs
from evidenced.pipeline.link import Link
from evidenced.ports import Clock

ANSWERS_GRACE = timedelta(seconds=3)
"""How long a stop waits for answers that are under way; the rest is looked up later."""
STEP_LIMIT = timedelta(seconds=1.5)
"""How long one step of a stop may take before the next one goes on. With the last note
and the recorders' connections all of a stop stays below the 10 s that are promised."""
LOOK_S = 0.05
LAST_LIMIT = timedelta(seconds=9)
"""Of all of a stop. What hangs by then is a thread, for want of a database's answer."""


def leave_at_last() -> None:
    """End this process soon, whatever hangs in it then.

    What is committed stays, as after a crash, and nothing else was acknowledged.
    """
    timer = threading.Timer(LAST_LIMIT.total_seconds(), _leave)
    timer.daemon = True  # a stop that is over in time does not wait for it
    timer.start()


def _leave() -> None:
    structlog.get_logger().warning("the stop took too long; leaving as after a crash")
    logs.flush()
    os._exit(0)


async def answers(links: Iterable[Link], clock: Clock) -> None:
    """Give requests that are under way a moment for their answers."""
    deadline = clock.monotonic() + ANSWERS_GRACE.total_seconds()
    while any(link.in_flight for link in links):
        if clock.monotonic() > deadline:
            return
        await asyncio.sleep(LOOK_S)


async def hang_up(links: Iterable[Link]) -> None:
    """Let go of all connections to recorders."""
    async with asyncio.TaskGroup() as group:
        for link in tuple(links):
            group.create_task(link.port.close(), name="hang-up")


async def bounded(
    what: str, step: Awaitable[None], limit: timedelta = STEP_LIMIT
) -> None:
    """Wait for a step of the stop, and no longer than that."""
    try:
        async with asyncio.timeout(limit.total_seconds()):
            await step
    except TimeoutError:
        structlog.get_logger().warning("a step of the stop took too long", step=what)
