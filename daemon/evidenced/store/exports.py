"""Export requests: those of an incident, and those that hold a slot at a recorder."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from evidenced.core.ids import IncidentId, RecorderName
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.states import ExportState
from evidenced.core.instants import to_ms
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.notes import Notes
from evidenced.store.part import StorePart, instant
from evidenced.store.schema import exports

LAST_EXPORT_ID = "last-export-id"
"""Note of the last number that was given, when requests with it may be pruned."""

_OF = (
    select(exports)
    .where(exports.c.incident.in_(bindparam("ids", expanding=True)))
    .order_by(exports.c.id)
)
_LIVE = (
    select(exports)
    .where(exports.c.recorder == bindparam("recorder"), exports.c.finished_at.is_(None))
    .order_by(exports.c.id)
)
_RUNNING = select(exports.c.bandwidth).where(
    exports.c.recorder == bindparam("recorder"),
    exports.c.finished_at.is_(None),
    exports.c.id.not_in(bindparam("besides", expanding=True)),
)
_TO_CHECK = (
    select(exports)
    .where(exports.c.check_at <= bindparam("now"))
    .order_by(exports.c.check_at)
    .limit(bindparam("most"))
)
_CHECK_NEXT = select(func.min(exports.c.check_at)).where(
    exports.c.check_at.is_not(None)
)
_CHECK_HASTEN = (
    update(exports)
    .where(exports.c.check_at > bindparam("later"))
    .values(check_at=bindparam("now"))
)
_UNSENT = (
    select(exports)
    .where(exports.c.recorder == bindparam("recorder"), exports.c.is_unsent == 1)
    .order_by(exports.c.id)
)
_VANISHED = (
    select(exports)
    .where(
        exports.c.recorder == bindparam("recorder"),
        exports.c.state == ExportState.VANISHED.value,
        exports.c.finished_at > bindparam("since"),
    )
    .order_by(exports.c.id)
)
_NEWEST = select(func.max(exports.c.id))
_ADD = insert(exports)
_SAVE = upsert(exports, "id")
EXPORT = Codec(ExportRequest, offset="offset_ms")


class StoredExports(StorePart):
    """Numbers are not given twice: the history names exports by them."""

    def __init__(self, connection: Connection, notes: Notes) -> None:
        super().__init__(connection)
        self._notes = notes
        self._last_id: int | None = None

    def of(self, incidents: Collection[IncidentId]) -> list[ExportRequest]:
        """All export requests of these incidents, ended ones too."""
        return [EXPORT.value(row) for row in self._by_ids(_OF, incidents)]

    def live(self, recorder: RecorderName) -> list[ExportRequest]:
        """Requests that hold a slot at the recorder: requested or exporting."""
        return self._values(EXPORT, _LIVE, recorder=recorder)

    def running(
        self, recorder: RecorderName, besides: Collection[int] = ()
    ) -> list[int]:
        """The bandwidths of the recorder's live exports but `besides`, one each."""
        values = {"recorder": recorder, "besides": list(besides)}
        return list(self._db.scalars(_RUNNING, values).all())

    def unsent(self, recorder: RecorderName) -> list[ExportRequest]:
        """Requests that certainly never left, and wait to be sent again."""
        return self._values(EXPORT, _UNSENT, recorder=recorder)

    def vanished(self, recorder: RecorderName, since: datetime) -> list[ExportRequest]:
        """Those that were given up for lost at this recorder since then."""
        return self._values(EXPORT, _VANISHED, recorder=recorder, since=to_ms(since))

    def to_check(self, now: datetime, limit: int) -> list[ExportRequest]:
        """Those whose folder is to be looked at, the longest due first."""
        return self._values(EXPORT, _TO_CHECK, now=to_ms(now), most=limit)

    def next_check(self) -> datetime | None:
        """When the next of them is due."""
        return instant(self._db.scalar(_CHECK_NEXT))

    def hasten(self, now: datetime, later: datetime) -> int:
        """Those that are due later than any may be are due now; returns how many."""
        values = {"now": to_ms(now), "later": to_ms(later)}
        return self._db.execute(_CHECK_HASTEN, values).rowcount

    def new_id(self) -> int:
        """A number that no request has or had."""
        if self._last_id is None:
            self._last_id = self._newest_id()
        self._last_id += 1
        return self._last_id

    def _newest_id(self) -> int:
        newest = self._db.scalar(_NEWEST) or 0
        return max(newest, int(self._notes.get(LAST_EXPORT_ID) or 0))

    def remember_id(self) -> None:
        """Before requests are pruned: their numbers are not given again."""
        self._notes.save(LAST_EXPORT_ID, str(self._newest_id()))

    def add(self, exports: Iterable[ExportRequest]) -> None:
        """New ones need no look at what is there: half the price of an upsert."""
        self._many(_ADD, [EXPORT.row(export) for export in exports])

    def save(self, exports: Iterable[ExportRequest]) -> None:
        """By itself for progress and session: no state changes, no history."""
        self._many(_SAVE, [EXPORT.row(export) for export in exports])
