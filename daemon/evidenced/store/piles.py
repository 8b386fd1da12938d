"""Piles of notices: what a receiver has not heard yet, and when it last was of what."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, or_, select

from evidenced.core.ids import IncidentId
from evidenced.core.instants import from_ms, to_ms
from evidenced.core.severity import Severity
from evidenced.core.telling.notice import NoticeKind, Phase
from evidenced.core.telling.routing import Pile, Sample
from evidenced.store.dialect import upsert
from evidenced.store.part import Row, StorePart, dump, instant, ms
from evidenced.store.schema import piles

_OF = select(piles).where(piles.c.route == bindparam("of"))
_SAVE = upsert(piles, "route", "kind", "subject")
_FORGET = delete(piles).where(
    or_(
        piles.c.route.not_in(bindparam("routes", expanding=True)),
        (piles.c.count == 0) & (piles.c.told_at < bindparam("before")),
    )
)


class StoredPiles(StorePart):
    """There are few of them."""

    def of(self, route: str) -> list[Pile]:
        """What a receiver has not been told yet, and when it last was of what."""
        return [_pile(row) for row in self._rows(self._locked(_OF), of=route)]

    def save(self, piles: Iterable[Pile]) -> None:
        self._many(_SAVE, [_pile_row(each) for each in piles])

    def forget(self, routes: Sequence[str], before: datetime) -> None:
        """Remove those of other receivers, and empty ones told earlier."""
        self._db.execute(_FORGET, {"routes": list(routes), "before": to_ms(before)})


def _pile(row: Row) -> Pile:
    return Pile(
        route=row["route"],
        kind=NoticeKind(row["kind"]),
        subject=row["subject"],
        severity=Severity(row["severity"]),
        count=row["count"],
        since=instant(row["since"]),
        first_at=instant(row["first_at"]),
        last_at=instant(row["last_at"]),
        samples=tuple(map(_sample, json.loads(row["samples"]))),
        reasons=json.loads(row["reasons"]),
        told_at=instant(row["told_at"]),
    )


def _pile_row(pile: Pile) -> dict[str, Any]:
    samples = [
        [to_ms(each.at), each.text, each.incident, each.phase.value]
        for each in pile.samples
    ]
    return {
        "route": pile.route,
        "kind": pile.kind.value,
        "subject": pile.subject,
        "severity": pile.severity.value,
        "count": pile.count,
        "since": ms(pile.since),
        "first_at": ms(pile.first_at),
        "last_at": ms(pile.last_at),
        "samples": dump(samples),
        "reasons": dump(pile.reasons),
        "told_at": ms(pile.told_at),
    }


def _sample(value: list[Any]) -> Sample:
    at, text, incident, phase = value
    return Sample(
        at=from_ms(at),
        text=text,
        incident=None if incident is None else IncidentId(incident),
        phase=Phase(phase),
    )
