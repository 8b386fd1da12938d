"""Export requests: those of an incident, and those that hold a slot at a recorder."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, bindparam, func, insert, select

from evidenced.core.ids import IncidentId, RecorderName
from evidenced.core.incidents.export import ExportRequest
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.notes import Notes
from evidenced.store.part import StorePart
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
_NEWEST = select(func.max(exports.c.id))
_ADD = insert(exports)
_SAVE = upsert(exports, "id")
_EXPORT = Codec(ExportRequest, offset="offset_ms")


class StoredExports(StorePart):
    """Numbers are not given twice: the history names exports by them."""

    def __init__(self, connection: Connection, notes: Notes) -> None:
        super().__init__(connection)
        self._notes = notes
        self._last_id: int | None = None

    def of(self, incidents: Collection[IncidentId]) -> list[ExportRequest]:
        """All export requests of these incidents, ended ones too."""
        return [_EXPORT.value(row) for row in self._by_ids(_OF, incidents)]

    def live(self, recorder: RecorderName) -> list[ExportRequest]:
        """Requests that hold a slot at the recorder: requested or exporting."""
        return self._values(_EXPORT, _LIVE, recorder=recorder)

    def running(
        self, recorder: RecorderName, besides: Collection[int] = ()
    ) -> list[int]:
        """The bandwidths of the recorder's live exports but `besides`, one each."""
        values = {"recorder": recorder, "besides": list(besides)}
        return list(self._db.scalars(_RUNNING, values).all())

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
        self._many(_ADD, [_EXPORT.row(export) for export in exports])

    def save(self, exports: Iterable[ExportRequest]) -> None:
        """By itself for progress and session: no state changes, no history."""
        self._many(_SAVE, [_EXPORT.row(export) for export in exports])
