"""Messages as they came, and the marks of their deliveries."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.keeping.records import DeliveryMark
from evidenced.store import rows
from evidenced.store.reading import chunks
from evidenced.store.schema import deliveries, inbox
from evidenced.store.statement import SqlWriting, upsert

_ADD_INBOX = insert(inbox)
_DROP_INBOX = delete(inbox).where(inbox.c.seq == bindparam("number"))
_SAVE_MARK = upsert(deliveries, "packet_id")
_MARKS = select(deliveries.c.packet_id, deliveries.c.digest).where(
    deliveries.c.packet_id.in_(bindparam("ids", expanding=True))
)


class ReceivedTx(SqlWriting):
    """What intake keeps, and interpretation takes out again."""

    def save_inbox(self, alarms: Sequence[Alarm]) -> None:
        total, made = self.inbox_end(), []
        for alarm in alarms:
            row = rows.inbox_row(alarm)
            row["bytes_before"] = total
            total += rows.weight(alarm)
            row["bytes_after"] = total
            made.append(row)
        self._many(_ADD_INBOX, made)

    def drop_inbox(self, numbers: Collection[int]) -> None:
        self._many(_DROP_INBOX, [{"number": number} for number in numbers])

    def marks(self, packet_ids: Collection[int]) -> dict[int, str]:
        return {
            row["packet_id"]: row["digest"]
            for some in chunks(packet_ids)
            for row in self._rows(_MARKS, ids=some)
        }

    def save_marks(self, marks: Iterable[DeliveryMark]) -> None:
        self._many(
            _SAVE_MARK,
            [
                {
                    "packet_id": mark.packet_id,
                    "digest": mark.digest,
                    "delivery": mark.delivery,
                }
                for mark in marks
            ],
        )

    def forget_marks(self, before: int) -> None:
        self._db.execute(delete(deliveries).where(deliveries.c.delivery < before))
