"""Dispatch and tracking of one recorder over a real store, step by step."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.site import Site
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.dispatch import Dispatch
from evidenced.pipeline.link import Link
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.track import Track
from evidenced.ports import RecorderPort, Store
from fakes.clock import FakeClock
from fakes.incident import ended, t
from fakes.running import Log
from fakes.world import FixedDice, ToldShare, make_site, make_world


class Exporting:
    """One recorder's loops; nothing runs but what a test takes a step of."""

    def __init__(
        self,
        store: Store,
        recorder: RecorderPort,
        clock: FakeClock | None = None,
        site: Site | None = None,
    ) -> None:
        self.store, self.clock, self.log = store, clock or FakeClock(t("13:00")), Log()
        site, log, self.metrics = site or make_site(), self.log.bound, Metrics("test")
        self.world = make_world(store, self.clock, self.log, site)
        settings = next(iter(site.recorders.values()))
        self.link = Link(settings, recorder, self.clock, FixedDice(), log)
        self.agenda = Agenda(self.clock)
        self.share = ToldShare()
        shares = Shares(self.world, self.share, self.agenda, log)
        around = (self.world, self.link, self.agenda, self.metrics, log, shares)
        self.dispatch, self.track = Dispatch(*around), Track(*around)

    async def wait_for(self, *names: str, like: Incident | None = None) -> None:
        """Incidents with these names, whose clips are due, are in the store."""
        like = like or ended()
        incidents = [replace(like, id=IncidentId(name)) for name in names]
        changes = [Change(before=None, after=i, event=Event.OPENED) for i in incidents]
        await self.store.write(lambda tx: tx.ledger.save(changes, t("06:00")))

    async def send(self) -> None:
        """Send what may be sent now, and commit what came of it."""
        async with asyncio.TaskGroup() as group:
            while await self.dispatch.once(group):
                pass
        if self.dispatch._outcomes.empty():
            return
        self.dispatch._is_calm.set()
        task = asyncio.create_task(self.dispatch._take_down())
        async with asyncio.timeout(60):
            while self.link.in_flight:
                await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})

    async def go(self, for_: timedelta, every: timedelta) -> None:
        """Time passes, and both loops look now and then."""
        for _ in range(for_ // every):
            await self.send()
            await self.track.once()
            self.clock.advance(every)

    async def exports(self, *names: str) -> list[ExportRequest]:
        ids = [IncidentId(name) for name in names]
        return await self.store.read(lambda view: view.exports.of(ids))

    async def events(self) -> list[str]:
        found = await self.store.read(lambda view: view.history.after(0, 9999))
        return [str(entry.event) for _, entry in found]
