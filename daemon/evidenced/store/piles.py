"""Piles of notices: what a receiver has not heard yet, and when it last was of what."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select

from evidenced.core.instants import to_ms
from evidenced.core.telling.routing import Pile
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.part import StorePart
from evidenced.store.schema import piles

_OF = select(piles).where(piles.c.route == bindparam("of"))
_SAVE = upsert(piles, "route", "kind", "subject")
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
        self._many(_SAVE, [_PILE.row(each) for each in piles])

    def forget(self, routes: Sequence[str], before: datetime) -> None:
        """Remove those of other receivers, and empty ones told earlier."""
        self._db.execute(_FORGET, {"routes": list(routes), "before": to_ms(before)})
