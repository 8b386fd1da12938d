"""The recorders' stations of this node: all of them, or those whose leases it has.

Where no other node shares the store every recorder's station is open from the beginning
and for good. Else a look a second takes and gives back leases (`core.spreading`), and
a station is open as long as its lease is held: one that another node has now, or that
could not be renewed in time, is ended at once.
"""

import asyncio
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from structlog.typing import FilteringBoundLogger

from evidenced.core.cluster import Cluster, HeldLease, lease_of, sees_more
from evidenced.core.errors import LeaseLost, StoreError
from evidenced.core.ids import RecorderName
from evidenced.core.instants import SECOND, ZERO
from evidenced.core.site import RecorderSettings
from evidenced.core.spreading import (
    AVOIDED,
    Free,
    Lasting,
    Moves,
    Tenure,
    free_of,
    moves_of,
)
from evidenced.core.telling.trouble import TroubleKey
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.link import Link
from evidenced.pipeline.reports import Report, read, status_of
from evidenced.pipeline.rounds import Rounds
from evidenced.pipeline.station import Station
from evidenced.pipeline.world import World
from evidenced.ports.control import RecorderStatus
from evidenced.ports.store import Leases

LOOK_EVERY = SECOND
LONGEST_LOOK_S = 3.0
"""A database that does not answer must not keep a station from being ended."""
REPORT_EVERY_S = 5.0


class Seat(NamedTuple):
    """The node's name; whether all loops run there that are no recorder's."""

    node: str = ""
    leads: bool = True


EVERYWHERE = frozenset({names.SHARES, names.STATIONS})
"""Loops that are no recorder's, and run on each node."""


class Stations:
    """One for each recorder that is this node's. Iterating gives their links."""

    def __init__(
        self,
        world: World,
        make: Callable[[RecorderSettings], Station],
        agenda: Agenda,
        log: FilteringBoundLogger,
        seat: Seat,
        lacks: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """`lacks` are destinations whose shares are not there on this host."""
        self._world = world
        self._make = make
        self._agenda = agenda
        self._log = log
        self._node, self._leads = seat
        self._open: dict[RecorderName, Station] = {}
        self._tasks: dict[RecorderName, asyncio.Task[None]] = {}
        self._told: dict[RecorderName, Report] = {}
        self._free_since: dict[RecorderName, float] = {}
        self._avoided: dict[RecorderName, float] = {}
        self._away_since: dict[RecorderName, float] = {}
        self._drained_since: dict[RecorderName, float] = {}
        self._over_since: float | None = None
        self._lacks = lacks
        self._unseeing_since: float | None = None
        self._answered: set[RecorderName] = set()
        self._reported: dict[RecorderName, bool] = {}
        self._reported_at = -math.inf
        self._rounds = Rounds(world, lambda: tuple(self._open.values()), agenda)
        if world.store.leases is None:
            for settings in world.site.recorders.values():
                self._open[settings.name] = make(settings)

    def __iter__(self) -> Iterator[Link]:
        return iter([station.link for station in self._open.values()])

    def __contains__(self, recorder: RecorderName) -> bool:
        return recorder in self._open

    def adopt(self) -> None:
        """A configuration is in force whose recorders are the same."""
        for link in self:
            link.settings = self._world.site.recorders[link.settings.name]

    def recorders(self, local: datetime) -> list[RecorderStatus]:
        """How each is: seen here, or as another node tells."""
        return [self._status(each, local) for each in self._world.site.recorders]

    def _status(self, name: RecorderName, local: datetime) -> RecorderStatus:
        if station := self._open.get(name):
            return status_of(station.link, local)
        told = self._told.get(name)
        return RecorderStatus(name=name, is_up=False) if told is None else told.status

    def troubles(self) -> dict[TroubleKey, str]:
        """Of cameras here, and of all with other nodes' recorders."""
        found: dict[TroubleKey, str] = {}
        for station in self._open.values():
            found |= station.watching.troubles()
        for name, report in self._told.items():
            if name not in self._open:
                found |= {(kind, of): text for kind, of, text in report.troubles}
        return found

    def unheard(self) -> frozenset[RecorderName]:
        """Recorders of which nobody knows yet whether they answer.

        Since a start, or since another node had them.
        """
        up = {each.settings.name: each.is_up or bool(each.problem) for each in self}
        told = {name: True for name in self._told if name not in up}
        known = up | told
        return frozenset(
            name for name in self._world.site.recorders if not known.get(name)
        )

    def versions(self) -> dict[str, str]:
        """What each recorder that has told calls itself."""
        told = {name: each.status.version for name, each in self._told.items()}
        here = {each.settings.name: each.info.version for each in self if each.info}
        return {name: text for name, text in (told | here).items() if text}

    async def run(self) -> None:
        """Forever: a station that dies of a bug ends all."""
        leases = self._world.store.leases
        async with asyncio.TaskGroup() as group:
            for station in self._open.values():
                self._begin(station, group)
            group.create_task(self._rounds.run(), name=names.ROUNDS)
            if leases is None:
                return
            leases.when_gone(self._gone)
            leases.listen(self._agenda.hint_here)
            self._agenda.pass_on = lambda name: self._pass_on(leases, name)
            try:
                while True:
                    await self._once(leases, group)
                    await self._agenda.wait(names.STATIONS, at_most=LOOK_EVERY)
            finally:
                await self._end(tuple(self._open))

    async def _once(self, leases: Leases, group: asyncio.TaskGroup) -> None:
        """One look, and what follows from it."""
        late = [
            name
            for name, station in self._open.items()
            if station.lease and not leases.left(station.lease)
        ]
        await self._end(late)
        try:
            async with asyncio.timeout(LONGEST_LOOK_S):
                cluster, told = await leases.look(self._reports(), self._lacks())
                self._told = self._read(told)
                await self._let_go(leases, cluster)
                await self._move(leases, cluster, group)
        except (StoreError, TimeoutError) as error:
            self._log.debug("the nodes cannot be seen now", why=str(error))

    def _reports(self) -> dict[str, str]:
        """How this node's are, now and then, and when one of them comes or goes."""
        up = {name: each.link.is_up for name, each in self._open.items()}
        now = self._now()
        if up == self._reported and now - self._reported_at < REPORT_EVERY_S:
            return {}
        self._reported, self._reported_at = up, now
        return {str(name): each.report() for name, each in self._open.items()}

    async def _let_go(self, leases: Leases, cluster: Cluster) -> None:
        """Of what this node has and does not do, however that came: ended, or late."""
        own = next((each for each in cluster.nodes if each.name == self._node), None)
        idle = [each for each in own.recorders if each not in self._open] if own else ()
        if idle:
            await leases.let_go([lease_of(each) for each in idle])

    def _read(self, told: Mapping[str, tuple[str, str]]) -> dict[RecorderName, Report]:
        """What other nodes tell of recorders that are theirs."""
        found = (
            (RecorderName(name), read(text))
            for name, (node, text) in told.items()
            if node != self._node
        )
        return {
            name: report
            for name, report in found
            if report is not None and name in self._world.site.recorders
        }

    async def _move(
        self, leases: Leases, cluster: Cluster, group: asyncio.TaskGroup
    ) -> None:
        recorders = self._world.site.recorders
        found = moves_of(
            self._node,
            cluster,
            len(recorders),
            {name: self._tenure(each) for name, each in self._open.items()},
            self._free(free_of(cluster, recorders)),
            Lasting(self._over(), self._unseeing(cluster)),
        )
        self._drain(found)
        if found.give:
            await self._end(found.give)
            await leases.let_go([lease_of(each) for each in found.give])
            self._avoided |= dict.fromkeys(found.cut_off, self._now())
            self._log.info("recorders are handed over", number=len(found.give))
        if found.take and not self._world.is_stopping:
            held = await leases.take([lease_of(each) for each in found.take])
            for name in found.take:
                if lease := held.get(lease_of(name)):
                    self._take(name, lease, group)
            if held:
                self._log.info("recorders are taken", number=len(held))

    def _take(
        self, name: RecorderName, lease: HeldLease, group: asyncio.TaskGroup
    ) -> None:
        station = self._make(self._world.site.recorders[name])
        station.lease = lease
        self._begin(station, group)
        station.visit()

    def _begin(self, station: Station, group: asyncio.TaskGroup) -> None:
        self._open[station.name] = station
        self._tasks[station.name] = group.create_task(
            self._live(station), name=f"station:{station.name}"
        )

    async def _live(self, station: Station) -> None:
        try:
            await station.run()
        except* LeaseLost:
            self._log.warning("another node has the recorder", recorder=station.name)
        finally:
            if self._open.get(station.name) is station and station.lease is not None:
                del self._open[station.name]
                self._answered.discard(station.name)
                self._away_since.pop(station.name, None)
                self._drained_since.pop(station.name, None)
                await station.link.port.close()

    def _pass_on(self, leases: Leases, name: str) -> None:
        """A hint for a loop that does not run here may be for another node's."""
        recorder = names.recorder_of(name)
        of_node = self._leads or name in EVERYWHERE
        if not (of_node if recorder is None else recorder in self._open):
            leases.pass_on(name)

    def _gone(self, lease: HeldLease) -> None:
        """Another node has it: whatever is under way for it ends now."""
        for name, station in self._open.items():
            if station.lease == lease:
                self._tasks[name].cancel()

    async def _end(self, recorders: Collection[RecorderName]) -> None:
        """Nothing is done for these any more when it returns."""
        ending = [self._tasks[each] for each in recorders if each in self._open]
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)

    def _tenure(self, station: Station) -> Tenure:
        link, now = station.link, self._now()
        if link.is_up:
            self._answered.add(station.name)
        if link.problem is None:
            self._away_since.pop(station.name, None)
        since = self._away_since.setdefault(station.name, now) if link.problem else None
        drained = self._drained_since.get(station.name)
        return Tenure(
            is_idle=not (link.live or link.in_flight),
            away=None if since is None else timedelta(seconds=now - since),
            had=station.name in self._answered,
            drained=None if drained is None else timedelta(seconds=now - drained),
        )

    def _over(self) -> timedelta:
        """For how long this node has had too many."""
        since = self._over_since
        return ZERO if since is None else timedelta(seconds=self._now() - since)

    def _unseeing(self, cluster: Cluster) -> timedelta:
        """For how long another node has seen more shares than this one."""
        own = next((each for each in cluster.nodes if each.name == self._node), None)
        if own is None or sees_more(cluster, own) is None:
            self._unseeing_since = None
            return ZERO
        now = self._now()
        since = self._unseeing_since = self._unseeing_since or now
        return timedelta(seconds=now - since)

    def _drain(self, found: Moves) -> None:
        """Nothing new is begun where a busy recorder is to move, until it has moved."""
        now = self._now()
        since = self._over_since
        self._over_since = (now if since is None else since) if found.is_over else None
        self._drained_since = {
            each: self._drained_since.get(each, now) for each in found.drain
        }
        for name, station in self._open.items():
            drains = name in found.drain
            if station.link.drains is not drains:
                station.link.drains = drains
                self._agenda.hint_here(names.dispatch(name))

    def _free(self, found: Collection[RecorderName]) -> dict[RecorderName, Free]:
        now = self._now()
        self._free_since = {each: self._free_since.get(each, now) for each in found}
        avoided = AVOIDED.total_seconds()
        return {
            name: Free(
                since=timedelta(seconds=now - since),
                is_avoided=now - self._avoided.get(name, -avoided) < avoided,
            )
            for name, since in self._free_since.items()
        }

    def _now(self) -> float:
        return self._world.clock.monotonic()
