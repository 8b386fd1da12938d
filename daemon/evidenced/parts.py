"""The objects of one run of the daemon, wired to each other, none of them running yet.

What they are built from comes in; `app` runs them, reloads them and ends them.
"""

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime

from structlog.typing import FilteringBoundLogger

from evidenced.config.models import Config
from evidenced.config.site import RecorderSettings, Site
from evidenced.connections import broker_settings, sense_settings
from evidenced.control import DaemonControl
from evidenced.core.ids import SessionId
from evidenced.core.instants import render_utc
from evidenced.metrics import Metrics
from evidenced.mqtt.broker import Broker, Remembered
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.dispatch import Dispatch
from evidenced.pipeline.intake import Intake
from evidenced.pipeline.interpret import Interpret
from evidenced.pipeline.janitor import FILTERS, LAST_ALIVE, BrokerView, Janitor
from evidenced.pipeline.link import Link
from evidenced.pipeline.operate import Operate
from evidenced.pipeline.outbox import Feed, Outbox
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.track import Track
from evidenced.pipeline.turn import Turn
from evidenced.pipeline.world import World
from evidenced.ports import Clock, Dice, RecorderPort, Store
from evidenced.sense import SenseClient
from evidenced.share import Share
from evidenced.wakeup import Wakeup

Loop = Callable[[], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the parts of a run stand on."""

    store: Store
    clock: Clock
    dice: Dice
    metrics: Metrics
    feed: Feed
    log: FilteringBoundLogger


async def remembered_of(store: Store) -> Remembered:
    """What the run before noted of its broker: until when, and what it heard."""
    alive = await store.read(lambda view: view.note(LAST_ALIVE))
    filters = await store.read(lambda view: view.note(FILTERS))
    return Remembered(
        last_alive=datetime.fromisoformat(alive).astimezone(UTC) if alive else None,
        filters=frozenset(json.loads(filters)) if filters else frozenset(),
    )


class Parts:
    """One of everything; one link, dispatch and track for each recorder."""

    def __init__(
        self,
        config: Config,
        site: Site,
        around: Surroundings,
        remembered: Remembered,
    ) -> None:
        self._config = config
        self._around = around
        log, metrics = around.log, around.metrics
        world = World(site, around.store, around.clock, around.dice, log)
        agenda = Agenda(around.clock)
        self.world = world
        self.agenda = agenda
        self.wakeup = Wakeup(agenda.wake)
        agenda.attach(self.wakeup)
        self.broker = self._make_broker(site, remembered)
        self.links = [
            Link(settings, self._port(settings), around.clock, around.dice, log)
            for settings in site.recorders.values()
        ]
        self.outbox = Outbox(world, self.broker, agenda, around.feed)
        self.janitor = self._make_janitor()
        self.intake = Intake(world, self.broker, agenda, metrics)
        self.interpret = Interpret(world, agenda, metrics, log)
        self.turn = Turn(world, agenda, log)
        self.shares = Shares(world, Share(), agenda, log)
        self.dispatches = [
            Dispatch(world, link, agenda, metrics, log, self.shares)
            for link in self.links
        ]
        self.tracks = [
            Track(world, link, agenda, metrics, log, self.shares) for link in self.links
        ]
        self.control = self._make_control()

    def loops(self) -> dict[str, Loop]:
        """Every loop by its name, which is the name of its task."""
        found: dict[str, Loop] = {
            "broker": self.broker.run,
            "intake": self.intake.run,
            names.INTERPRET: self.interpret.run,
            names.TURN: self.turn.run,
            names.OUTBOX: self.outbox.run,
            names.JANITOR: self.janitor.run,
            names.SHARES: self.shares.run,
        }
        for link, dispatch, track in zip(
            self.links, self.dispatches, self.tracks, strict=True
        ):
            found[names.dispatch(link.settings.name)] = dispatch.run
            found[names.track(link.settings.name)] = track.run
        return found

    def adopt(self, config: Config, site: Site) -> None:
        """Put a configuration in force that needs no new connection."""
        self.world.adopt(site)
        for link in self.links:
            link.settings = site.recorders[link.settings.name]
        self.janitor.retain = config.daemon.retain
        self.broker.set_filters(site.filters)

    def _make_broker(self, site: Site, remembered: Remembered) -> Broker:
        return Broker(
            broker_settings(self._config),
            self._around.clock,
            site.filters,
            log=self._around.log,
            jitter=self._around.dice.jitter,
            remembered=remembered,
        )

    def _port(self, settings: RecorderSettings) -> RecorderPort:
        return SenseClient(
            sense_settings(self._config, settings),
            self._around.clock,
            self._new_session,
        )

    def _new_session(self) -> SessionId:
        """Our name of one API session: when it began, and not to be guessed."""
        now, token = self._around.clock.now(), self._around.dice.token()
        return SessionId(f"{render_utc(now)}-{token}")

    def _make_janitor(self) -> Janitor:
        broker = self.broker
        janitor = Janitor(
            self.world,
            self.outbox,
            broker,
            BrokerView(
                last_alive=lambda: broker.last_alive,
                confirmed_before=broker.confirmed_before,
                session_filters=lambda: broker.session_filters,
            ),
            self.agenda,
            self._around.log,
        )
        janitor.retain = self._config.daemon.retain
        return janitor

    def _make_control(self) -> DaemonControl:
        return DaemonControl(
            store=self._around.store,
            operate=Operate(self.world, self.agenda),
            feed=self._around.feed,
            broker=self.broker,
            world=self.world,
            links=self.links,
            turn=self.turn,
        )
