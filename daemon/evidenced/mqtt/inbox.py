"""What the broker delivered and the intake has not settled: bounded, in order, counted.

QoS 1 is bounded by the receive window; a broker that ignores it (or 3.1.1, which has
none) meets our own bound: the surplus is left unacknowledged, and the connection made
anew once the rest is done, for then the broker sends it again. QoS 0 beyond the bound
is dropped and counted: nobody keeps it.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.deliveries import Confirmable, Deliveries
from evidenced.core.alarms.payload import (
    BEGINNING_BYTES,
    MAX_PAYLOAD_BYTES,
    beginning,
    whole_of,
)
from evidenced.mqtt.backlog import Backlog
from evidenced.mqtt.publish import Publish
from evidenced.ports import Clock, Delivery

MAX_HELD = 4096
MAX_HELD_BYTES = 64 * 1024 * 1024
"""256 alarms of the largest size; a storm of ordinary ones meets MAX_HELD."""


class _Bound:
    """How many messages of one kind are held, and their size."""

    def __init__(self) -> None:
        self.count = 0
        self.size = 0

    def has_room(self, size: int) -> bool:
        # One message alone always has: else one large message would come for ever.
        return not self.count or (
            self.count < MAX_HELD and self.size + size <= MAX_HELD_BYTES
        )

    def add(self, size: int) -> None:
        self.count += 1
        self.size += size

    def remove(self, size: int) -> None:
        self.count -= 1
        self.size -= size


class Inbox:
    """The deliveries of all connections."""

    def __init__(
        self,
        clock: Clock,
        window: int,
        last_alive: datetime | None,
        deliveries: Deliveries | None = None,
    ) -> None:
        """The last two are what an earlier process knew: see `Remembered`."""
        self._clock = clock
        self._window = window
        self._heard_at = last_alive
        self._queue: deque[Delivery] = deque()
        self._unsettled: dict[int, Delivery] = {}
        self._passing: dict[int, Delivery] = {}  # of QoS 0: taken, and not settled
        self._kept = _Bound()
        self._loose = _Bound()
        self.deliveries = deliveries or Deliveries()
        self._outstanding = 0
        self._arrived = asyncio.Event()
        self.backlog = Backlog()
        self.dropped = 0
        self.surplus = 0

    @property
    def last_alive(self) -> datetime | None:
        """Nothing that the broker sends from now on was published before this.

        Not later than the oldest delivery that is not settled, nor than what the broker
        still holds: saved, it stays true through a crash at any moment.
        """
        held = (each.alarm for each in self._unsettled.values())
        # All of them: the clock may have been set back since the first one came.
        instants = [alarm.received_at - alarm.absence for alarm in held]
        known = self._heard_at, self.backlog.held_since(self._clock.monotonic())
        return min([*instants, *filter(None, known)], default=None)

    @property
    def _oldest(self) -> Alarm | None:
        """Of those of QoS 1 that were accepted and not settled."""
        first = next(iter(self._unsettled.values()), None)
        return None if first is None else first.alarm

    @property
    def held_since(self) -> datetime | None:
        """When the oldest message came that is not in the store for sure."""
        oldest = [self._oldest] + [
            next((each.alarm for each in some), None)
            for some in (self._passing.values(), self._queue)
        ]
        return min((each.received_at for each in oldest if each), default=None)

    @property
    def is_empty(self) -> bool:
        return not self._queue

    @property
    def is_caught_up(self) -> bool:
        """Whether everything of QoS 1 that was accepted is settled."""
        return not self._unsettled

    def confirmable(self) -> Confirmable | None:
        """What an answer of the broker from now on confirms; None: nothing yet."""
        if self.backlog.held_since(self._clock.monotonic()) is None:
            self.deliveries.replayed()
        return self.deliveries.confirmable(next(iter(self._unsettled), None))

    def begin(self, *, away_since: datetime | None) -> None:
        """A connection was accepted; `away_since` is None where no session resumed.

        What waits here from before stays, though the broker may send it again: that it
        came without DUP is what tells it from an earlier alarm of the same text and
        identifier, and its own mark will tell the repeat.
        """
        self._outstanding = self.surplus = 0
        self.backlog.resumed(away_since, self._clock.monotonic())
        self.deliveries.begin(is_resumed=away_since is not None)
        self.heard()

    def end(self) -> None:
        """The connection ended: the broker keeps from now on what it cannot send."""
        self.backlog.disconnected()

    def heard(self) -> None:
        self._heard_at = self._clock.now()

    def accept(self, messages: Sequence[Publish]) -> None:
        """Queue what arrived just now, or count what meets the bound."""
        at, mono = self._clock.now(), self._clock.monotonic()
        self.backlog.beat(at, mono)
        for message in messages:
            bound = self._loose if message.packet_id is None else self._kept
            # Once there is a surplus all of QoS 1 joins it, which keeps their order.
            is_behind = bound is self._kept and self.surplus > 0
            size = min(len(message.payload), MAX_PAYLOAD_BYTES)
            if is_behind or not bound.has_room(size):
                self._refuse(message, at)
                continue
            received = self._receive(message, at, self.backlog.arrived(at, mono))
            bound.add(len(received.alarm.payload))
            if message.packet_id is not None:
                self._keep(received)
            self._queue.append(received)
            self._arrived.set()

    def _receive(self, message: Publish, at: datetime, absence: timedelta) -> Delivery:
        """What is too large for rules is cut here: held and stored as a little."""
        packet_id = message.packet_id
        stamp = self.deliveries.seen(packet_id, is_repeat=message.is_repeat)
        payload, whole = message.payload, whole_of(message.payload, MAX_PAYLOAD_BYTES)
        if whole is not None:
            payload = beginning(payload, BEGINNING_BYTES)
        return Delivery(
            alarm=Alarm(
                topic=message.topic,
                payload=payload,
                received_at=at,
                retained=message.is_retained,
                stamp=stamp,
                absence=absence,
                whole=whole,
            ),
            number=self.deliveries.number,
        )

    def _keep(self, received: Delivery) -> None:
        self._unsettled[received.number] = received
        self._outstanding += 1
        if self._outstanding >= self._window:
            self.backlog.full(received.alarm.received_at)

    async def take(self, limit: int) -> list[Delivery]:
        """At least one, at most `limit`, oldest first. Cancelled, it took nothing."""
        while not self._queue:
            self._arrived.clear()
            await self._arrived.wait()
        count = min(limit, len(self._queue))
        taken = [self._queue.popleft() for _ in range(count)]
        for received in taken:
            if received.alarm.stamp is None:
                self._loose.remove(len(received.alarm.payload))
                self._passing[received.number] = received
        return taken

    def settle(self, received: Delivery) -> bool:
        """Whether the broker is to be told: of this connection, and not told yet."""
        self._passing.pop(received.number, None)
        stamp = received.alarm.stamp
        is_open = self._forget(received)
        if stamp is None or not is_open or not self.deliveries.is_of_this_line(stamp):
            return False
        self._outstanding -= 1
        self.deliveries.acknowledged(stamp)
        if self._outstanding < self._window and not self.surplus:
            self.backlog.has_room(self._clock.monotonic())
        return True

    def _refuse(self, message: Publish, at: datetime) -> None:
        if message.packet_id is not None:
            self.surplus += 1
            self.backlog.full(at)
        else:
            self.dropped += 1

    def _forget(self, received: Delivery) -> bool:
        if self._unsettled.pop(received.number, None) is None:
            return False
        self._kept.remove(len(received.alarm.payload))
        return True
