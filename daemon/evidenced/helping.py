"""What a node does that stands by: its share of the recorders, and nothing else.

It has no broker session and no page. Of the store it may write what its recorders'
leases allow; while it cannot be joined, or is of another version, this is tried again.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.config.models import Config
from evidenced.connections import link_maker
from evidenced.core.errors import StoreError
from evidenced.core.site import Site
from evidenced.ending import answers
from evidenced.host.share import Share
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.janitor import trust_of
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.station import Station
from evidenced.pipeline.stations import Seat, Stations
from evidenced.pipeline.world import World
from evidenced.ports import Clock, Dice
from evidenced.store import SqlStore, StoreSettings, join_store

AGAIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixtures:
    """What a test or the demo may put in the place of the system's own."""

    clock: Clock
    dice: Dice


class Helper:
    """Runs until it is told to end; then its recorders are anybody's."""

    def __init__(
        self,
        config: Config,
        site: Site,
        settings: StoreSettings,
        fixtures: Fixtures,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._site = site
        self._settings = settings
        self._clock = fixtures.clock
        self._dice = fixtures.dice
        self._metrics = metrics
        self._log = log
        self._link = link_maker(config, fixtures.clock, fixtures.dice, log)
        self._is_over = asyncio.Event()
        self._why_not = ""

    def end(self) -> None:
        """`run` returns soon: what is under way has its answer, or is looked up."""
        self._is_over.set()

    async def run(self) -> None:
        """Help, and join again when what was joined is lost."""
        while not self._is_over.is_set():
            try:
                store = await asyncio.to_thread(join_store, self._settings)
            except StoreError as error:
                self._tell(str(error))
            else:
                self._tell("")
                try:
                    await self._help(store)
                finally:
                    await asyncio.to_thread(store.close)
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._is_over.wait()

    def _tell(self, why_not: str) -> None:
        if why_not and why_not != self._why_not:
            self._log.warning("this node does no recorder's work", why=why_not)
        self._why_not = why_not

    async def _help(self, store: SqlStore) -> None:
        """Until the end, or until what is in memory may not be what is stored."""
        loop, lost = asyncio.get_running_loop(), asyncio.Event()
        store.claim.on_lost = lambda: loop.call_soon_threadsafe(lost.set)
        world = World(self._site, store, self._clock, self._dice, self._log)
        try:
            world.trust = await store.read(partial(trust_of, clock=self._clock))
        except StoreError as error:
            self._tell(str(error))
            return
        agenda = Agenda(self._clock)
        shares = Shares(world, Share(), agenda, self._log)
        node = self._settings.server.node if self._settings.server else ""
        stations = Stations(
            world,
            lambda each: Station(
                world, self._link(each), shares, agenda, self._metrics, self._log
            ),
            agenda,
            self._log,
            Seat(node, leads=False),
            lambda: shares.problems,
        )
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(shares.run(), name="helping:shares"),
                group.create_task(stations.run(), name="helping:stations"),
            ]
            waits = [
                group.create_task(each.wait(), name="helping:end")
                for each in (self._is_over, lost)
            ]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            world.is_stopping = True
            if not lost.is_set():
                await answers(stations, self._clock)
            for task in (*tasks, *waits):
                task.cancel()
