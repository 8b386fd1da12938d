"""Messages as they came, until they have become what they mean."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, delete, func, insert, select

from evidenced.core.alarms.alarm import Alarm
from evidenced.store.codec import Codec
from evidenced.store.part import StorePart
from evidenced.store.schema import inbox

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
_ENDS = (select(func.min(inbox.c.seq)), select(func.max(inbox.c.seq)))
_OLDEST = select(func.min(inbox.c.seq)).scalar_subquery()
_NEWEST = select(func.max(inbox.c.seq)).scalar_subquery()
_BYTES_BEFORE = select(inbox.c.bytes_before).where(inbox.c.seq == _OLDEST)
_BYTES_AFTER = select(inbox.c.bytes_after).where(inbox.c.seq == _NEWEST)
_ADD = insert(inbox)
_DROP = delete(inbox).where(inbox.c.seq == bindparam("number"))
ALARM = Codec(
    Alarm,
    retained="is_retained",
    stamp=None,
    whole=("whole_bytes", "whole_sha256"),
)


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

    def size(self) -> int:
        """How many numbers the inbox spans: what waits, or a little more."""
        first, last = (self._db.scalar(each) for each in _ENDS)
        return 0 if first is None or last is None else last - first + 1

    def bytes(self) -> int:
        """Topics and payloads from the oldest that waits to the newest."""
        first = self._db.scalar(_BYTES_BEFORE)
        return 0 if first is None else self._end() - int(first)

    def _end(self) -> int:
        """The running total behind the newest message; 0 where none waits."""
        return int(self._db.scalar(_BYTES_AFTER) or 0)

    def save(self, alarms: Sequence[Alarm]) -> None:
        total, made = self._end(), []
        for alarm in alarms:
            after = total + _weight(alarm)
            totals = {"bytes_before": total, "bytes_after": after}
            made.append({"seq": None, **ALARM.row(alarm), **totals})  # the next number
            total = after
        self._many(_ADD, made)

    def drop(self, numbers: Collection[int]) -> None:
        """They have become what they mean."""
        self._many(_DROP, [{"number": number} for number in numbers])


def _weight(alarm: Alarm) -> int:
    """What it takes in the inbox: topics may have 64 KiB too."""
    return len(alarm.topic.encode(errors="replace")) + len(alarm.payload)
