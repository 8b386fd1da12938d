"""Silences: found by their end, so what lies behind costs an alarm nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select

from evidenced.core.ids import SilenceId
from evidenced.core.incidents.silence import Silence, Subject
from evidenced.core.instants import from_ms, to_ms
from evidenced.store.dialect import upsert
from evidenced.store.part import Row, StorePart
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
_RUN_OUT = (
    select(silences)
    .where(silences.c.is_over == literal_column("0"))
    .where(silences.c.ends_at <= bindparam("now"))
    .order_by(silences.c.ends_at)
    .limit(bindparam("most"))
)
_SAVE = upsert(silences, "id")


class StoredSilences(StorePart):
    """By the end that they have now, which is earlier when somebody ends one."""

    def ending_after(self, since: datetime) -> list[Silence]:
        """Those that end later than `since`: few, whatever lies behind."""
        return [_silence(row) for row in self._rows(_ENDING_AFTER, since=to_ms(since))]

    def past(self, now: datetime, limit: int) -> list[Silence]:
        """Those that have ended, the last one first."""
        found = self._rows(_ENDED, now=to_ms(now), most=limit)
        return [_silence(row) for row in found]

    def get(self, name: SilenceId) -> Silence | None:
        found = self._rows(_BY_ID, name=name)
        return _silence(found[0]) if found else None

    def run_out(self, now: datetime, limit: int) -> list[Silence]:
        """Those that have ended by themselves and whose end is not in the history."""
        found = self._rows(self._locked(_RUN_OUT), now=to_ms(now), most=limit)
        return [_silence(row) for row in found]

    def save(self, silences: Sequence[Silence]) -> None:
        self._many(_SAVE, [_silence_row(silence) for silence in silences])


def _silence(row: Row) -> Silence:
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


def _silence_row(silence: Silence) -> dict[str, Any]:
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
