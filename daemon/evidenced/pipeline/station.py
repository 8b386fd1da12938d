"""A recorder's station: its link, and the loops that have to do with it alone.

What one knows is lost with it, as at a restart: whoever opens the next one finds out
again.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.cluster import HeldLease
from evidenced.core.ids import RecorderName
from evidenced.core.instants import ZERO
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import REST, Agenda
from evidenced.pipeline.covering import Covering
from evidenced.pipeline.dispatch import Dispatch
from evidenced.pipeline.lifesign import LifeSign
from evidenced.pipeline.link import Link
from evidenced.pipeline.protect import Protect
from evidenced.pipeline.reports import status_of, troubles_of, written
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.stills import Stills
from evidenced.pipeline.track import Track
from evidenced.pipeline.watching import Watching
from evidenced.pipeline.world import LEASE, World
from evidenced.ports.recorder import MAY_ACT

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
        self._world = world
        self.link = link
        self.lease: HeldLease | None = None
        """What it is run under, where nodes share recorders."""
        self._agenda = agenda
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

    def visit(self) -> None:
        """Wake the loops that go by rows: there may be something for them."""
        for name in (names.dispatch(self.name), *self._at_need()):
            self._agenda.hint_here(name)

    def loops(self) -> dict[str, Loop]:
        """Each by its name, to be run as a task of one group."""
        at_need = self._at_need().items()
        return {
            self.watching.name: self.watching.run,
            self._life_sign.name: self._life_sign.run,
            names.dispatch(self.name): self._dispatch.run,
            **{name: partial(self._hinted, name, loop) for name, loop in at_need},
        }

    def _at_need(self) -> dict[str, Loop]:
        """The loops that have nothing to do while no row is for them."""
        return {
            self._protect.name: self._protect.run,
            self._covering.name: self._covering.run,
            self._stills.name: self._stills.run,
            names.track(self.name): self._track.run,
        }

    def report(self) -> str:
        """How the recorder is, for other nodes."""
        troubles = troubles_of(self.link) | self.watching.troubles()
        local = self._world.now().at.astimezone(self._world.site.zone)
        return written(status_of(self.link, local), troubles)

    async def _hinted(self, name: str, loop: Loop) -> None:
        """From the first hint on: a start reads nothing for recorders without rows."""
        await self._agenda.wait(name, at_most=REST)
        await loop()

    async def run(self) -> None:
        """Forever: a loop that dies ends the others, too.

        Raises:
            LeaseLost: in a group: another node has the recorder.
        """
        LEASE.set(self.lease)  # of this task, and of all that it begins
        MAY_ACT.set(lambda: self._world.store.left(self.lease) > ZERO)
        async with asyncio.TaskGroup() as group:
            for name, loop in self.loops().items():
                group.create_task(loop(), name=name)
