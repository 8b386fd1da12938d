"""Telling people: from the history to piles, from piles to messages.

The history is read after a cursor of its own; what it gives is added to the piles of
each receiver in the transaction that moves the cursor. A receiver's pile is emptied in
the transaction after its message was taken. So a restart neither forgets nor repeats
anything, with one exception: a crash between the two may repeat one message. The other
way round (first note, then send) might lose it, and whoever is on duty is better told
twice than not at all.

Each receiver has a task of its own: one that is down or slow keeps neither another nor
any other loop waiting.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.exports.retry import RetryPolicy, back_off
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Told
from evidenced.core.incidents.incident import Incident
from evidenced.core.keeping.evidence import still_name
from evidenced.core.keeping.still import telling
from evidenced.core.phrase import ENGLISH, phrase
from evidenced.core.telling.mail import (
    MOST_PICTURE_BYTES,
    MOST_PICTURES,
    Enclosure,
    Letterhead,
    compose,
    pictured,
)
from evidenced.core.telling.notice import (
    Notice,
    NoticeKind,
    Phase,
    incident_of,
    notice_of,
    severity_of,
)
from evidenced.core.telling.routing import Pile, Route, add_to_pile, due, next_due
from evidenced.core.trust import Now
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.reading import rest, told_after
from evidenced.pipeline.world import World
from evidenced.ports import Messenger, NotSent, Tx, View
from evidenced.tongues import tongue

CURSOR = "notify"
FORGET_AFTER = timedelta(days=30)
RETRY = RetryPolicy(first=timedelta(seconds=5), longest=timedelta(minutes=10))
"""A receiver that takes nothing is tried again; what it misses is in few piles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    entries: Sequence[Told]
    incidents: dict[IncidentId, Incident]


def _news(view: View, after: int) -> _News:
    entries = told_after(view, after)
    ids = {name for told in entries if (name := incident_of(told.entry)) is not None}
    return _News(
        entries=entries,
        incidents={each.id: each for each in view.incidents.get(ids)},
    )


def fold_step(
    tx: Tx, notices: Sequence[Notice], routes: Sequence[Route], now: datetime
) -> None:
    """Add them to the piles of whoever hears of them."""
    if not notices:
        return
    piles = {pile.key: pile for route in routes for pile in tx.piles.of(route.name)}
    tx.piles.save(add_to_pile(notices, piles, routes, now).values())


def told_step(tx: Tx, sent: Sequence[Pile], now: datetime) -> None:
    """Take out of the piles what was sent; what came meanwhile stays."""
    current = {pile.key: pile for pile in tx.piles.of(sent[0].route)}
    tx.piles.save([current.get(each.key, each).told(each, now) for each in sent])


class Notify:
    """The loops that gather notices, and tell each receiver its own."""

    def __init__(
        self,
        world: World,
        messenger: Messenger | None,
        agenda: Agenda,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._world = world
        self._messenger = messenger
        self._agenda = agenda
        self._metrics = metrics
        self._log = log
        self.problems: dict[str, str] = {}

    async def run(self) -> None:
        """Forever. Without receivers nothing is gathered, and the past is let go."""
        routes = self._world.site.notices.routes
        if self._messenger is None or not routes:
            await self._world.write(lambda tx: tx.notes.save(CURSOR, ""))
            await asyncio.Event().wait()
            return
        async with asyncio.TaskGroup() as group:
            for route in routes:
                group.create_task(
                    self._tell(route, self._messenger), name=names.notify(route.name)
                )
            await self._gather(routes)

    def notes(self) -> list[str]:
        """A sentence for each receiver that takes nothing."""
        return [
            phrase("notify.{name} takes no messages: {why}", name=name, why=why)
            for name, why in self.problems.items()
        ]

    # ---- gathering

    async def _gather(self, routes: Sequence[Route]) -> None:
        cursor = await self.start(routes)
        while True:
            begun = self._world.clock.monotonic()
            after = await self.gather_once(cursor, routes)
            if after != cursor:
                cursor = after
                await rest(self._world, begun)
                continue
            await self.repeat_once(routes)
            await self._agenda.wait(names.NOTIFY)

    async def start(self, routes: Sequence[Route]) -> int:
        """Where gathering goes on; at the first start what is past is not told."""
        now = self._world.now().at
        kept = [route.name for route in routes]

        def step(tx: Tx) -> int:
            tx.piles.forget(kept, now - FORGET_AFTER)
            note = tx.notes.get(CURSOR)
            if note:
                return int(note)
            head = tx.history.head().seq
            tx.notes.save(CURSOR, str(head))
            return head

        return await self._world.write(step)

    async def gather_once(self, cursor: int, routes: Sequence[Route]) -> int:
        """One batch of the history; where the next begins."""
        page = await self._world.read(partial(_news, after=cursor))
        if not page.entries:
            return cursor
        severities = self._world.site.notices.severities
        found = [
            notice_of(
                told.entry,
                page.incidents.get(told.entry.incident or IncidentId("")),
                severities,
            )
            for told in page.entries
        ]
        last, now = page.entries[-1].seq, self._world.now().at
        notices = [notice for notice in found if notice is not None]

        def step(tx: Tx) -> None:
            fold_step(tx, notices, routes, now)
            tx.notes.save(CURSOR, str(last))

        await self._world.write(step)
        if notices:
            self._hint(routes)
        return last

    async def repeat_once(self, routes: Sequence[Route]) -> None:
        """Tell again of trouble that goes on, each `repeat` after it was told."""
        now = self._world.now()
        open_ = await self._world.read(lambda view: view.troubles.open())
        if not open_:
            return

        def step(tx: Tx) -> bool:
            notices = False
            for route in routes:
                again = _again(tx, route, now)
                fold_step(tx, again, [route], now.at)
                notices = notices or bool(again)
            return notices

        if await self._world.write(step):
            self._hint(routes)

    def _hint(self, routes: Sequence[Route]) -> None:
        for route in routes:
            self._agenda.hint(names.notify(route.name))

    # ---- telling

    async def _tell(self, route: Route, messenger: Messenger) -> None:
        name, tries = names.notify(route.name), 0
        while True:
            is_sent = await self.tell_once(route, messenger)
            if is_sent is None:
                tries = 0
                piles = await self._piles(route)
                await self._agenda.wait(name, next_due(piles, route))
            elif is_sent:
                tries = 0
            else:
                tries += 1
                wait = back_off(RETRY, tries, self._world.dice.jitter())
                await asyncio.sleep(wait.total_seconds())

    async def tell_once(self, route: Route, messenger: Messenger) -> bool | None:
        """Send what is due as one message; whether it was taken, None: nothing was.

        A report goes by itself.
        """
        now = self._world.now()
        waiting = due(await self._piles(route), route, now)
        if not waiting:
            return None
        reports = [pile for pile in waiting if pile.kind is NoticeKind.REPORT]
        sent = reports[:1] or waiting
        pictures = await self._pictures(route, sent)
        message = replace(compose(sent, self.letterhead(route)), pictures=pictures)
        if not self._world.left():
            return False  # another node may have told it while this one stood still
        try:
            await messenger.send(route.name, message)
        except NotSent as error:
            self.failed(route.name, str(error))
            return False
        told_at = self._world.now().at
        await self._world.write(partial(told_step, sent=sent, now=told_at))
        self.taken(route.name)
        self._log.info("message sent", to=route.name, title=message.title)
        return True

    async def _pictures(
        self, route: Route, sent: Sequence[Pile]
    ) -> tuple[Enclosure, ...]:
        """None where the receiver took no message of late: perhaps because of them."""
        if route.name in self.problems:
            return ()
        return await self._world.read(partial(_enclosures, piles=sent))

    def letterhead(self, route: Route | None = None) -> Letterhead:
        """What each message says of where it comes from, and in which language."""
        site = self._world.site
        return Letterhead(
            instance=f"evidenced {site.instance}",
            zone=site.zone,
            page=site.notices.page,
            tongue=tongue(route.language) if route else ENGLISH,
            retentions={
                name: each.retention
                for name, each in site.recorders.items()
                if each.retention is not None
            },
        )

    async def _piles(self, route: Route) -> list[Pile]:
        return await self._world.read(lambda view: view.piles.of(route.name))

    def failed(self, to: str, why: str) -> None:
        self._metrics.notifications.labels(to, "failed").inc()
        if to not in self.problems:
            self._log.warning("messages do not get through", to=to, why=why)
        self.problems[to] = why

    def taken(self, to: str) -> None:
        self._metrics.notifications.labels(to, "sent").inc()
        if self.problems.pop(to, None) is not None:
            self._log.info("messages get through again", to=to)


def _enclosures(view: View, piles: Sequence[Pile]) -> tuple[Enclosure, ...]:
    """Pictures of what is told: of each incident the one that tells the most.

    Of a single incident one of each camera.
    """
    names = pictured(piles)
    found: list[Enclosure] = []
    for incident in view.incidents.get(names):
        stills = view.stills.of([incident.id])
        cameras = dict.fromkeys(each.camera for each in stills)
        for camera in cameras:
            of_camera = [each for each in stills if each.camera == camera]
            still = telling(of_camera, incident.opened_at)
            data = still and view.stills.picture(incident.id, still.n)
            if still and data and _fits(found, data):
                name = still_name(still.n)
                found.append(Enclosure(name=f"{incident.id}-{name}", data=data))
            if len(names) > 1 and data:
                break
    return tuple(found)


def _fits(found: Sequence[Enclosure], data: bytes) -> bool:
    size = sum(len(each.data) for each in found)
    return len(found) < MOST_PICTURES and size + len(data) <= MOST_PICTURE_BYTES


def _again(tx: Tx, route: Route, now: Now) -> list[Notice]:
    if not route.repeat:
        return []
    told = {(pile.kind, pile.subject): pile for pile in tx.piles.of(route.name)}
    found = []
    for trouble in tx.troubles.open():
        pile = told.get(trouble.key)
        if pile is None or pile.told_at is None or pile.count:
            continue
        if now.has_come(pile.told_at + route.repeat, route.repeat):
            found.append(
                Notice(
                    kind=trouble.kind,
                    subject=trouble.name,
                    severity=severity_of(trouble.kind, None),
                    at=trouble.since,
                    text=trouble.text,
                    phase=Phase.GOES_ON,
                )
            )
    return found
