"""Every loop of the pipeline, built once from what surrounds it.

The daemon and the simulation build the same one: only the world outside differs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.cluster import alone, idle
from evidenced.core.phrase import phrase
from evidenced.core.site import RecorderSettings, Site
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import TroubleKey
from evidenced.host.threads import Apart, on_thread
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.archive import Archive
from evidenced.pipeline.byhand import ByHand
from evidenced.pipeline.checking import Checking
from evidenced.pipeline.counted import begin_counting
from evidenced.pipeline.custody import Custody
from evidenced.pipeline.drafting import Desk
from evidenced.pipeline.evidence import Evidence
from evidenced.pipeline.hearing import Hearing
from evidenced.pipeline.importing import Importing
from evidenced.pipeline.intake import Intake
from evidenced.pipeline.interpret import Interpret
from evidenced.pipeline.janitor import Janitor
from evidenced.pipeline.judging import Judge
from evidenced.pipeline.link import Link
from evidenced.pipeline.notify import Notify
from evidenced.pipeline.operate import Operate
from evidenced.pipeline.outbox import Feed, Outbox
from evidenced.pipeline.reporting import Reporting
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.silencing import Silencing
from evidenced.pipeline.stamping import Stamping
from evidenced.pipeline.station import Loop, Station
from evidenced.pipeline.stations import Seat, Stations
from evidenced.pipeline.storewatch import StoreWatch
from evidenced.pipeline.troubles import Conditions, Troubles
from evidenced.pipeline.turn import Turn
from evidenced.pipeline.world import World
from evidenced.ports import BrokerPort, Messenger, SharePort
from evidenced.ports.stamps import StampPort

LOOK_DEADLINE = timedelta(seconds=120)
"""A loop looks at least every 30 s; four missed looks are no coincidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the loops talk to besides the store. `link` makes a new one.

    `apart` runs what may block for ever; `feed` is kept over a restart of the loops.
    `page_problems` are sentences why the page is not as it should be, as they are now.
    """

    broker: BrokerPort
    link: Callable[[RecorderSettings], Link]
    share: SharePort
    desk: Desk
    messenger: Messenger | None = None
    authority: StampPort | None = None
    apart: Apart = on_thread
    node: str = ""
    feed: Feed = field(default_factory=Feed)
    page_problems: Callable[[], Mapping[str, str]] = dict


class Engine:
    """The loops, none of them running; `loops` names them for whoever runs them."""

    def __init__(
        self,
        world: World,
        outside: Outside,
        agenda: Agenda,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self.world = world
        self._agenda = agenda
        self._metrics = metrics
        begin_counting(metrics, world.site)
        self.operate = Operate(world, agenda)
        self.silencing = Silencing(world, agenda)
        self.intake = Intake(world, outside.broker, agenda, metrics, log)
        self.hearing = Hearing()
        self.interpret = Interpret(
            world, agenda, metrics, log, outside.broker, self.hearing
        )
        self.turn = Turn(world, agenda, log)
        self.outbox = Outbox(world, outside.broker, agenda, outside.feed)
        self.shares = Shares(world, outside.share, agenda, log, outside.apart)
        self.janitor = Janitor(
            world, outside.broker, agenda, log, self.hearing, lambda: self.shares.rooms
        )
        self.checking = Checking(world, self.shares, agenda, metrics, log)
        self.evidence = Evidence(world, self.shares, outside.desk, agenda, metrics, log)
        stamps = outside.authority
        self.stamping = stamps and Stamping(world, stamps, agenda, log)
        self.custody = Custody(world, self.shares, outside.desk, agenda, metrics, log)
        self.by_hand = ByHand(world, self.shares, outside.desk, agenda, log)
        self.importing = Importing(
            world, self.shares, outside.desk, agenda, lambda: self.janitor.retain
        )
        self.archive = Archive(world, self.shares, outside.desk.folders)
        self.stations = Stations(
            world,
            lambda settings: Station(
                world, outside.link(settings), self.shares, agenda, metrics, log
            ),
            agenda,
            log,
            Seat(outside.node),
            lambda: self.shares.problems,
        )
        around = Conditions(
            self.stations,
            self.shares,
            lambda: outside.broker.problem,
            lambda: {**self.custody.problems, **self.evidence.problems},
            lambda: world.config_problem,
            self._elsewhere,
        )
        self.troubles = Troubles(world, around, agenda, log)
        messenger = outside.messenger
        self.notify = Notify(world, messenger, agenda, metrics, log)
        self.judge = Judge(
            world, around, self.intake, self.notes, self.stations.unheard, self.stalled
        )
        self._broker = outside.broker
        self._page_problems = outside.page_problems
        self.reporting = Reporting(world, agenda, self.judge.judge)
        self.store_watch = StoreWatch(world, messenger, agenda, self.notify)

    def _elsewhere(self) -> Mapping[TroubleKey, str]:
        """What is wrong and none of recorders, shares and broker."""
        silent = self.hearing.silent(self.world.site, self.world.now())
        page = self._page_problems().items()
        found = {**silent, **{(NoticeKind.PAGE, name): text for name, text in page}}
        found |= self.stations.troubles()
        if self.stamping and self.stamping.problem:
            found[NoticeKind.TIMESTAMP, ""] = self.stamping.problem
        return found

    def loops(self) -> dict[str, Loop]:
        """Each by its name, to be run as a task of one group."""
        named: dict[str, Loop] = {
            "intake": self.intake.run,
            names.INTERPRET: self.interpret.run,
            names.TURN: self.turn.run,
            names.OUTBOX: self.outbox.run,
            names.JANITOR: self.janitor.run,
            names.SHARES: self.shares.run,
            names.CHECK: self.checking.run,
            names.EVIDENCE: self.evidence.run,
            names.CUSTODY: self.custody.run,
            names.TROUBLES: self.troubles.run,
            names.NOTIFY: self.notify.run,
            names.REPORT: self.reporting.run,
            names.STORE_WATCH: self.store_watch.run,
            names.STATIONS: self.stations.run,
            names.VERDICT: partial(self.judge.tell, self._broker, self._agenda),
        }
        if self.stamping:
            named[names.STAMP] = self.stamping.run
        return named

    def adopt(self, site: Site, retain: timedelta) -> None:
        """Put a configuration in force whose recorders are the same."""
        self.world.adopt(site)
        begin_counting(self._metrics, site)
        self._agenda.hint(names.SHARES)
        self._agenda.hint(names.CHECK)
        self._agenda.hint(names.EVIDENCE)
        self.stations.adopt()
        self.janitor.retain = retain

    def notes(self) -> list[str]:
        """Sentences about what does not work and keeps no alarm from its footage."""
        return [
            *self._broker.shortfalls,
            *self.notify.notes(),
            *self.shares.notes(),
            *alone(self.world.store.cluster()),
            *idle(self.world.store.cluster()),
            *filter(None, self.world.notes.values()),
        ]

    def stalled(self) -> list[str]:
        """Which of the loops that must always move do not, a clause each."""
        pulses = {
            phrase("due moments"): self.turn.progress,
            phrase("stored alarms"): self.interpret.progress,
        }
        return [
            phrase("{what} have not been looked at for two minutes", what=what)
            for what, pulse in pulses.items()
            if pulse.idle_for() > LOOK_DEADLINE
        ]
