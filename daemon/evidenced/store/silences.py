"""Silences: found by their end, so what lies behind costs an alarm nothing."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select

from evidenced.core.ids import SilenceId
from evidenced.core.incidents.silence import Silence, Subject
from evidenced.core.instants import from_ms, to_ms
from evidenced.store.reading import SqlReading
from evidenced.store.rows import Row
from evidenced.store.schema import silences

_ENDING_AFTER = (
    select(silences)
    .where(silences.c.ends_at > bindparam("since"))
    .order_by(silences.c.ends_at)
)
_ENDED = (
    select(silences)
    .where(silences.c.ends_at <= bindparam("now"))
    .order_by(silences.c.ends_at.desc())
    .limit(bindparam("most"))
)
_BY_ID = select(silences).where(silences.c.id == bindparam("name"))
NEXT_SILENCE_END = select(func.min(silences.c.ends_at)).where(
    silences.c.is_over == literal_column("0")
)


class SilencesView(SqlReading):
    """What is asked of silences."""

    def silences(self, since: datetime) -> list[Silence]:
        return [
            silence_of(row) for row in self._rows(_ENDING_AFTER, since=to_ms(since))
        ]

    def past_silences(self, now: datetime, limit: int) -> list[Silence]:
        found = self._rows(_ENDED, now=to_ms(now), most=limit)
        return [silence_of(row) for row in found]

    def silence(self, name: SilenceId) -> Silence | None:
        found = self._rows(_BY_ID, name=name)
        return silence_of(found[0]) if found else None


def silence_of(row: Row) -> Silence:
    return Silence(
        id=SilenceId(row["id"]),
        subject=Subject(row["subject"]),
        name=row["name"],
        starts_at=from_ms(row["starts_at"]),
        until=from_ms(row["until"]),
        ends_at=from_ms(row["ends_at"]),
        author=row["author"],
        comment=row["comment"],
        ended_by=row["ended_by"],
        is_over=bool(row["is_over"]),
    )


def silence_row(silence: Silence) -> dict[str, Any]:
    return {
        "id": silence.id,
        "subject": silence.subject.value,
        "name": silence.name,
        "starts_at": to_ms(silence.starts_at),
        "until": to_ms(silence.until),
        "ends_at": to_ms(silence.ends_at),
        "author": silence.author,
        "comment": silence.comment,
        "ended_by": silence.ended_by,
        "is_over": int(silence.is_over),
    }
