"""Saving silences, and finding those that have run out."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, literal_column, select

from evidenced.core.incidents.silence import Silence
from evidenced.core.instants import to_ms
from evidenced.store.schema import silences
from evidenced.store.silences import silence_of, silence_row
from evidenced.store.statement import SqlWriting, upsert

_RUN_OUT = (
    select(silences)
    .where(silences.c.is_over == literal_column("0"))
    .where(silences.c.ends_at <= bindparam("now"))
    .order_by(silences.c.ends_at)
    .limit(bindparam("most"))
)
_SAVE = upsert(silences, "id")


class SilencesTx(SqlWriting):
    """What is written of silences."""

    def run_out_silences(self, now: datetime, limit: int) -> list[Silence]:
        found = self._rows(_RUN_OUT, now=to_ms(now), most=limit)
        return [silence_of(row) for row in found]

    def save_silences(self, silences: Sequence[Silence]) -> None:
        self._many(_SAVE, [silence_row(silence) for silence in silences])
