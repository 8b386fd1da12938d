"""Footage on shares: a row a folder, which outlives its incident here."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select

from evidenced.core.ids import DestinationName, IncidentId
from evidenced.core.instants import to_ms
from evidenced.core.keeping.footage import FootageFolder, FootageState
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.part import StorePart
from evidenced.store.schema import footage, held, incidents

_F = footage.c
_OF = (
    select(footage)
    .where(_F.incident.in_(bindparam("ids", expanding=True)))
    .order_by(_F.incident, _F.path)
)
_AT = select(footage).where(
    _F.destination == bindparam("of"), _F.path == bindparam("at")
)
_IS_HERE = _F.state.in_([FootageState.KEPT.value, FootageState.DISPOSING.value])
_MAY_LOOK = or_(_F.wait_until.is_(None), _F.wait_until <= bindparam("now"))
_IS_HELD = select(held.c.incident).where(held.c.incident == _F.incident).exists()
_OLD = (
    select(footage)
    .where(
        _F.destination == bindparam("of"),
        _F.state == FootageState.KEPT.value,
        _F.ended_at < bindparam("before"),
        _MAY_LOOK,
        ~_IS_HELD,
    )
    .order_by(_F.ended_at)
    .limit(1)
)
_UNCHECKED = (
    select(footage)
    .where(
        _F.destination == bindparam("of"),
        _F.state == FootageState.KEPT.value,
        _F.checked_at < bindparam("before"),
        _MAY_LOOK,
    )
    .order_by(_F.checked_at)
    .limit(1)
)
_NEWEST = (
    select(footage)
    .where(_F.destination.in_(bindparam("of", expanding=True)))
    .order_by(_F.ended_at.desc(), _F.path)
    .limit(bindparam("most"))
)
_BEGUN = (
    select(footage)
    .where(
        _F.destination == bindparam("of"),
        _F.state == FootageState.DISPOSING.value,
        _MAY_LOOK,
    )
    .limit(1)
)
_PRUNE = delete(footage).where(
    ~_IS_HERE,
    _F.at < bindparam("before"),
    ~select(incidents.c.id).where(incidents.c.id == _F.incident).exists(),
)
_SAVE = upsert(footage, "destination", "path")
_FOOTAGE = Codec(FootageFolder, by="author")


class StoredFootage(StorePart):
    """What lies on shares, as far as records were written there."""

    def of(self, incidents: Collection[IncidentId]) -> list[FootageFolder]:
        """All folders of these incidents, whatever became of them."""
        return [_FOOTAGE.value(row) for row in self._by_ids(_OF, incidents)]

    def at(self, destination: DestinationName, path: str) -> FootageFolder | None:
        """The folder there, whatever became of it; None where none is known."""
        found = self._values(_FOOTAGE, _AT, of=destination, at=path)
        return next(iter(found), None)

    def to_dispose(
        self, destination: DestinationName, before: datetime | None, now: datetime
    ) -> FootageFolder | None:
        """What is being disposed of there; else the oldest that ended before.

        None that somebody holds, nor one that is to be looked at later.
        """
        values = {"of": destination, "now": to_ms(now)}
        found = self._values(_FOOTAGE, _BEGUN, **values)
        if not found and before is not None:
            found = self._values(_FOOTAGE, _OLD, **values, before=to_ms(before))
        return next(iter(found), None)

    def newest(
        self, destinations: Collection[DestinationName], most: int
    ) -> list[FootageFolder]:
        """All that is known to lie there, or to have lain, the newest first."""
        return self._values(_FOOTAGE, _NEWEST, of=list(destinations), most=most)

    def to_check(
        self, destination: DestinationName, before: datetime, now: datetime
    ) -> FootageFolder | None:
        """The one there that was hashed longest ago, before that instant."""
        values = {"of": destination, "before": to_ms(before), "now": to_ms(now)}
        return next(iter(self._values(_FOOTAGE, _UNCHECKED, **values)), None)

    def save(self, footage: Iterable[FootageFolder]) -> None:
        self._many(_SAVE, [_FOOTAGE.row(each) for each in footage])

    def prune(self, before: datetime) -> None:
        """What went before, of incidents that are not here any more."""
        self._db.execute(_PRUNE, {"before": to_ms(before)})
