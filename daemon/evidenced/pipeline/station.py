"""A recorder's station: its link, and the loops that have to do with it alone.

What one knows is lost with it, as at a restart: whoever opens the next one finds out
again.
"""

import asyncio
from collections.abc import Callable, Coroutine

from structlog.typing import FilteringBoundLogger

from evidenced.core.ids import RecorderName
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.covering import Covering
from evidenced.pipeline.dispatch import Dispatch
from evidenced.pipeline.lifesign import LifeSign
from evidenced.pipeline.link import Link
from evidenced.pipeline.protect import Protect
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.stills import Stills
from evidenced.pipeline.track import Track
from evidenced.pipeline.watching import Watching
from evidenced.pipeline.world import World

Loop = Callable[[], Coroutine[None, None, None]]


class Station:
    """One tenure of one recorder; none of its loops runs before `run`."""

    def __init__(
        self,
        world: World,
        link: Link,
        shares: Shares,
        agenda: Agenda,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self.link = link
        self.watching = Watching(world, link, agenda, log)
        self._dispatch = Dispatch(world, link, agenda, metrics, log, shares)
        self._track = Track(world, link, agenda, metrics, log, shares)
        self._protect = Protect(world, link, agenda, metrics, log)
        self._covering = Covering(world, link, agenda, log)
        self._stills = Stills(world, link, agenda, log)
        self._life_sign = LifeSign(link, agenda, world.dice)

    @property
    def name(self) -> RecorderName:
        """The recorder's."""
        return self.link.settings.name

    def loops(self) -> dict[str, Loop]:
        """Each by its name, to be run as a task of one group."""
        return {
            self._protect.name: self._protect.run,
            self._covering.name: self._covering.run,
            self.watching.name: self.watching.run,
            self._stills.name: self._stills.run,
            self._life_sign.name: self._life_sign.run,
            names.dispatch(self.name): self._dispatch.run,
            names.track(self.name): self._track.run,
        }

    async def run(self) -> None:
        """Forever: a loop that dies ends the others, too."""
        async with asyncio.TaskGroup() as group:
            for name, loop in self.loops().items():
                group.create_task(loop(), name=name)
