"""An agenda that says which loops wait: what they had to do is done."""

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta

from typing_extensions import override

from evidenced.pipeline.agenda import LOOK_AGAIN, Agenda
from fakes.clock import FakeClock

DEADLINE_S = 60


class WatchedAgenda(Agenda):
    """Knows which loops wait, and how long at most."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.waiting: dict[str, timedelta] = {}
        self.rests: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        """Of each loop, set whenever it begins to wait."""

    @override
    async def wait(
        self,
        name: str,
        until: datetime | None = None,
        at_most: timedelta = LOOK_AGAIN,
    ) -> None:
        self.waiting[name] = at_most
        self.rests[name].set()
        await super().wait(name, until, at_most)

    async def all_of(self, loops: set[str]) -> None:
        """Until each of them has waited."""
        async with asyncio.timeout(DEADLINE_S):
            for name in loops:
                await self.rests[name].wait()
