"""Retained states at the broker to be taken back: their incidents are gone."""

from collections.abc import Collection

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from evidenced.core.ids import IncidentId
from evidenced.store.part import StorePart
from evidenced.store.schema import retained

_ADD = insert(retained).on_conflict_do_nothing()
_OLDEST = (
    select(retained.c.incident).order_by(retained.c.incident).limit(bindparam("most"))
)
_DROP = delete(retained).where(retained.c.incident == bindparam("name"))


class StoredRetained(StorePart):
    """One row from the transaction that prunes until the broker has confirmed."""

    def gone(self, limit: int) -> list[IncidentId]:
        """Incidents whose states the broker may still hold."""
        return [IncidentId(each) for each in self._db.scalars(_OLDEST, {"most": limit})]

    def take_back(self, incidents: Collection[IncidentId]) -> None:
        """They are gone here; their states have to go there."""
        self._many(_ADD, [{"incident": each} for each in incidents])

    def taken_back(self, incidents: Collection[IncidentId]) -> None:
        self._many(_DROP, [{"name": each} for each in incidents])
