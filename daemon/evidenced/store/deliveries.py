"""Marks of deliveries that the broker may send again."""

from collections.abc import Collection, Iterable

from sqlalchemy import bindparam, delete, func, select

from evidenced.core.alarms.deliveries import DeliveryMark, Over
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.part import StorePart
from evidenced.store.schema import deliveries

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
        self._many(_SAVE, [_MARK.row(mark) for mark in marks])

    def forget(self, over: Over) -> None:
        """They will not come again."""
        self._db.execute(_FORGET, over._asdict())
