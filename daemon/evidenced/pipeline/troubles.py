"""Trouble of recorders, destinations, shares, broker and clocks, into the history.

The other loops know how each of them does; this one looks at what they know, and writes
down what lasts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from evidenced.core.alarms.payload import one_line
from evidenced.core.ids import DestinationName, IncidentId
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import AHEAD_TEXT, Trouble, TroubleKey, Watched
from evidenced.core.trust import Now
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.link import Link
from evidenced.pipeline.reports import troubles_of
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.world import World
from evidenced.ports import Tx

LOOK_EVERY = timedelta(seconds=15)
MAX_TEXT = 300
AHEAD = timedelta(minutes=5)
"""An incident is from the future if it was opened so much later than now."""


class Conditions:
    """What is wrong now, as the loops that talk to it know."""

    def __init__(
        self,
        links: Iterable[Link],
        shares: Shares,
        broker_problem: Callable[[], str | None],
        record_problems: Callable[[], Mapping[DestinationName, str]] = dict,
        config_problem: Callable[[], str | None] = lambda: None,
        elsewhere: Callable[[], Mapping[TroubleKey, str]] = dict,
    ) -> None:
        self._links = links
        self._shares = shares
        self._broker_problem = broker_problem
        self._record_problems = record_problems
        self._config_problem = config_problem
        self._elsewhere = elsewhere
        self._since: dict[TroubleKey, datetime] = {}

    def now(self, at: datetime, more: Mapping[TroubleKey, str]) -> list[Trouble]:
        """All that is wrong, each since when it was first seen to be so."""
        found = self.conditions() | dict(more)
        self._since = {key: self._since.get(key, at) for key in found}
        return [
            Trouble(kind=kind, name=name, text=text, since=self._since[kind, name])
            for (kind, name), text in found.items()
        ]

    @property
    def is_blind(self) -> bool:
        """Whether the shares were not looked at yet: they may hang for a while."""
        return not self._shares.is_looked

    def conditions(self) -> dict[TroubleKey, str]:
        """By kind and name, a sentence each."""
        found: dict[TroubleKey, str] = {}
        broker = self._broker_problem()
        if broker:
            found[NoticeKind.BROKER, ""] = broker
        found |= {
            (NoticeKind.SHARE, name): problem
            for name, problem in self._shares.troubles.items()
        }
        for name, problem in self._record_problems().items():
            found[NoticeKind.RECORDS, name] = problem
        if refused := self._config_problem():
            found[NoticeKind.CONFIG, ""] = refused
        found |= self._elsewhere()
        for link in self._links:
            found |= troubles_of(link)
        return {key: one_line(text, MAX_TEXT) for key, text in found.items()}


class Troubles:
    """The loop that writes down what begins and ends."""

    def __init__(
        self,
        world: World,
        surroundings: Conditions,
        agenda: Agenda,
        log: FilteringBoundLogger,
    ) -> None:
        self._world = world
        self._surroundings = surroundings
        self._agenda = agenda
        self._log = log

    async def run(self) -> None:
        """Forever, every quarter of a minute; writes only where something changes."""
        watched = await self.start()
        while True:
            await self.once(watched)
            wait = min(self._world.site.notices.trouble_after, LOOK_EVERY)
            await self._agenda.wait(names.TROUBLES, at_most=wait)

    async def start(self) -> Watched:
        """What was told before a restart and is not known to be over."""
        open_ = await self._world.read(lambda view: view.troubles.open())
        return Watched(open_, self._world.clock.monotonic())

    async def once(self, watched: Watched) -> None:
        """One look."""
        now = self._world.now()
        conditions = self._surroundings.conditions()
        if ahead := await self._ahead(now):
            conditions[NoticeKind.CLOCK, ""] = AHEAD_TEXT.format(ahead)
        changed = watched.look(
            conditions,
            now.at,
            now.monotonic,
            self._world.site.notices.trouble_after,
        )
        if not changed:
            return
        await self._world.write(lambda tx: write_troubles(tx, changed, now.at))
        for each in changed:
            what = "trouble is over" if each.ended_at else "trouble lasts"
            self._log.info(what, kind=each.kind, name=each.name, why=each.text)
        self._agenda.hint(names.OUTBOX)

    async def _ahead(self, now: Now) -> IncidentId | None:
        """An incident of a time that is still to come; a clock in doubt knows none."""
        if not now.is_trusted:
            return None
        return await self._world.read(
            lambda view: view.incidents.opened_after(now.at + AHEAD)
        )


def write_troubles(tx: Tx, changed: Sequence[Trouble], now: datetime) -> None:
    """The rows, and what the history says of them."""
    tx.troubles.save(changed)
    for each in changed:
        waited = 0 if each.ended_at is None else tx.facts.waiting(each.key)
        tx.history.write(each.entry(now, waited))
