"""What people were told: troubles; and have not heard yet: piles of notices."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select

from evidenced.core.instants import to_ms
from evidenced.core.telling.routing import Pile
from evidenced.core.telling.trouble import Trouble
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.part import StorePart
from evidenced.store.schema import piles, troubles

MOST_TROUBLES = 1000
"""Of one look back; more are a network that flaps all day."""

_OPEN = select(troubles).where(troubles.c.ended_at.is_(None))
_LASTED = (
    select(troubles)
    .where(
        troubles.c.since < bindparam("end"),
        or_(troubles.c.ended_at.is_(None), troubles.c.ended_at > bindparam("start")),
    )
    .order_by(troubles.c.since)
    .limit(MOST_TROUBLES)
)
_TROUBLES_SAVE = upsert(troubles, "kind", "name", "since")
_TROUBLE = Codec(Trouble)


class StoredTroubles(StorePart):
    """There are few of them."""

    def open(self) -> list[Trouble]:
        return self._values(_TROUBLE, self._locked(_OPEN))

    def between(self, start: datetime, end: datetime) -> list[Trouble]:
        """Those that lasted at some time between."""
        return self._values(_TROUBLE, _LASTED, start=to_ms(start), end=to_ms(end))

    def save(self, troubles: Sequence[Trouble]) -> None:
        self._many(_TROUBLES_SAVE, [_TROUBLE.row(each) for each in troubles])


_OF = select(piles).where(piles.c.route == bindparam("of"))
_PILES_SAVE = upsert(piles, "route", "kind", "subject")
_FORGET = delete(piles).where(
    or_(
        piles.c.route.not_in(bindparam("routes", expanding=True)),
        (piles.c.count == 0) & (piles.c.told_at < bindparam("before")),
    )
)
_PILE = Codec(Pile)


class StoredPiles(StorePart):
    """There are few of them."""

    def of(self, route: str) -> list[Pile]:
        """What a receiver has not been told yet, and when it last was of what."""
        return self._values(_PILE, self._locked(_OF), of=route)

    def save(self, piles: Iterable[Pile]) -> None:
        self._many(_PILES_SAVE, [_PILE.row(each) for each in piles])

    def forget(self, routes: Sequence[str], before: datetime) -> None:
        """Remove those of other receivers, and empty ones told earlier."""
        self._db.execute(_FORGET, {"routes": list(routes), "before": to_ms(before)})
