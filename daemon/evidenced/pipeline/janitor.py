"""Housekeeping: what is old is pruned, what is small and current is noted.

Runs beside the other loops in short transactions, so intake never waits long for it;
room on the disk is given back when no storm of alarms is on. It waits for nothing but
the store: what others have to be told of it is a row, and the outbox's work.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import StoreError
from evidenced.core.ids import DestinationName
from evidenced.core.instants import HOUR, MINUTE, render_utc
from evidenced.core.keeping.evidence import WAITS
from evidenced.core.keeping.health import Room
from evidenced.core.trust import NOTE, Trust, recalled, written
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.hearing import Hearing
from evidenced.pipeline.rationing import forget_limits
from evidenced.pipeline.world import World
from evidenced.ports import Clock, Remembered, Session, Tx, View

LAST_ALIVE = "last-alive"
FILTERS = "filters"
SESSION = "mqtt-session"
PRUNE_BATCH = 200
ROUND = timedelta(seconds=15)
PRUNE = MINUTE
TELL_HEAD = HOUR
GIVE_WAY = timedelta(seconds=2)
"""How long a piece of housekeeping waits at most while a storm is being stored."""


def remember(tx: Tx, known: Remembered) -> None:
    """What the next process has to know of the session at the broker."""
    if known.last_alive is not None:
        tx.notes.save(LAST_ALIVE, render_utc(known.last_alive))
    tx.notes.save(FILTERS, json.dumps(sorted(known.filters)))
    tx.notes.save(SESSION, str(known.session))
    tx.deliveries.forget(known.over)


def remembered_of(view: View) -> Remembered:
    """What the process before this one knew of it."""
    alive, filters = view.notes.get(LAST_ALIVE), view.notes.get(FILTERS)
    return Remembered(
        last_alive=datetime.fromisoformat(alive).astimezone(UTC) if alive else None,
        filters=frozenset(json.loads(filters)) if filters else frozenset(),
        session=int(view.notes.get(SESSION) or 0),
        delivery=view.deliveries.last(),
    )


def trust_of(view: View, clock: Clock) -> Trust:
    """What the run before knew of the host's clock."""
    return recalled(view.notes.get(NOTE), clock.monotonic())


class Janitor:
    """The loop that prunes, notes that we are alive, and tells the audit head."""

    def __init__(
        self,
        world: World,
        broker: Session,
        agenda: Agenda,
        log: FilteringBoundLogger,
        hearing: Hearing | None = None,
        rooms: Callable[[], Mapping[DestinationName, Room]] = dict,
    ) -> None:
        self._hearing = hearing or Hearing()
        self._rooms = rooms
        self._world = world
        self._broker = broker
        self._agenda = agenda
        self._log = log
        self._told_at: float | None = None
        self._pruned_at: float | None = None
        self.retain = timedelta(days=90)

    async def run(self) -> None:
        """Forever, a round every quarter of a minute; it prunes once a minute."""
        while True:
            await self.once()
            await self._agenda.wait(names.JANITOR, at_most=ROUND)

    async def once(self) -> None:
        """One round. Notes first: they are what a crash would miss."""
        now = self._world.clock.monotonic()
        await self.note()
        if self._pruned_at is None or now - self._pruned_at >= PRUNE.total_seconds():
            self._pruned_at = now
            await self._hasten()
            await self._prune_old()
        await self._tidy()
        if self._told_at is None or now - self._told_at >= TELL_HEAD.total_seconds():
            self._told_at = now
            await self._tell_head()

    async def note(self) -> None:
        """Write down until when we were there; idempotent.

        Every round, before a new session is subscribed, once acknowledgements are
        confirmed, and at the end: alarms that wait for the next start may be as old as
        this note, and their windows are widened by so much; a mark that is left may
        take another alarm for a repeat.
        """
        known, now = self._broker.remembered, self._world.now()
        rooms = dict(self._rooms())

        def note(tx: Tx) -> None:
            remember(tx, known)
            self._hearing.note(tx)
            if now.is_trusted:
                tx.health.see(rooms, now.at)
                tx.notes.save(NOTE, written(now))

        await self._world.write(note)

    async def _hasten(self) -> None:
        """What waits for an instant of a clock that was ahead, waits no more.

        By a clock that is right only: by one that is behind everything seems far ahead.
        """
        now, site = self._world.now(), self._world.site
        if not now.is_trusted:
            return
        waits = max(WAITS.longest_wait, site.care.stable)

        def hasten(tx: Tx) -> int:
            number = tx.evidence.hasten(now.at, now.at + 2 * waits)
            number += tx.exports.hasten(now.at, now.at + 2 * waits)
            for name, each in site.recorders.items():
                later = now.at + 2 * each.retry.longest_wait
                number += tx.queue.hasten(name, later, each.settle)
                number += tx.tags.hasten(name, now.at, later)
            return number

        if number := await self._world.write(hasten):
            self._log.warning("the clock was ahead: the next try is sooner", of=number)

    async def _prune_old(self) -> None:
        """Only by a clock that has not been set for a while: rows do not come back."""
        now = self._world.now()
        if now.may_delete:
            await self._prune(now.at - self.retain, now.at)

    async def _prune(self, before: datetime, now: datetime) -> None:
        site = self._world.site

        def forget(tx: Tx) -> None:
            tx.memories.prune(before, site.condition_of)
            tx.losses.prune(before)
            tx.watches.forget(site.roster.cameras)
            tx.health.prune(now, site.roster.cameras)
            forget_limits(tx, site)

        await self._world.write(forget)
        while pruned := await self._world.write(
            lambda tx: tx.past.prune(before, now, PRUNE_BATCH)
        ):
            self._log.info("old incidents pruned", incidents=len(pruned))
            self._agenda.hint(names.PUBLISH)  # their states at the broker go, too
            await self._world.storm.over(GIVE_WAY)

    async def _tidy(self) -> None:
        """Keep the store's files as small as what is in them."""
        with suppress(StoreError):  # the next write tells, or it works next time
            await self._world.store.checkpoint()
            while await self._world.store.give_back():
                await self._world.storm.over(GIVE_WAY)

    async def _tell_head(self) -> None:
        head = await self._world.read(lambda view: view.history.head())
        self._log.info("audit head", seq=head.seq, hash=head.hash)
