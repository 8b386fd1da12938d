"""Alarms of incidents, those that no rule took, and the keys that tell repeats."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from evidenced.core.instants import to_ms
from evidenced.core.keeping.records import (
    FIRST_ALARMS,
    LAST_ALARMS,
    REFUSED_ALARMS,
    KeptAlarm,
    RefusedAlarm,
)
from evidenced.store import rows
from evidenced.store.reading import chunks
from evidenced.store.schema import alarm_keys, alarms, refused_alarms
from evidenced.store.statement import SqlWriting

_ADD_ALARMS = insert(alarms)
_DROP_ALARM = delete(alarms).where(
    alarms.c.incident == bindparam("of"), alarms.c.n == bindparam("number")
)
_ADD_REFUSED_ALARMS = insert(refused_alarms)
_SAVE_KEY = insert(alarm_keys).on_conflict_do_nothing()
_SEEN = select(alarm_keys.c.key).where(
    alarm_keys.c.key.in_(bindparam("keys", expanding=True))
)


class KeptAlarmsTx(SqlWriting):
    """Kept bounded, all of them."""

    def seen(self, keys: Collection[str]) -> set[str]:
        return {
            key
            for some in chunks(keys)
            for key in self._db.scalars(_SEEN, {"keys": some})
        }

    def save_alarms(self, alarms_: Sequence[KeptAlarm]) -> None:
        self._many(_ADD_ALARMS, [_alarm_row(alarm) for alarm in alarms_])
        self._many(
            _DROP_ALARM,
            [
                {"of": alarm.incident, "number": alarm.n - LAST_ALARMS}
                for alarm in alarms_
                if alarm.n > FIRST_ALARMS + LAST_ALARMS
            ],
        )

    def save_refused(self, alarms: Sequence[RefusedAlarm]) -> None:
        if not alarms:
            return
        self._many(_ADD_REFUSED_ALARMS, [_refused_row(alarm) for alarm in alarms])
        newest = select(func.max(refused_alarms.c.seq)).scalar_subquery()
        self._db.execute(
            delete(refused_alarms).where(
                refused_alarms.c.seq <= newest - REFUSED_ALARMS
            )
        )

    def save_keys(self, keys: Iterable[str], at: datetime) -> None:
        self._many(_SAVE_KEY, [{"key": key, "at": to_ms(at)} for key in keys])


def _alarm_row(alarm: KeptAlarm) -> dict[str, Any]:
    return {
        "incident": alarm.incident,
        "n": alarm.n,
        "received_at": to_ms(alarm.received_at),
        "at": to_ms(alarm.at),
        "signal": alarm.signal.value,
        "time_source": alarm.time_source,
        "topic": alarm.topic,
        "payload": alarm.payload,
        **rows.whole_row(alarm.whole),
    }


def _refused_row(alarm: RefusedAlarm) -> dict[str, Any]:
    return {
        "seq": None,  # SQLite counts on
        "received_at": to_ms(alarm.received_at),
        "outcome": alarm.outcome.value,
        "rule": alarm.rule,
        "detail": alarm.detail,
        "topic": alarm.topic,
        "payload": alarm.payload,
        **rows.whole_row(alarm.whole),
    }
