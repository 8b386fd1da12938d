"""Troubles that were told: begun, and ended."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, or_, select

from evidenced.core.instants import to_ms
from evidenced.core.telling.trouble import Trouble
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.part import StorePart
from evidenced.store.schema import troubles

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
_SAVE = upsert(troubles, "kind", "name", "since")
_TROUBLE = Codec(Trouble)


class StoredTroubles(StorePart):
    """There are few of them."""

    def open(self) -> list[Trouble]:
        return self._values(_TROUBLE, self._locked(_OPEN))

    def between(self, start: datetime, end: datetime) -> list[Trouble]:
        """Those that lasted at some time between."""
        return self._values(_TROUBLE, _LASTED, start=to_ms(start), end=to_ms(end))

    def save(self, troubles: Sequence[Trouble]) -> None:
        self._many(_SAVE, [_TROUBLE.row(each) for each in troubles])
