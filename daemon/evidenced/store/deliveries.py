"""Marks of deliveries whose acknowledgement may not have reached the broker."""

from collections.abc import Collection, Iterable

from sqlalchemy import bindparam, delete, func, select

from evidenced.core.keeping.records import DeliveryMark
from evidenced.store.part import Part, chunks, upsert
from evidenced.store.schema import deliveries

_LAST = select(func.max(deliveries.c.delivery))
"""Gone through once, at the start: one row for a packet identifier, 65,535 at most."""
_MARKS = select(deliveries.c.packet_id, deliveries.c.digest).where(
    deliveries.c.packet_id.in_(bindparam("ids", expanding=True))
)
_SAVE = upsert(deliveries, "packet_id")
_FORGET = delete(deliveries).where(deliveries.c.delivery < bindparam("before"))


class Deliveries(Part):
    """By packet identifier."""

    def last(self) -> int:
        """The largest number of a delivery that is marked; 0 where none is."""
        return int(self._db.scalar(_LAST) or 0)

    def marks(self, packet_ids: Collection[int]) -> dict[int, str]:
        """Digests of unconfirmed deliveries by packet identifier."""
        return {
            row["packet_id"]: row["digest"]
            for some in chunks(packet_ids)
            for row in self._rows(_MARKS, ids=some)
        }

    def save(self, marks: Iterable[DeliveryMark]) -> None:
        self._many(
            _SAVE,
            [
                {
                    "packet_id": mark.packet_id,
                    "digest": mark.digest,
                    "delivery": mark.delivery,
                }
                for mark in marks
            ],
        )

    def forget(self, before: int) -> None:
        """The acknowledgement of these deliveries has reached the broker."""
        self._db.execute(_FORGET, {"before": before})
