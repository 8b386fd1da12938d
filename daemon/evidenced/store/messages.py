"""What the store keeps for the broker: messages, deliveries, states to take back.

Messages stand as they came until they have become what they mean. Marks tell those that
the broker sends again. Retained states go once their incidents are gone.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, select

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.deliveries import DeliveryMark, Over
from evidenced.core.ids import IncidentId
from evidenced.store.codec import Codec
from evidenced.store.dialect import insert_new, insert_numbered, upsert
from evidenced.store.part import StorePart
from evidenced.store.schema import deliveries, inbox, retained

INBOX_BYTES = 4 * 1024 * 1024
"""Payloads of the inbox that are read at a time, the largest message that there is:
a batch of such would be more than the service may have of memory, at each start anew.
"""

_UP_TO = select(inbox).where(inbox.c.seq <= bindparam("last")).order_by(inbox.c.seq)
_SIZES = (
    select(inbox.c.seq, func.length(inbox.c.payload).label("size"))
    .order_by(inbox.c.seq)
    .limit(bindparam("most"))
)
_OLDEST = select(func.min(inbox.c.seq)).scalar_subquery()
_NEWEST = select(func.max(inbox.c.seq)).scalar_subquery()
_BYTES_BEFORE = select(inbox.c.bytes_before).where(inbox.c.seq == _OLDEST)
_BYTES_AFTER = select(inbox.c.bytes_after).where(inbox.c.seq == _NEWEST)
_WAITING = select(
    (_NEWEST - _OLDEST + 1).label("messages"),
    (_BYTES_AFTER.scalar_subquery() - _BYTES_BEFORE.scalar_subquery()).label("bytes"),
)
"""One statement, for it is part of each commit of messages: to a server each is a way
there and back."""
_INBOX_ADD = insert_numbered(inbox)
_INBOX_DROP = delete(inbox).where(inbox.c.seq == bindparam("number"))
ALARM = Codec(
    Alarm,
    retained="is_retained",
    stamp=None,
    whole=("whole_bytes", "whole_sha256"),
)


class InboxSize(NamedTuple):
    """What the inbox spans, from the oldest that waits to the newest, or a little more.

    How many messages, and the bytes of their topics and payloads.
    """

    messages: int
    bytes: int


class StoredInbox(StorePart):
    """Each row carries a running total of bytes, so what waits costs two rows."""

    def oldest(self, limit: int) -> list[tuple[int, Alarm]]:
        """Messages that were not understood yet, by number, oldest first.

        At least one if there is any, and not more than fit into memory together.
        """
        last = size = 0
        for row in self._rows(_SIZES, most=limit):
            size += row["size"]
            if last and size > INBOX_BYTES:
                break
            last = row["seq"]
        return [(row["seq"], ALARM.value(row)) for row in self._rows(_UP_TO, last=last)]

    def waiting(self) -> InboxSize:
        """What waits to be understood."""
        row = self._db.execute(_WAITING).one()
        return InboxSize(int(row.messages or 0), int(row.bytes or 0))

    def _end(self) -> int:
        """The running total behind the newest message; 0 where none waits."""
        return int(self._db.scalar(_BYTES_AFTER) or 0)

    def save(self, alarms: Sequence[Alarm]) -> None:
        total, made = self._end(), []
        for alarm in alarms:
            after = total + _weight(alarm)
            totals = {"bytes_before": total, "bytes_after": after}
            made.append({**ALARM.row(alarm), **totals})
            total = after
        self._add(_INBOX_ADD, made)

    def drop(self, numbers: Collection[int]) -> None:
        """They have become what they mean."""
        self._many(_INBOX_DROP, [{"number": number} for number in numbers])


def _weight(alarm: Alarm) -> int:
    """What it takes in the inbox: topics may have 64 KiB too."""
    return len(alarm.topic.encode(errors="replace")) + len(alarm.payload)


_NUMBER = deliveries.c.number
_LAST = select(func.max(_NUMBER))
"""Gone through once, at the start: one row for a packet identifier, 65,535 at most."""
_MARKS = {
    column: select(deliveries).where(
        deliveries.c[column].in_(bindparam("ids", expanding=True))
    )
    for column in ("packet_id", "digest")
}
"""By digest they are gone through, for a window of messages that a broker numbers anew
after a reconnect."""
_SAVE = upsert(deliveries, "packet_id")
_FORGET = delete(deliveries).where(
    bindparam("since") <= _NUMBER, bindparam("before") > _NUMBER
)
_MARK = Codec(DeliveryMark)


class StoredDeliveries(StorePart):
    """By packet identifier."""

    def last(self) -> int:
        """The largest number of a delivery that is marked; 0 where none is."""
        return int(self._db.scalar(_LAST) or 0)

    def marks(
        self, packet_ids: Collection[int], digests: Collection[str]
    ) -> set[DeliveryMark]:
        """Those with one of these identifiers, or one of these digests."""
        wanted: dict[str, Collection[object]] = {
            "packet_id": packet_ids,
            "digest": digests,
        }
        return {
            _MARK.value(row)
            for column, values in wanted.items()
            for row in self._by_ids(_MARKS[column], values)
        }

    def save(self, marks: Iterable[DeliveryMark]) -> None:
        """One for each packet identifier: a later one takes the earlier one's place.

        The broker gives an identifier to another message only when the one before is
        over.
        """
        last = {mark.packet_id: mark for mark in marks}
        self._add(_SAVE, [_MARK.row(mark) for mark in last.values()])

    def forget(self, over: Over) -> None:
        """They will not come again."""
        self._db.execute(_FORGET, over._asdict())

    def clear(self) -> None:
        """They are of a session that went on without this store."""
        self._db.execute(delete(deliveries))


_RETAINED_ADD = insert_new(retained)
_RETAINED_OLDEST = (
    select(retained.c.incident).order_by(retained.c.incident).limit(bindparam("most"))
)
_RETAINED_DROP = delete(retained).where(retained.c.incident == bindparam("name"))


class StoredRetained(StorePart):
    """One row from the transaction that prunes until the broker has confirmed."""

    def gone(self, limit: int) -> list[IncidentId]:
        """Incidents whose states the broker may still hold."""
        return [
            IncidentId(each)
            for each in self._db.scalars(_RETAINED_OLDEST, {"most": limit})
        ]

    def take_back(self, incidents: Collection[IncidentId]) -> None:
        """They are gone here; their states have to go there."""
        self._many(_RETAINED_ADD, [{"incident": each} for each in incidents])

    def taken_back(self, incidents: Collection[IncidentId]) -> None:
        self._many(_RETAINED_DROP, [{"name": each} for each in incidents])
