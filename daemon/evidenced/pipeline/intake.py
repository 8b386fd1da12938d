"""Intake: every message is stored before it is acknowledged.

As it came, whatever it is: what it means is found out after. So an acknowledgement
never waits for a rule, and no message that trips over one is lost. What arrives
together shares one commit; a message that repeats a delivery is not stored again.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from structlog.typing import FilteringBoundLogger

from evidenced.core.alarms.alarm import Alarm, NotTaken, Outcome
from evidenced.core.alarms.deliveries import (
    Over,
    Repeats,
    find_repeats,
    mark_of,
    may_be_renumbered,
    may_repeat,
)
from evidenced.core.instants import SECOND
from evidenced.core.keeping.kept import RefusedAlarm, refused_alarm
from evidenced.core.phrase import mark
from evidenced.core.streak import Streak
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.world import World
from evidenced.ports import AlarmSource, Delivery, Tx, View

BATCH = 256
"""Messages in one commit at most: half of the default receive maximum, so that one
half is received while the other is being committed."""
MAX_INBOX = 200_000
"""Messages that wait to be understood; beyond it they wait at the broker."""
MAX_INBOX_BYTES = 256 * 1024 * 1024
"""Likewise, their topics and payloads: a thousand of the largest that rules read, and
of ordinary alarms as many as MAX_INBOX. With the batch that comes on top and the
store's journal well below 1 GB of the disk."""
FULL = "more waits to be read by the rules than may; alarms wait at the broker"
STREAK_S = 60.0
"""A bound that is met again sooner is the same storm."""
LOOK_AGAIN = SECOND
_AGAIN = NotTaken(
    rule=None,
    outcome=Outcome.DUPLICATE,
    detail=mark("the broker delivered it a second time; the first is kept"),
)


class Accepted(NamedTuple):
    """How many were `repeats`; how full the inbox is now: at 1 as much waits as may."""

    repeats: int
    fill: float


def accept(tx: Tx, alarms: Sequence[Alarm]) -> Accepted:
    """One transaction: every message is in the inbox, or is known to have been."""
    came = [
        (stamp, mark_of(stamp, alarm.topic, alarm.payload, alarm.whole))
        for alarm in alarms
        if (stamp := alarm.stamp) is not None
    ]
    ids = {stamp.packet_id for stamp, _ in came if may_repeat(stamp)}
    digests = {own.digest for stamp, own in came if may_be_renumbered(stamp)}
    found = find_repeats(came, tx.deliveries.marks(ids, digests)) if ids else Repeats()
    repeats = found.numbers
    new: list[Alarm] = []
    again: list[RefusedAlarm] = []
    for each in alarms:
        if each.stamp and each.stamp.number in repeats:
            again.append(refused_alarm(each, _AGAIN))
        else:
            new.append(each)
    tx.inbox.save(new)
    tx.refused.save(again)
    tx.deliveries.save([own for _, own in came])
    for taken in found.taken:
        tx.deliveries.forget(Over(taken.number, taken.number + 1))
    return Accepted(len(repeats), fill_of(tx))


def fill_of(view: View) -> float:
    """How full the inbox is."""
    found = view.inbox.waiting()
    return max(found.messages / MAX_INBOX, found.bytes / MAX_INBOX_BYTES)


class Intake:
    """The loop that takes messages from the broker and lets go of them when kept.

    `problem` is a sentence while it takes none, though it could.
    """

    def __init__(
        self,
        world: World,
        source: AlarmSource,
        agenda: Agenda,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._world = world
        self._source = source
        self._agenda = agenda
        self._metrics = metrics
        self._log = log
        self._fill = 1.0
        """At most so full, for others only take out; not asked yet."""
        self._full = Streak(quiet_s=STREAK_S)
        self.problem: str | None = None

    async def run(self) -> None:
        """Forever: receive, while what came before is committed."""
        received: asyncio.Queue[list[Delivery]] = asyncio.Queue(1)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_all(received), name="keep")
            while True:
                deliveries = await self._source.receive(BATCH)
                self._world.storm.came(len(deliveries))
                await received.put(deliveries)

    async def _keep_all(self, received: asyncio.Queue[list[Delivery]]) -> None:
        """In the order of delivery: commit, then acknowledge.

        However long the store takes: the broker keeps what we cannot.
        """
        while True:
            deliveries = await received.get()
            await self._room()
            alarms = [each.alarm for each in deliveries]
            done = await self._world.write(partial(accept, alarms=alarms))
            self._fill = done.fill
            self._source.acknowledge(deliveries)
            self._world.storm.stored(len(deliveries))
            if done.repeats:
                self._metrics.alarms.labels("", Outcome.DUPLICATE).inc(done.repeats)
            self._agenda.hint(names.INTERPRET)

    async def _room(self) -> None:
        """Wait while too much waits to be understood: told once a storm.

        Not until half of it is read: brokers hold less than we do, some few messages.
        The readers are asked only then: they are few, and others ask them for long.
        """
        clock = self._world.clock
        while self._fill >= 1:
            self._fill = await self._world.read(fill_of)
            if self._fill < 1:
                break
            self.problem = FULL
            if self._full.met(clock.monotonic()):
                self._log.warning(
                    "too much waits to be read; alarms wait at the broker"
                )
            await self._agenda.wait(names.ROOM, at_most=LOOK_AGAIN)
        self.problem = None
        if self._full.over(clock.monotonic()):
            self._log.info("alarms are taken from the broker again")
