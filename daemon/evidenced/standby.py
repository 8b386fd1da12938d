"""Waiting for one's turn, and giving it away.

The store of a node is opened when no other has it. A node that stands by is up for its
service manager and for monitors, and does its share of the recorders (`helping`): no
broker session, no page. One that works and has lost the broker lets another one try.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from evidenced.core.cluster import Cluster, gives_way
from evidenced.core.errors import HeldElsewhere, StoreAway, StoreError
from evidenced.host.systemd import Notifier
from evidenced.ports import Clock
from evidenced.store import SqlStore, StoreSettings, database_of, open_store
from evidenced.web import Front

ASK_AGAIN = timedelta(seconds=1)
PATIENCE = timedelta(seconds=30)
"""How long the service manager is asked to wait each time, while nothing is known."""
GOES_LAST = 3 * ASK_AGAIN
"""How long one that gave way leaves the store to others."""


async def until_it_gives_way(
    is_subscribed: Callable[[], bool], cluster: Callable[[], Cluster], clock: Clock
) -> None:
    """Returns when the broker has been out of reach for too long, and another is."""
    had, last = False, clock.monotonic()
    while True:
        now = clock.monotonic()
        if is_subscribed():
            had, last = True, now
        elif gives_way(cluster(), timedelta(seconds=now - last), had=had):
            return
        await asyncio.sleep(ASK_AGAIN.total_seconds())


class Standby:
    """Until `open` returns the store is another node's, whose name is `holder`.

    `helps` is called once, when that is so.
    """

    def __init__(
        self,
        notifier: Notifier,
        log: FilteringBoundLogger,
        *,
        goes_last: bool = False,
        helps: Callable[[], object] = lambda: None,
    ) -> None:
        self._helps = helps
        self._notifier = notifier
        self._log = log
        self._goes_last = goes_last
        self.holder = ""
        self._why_not = ""

    async def open(
        self, settings: StoreSettings, stop: asyncio.Event, front: Callable[[], Front]
    ) -> SqlStore | None:
        """The store, or None where the stop comes first. `front` answers meanwhile.

        Raises:
            StoreError: it cannot be used; while standing by, that is waited out, and a
                database that is away is waited for from the beginning.
        """
        if self._goes_last:
            await _or(stop, GOES_LAST)
        async with AsyncExitStack() as stack:
            while not stop.is_set():
                try:
                    return await asyncio.to_thread(open_store, settings)
                except HeldElsewhere as held:
                    await self._stand_by(held, stack, front)
                except StoreError as error:
                    if not self.holder and not isinstance(error, StoreAway):
                        raise
                    self._wait(str(error))
                self._notifier.feed()
                await _or(stop, ASK_AGAIN)
            if self.holder:
                await asyncio.to_thread(database_of(settings).leave)
        return None

    def _wait(self, why_not: str) -> None:
        """Told once for each reason: it is asked every second."""
        self._notifier.status(f"standby: {why_not}")
        if not self.holder:  # nobody is said to be ready who has not seen the store
            self._notifier.extend_start(PATIENCE)
        if why_not != self._why_not:
            self._log.warning("the store cannot be opened; standing by", why=why_not)
        self._why_not = why_not

    async def _stand_by(
        self, held: HeldElsewhere, stack: AsyncExitStack, front: Callable[[], Front]
    ) -> None:
        is_new, self.holder, self._why_not = not self.holder, held.node, ""
        self._notifier.status(f"standby: node {held.node} does the work")
        if is_new:
            self._helps()
            opened = front()
            stack.push_async_callback(opened.stop)
            await opened.look()
            self._notifier.ready()
            self._log.info("standing by", holder=held.node)


async def _or(stop: asyncio.Event, limit: timedelta) -> None:
    """Wait so long, or until the stop."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit.total_seconds()):
            await stop.wait()
