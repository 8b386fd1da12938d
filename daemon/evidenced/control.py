"""The running daemon as its page, its API and the service manager see it."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from evidenced.core.errors import StoreError
from evidenced.core.ids import IncidentId, RuleName, SilenceId
from evidenced.core.incidents.history import Told
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence, SilenceOrder
from evidenced.core.spoken import spoken
from evidenced.mqtt.broker import Broker
from evidenced.pipeline.engine import Engine
from evidenced.pipeline.link import Link
from evidenced.pipeline.outbox import Feed
from evidenced.ports import Store
from evidenced.ports.installation import Installation
from evidenced.ports.status import RecorderStatus, ShareStatus

STORE_DEADLINE = timedelta(seconds=5)
LOOK_DEADLINE = timedelta(seconds=120)
"""A loop looks at least every 30 s; four missed looks are no coincidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonControl:
    """`ports.Control` over the parts that run."""

    store: Store
    broker: Broker
    feed: Feed
    engine: Engine

    async def stuck(self) -> list[str]:
        """See ports.Control: judged by progress, not by a timer."""
        refusal, stalled = await self._progress()
        return [refusal, *stalled] if refusal else stalled

    async def stalled(self) -> list[str]:
        """Why there is no progress, where a restart might help; else empty.

        A store that answers that it cannot write (a full disk) is not stalled, nor is
        the turn that waits for it: a restart would not make room.
        """
        refusal, stalled = await self._progress()
        return [] if refusal or self.engine.world.store_problem else stalled

    async def _progress(self) -> tuple[str | None, list[str]]:
        """Why the store refuses, and what does not move."""
        refusal, stalled = None, []
        try:
            async with asyncio.timeout(STORE_DEADLINE.total_seconds()):
                await self.store.write(lambda tx: tx.history.head())
        except TimeoutError:
            stalled.append(f"the store has not answered for {spoken(STORE_DEADLINE)}")
        except StoreError as error:
            refusal = str(error)
        stalled += [
            f"{what} have not been looked at for two minutes"
            for what, idle in self.engine.idle().items()
            if idle > LOOK_DEADLINE
        ]
        return refusal, stalled

    def unready(self) -> list[str]:
        """See ports.Control."""
        engine = self.engine
        problems = (self.broker.problem, engine.world.store_problem)
        return [each for each in (*problems, engine.intake.problem) if each]

    def notes(self) -> list[str]:
        """See ports.Control."""
        return self.engine.notify.notes()

    def recorders(self) -> list[RecorderStatus]:
        """See ports.Control."""
        return [_status(link) for link in self.engine.links]

    def installation(self) -> Installation:
        """See ports.Control."""
        site = self.engine.world.site
        return Installation(
            instance=site.instance,
            zone=site.zone,
            rules=tuple(rule.name for rule in site.rules),
            cameras=tuple(site.roster.cameras),
            destinations={
                name: each.path.text for name, each in site.destinations.items()
            },
            settles=self.engine.world.site.settles,
            mounts=tuple(
                (each.root, str(each.mount))
                for each in site.destinations.values()
                if each.mount is not None
            ),
        )

    def shares(self) -> list[ShareStatus]:
        """See ports.Control."""
        engine = self.engine
        return [
            ShareStatus(
                destination=each.name,
                problem=engine.shares.problems.get(each.name),
                no_records=engine.evidence.problems.get(each.name),
            )
            for each in engine.world.site.destinations.values()
            if each.mount is not None
        ]

    def changes(self) -> int:
        """See ports.Control."""
        return self.feed.head

    def subscribe(self) -> AbstractAsyncContextManager[asyncio.Queue[Told | None]]:
        """See ports.Control."""
        return self.feed.subscribe()

    async def retry(self, incident: IncidentId, who: str) -> Incident:
        """See ports.Control."""
        return await self.engine.operate.retry(incident, who)

    async def cancel(self, incident: IncidentId, who: str) -> Incident:
        """See ports.Control."""
        return await self.engine.operate.cancel(incident, who)

    async def record(self, incident: IncidentId, who: str) -> Incident:
        """See ports.Control."""
        return await self.engine.operate.record(incident, who)

    async def trigger(
        self, rule: RuleName, fields: Mapping[str, str], at: datetime | None, who: str
    ) -> Incident:
        """See ports.Control."""
        return await self.engine.operate.trigger(rule, fields, at, who)

    async def export(self, alarm: int, who: str) -> Incident:
        """See ports.Control."""
        return await self.engine.operate.export(alarm, who)

    async def silence(self, order: SilenceOrder, who: str) -> Silence:
        """See ports.Control."""
        return await self.engine.silencing.begin(order, who)

    async def end_silence(self, silence: SilenceId, who: str) -> Silence:
        """See ports.Control."""
        return await self.engine.silencing.end(silence, who)


def _status(link: Link) -> RecorderStatus:
    info = link.info
    return RecorderStatus(
        name=link.settings.name,
        is_up=link.is_up,
        problem=link.problem,
        reason=link.reason,
        version=info.version if info else "",
        offset=info.offset.estimate if info and info.offset else None,
        exports=link.live,
        next_try=link.next_try,
        limited_until=link.limited_until,
        holds=dict(link.holds.now),
    )
