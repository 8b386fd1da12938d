"""Troubles that were told: begun, and ended."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select

from evidenced.core.instants import from_ms, to_ms
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import Trouble
from evidenced.store.dialect import upsert
from evidenced.store.part import Row, StorePart, instant, ms
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


class StoredTroubles(StorePart):
    """There are few of them."""

    def open(self) -> list[Trouble]:
        return [_trouble(row) for row in self._rows(self._locked(_OPEN))]

    def between(self, start: datetime, end: datetime) -> list[Trouble]:
        """Those that lasted at some time between."""
        found = self._rows(_LASTED, start=to_ms(start), end=to_ms(end))
        return [_trouble(row) for row in found]

    def save(self, troubles: Sequence[Trouble]) -> None:
        self._many(_SAVE, [_trouble_row(each) for each in troubles])


def _trouble(row: Row) -> Trouble:
    return Trouble(
        kind=NoticeKind(row["kind"]),
        name=row["name"],
        text=row["text"],
        since=from_ms(row["since"]),
        ended_at=instant(row["ended_at"]),
    )


def _trouble_row(trouble: Trouble) -> dict[str, Any]:
    return {
        "kind": trouble.kind.value,
        "name": trouble.name,
        "since": to_ms(trouble.since),
        "text": trouble.text,
        "ended_at": ms(trouble.ended_at),
    }
