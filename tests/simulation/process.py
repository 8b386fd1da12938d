"""One life of the daemon: its real parts on simulated ground, until it is killed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from contextvars import copy_context
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from structlog.typing import FilteringBoundLogger

from evidenced.core.ids import RecorderName, SessionId
from evidenced.core.site import RecorderSettings, Site
from evidenced.evidence import RecordPage, SharedRecords, Signer
from evidenced.metrics import Metrics
from evidenced.mqtt.settings import BrokerSettings
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.drafting import Desk
from evidenced.pipeline.engine import Engine, Outside
from evidenced.pipeline.janitor import remembered_of, trust_of
from evidenced.pipeline.link import Link
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.station import Station
from evidenced.pipeline.stations import Seat, Stations
from evidenced.pipeline.world import World
from evidenced.sense import Auth, SenseClient, SenseSettings
from evidenced.simulator import Simulator
from simulation.disk import Disk, SimStore
from simulation.ground import Ground, HostClock, SeededDice
from simulation.leases import RENEW_S, SimClaim
from simulation.loop import NODE
from simulation.mqtt import SimBroker, SimConnection, SimServer
from simulation.receivers import Receivers, SimMessenger
from simulation.share import SimShare
from simulation.wire import SimTransport

T = TypeVar("T")
BASE = "evidenced/sim"
ANSWERS_S, STEP_S, DRAIN_S = 3.0, 2.0, 10.0
"""As in app: the longest times of a stop's steps."""
RETAIN = timedelta(days=90)
A_STORM = 2
"""So few alarms at once are one here."""


class Process:
    """Built and started by `start`; `die` abandons everything that it was doing."""

    def __init__(
        self,
        ground: Ground,
        disk: Disk,
        server: SimServer,
        simulators: Mapping[RecorderName, Simulator],
        site: Site,
        share: SimShare,
    ) -> None:
        self.ground = ground
        self.disk = disk
        self.server = server
        self.simulators = simulators
        self.site = site
        self.share = share
        self.is_dead = self.is_restarting = False
        self.slowest = 0.05
        self.link: SimConnection | None = None
        self.died: asyncio.Future[str] = ground.loop.create_future()
        self._task: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.cuts = {"broker": False, "recorder": False}
        self.host: HostClock = ground.host

    def start(self) -> None:
        context = copy_context()
        if self.claim is not None:
            context.run(NODE.set, self.claim.node)
        self._task = self.ground.loop.create_task(
            self._live(), name="process", context=context
        )

    claim: SimClaim | None = None
    helps = False
    """It does its recorders' work and nothing else."""

    def die(self, why: str) -> None:
        """Nothing that the process does from now on reaches anything outside."""
        if self.is_dead:
            return
        self.is_dead = True
        self.ground.note(f"process dies: {why}")
        link = self.link
        if link is not None:
            self.ground.loop.call_later(
                self.ground.latency(0.2), self.server.hang_up, link
            )
        if self._task is not None:
            self._task.cancel()
        if not self.died.done():
            self.died.set_result(why)

    def stop(self, *, drains: bool) -> None:
        """End in order, as app.Daemon does: SIGTERM, or a reload that restarts."""
        if self.helps:
            self.operate(self.end_helping(), "stop")
        elif self._group is not None and not self.is_dead:
            self.is_restarting = drains
            self._group.create_task(self._end(drains=drains), name="stop")

    async def _end(self, *, drains: bool) -> None:
        engine = self.engine
        self.world.is_stopping = True
        self._tasks["intake"].cancel()
        until = self.ground.loop.time() + ANSWERS_S
        while any(each.in_flight for each in engine.stations):
            if self.ground.loop.time() > until:
                break
            await asyncio.sleep(0.05)
        if drains:
            await _bounded(engine.interpret.drain(), DRAIN_S)
        await _bounded(self.broker.stop(), STEP_S)
        await _bounded(engine.janitor.note(), STEP_S)
        if self.claim is not None:
            self.claim.close()
        self.die("stopped")

    async def gone(self) -> None:
        """Wait until nothing of it runs any more."""
        if self._task is not None:
            await asyncio.wait({self._task})

    def adopt(self, site: Site) -> None:
        """As app.Daemon does at a reload."""
        self.site = site
        self.engine.adopt(site, RETAIN)
        self.broker.set_filters(site.filters)

    def operate(self, work: Any, name: str) -> None:
        """Run an operator's step within the process."""
        if self._group is not None and not self.is_dead:
            self._group.create_task(work, name=name)
        else:
            work.close()

    async def _live(self) -> None:
        try:
            await self._run()
        except asyncio.CancelledError:
            return
        except BaseException as error:  # noqa: BLE001 - whatever it is is a finding
            if not isinstance(_first(error), Exception):
                self.ground.loop.call_exception_handler(
                    {"message": "broken off", "exception": _first(error)}
                )
            if not self.is_dead:
                self.ground.note(f"process fails: {_first(error)!r}")
                self.bug = error
                self.die("a loop died")

    bug: BaseException | None = None

    async def _run(self) -> None:
        log = self._log()
        ground, site = self.ground, self.site
        store = SimStore(self.disk, lambda: self.is_dead, self.die, self.claim)
        dice = SeededDice(ground.random)
        self.metrics = Metrics("0")
        self.world = World(site, store, self.host, dice, log)
        self.world.storm.many = A_STORM
        self.world.trust = self.disk.look(partial(trust_of, clock=self.host))
        agenda = Agenda(self.host)
        if self.helps:
            await self._help(agenda, dice, log)
            return
        self.broker = await self._broker(log, dice)
        outside = Outside(
            broker=self.broker,
            link=lambda each: self._link(each, dice, log),
            node=self.claim.node if self.claim else "",
            share=self.share,
            messenger=self._messenger(),
            apart=self._apart,
            desk=Desk(
                folders=self.share.folders,
                signer=Signer(self.share.reveal),
                page=RecordPage(),
                reader=SharedRecords(),
                versions=dict,
            ),
        )
        self.engine = Engine(self.world, outside, agenda, self.metrics, log)
        self.broker.note = self.engine.janitor.note
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self.broker.run(), name="broker")
            for loop, run in self.engine.loops().items():
                self._tasks[loop] = group.create_task(run(), name=loop)

            if self.claim is not None:
                group.create_task(self._renew(self.claim), name="lease")

    def _link(
        self, settings: RecorderSettings, dice: SeededDice, log: FilteringBoundLogger
    ) -> Link:
        return Link(settings, self._client(settings, dice), self.host, dice, log)

    async def _help(
        self, agenda: Agenda, dice: SeededDice, log: FilteringBoundLogger
    ) -> None:
        """As helping.Helper does."""
        assert self.claim is not None
        shares = Shares(self.world, self.share, agenda, log, self._apart)
        metrics = Metrics("0")
        self.stations = Stations(
            self.world,
            lambda each: Station(
                self.world, self._link(each, dice, log), shares, agenda, metrics, log
            ),
            agenda,
            log,
            Seat(self.claim.node, leads=False),
            lambda: shares.problems,
        )
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._renew(self.claim), name="lease")
            group.create_task(shares.run(), name="shares")
            group.create_task(self.stations.run(), name="stations")

    async def _renew(self, claim: SimClaim) -> None:
        while True:
            claim.renew()
            await asyncio.sleep(RENEW_S)

    async def end_helping(self) -> None:
        """As helping.Helper ends; also before `_run` has come so far."""
        self.world.is_stopping = True
        until = self.ground.loop.time() + ANSWERS_S
        while any(each.in_flight for each in self.stations):
            if self.ground.loop.time() > until:
                break
            await asyncio.sleep(0.05)
        if self.claim is not None:
            self.claim.close()
        self.die("helps no more")

    receivers: Receivers | None = None

    def _messenger(self) -> SimMessenger | None:
        found = self.receivers
        return None if found is None else SimMessenger(found, self.ground.loop)

    def _apart(self, work: Callable[[], T], /) -> "asyncio.Future[T]":
        """A restart by a reload leaves threads behind that go on with what they do."""
        return self.share.apart(
            work, lambda: self.is_dead and not self.is_restarting, self.die
        )

    def _log(self) -> FilteringBoundLogger:
        """The daemon's log lines, among the events of the run."""

        def keep(_logger: object, level: str, line: MutableMapping[str, Any]) -> str:
            said = " ".join(f"{k}={v}" for k, v in line.items() if k != "event")
            self.ground.note(f"{level}: {line['event']} {said}")
            raise structlog.DropEvent

        wrapper = structlog.make_filtering_bound_logger(logging.DEBUG)
        log: FilteringBoundLogger = structlog.wrap_logger(
            None, processors=[keep], wrapper_class=wrapper
        )
        return log

    async def _broker(self, log: FilteringBoundLogger, dice: SeededDice) -> SimBroker:
        broker = SimBroker(
            BrokerSettings(
                host="sim",
                port=1883,
                client_id="sim",
                base_topic=BASE,
                inflight=self.window,
            ),
            self.host,
            self.site.filters,
            log=log,
            jitter=dice.jitter,
            remembered=self.disk.look(remembered_of),
        )

        def dial(settings: BrokerSettings, listener: Any) -> SimConnection:
            self.link = SimConnection(
                settings, listener, self.ground, self.server, lambda: self.is_dead
            )
            self.link.is_cut = lambda: self.cuts["broker"]
            return self.link

        broker.dial = dial
        return broker

    window = 8

    on_order: Callable[[], float] = staticmethod(lambda: 0.0)
    """Called when an export is asked for; seconds that the request takes longer."""

    is_hit: Callable[[], bool] = staticmethod(lambda: False)
    leaves: Callable[[RecorderName], object] = staticmethod(lambda _: None)
    """See `SimTransport`."""

    def _client(self, settings: RecorderSettings, dice: SeededDice) -> SenseClient:
        sense = SenseSettings(
            name=settings.name,
            url=f"http://{settings.name}.example",
            username="export",
            password=lambda: "secret",
            auth=Auth.DIGEST,
            nonce="AR5chsWVZagPfMpB",
            timeout=settings.timeout,
        )
        transport = SimTransport(
            sense,
            self.simulators[settings.name],
            self.ground,
            lambda: self.is_dead,
            lambda: self.slowest,
            self.on_order,
        )
        transport.is_cut = lambda: self.cuts["recorder"]
        transport.is_hit = self.is_hit
        transport.leaves = lambda: self.leaves(settings.name)
        return SenseClient(
            sense,
            self.host,
            lambda: SessionId(f"{self.ground.loop.time():.3f}-{dice.token()}"),
            transport,
        )


async def _bounded(step: Awaitable[None], limit_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await step


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
