"""Saving troubles and piles."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, or_

from evidenced.core.instants import to_ms
from evidenced.core.telling.routing import Pile
from evidenced.core.telling.trouble import Trouble
from evidenced.store.piles import pile_row, trouble_row
from evidenced.store.schema import piles, troubles
from evidenced.store.statement import SqlWriting, upsert

_SAVE_TROUBLE = upsert(troubles, "kind", "name", "since")
_SAVE_PILE = upsert(piles, "route", "kind", "subject")
_DROP_PILES = delete(piles).where(
    or_(
        piles.c.route.not_in(bindparam("routes", expanding=True)),
        (piles.c.count == 0) & (piles.c.told_at < bindparam("before")),
    )
)


class PilesTx(SqlWriting):
    """What is written of them."""

    def save_troubles(self, troubles: Sequence[Trouble]) -> None:
        self._many(_SAVE_TROUBLE, [trouble_row(each) for each in troubles])

    def save_piles(self, piles: Iterable[Pile]) -> None:
        self._many(_SAVE_PILE, [pile_row(each) for each in piles])

    def forget_piles(self, routes: Sequence[str], before: datetime) -> None:
        self._db.execute(_DROP_PILES, {"routes": list(routes), "before": to_ms(before)})
