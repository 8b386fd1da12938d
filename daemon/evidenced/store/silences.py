"""Silences: found by their end, so what lies behind costs an alarm nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, literal_column, select, update

from evidenced.core.ids import SilenceId
from evidenced.core.incidents.silence import Silence
from evidenced.core.instants import to_ms
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.part import StorePart
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
    silences.c.is_over == literal_column("0"), silences.c.ends_at > bindparam("after")
)
_RUN_OUT = (
    select(silences)
    .where(silences.c.is_over == literal_column("0"))
    .where(silences.c.ends_at <= bindparam("now"))
    .order_by(silences.c.ends_at)
    .limit(bindparam("most"))
)
_SAVE = upsert(silences, "id")
_COUNT = (
    update(silences)
    .where(silences.c.id == bindparam("name"))
    .values(held_back=silences.c.held_back + bindparam("number"))
)
_SILENCE = Codec(Silence)


class StoredSilences(StorePart):
    """By the end that they have now, which is earlier when somebody ends one."""

    def ending_after(self, since: datetime) -> list[Silence]:
        """Those that end later than `since`: few, whatever lies behind."""
        return self._values(_SILENCE, _ENDING_AFTER, since=to_ms(since))

    def standing(self, now: datetime) -> list[Silence]:
        """Those in force or planned, the next to end first."""
        found = self.ending_after(now)
        return [each for each in found if not each.is_over]

    def in_force(self, now: datetime) -> list[Silence]:
        """Those of them that have begun."""
        return [each for each in self.ending_after(now) if each.is_in_force(now)]

    def past(self, now: datetime, limit: int) -> list[Silence]:
        """Those that have ended, the last one first."""
        return self._values(_SILENCE, _ENDED, now=to_ms(now), most=limit)

    def get(self, name: SilenceId) -> Silence | None:
        found = self._rows(_BY_ID, name=name)
        return _SILENCE.value(found[0]) if found else None

    def run_out(self, now: datetime, limit: int) -> list[Silence]:
        """Those that have ended by themselves and whose end is not in the history."""
        return self._values(
            _SILENCE, self._locked(_RUN_OUT), now=to_ms(now), most=limit
        )

    def save(self, silences: Sequence[Silence]) -> None:
        self._many(_SAVE, [_SILENCE.row(silence) for silence in silences])

    def count(self, held_back: Mapping[SilenceId, int]) -> None:
        """So many more alarms came under each."""
        self._many(_COUNT, [{"name": n, "number": k} for n, k in held_back.items()])
