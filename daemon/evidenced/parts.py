"""The objects of one run of the daemon, wired to each other, none of them running yet.

What they are built from comes in; `app` runs them, reloads them and ends them.
"""

import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from structlog.typing import FilteringBoundLogger

from evidenced.condition import DaemonCondition
from evidenced.config.models import Config
from evidenced.connections import broker_settings, link_maker, receivers
from evidenced.core.site import Site
from evidenced.core.trust import Trust
from evidenced.evidence import RecordPage, SharedRecords, ShareFolders, Signer
from evidenced.evidence.authority import Authority
from evidenced.host.share import Share
from evidenced.host.timetable import Timetable
from evidenced.metrics import Metrics
from evidenced.mqtt.broker import Broker
from evidenced.notify import AppriseMessenger
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.drafting import Desk
from evidenced.pipeline.engine import Engine, Outside
from evidenced.pipeline.link import Link
from evidenced.pipeline.outbox import Feed
from evidenced.pipeline.reporting import trigger_of
from evidenced.pipeline.station import Loop
from evidenced.pipeline.world import World
from evidenced.ports import Clock, Control, Dice, Remembered, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """What the parts of a run stand on."""

    store: Store
    clock: Clock
    dice: Dice
    metrics: Metrics
    feed: Feed
    page_problems: Callable[[], Mapping[str, str]]
    log: FilteringBoundLogger
    trust: Trust
    node: str = ""
    """Among those that share the store."""


class Parts:
    """One of everything."""

    def __init__(
        self,
        config: Config,
        site: Site,
        around: Foundation,
        remembered: Remembered,
    ) -> None:
        self._config = config
        self._around = around
        log = around.log
        world = World(site, around.store, around.clock, around.dice, log)
        agenda = Agenda(around.clock)
        world.trust = around.trust
        self.world = world
        self.agenda = agenda
        self.timetable = Timetable(
            trigger_of(site.notices.report, site.zone),
            partial(agenda.hint, names.REPORT),
        )
        self.broker = self._make_broker(site, remembered)
        self._link = link_maker(config, around.clock, around.dice, log)
        self.engine = Engine(world, self._outside(), agenda, around.metrics, log)
        self.engine.janitor.retain = config.daemon.retain
        self.broker.note = self.engine.janitor.note
        self.condition = DaemonCondition(
            store=around.store, broker=self.broker, engine=self.engine
        )
        self.control = Control(
            condition=self.condition,
            actions=self.engine.operate,
            silences=self.engine.silencing,
            live=around.feed,
            archive=self.engine.archive,
            footage=self.engine.by_hand,
            imports=self.engine.importing,
        )

    def loops(self) -> dict[str, Loop]:
        """Every loop by its name, which is the name of its task."""
        return {"broker": self.broker.run, **self.engine.loops()}

    @property
    def links(self) -> Iterable[Link]:
        """Those of recorders that are this node's now."""
        return self.engine.stations

    def adopt(self, config: Config, site: Site) -> None:
        """Put a configuration in force that needs no new connection."""
        self.engine.adopt(site, config.daemon.retain)
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

    def _desk(self) -> Desk:
        key = self._config.evidence.key
        return Desk(
            folders=ShareFolders(),
            signer=Signer(key.reveal if key else None),
            page=RecordPage(),
            reader=SharedRecords(),
            versions=self._versions,
        )

    def _authority(self) -> Authority | None:
        said = self._config.evidence
        if said.timestamp is None:
            return None
        return Authority(said.timestamp, said.timestamp_ca_file)

    def _versions(self) -> dict[str, str]:
        """What takes part in a record: this program, and recorders as they say."""
        told = self.engine.stations.versions()
        recorders = {f"recorder {name}": text for name, text in told.items()}
        own = {
            "evidenced": version("evidenced"),
            "python": platform.python_version(),
        }
        return own | recorders

    def _outside(self) -> Outside:
        return Outside(
            broker=self.broker,
            link=self._link,
            node=self._around.node,
            share=Share(),
            desk=self._desk(),
            authority=self._authority(),
            messenger=AppriseMessenger(receivers(self._config)),
            feed=self._around.feed,
            page_problems=self._around.page_problems,
        )
