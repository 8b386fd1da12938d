"""Incidents that somebody holds: a row each, which keeps it from being pruned."""

from collections.abc import Collection

from sqlalchemy import bindparam, delete, select

from evidenced.core.ids import IncidentId
from evidenced.core.keeping.held import Held
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.part import StorePart
from evidenced.store.schema import held, incidents

_OF = select(held).where(held.c.incident.in_(bindparam("ids", expanding=True)))
_SAVE = upsert(held, "incident")
_DROP = delete(held).where(held.c.incident == bindparam("of"))
_HELD = Codec(Held, by="author")
IS_HELD = select(held.c.incident).where(held.c.incident == incidents.c.id).exists()
"""Of a row of `incidents`: whether somebody holds it."""


class StoredHeld(StorePart):
    """Until somebody releases it."""

    def of(self, incident_ids: Collection[IncidentId]) -> list[Held]:
        """Those of these that are held."""
        return [_HELD.value(row) for row in self._by_ids(_OF, incident_ids)]

    def get(self, incident: IncidentId) -> Held | None:
        return next(iter(self.of([incident])), None)

    def save(self, known: Held) -> None:
        self._many(_SAVE, [_HELD.row(known)])

    def drop(self, incident: IncidentId) -> None:
        """It is released."""
        self._db.execute(_DROP, {"of": incident})
