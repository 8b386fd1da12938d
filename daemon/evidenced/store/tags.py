"""Tags that protect footage at a recorder: what is wanted, asked for and confirmed."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update

from evidenced.core.ids import (
    IncidentId,
    RecorderName,
)
from evidenced.core.instants import to_ms
from evidenced.core.keeping.tag import Tag, merge_wanted, tags_after
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.part import Step, StorePart, instant
from evidenced.store.schema import tags

_OF = (
    select(tags)
    .where(tags.c.incident.in_(bindparam("ids", expanding=True)))
    .order_by(tags.c.incident, tags.c.camera)
)
_DUE = (
    select(tags)
    .where(tags.c.recorder == bindparam("recorder"), tags.c.due_at <= bindparam("now"))
    .order_by(tags.c.due_at)
    .limit(bindparam("most"))
)
_HASTEN = (
    update(tags)
    .where(tags.c.recorder == bindparam("of"), tags.c.due_at > bindparam("later"))
    .values(due_at=bindparam("now"))
)
_NEXT = select(func.min(tags.c.due_at)).where(
    tags.c.recorder == bindparam("recorder"), tags.c.due_at.is_not(None)
)
NEXT_TAGGED = select(func.min(tags.c.recorder)).where(
    tags.c.due_at.is_not(None), tags.c.recorder > bindparam("after")
)
_WAITING = select(func.count()).where(tags.c.due_at.is_not(None))
_SAVE = upsert(tags, "incident", "camera")
_TAG = Codec(
    Tag,
    window=("start_at", "end_at"),
    asked=("asked_start", "asked_end"),
    kept=("kept_start", "kept_end"),
)


class StoredTags(StorePart):
    """One a camera of an incident."""

    def of(self, incidents: Collection[IncidentId]) -> list[Tag]:
        return [_TAG.value(row) for row in self._by_ids(_OF, incidents)]

    def due(self, recorder: RecorderName, now: datetime, limit: int) -> list[Tag]:
        """Tags that the recorder is to be asked for, or looked for in its list."""
        return self._values(_TAG, _DUE, recorder=recorder, now=to_ms(now), most=limit)

    def hasten(self, recorder: RecorderName, now: datetime, later: datetime) -> int:
        """Those that are due later than any may be are due now; returns how many."""
        values = {"of": recorder, "now": to_ms(now), "later": to_ms(later)}
        return self._db.execute(_HASTEN, values).rowcount

    def next_due(self, recorder: RecorderName) -> datetime | None:
        """When the next of them is due."""
        return instant(self._db.scalar(_NEXT, {"recorder": recorder}))

    def waiting(self) -> int:
        """Tags that are not confirmed."""
        return self._db.scalar(_WAITING) or 0

    def save(self, tags: Iterable[Tag]) -> None:
        self._many(_SAVE, [_TAG.row(tag) for tag in tags])

    def derive(self, steps: Iterable[Step], at: datetime) -> None:
        """Make tags wanted by what these steps did to incidents."""
        wanted = [
            tag for before, after in steps for tag in tags_after(before, after, at)
        ]
        if wanted:
            known = {
                (tag.incident, tag.camera): tag
                for tag in self.of({tag.incident for tag in wanted})
            }
            self.save(
                merge_wanted(known.get((tag.incident, tag.camera)), tag)
                for tag in wanted
            )

    def forget(self, incidents: Sequence[IncidentId]) -> None:
        self._db.execute(delete(tags).where(tags.c.incident.in_(incidents)))
