"""Runs the one TaskGroup over the parts of a run, and ends it in order.

start   store, recorders, broker, page; every loop a named task
reload  (SIGHUP) a configuration that is whole and right replaces the one in force;
        what only a new connection can change restarts the loops within the process
stop    (SIGTERM, SIGINT) no new alarms, no new requests, a moment for answers that
        are under way, then everything closes; the next start goes on from the rows
"""

import asyncio
import faulthandler
import gc
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from enum import Enum
from functools import partial
from importlib.metadata import version
from pathlib import Path

import structlog
from aiohttp import web

from evidenced.condition import look_around
from evidenced.config.compile import build_site, control_file
from evidenced.config.load import Loaded, load
from evidenced.config.models import Config
from evidenced.config.web import WebConfig
from evidenced.connections import certificates, lasting, store_settings
from evidenced.core.errors import BadInput, StoreError
from evidenced.ending import answers, bounded, hang_up, leave_at_last
from evidenced.helping import Fixtures, Helper
from evidenced.host import log as logs
from evidenced.host.clock import SystemClock
from evidenced.host.dice import SystemDice
from evidenced.host.systemd import Notifier, Watch, notifier_from
from evidenced.metrics import Metrics
from evidenced.mqtt.broker import STOP_TIMEOUT_S
from evidenced.parts import Foundation, Parts
from evidenced.pipeline.janitor import remembered_of, trust_of
from evidenced.pipeline.names import JANITOR
from evidenced.pipeline.outbox import Feed
from evidenced.pipeline.station import Loop
from evidenced.standby import Standby, until_it_gives_way
from evidenced.store import SqlStore, StoreSettings
from evidenced.web import Front, WebSessions, make_app, make_standby
from evidenced.web.languages import Languages

DRAIN_LIMIT = timedelta(seconds=10)
"""How long a reload that makes connections anew lets the old rules read what waits."""
GOODBYE_LIMIT = timedelta(seconds=STOP_TIMEOUT_S + 0.25)
"""The broker's own limit ends it before; this one is for faults of ours."""
WRONG = "the configuration on disk is wrong"
"""As `systemctl status` has it, until a reload puts one in force."""


class Ended(Enum):
    """Why a run of the daemon came to its end."""

    STOPPED = "stopped"
    RESTART = "restart"


def run(path: Path) -> int:
    """The daemon until SIGTERM or SIGINT. Returns the exit code.

    Raises:
        BadInput: the configuration is wrong.
        StoreError: the state cannot be used.
    """
    gc.disable()  # a large configuration is made of a million values that all stay
    try:
        loaded = load(path)
    finally:
        gc.enable()
    logs.configure_process(loaded.config.daemon.log_level)
    for warning in loaded.warnings:
        structlog.get_logger().warning("configuration", warning=warning)
    tune_collector()
    faulthandler.enable()  # a watchdog's SIGABRT shows where each thread stands
    asyncio.run(_run(path, loaded))
    return 0


def tune_collector() -> None:
    """Let the garbage collector look less often, and not at what was imported.

    A storm makes thousands of short-lived values a second; at the default threshold
    the collector went through all of them, and all modules, many times a second
    (measured: a fifth of the time of intake).
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _run(path: Path, loaded: Loaded) -> None:
    notifier = notifier_from(os.environ, SystemClock())
    config, known_good, problem, gave_way = loaded.config, None, None, False
    while True:
        daemon = Daemon(config, notifier=notifier, goes_last=gave_way)
        daemon.metrics.config_last_reload_successful.set(int(problem is None))
        daemon.config_problem = problem and _problems(problem)
        daemon.listen_to_signals(lambda: load(path))
        daemon.files = loaded.files
        try:
            ended = await daemon.run()
        except (BadInput, StoreError) as error:
            if known_good is None:
                raise
            problem = str(error)
            structlog.get_logger().error(
                "configuration cannot be put in force; back to the one before",
                problems=problem.splitlines(),
            )
            config, known_good = known_good, None
            continue
        if ended is Ended.STOPPED:
            return
        known_good, problem, gave_way = daemon.config, None, daemon.gave_way
        config = daemon.wanted
        logs.configure_process(config.daemon.log_level)


class Daemon:
    """One run: from open store to closed store."""

    def __init__(
        self,
        config: Config,
        fixtures: Fixtures | None = None,
        notifier: Notifier | None = None,
        *,
        goes_last: bool = False,
    ) -> None:
        fixtures = fixtures or Fixtures(clock=SystemClock(), dice=SystemDice())
        self.config = config
        self.wanted = config
        self.metrics = Metrics(version("evidenced"))
        self.feed = Feed()
        self._site = build_site(config)
        self._certificates = certificates(config)
        self._fixtures = fixtures
        self._clock = fixtures.clock
        self._dice = fixtures.dice
        self._notifier = notifier or Notifier("", self._clock, None)
        self._log = structlog.get_logger()
        self._stop = asyncio.Event()
        self._ended = Ended.STOPPED
        self._subscribed: tuple[str, ...] | None = None
        self._read_config: Callable[[], Loaded] | None = None
        self.files: tuple[Path, ...] = ()
        self._is_reload_due = False
        self._goes_last = goes_last
        self._standby: Standby | None = None
        self.gave_way = False
        self.started = asyncio.Event()
        self.config_problem: str | None = None
        """Why the configuration on disk was given up for the one before."""

    def listen_to_signals(self, read_config: Callable[[], Loaded]) -> None:
        """SIGTERM and SIGINT stop, SIGHUP reloads. Call on the running loop."""
        self._read_config = read_config
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self.reload)

    def _told_to_stop(self) -> None:
        """By a signal: the process is this daemon's own, and ends in time."""
        leave_at_last()
        self.stop()

    def stop(self) -> None:
        """Begin to stop; `run` returns when it is done. Amid a restart it stops too."""
        self._ended = Ended.STOPPED
        self._stop.set()

    def reload(self) -> None:
        """Put the configuration on disk in force: all of it, or nothing of it."""
        stands_by = bool(self._standby and self._standby.holder)
        self._is_reload_due = not (self.started.is_set() or stands_by)
        if self._read_config is None or self._is_reload_due:
            return
        self._notifier.reloading()
        try:
            loaded = self._read_config()
        except BadInput as error:
            self.metrics.config_last_reload_successful.set(0)
            self._log.error(
                "configuration is wrong; the one in force stays",
                problems=str(error).splitlines(),
            )
            if stands_by:
                self._notifier.ready()
                return
            self._watch.reloaded(WRONG)
            self._parts.world.config_problem = _problems(str(error))
            return
        self.metrics.config_last_reload_successful.set(1)
        for warning in loaded.warnings:
            self._log.warning("configuration", warning=warning)
        self._put_in_force(loaded.config)

    def _put_in_force(self, config: Config) -> None:
        self.wanted = config
        is_same = lasting(config) == lasting(self.config) and self.started.is_set()
        if not is_same or certificates(config) != self._certificates:
            self._log.info("configuration read; connections are made anew")
            if not self._stop.is_set():  # else it stays what it is stopping for
                self._ended = Ended.RESTART
            self._stop.set()
            return
        self.config = config
        self._site = build_site(config)
        self._parts.adopt(config, self._site)
        self._front.adopt(config.web)
        logs.configure_process(config.daemon.log_level)
        self._parts.world.config_problem = None
        self._log.info("configuration read and in force")
        self._watch.reloaded(None)

    async def run(self) -> Ended:
        """Until stopped.

        Raises:
            BadInput: a certificate cannot be read.
            StoreError: the state cannot be used.
        """
        settings = store_settings(self.config, os.environ)
        helper = Helper(
            self.config, self._site, settings, self._fixtures, self.metrics, self._log
        )
        try:
            async with asyncio.TaskGroup() as group:
                self._standby = Standby(
                    self._notifier,
                    self._log,
                    goes_last=self._goes_last,
                    helps=lambda: group.create_task(helper.run(), name="helper"),
                )
                await self._lead(settings, self._standby, helper)
        except BaseExceptionGroup as found:
            raise found.exceptions[0] from None
        return self._ended

    async def _lead(
        self, settings: StoreSettings, standby: Standby, helper: Helper
    ) -> None:
        """Wait for this node's turn, and take it; meanwhile it helps."""
        try:
            store = await standby.open(
                settings, self._stop, partial(self._standby_front, standby)
            )
        finally:
            standby.holder = ""
            helper.end()
        if store is not None:
            await self._work(store)

    async def _work(self, store: SqlStore) -> None:
        """Lead, with the store as this node's."""
        loop = asyncio.get_running_loop()
        store.claim.on_lost = lambda: loop.call_soon_threadsafe(self._taken_over)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.to_thread, store.close)
            await self._build(store)
            stack.push_async_callback(self._front.stop)
            await self._front.look()
            await self._loops()
        self._log.info("evidenced stopped")

    async def _build(self, store: SqlStore) -> None:
        self._front = Front(
            self.config.web,
            control_file(self.config, os.environ),
            self._make_app,
            self._clock,
            self._log,
        )
        around = Foundation(
            store=store,
            clock=self._clock,
            dice=self._dice,
            metrics=self.metrics,
            feed=self.feed,
            page_problems=lambda: self._front.problems,
            log=self._log,
            trust=await store.read(partial(trust_of, clock=self._clock)),
            node=self._node(),
        )
        self.store = store
        remembered = await store.read(remembered_of)
        self._parts = Parts(self.config, self._site, around, remembered)
        self._parts.world.config_problem = self.config_problem
        self.control = self._parts.control
        self._watch = Watch(self._notifier, self._parts.condition, store, self._log)
        self._watch.reloaded(WRONG if self.config_problem else None)
        self._parts.broker.on_change = self._broker_changed

    def _node(self) -> str:
        server = store_settings(self.config, os.environ).server
        return server.node if server else ""

    def _standby_front(self, standby: Standby) -> Front:
        return Front(
            self.config.web,
            control_file(self.config, os.environ),
            lambda *_: make_standby(lambda: standby.holder, self.metrics.of_recorders),
            self._clock,
            self._log,
        )

    def _taken_over(self) -> None:
        """Another node does the work: this one ends all of it, and stands by."""
        self._log.error("another node has taken over")
        self._stand_by()

    async def _giving_way(self) -> None:
        """Where the broker is out of reach from here alone, another node has it."""
        await until_it_gives_way(
            lambda: self._parts.broker.is_subscribed, self.store.cluster, self._clock
        )
        self._log.warning("the broker is out of reach; another node is let try")
        self.gave_way = True
        self._stand_by()

    def _stand_by(self) -> None:
        if not self._stop.is_set():
            self._ended = Ended.RESTART
        self._stop.set()

    def _broker_changed(self) -> None:
        self._watch.look()
        is_subscribed = self._parts.broker.is_subscribed
        self.metrics.mqtt_connected.set(int(is_subscribed))
        filters = self._site.filters if is_subscribed else None
        if filters is not None and filters != self._subscribed:
            self._log.info("alarms are subscribed", topics=len(filters))
            self._parts.agenda.hint(JANITOR)  # an absence that begins now is not older
        self._subscribed = filters

    def _make_app(self, config: WebConfig, sessions: WebSessions) -> web.Application:
        return make_app(
            self.store,
            self.control,
            self.metrics,
            self._clock,
            config.users,
            proxies=config.proxies,
            sessions=sessions,
            public_url=config.public_url or "",
            displays={name: token.reveal for name, token in config.displays.items()},
            languages=Languages(config.language),
        )

    async def _loops(self) -> None:
        """Run every loop until the stop; a loop that dies takes the daemon down."""
        async with asyncio.TaskGroup() as group:
            self._parts.timetable.start()
            loops: dict[str, Loop] = {
                **self._parts.loops(),
                "watch": self._watch.run,
                "front": self._front.run,
                "giving way": self._giving_way,
                "look around": partial(look_around, self._parts.world, self),
            }
            tasks = [group.create_task(do(), name=name) for name, do in loops.items()]
            self._log.info(
                "evidenced started",
                instance=self._site.instance,
                rules=len(self._site.rules),
                cameras=len(self._site.roster.cameras),
                version=version("evidenced"),
            )
            self.started.set()
            if self._is_reload_due:  # asked for while this run was being built
                self.reload()
            await self._stop.wait()
            await self._end(tasks)

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        """The stop, step by step; a step that hangs does not hold up the next."""
        self._log.info("evidenced is stopping")
        if self._ended is Ended.STOPPED:
            self._notifier.stopping()
        engine = self._parts.engine
        engine.world.is_stopping = True
        by_name = {task.get_name(): task for task in tasks}
        by_name["intake"].cancel()
        await answers(self._parts.links, self._clock)
        if self._ended is Ended.RESTART:  # what came under this configuration
            await bounded("stored alarms", engine.interpret.drain(), DRAIN_LIMIT)
        await bounded("broker", self._parts.broker.stop(), GOODBYE_LIMIT)
        await bounded("last note", engine.janitor.note())
        for task in tasks:
            task.cancel()
        self._parts.timetable.stop()
        await bounded("recorders", hang_up(self._parts.links))


def _problems(text: str) -> str:
    """`2 problems: evidenced.toml: ...`: how many, and the first."""
    lines = text.splitlines()
    return lines[0] if len(lines) == 1 else f"{len(lines)} problems: {lines[0]}"
