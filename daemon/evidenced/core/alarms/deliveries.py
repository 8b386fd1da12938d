"""Have we stored this delivery already?

A broker sends a message at QoS 1 until it has our PUBACK, so one that we stored may
come again: after a cut line, a kill, a restart of either side. Taken for another alarm
it would be exported twice; an alarm taken for a repeat would be lost, acknowledged.
Everything that decides between the two stands in this file.

What is known of a delivery goes with it as a `Stamp`, made when it arrives. When it is
stored it leaves a `DeliveryMark` in the same transaction, and there, by the marks that
are in the store at that moment, `find_repeats` decides. Memory would not do: between
commit and PUBACK we may die.

A mark is *open* until the broker knows of our acknowledgement. Everything acknowledged
is confirmed by the broker's answer to a packet that we sent after those PUBACKs, for
one connection keeps its order (`confirmable`, `confirm`); then the marks go. A stamp
holds which deliveries were over when its own came: their marks cannot be meant by it,
though they may not be gone yet. That matters because the broker may give a packet
identifier to another message as soon as it has the PUBACK (HiveMQ does: the lowest
free one). An example, one text each time:

    1  a press, identifier 1: stored (mark 1), acknowledged; the probe is answered, so
       delivery 1 is over
    2  another press, identifier 1: lost on the wire, the connection ends
    3  it comes again: identifier 1, DUP, equal text. Mark 1 is not open for it, so it
       is an alarm. Else it would be the repeat of the first.

What was delivered on one connection is over as soon as the probe is answered; what
earlier ones left open only when the broker has had the time to send it again, too.

A repeat is a delivery whose text, topic and session are those of an open mark, and

    DUP, and the same identifier: as the standard has it
    DUP, and identifiers that count from 1 on this connection, on which the mark was
        not made: the broker gives them anew each time (RabbitMQ 3.10 and 4)
    no DUP, soon after a session was resumed, the identifier of the mark, which is
        larger than the number of deliveries on this connection: so the broker does not
        take free ones again, it counts on, and sends no flag (aedes 1.2)

A new message without DUP has the lowest free identifier at most where a broker takes
free ones again, and all that are not free were delivered on this connection before:
that is why the third row cannot meet one of those. Each mark takes one repeat, which
leaves its own. A broker that counts anew *and* sends no DUP (rumqttd, mosca) cannot be
told from one that has another alarm for us: that is stored, and a rule's `id` or time
tells the repeat.

What is left: an identifier that is free again before the probe is answered (a round
trip, at most a second), with the connection lost just then and an equal text.
Source: MQTT 5.0, 2.2.1, 3.3.1.1, 4.4, 4.6; the brokers named were measured.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from evidenced.core.alarms.payload import Whole


class BrokerLine(NamedTuple):
    """One connection to the broker, as far as it tells deliveries apart.

    `session` counts the sessions that the broker began for us; `is_replaying` is true
    while it may still send what an earlier connection left open. `began` is the number
    of the first delivery on it.
    """

    session: int = 0
    is_replaying: bool = False
    began: int = 1


class Over(NamedTuple):
    """Deliveries that will not come again: from `since` up to, without, `before`."""

    since: int = 0
    before: int = 0


class Stamp(NamedTuple):
    """What is known of one delivery at QoS 1 when it arrives.

    `number` counts all deliveries, whatever any clock does, on and on over connections
    and processes; `nth` counts those of this connection. `packet_id` and `is_repeat`
    are its packet identifier and DUP flag. `over` is what was known not to come again.
    """

    number: int
    packet_id: int
    is_repeat: bool = False
    nth: int = 1
    over: Over = Over()
    line: BrokerLine = BrokerLine()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryMark:
    """A delivery that is stored, and that the broker may send again."""

    number: int
    packet_id: int
    session: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmable:
    """Deliveries that are acknowledged; until now so many `repeats` were seen."""

    over: Over
    repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Deliveries by number, and marks to be dropped: each takes one repeat."""

    numbers: frozenset[int] = frozenset()
    taken: tuple[DeliveryMark, ...] = ()


class Deliveries:
    """Those of all connections, by their numbers: seen, acknowledged, confirmed."""

    def __init__(self, *, session: int = 0, last: int = 0) -> None:
        """What an earlier process knew: its session, the last number it stored."""
        self.number = last
        self.over = Over()
        self._line = BrokerLine(session=session, began=last + 1)
        self._nth = 0
        self._ids: set[int] = set()
        self._repeats = 0
        self._open = 0
        self._open_here: set[int] = set()

    @property
    def session(self) -> int:
        """How many sessions the broker has begun for us."""
        return self._line.session

    def begin(self, *, is_resumed: bool) -> None:
        """A connection was accepted."""
        session = self.session + (not is_resumed)
        self._line = BrokerLine(session, is_resumed, self.number + 1)
        self._nth = self._open = 0
        self._ids.clear()
        self._open_here.clear()

    def replayed(self) -> None:
        """What an earlier connection left open has come by now."""
        if self._line.is_replaying:
            self._line = self._line._replace(is_replaying=False)

    def seen(self, packet_id: int | None, *, is_repeat: bool) -> Stamp | None:
        """The next number; a stamp for what the broker would send again."""
        self.number += 1
        if packet_id is None:
            return None
        self._nth += 1
        stamp = Stamp(
            self.number, packet_id, is_repeat, self._nth, self.over, self._line
        )
        if may_repeat(stamp):
            self._repeats += 1
            self._open += 1
            if packet_id in self._ids:
                self._open_here.add(self.number)
        self._ids.add(packet_id)
        return stamp

    def is_of_this_line(self, stamp: Stamp) -> bool:
        """Whether it came on the connection that we have, and can be acknowledged."""
        return stamp.line.began == self._line.began

    def acknowledged(self, stamp: Stamp) -> None:
        """It is stored, and we told the broker on the connection it came on."""
        self._open -= may_repeat(stamp)
        self._open_here.discard(stamp.number)

    def confirmable(self, oldest: int | None) -> Confirmable | None:
        """What an answer of the broker from now on confirms; None: nothing.

        `oldest` is the number of the oldest delivery that is not acknowledged. A mark
        stays while a repeat of it may come, or waits to be stored: of an earlier
        connection's any; of this one's only what had its identifier before on it, as a
        3.1.1 broker may send it (NATS does after 30 s).
        """
        if self._open_here:
            return None
        is_early = self._line.is_replaying or self._open
        since = self._line.began if is_early else 0
        before = self.number + 1 if oldest is None else oldest
        if since == before:
            return None
        return Confirmable(over=Over(since, before), repeats=self._repeats)

    def confirm(self, what: Confirmable) -> None:
        """The broker answered what was sent after `confirmable`."""
        if what.repeats == self._repeats:
            self.over = what.over


def mark_of(
    stamp: Stamp, topic: str, payload: bytes, whole: Whole | None
) -> DeliveryMark:
    """What storing it leaves; its digest is what a repeat has in common with it."""
    name = topic.encode("utf-8", "surrogatepass")
    known = b"%d:" % len(name) + name + payload
    if whole is not None:
        known += whole.sha256.encode()
    return DeliveryMark(
        number=stamp.number,
        packet_id=stamp.packet_id,
        session=stamp.line.session,
        digest=blake2b(known, digest_size=16).hexdigest(),
    )


def may_repeat(stamp: Stamp) -> bool:
    """Whether the mark of its packet identifier has to be looked at."""
    return stamp.is_repeat or _counts_on(stamp)


def may_be_renumbered(stamp: Stamp) -> bool:
    """Whether marks of any identifier have to be looked at."""
    return stamp.is_repeat and stamp.packet_id == stamp.nth


def find_repeats(
    came: Sequence[tuple[Stamp, DeliveryMark]], marks: Iterable[DeliveryMark]
) -> Repeats:
    """Which were stored before, or stand earlier among `came`.

    `came` in the order of arrival; `marks` those in the store that have the identifier
    of one that `may_repeat`, or the digest of one that `may_be_renumbered`.
    """
    open_: dict[str, list[DeliveryMark]] = {}
    for mark in marks:
        open_.setdefault(mark.digest, []).append(mark)
    numbers, taken = set(), []
    for stamp, own in came:
        alike = open_.setdefault(own.digest, [])
        first = _first_of(stamp, alike)
        if first is not None:
            numbers.add(own.number)
            if first.packet_id != own.packet_id:  # else its own takes the place
                taken.append(first)
            alike.remove(first)
        alike.append(own)
    return Repeats(numbers=frozenset(numbers), taken=tuple(taken))


def _first_of(stamp: Stamp, alike: Sequence[DeliveryMark]) -> DeliveryMark | None:
    """The mark that it repeats: the newest of its identifier, else the oldest."""
    found = [mark for mark in alike if _is_meant(stamp, mark)]
    same = [mark for mark in found if mark.packet_id == stamp.packet_id]
    if same:
        return max(same, key=lambda mark: mark.number)
    return min(found, key=lambda mark: mark.number, default=None)


def _is_meant(stamp: Stamp, mark: DeliveryMark) -> bool:
    if stamp.over.since <= mark.number < stamp.over.before:
        return False
    if mark.session != stamp.line.session:
        return False
    is_earlier = mark.number < stamp.line.began
    if mark.packet_id == stamp.packet_id:
        return stamp.is_repeat or (is_earlier and _counts_on(stamp))
    return is_earlier and may_be_renumbered(stamp)


def _counts_on(stamp: Stamp) -> bool:
    return stamp.line.is_replaying and stamp.packet_id > stamp.nth
