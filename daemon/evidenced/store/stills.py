"""Stills: a row each, and the pictures of those that are kept."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select

from evidenced.core.ids import IncidentId, RecorderName
from evidenced.core.instants import to_ms
from evidenced.core.keeping.still import Still, StillWish, wish_after
from evidenced.store.codec import Codec
from evidenced.store.dialect import insert_new, upsert
from evidenced.store.part import Step, StorePart, instant
from evidenced.store.schema import pictures, still_wishes, stills

_S = stills.c
_OF = (
    select(stills)
    .where(_S.incident.in_(bindparam("ids", expanding=True)))
    .order_by(_S.incident, _S.n)
)
_DUE = (
    select(stills)
    .where(_S.recorder == bindparam("recorder"), _S.due_at <= bindparam("now"))
    .order_by(_S.due_at, _S.incident, _S.n)
    .limit(bindparam("most"))
)
_NEXT = select(func.min(_S.due_at)).where(
    _S.recorder == bindparam("recorder"), _S.due_at > bindparam("after")
)
NEXT_PICTURED = select(func.min(_S.recorder)).where(
    _S.due_at.is_not(None), _S.recorder > bindparam("after")
)
_PICTURE = select(pictures.c.data).where(
    pictures.c.incident == bindparam("incident"), pictures.c.n == bindparam("n")
)
_KEPT_BYTES = select(func.sum(_S.size_bytes))
_WANT = insert_new(stills)
_W = still_wishes.c
_WISH = insert(still_wishes)
_WISHES = select(still_wishes).order_by(_W.incident, _W.n).limit(bindparam("most"))
_GRANT = delete(still_wishes).where(
    _W.incident == bindparam("of"), _W.n == bindparam("number")
)
_SAVE = upsert(stills, "incident", "n")
_KEEP = upsert(pictures, "incident", "n")
STILL = Codec(Still)
_WISHED = Codec(StillWish)


class StoredStills(StorePart):
    """They go with their incident."""

    def of(self, incidents: Collection[IncidentId]) -> list[Still]:
        return [STILL.value(row) for row in self._by_ids(_OF, incidents)]

    def due(self, recorder: RecorderName, now: datetime, limit: int) -> list[Still]:
        """Those that are to be asked for, the longest due first."""
        return self._values(STILL, _DUE, recorder=recorder, now=to_ms(now), most=limit)

    def next_due(self, recorder: RecorderName, after: datetime) -> datetime | None:
        """When the next one is due, later than that."""
        values = {"recorder": recorder, "after": to_ms(after)}
        return instant(self._db.scalar(_NEXT, values))

    def picture(self, incident: IncidentId, n: int) -> bytes | None:
        """The JPEG; None where none is kept."""
        data: bytes | None = self._db.scalar(_PICTURE, {"incident": incident, "n": n})
        return data

    def kept_bytes(self) -> int:
        """How much all pictures take. A scan of rows: for now and then."""
        return int(self._db.scalar(_KEPT_BYTES) or 0)

    def save(self, stills: Iterable[Still]) -> None:
        self._many(_SAVE, [STILL.row(each) for each in stills])

    def keep(self, still: Still, data: bytes) -> None:
        """The row with its picture."""
        self.save([still])
        row = {"incident": still.incident, "n": still.n, "data": data}
        self._many(_KEEP, [row])

    def derive(
        self, steps: Iterable[Step], at: datetime, *, is_storm: bool = False
    ) -> None:
        """Make stills wanted by what these steps did; in a storm only note that."""
        wished = [(after, wish_after(before, after, at)) for before, after in steps]
        wishes = [(after, wish) for after, wish in wished if wish is not None]
        if is_storm:
            self._many(_WISH, [_WISHED.row(wish) for _, wish in wishes])
        else:
            self.want(still for after, wish in wishes for still in wish.stills(after))

    def want(self, stills: Iterable[Still]) -> None:
        """New ones, unless they are there."""
        self._many(_WANT, [STILL.row(each) for each in stills])

    def wishes(self, limit: int) -> list[StillWish]:
        """What was noted in a storm and is to be drawn up."""
        return self._values(_WISHED, _WISHES, most=limit)

    def grant(self, wishes: Iterable[StillWish]) -> None:
        """Their stills are rows of their own now."""
        rows = [{"of": each.incident, "number": each.n} for each in wishes]
        self._many(_GRANT, rows)
