"""Troubles that were told, and piles of notices: what a receiver has not heard yet."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select

from evidenced.core.ids import IncidentId
from evidenced.core.instants import from_ms, to_ms
from evidenced.core.severity import Severity
from evidenced.core.telling.notice import Kind, Phase
from evidenced.core.telling.routing import Pile, Sample
from evidenced.core.telling.trouble import Trouble
from evidenced.store.reading import SqlReading
from evidenced.store.rows import Row, dump
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
_PILES = select(piles).where(piles.c.route == bindparam("of"))


class PilesView(SqlReading):
    """What is asked of troubles and piles. There are few of either."""

    def open_troubles(self) -> list[Trouble]:
        return [_trouble(row) for row in self._rows(_OPEN)]

    def troubles_between(self, start: datetime, end: datetime) -> list[Trouble]:
        found = self._rows(_LASTED, start=to_ms(start), end=to_ms(end))
        return [_trouble(row) for row in found]

    def piles(self, route: str) -> list[Pile]:
        return [_pile(row) for row in self._rows(_PILES, of=route)]


def _trouble(row: Row) -> Trouble:
    ended = row["ended_at"]
    return Trouble(
        kind=Kind(row["kind"]),
        name=row["name"],
        text=row["text"],
        since=from_ms(row["since"]),
        ended_at=None if ended is None else from_ms(ended),
    )


def trouble_row(trouble: Trouble) -> dict[str, Any]:
    return {
        "kind": trouble.kind.value,
        "name": trouble.name,
        "since": to_ms(trouble.since),
        "text": trouble.text,
        "ended_at": _ms(trouble.ended_at),
    }


def _pile(row: Row) -> Pile:
    return Pile(
        route=row["route"],
        kind=Kind(row["kind"]),
        subject=row["subject"],
        severity=Severity(row["severity"]),
        count=row["count"],
        since=_at(row["since"]),
        first_at=_at(row["first_at"]),
        last_at=_at(row["last_at"]),
        samples=tuple(map(_sample, json.loads(row["samples"]))),
        reasons=json.loads(row["reasons"]),
        told_at=_at(row["told_at"]),
    )


def pile_row(pile: Pile) -> dict[str, Any]:
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
        "since": _ms(pile.since),
        "first_at": _ms(pile.first_at),
        "last_at": _ms(pile.last_at),
        "samples": dump(samples),
        "reasons": dump(pile.reasons),
        "told_at": _ms(pile.told_at),
    }


def _sample(value: list[Any]) -> Sample:
    at, text, incident, phase = value
    return Sample(
        at=from_ms(at),
        text=text,
        incident=None if incident is None else IncidentId(incident),
        phase=Phase(phase),
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _at(value: int | None) -> datetime | None:
    return None if value is None else from_ms(value)
