"""From kept messages to incidents: what intake stored is read by the rules, in order.

In a storm intake comes first: an alarm is safe as soon as it is stored, and what it
means may be found out a little later. A message that hits a fault of ours is set aside
as invalid; it never holds up the next.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.alarms.alarm import (
    Alarm,
    NotTaken,
    Outcome,
    Signal,
)
from evidenced.core.alarms.payload import MAX_TOPIC, one_line
from evidenced.core.ids import RecorderName
from evidenced.core.incidents.allowance import Limits
from evidenced.core.incidents.cutting import NewId
from evidenced.core.incidents.happening import Happening
from evidenced.core.trust import Now
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.hearing import Hearing
from evidenced.pipeline.hinting import hint_cameras
from evidenced.pipeline.progress import Pulse
from evidenced.pipeline.rationing import Ration, Streaks, Topics
from evidenced.pipeline.stills import draw_up
from evidenced.pipeline.taking import Taken, take
from evidenced.pipeline.understanding import Understood, understand
from evidenced.pipeline.world import World
from evidenced.ports import Session, Tx

BATCH = 256
"""Messages in one transaction; measured: the knee of SQLite's group commit."""
GIVE_WAY = timedelta(seconds=0.5)
"""How long a batch waits at most while intake is storing a storm of alarms: however
long that lasts, incidents open in it too. Takes a tenth of intake's rate."""
DRAIN_LOOK_S = 0.05
TOLD_FAULTS = 1000
"""Distinct faults of expressions that are remembered as told."""
TOLD_OPENED = 20
"""Incidents of one batch that have a log line each; a storm of them has one more."""

Waiting = tuple[int, list[Understood]]
"""A stored message by its number, and what the rules made of it."""


def _take_out(
    tx: Tx,
    batch: Sequence[Waiting],
    now: datetime,
    new_id: NewId,
    limits: Limits,
    *,
    is_storm: bool = False,
) -> list[Taken]:
    """Incidents and the end of the messages that led to them, in one transaction."""
    ration = Ration(tx, limits, now)
    understood = [each for _, found in batch for each in found]
    taken = take(tx, understood, now, new_id, ration, is_storm=is_storm)
    tx.inbox.drop([number for number, _ in batch])
    return taken


def _aside(alarm: Alarm, error: Exception) -> Understood:
    """Kept as invalid, whatever it is."""
    fault = f"fault in evidenced: {type(error).__name__}: {error}"
    refusal = NotTaken(
        rule=None, outcome=Outcome.INVALID, detail=one_line(fault, MAX_TOPIC)
    )
    return Understood(alarm=alarm, result=refusal)


class Interpret:
    """The loop that empties the inbox."""

    def __init__(
        self,
        world: World,
        agenda: Agenda,
        metrics: Metrics,
        log: FilteringBoundLogger,
        broker: Session | None = None,
        hearing: Hearing | None = None,
    ) -> None:
        """`broker` tells what is still to come; without one nothing is."""
        self._hearing = hearing or Hearing()
        self._world = world
        self._broker = broker
        self._agenda = agenda
        self._metrics = metrics
        self._log = log
        self.progress = Pulse(world.clock)
        self._told: OrderedDict[str, None] = OrderedDict()
        self._topics = Topics()
        self._streaks = Streaks(metrics, log)

    async def run(self) -> None:
        """Forever: read what waits, in the order in which it came."""
        await self._world.read(self._hearing.recall)
        while True:
            while await self.once():
                await self._world.storm.over(GIVE_WAY)
            if not await self._draw_up():
                await self._agenda.wait(names.INTERPRET)

    async def drain(self) -> None:
        """Until nothing waits that was there before; the loop does the work."""
        while await self._world.read(lambda view: view.inbox.waiting().messages):
            self._agenda.hint(names.INTERPRET)
            await asyncio.sleep(DRAIN_LOOK_S)

    async def once(self) -> bool:
        """One batch; whether there was any."""
        # first: what is let go of then is in the inbox
        held = self._broker.held_since if self._broker else None
        waiting = await self._world.read(lambda view: view.inbox.oldest(BATCH))
        self.progress.made()
        came = [alarm.received_at for _, alarm in waiting]
        oldest = min([*came, held] if held else came, default=None)
        self._world.books.read_up_to(oldest)
        if not waiting:
            return False
        now = self._world.now()
        self._hearing.hear(self._world.site, (alarm for _, alarm in waiting))
        batch = [
            (number, self._understood(number, alarm, now)) for number, alarm in waiting
        ]
        taken = await self._commit(batch, now.at)
        self._tell([each for _, found in batch for each in found], taken, now.monotonic)
        self._agenda.hint(names.ROOM)
        return True

    async def _draw_up(self) -> bool:
        """A batch of the stills that were only noted in a storm; whether any was."""
        if not await self._world.read(lambda view: view.stills.wishes(1)):
            return False
        recorders = await self._world.write(draw_up)
        self.progress.made()
        hint_cameras(self._world, self._agenda, recorders)
        return True

    async def _commit(self, batch: Sequence[Waiting], now: datetime) -> list[Taken]:
        """Commit the batch; one that trips over a fault of ours goes one by one."""
        try:
            return await self._write(batch, now)
        except Exception:  # noqa: BLE001 - one that hits a bug must not hold up others
            self._log.exception("alarms tripped over a fault in evidenced")
        taken = []
        for each in batch:
            try:
                taken += await self._write([each], now)
            except Exception as error:  # noqa: BLE001 - the same, told above
                aside = each[0], [_aside(each[1][0].alarm, error)]
                taken += await self._write([aside], now)
        return taken

    async def _write(self, batch: Sequence[Waiting], now: datetime) -> list[Taken]:
        step = partial(
            _take_out,
            batch=batch,
            now=now,
            new_id=self._world.new_id,
            limits=self._world.site.limits,
            is_storm=self._world.storm.is_one(len(batch)),
        )
        taken = await self._world.write(step)
        self.progress.made()
        return taken

    def _understood(self, number: int, alarm: Alarm, now: Now) -> list[Understood]:
        """What it means, or the fault of ours that it trips over.

        It is stored: what is raised on here would stop the daemon at each start.
        """
        site = self._world.books.of(alarm.received_at)
        try:
            found = understand(site, alarm, now, message=number)
        except Exception as error:  # noqa: BLE001 - as in _commit
            self._log.debug("an alarm tripped over a fault in evidenced", exc_info=True)
            return [_aside(alarm, error)]
        for fault in dict.fromkeys(fault for each in found for fault in each.faults):
            self._metrics.faults.inc()
            self._tell_once("a rule's expression failed on an alarm", fault)
        return [
            replace(each, is_over=True) if self._is_over(each) else each
            for each in found
        ]

    def _is_over(self, each: Understood) -> bool:
        """What the broker had queued for us is no flood, and a clear opens nothing."""
        alarm, found = each.alarm, each.result
        if not isinstance(found, Happening) or alarm.absence:
            return False
        if found.reading.signal is Signal.CLEAR:
            return False
        limit = self._world.site.limits.alarms_per_topic
        return self._topics.is_over(alarm.topic, limit, alarm.received_at)

    def _tell_limits(self, taken: Sequence[Taken], now: float) -> None:
        met = Counter((what.limit, what.rule or "") for what in taken if what.limit)
        for (limit, rule), number in met.items():
            self._streaks.met(limit, rule, now, number)
        self._streaks.look(now)

    def _tell_once(self, what: str, why: str, **where: object) -> None:
        """Said once, not once a message."""
        if not self._is_told(why):
            self._log.warning(what, why=why, **where)

    def _is_told(self, what: str) -> bool:
        """Whether it was told before; from now on it is."""
        if what in self._told:
            return True
        self._told[what] = None
        if len(self._told) > TOLD_FAULTS:
            self._told.popitem(last=False)
        return False

    def _tell(
        self, batch: Sequence[Understood], taken: Sequence[Taken], now: float
    ) -> None:
        counted = Counter((what.rule or "", what.outcome) for what in taken)
        for (rule, outcome), number in counted.items():
            self._metrics.alarms.labels(rule, outcome).inc(number)
        self._tell_limits(taken, now)
        opened = [what for what in taken if what.outcome is Outcome.OPENED]
        for what in opened[:TOLD_OPENED]:
            self._log.info("incident opened", incident=what.incident, rule=what.rule)
        if len(opened) > TOLD_OPENED:
            self._log.info("incidents opened", incidents=len(opened))
        for each, what in zip(batch, taken, strict=True):
            if isinstance(each.result, Happening):
                self._tell_unknown(each.result, what)
            elif what.outcome is Outcome.INVALID:
                self._tell_once(
                    "an alarm cannot be read",
                    what.detail,
                    topic=one_line(each.alarm.topic, MAX_TOPIC),
                    rule=what.rule,
                )
        turns = [what.turn_at for what in taken if what.turn_at is not None]
        if turns:
            self._agenda.sooner(names.TURN, min(turns))
        if any(what.incident for what in taken):
            self._hint_changed({name for what in taken for name in what.recorders})

    def _hint_changed(self, recorders: Iterable[RecorderName]) -> None:
        """Others are told; footage that is to be kept is asked for at once."""
        self._agenda.hint(names.OUTBOX)
        hint_cameras(self._world, self._agenda, recorders)

    def _tell_unknown(self, happening: Happening, what: Taken) -> None:
        """Each once an incident, also where others of it are known and go on."""
        new = [
            name
            for name in happening.unknown
            if what.incident and not self._is_told(f"{what.incident} {name}")
        ]
        if new:
            self._log.warning(
                "cameras that nobody configured",
                incident=what.incident,
                rule=what.rule,
                cameras=new,
            )
