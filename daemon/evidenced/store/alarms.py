"""Alarms of incidents, those that no rule took, and the keys that tell repeats."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select

from evidenced.core.alarms.payload import KEPT_BYTES
from evidenced.core.ids import IncidentId
from evidenced.core.instants import to_ms
from evidenced.core.keeping.kept import (
    FIRST_ALARMS,
    LAST_ALARMS,
    KeptAlarm,
)
from evidenced.store.codec import Codec
from evidenced.store.dialect import insert_new
from evidenced.store.part import StorePart, chunks
from evidenced.store.schema import alarm_keys, alarms

SHOWN_BYTES = KEPT_BYTES + 1
"""Of an alarm's payload: what is shown, and a byte more to tell that it was cut."""
_OF = (
    select(
        *(column for column in alarms.c if column.name != "payload"),
        func.substr(alarms.c.payload, 1, SHOWN_BYTES).label("payload"),
    )
    .where(alarms.c.incident == bindparam("incident"))
    .order_by(alarms.c.n)
)
_WHOLE_OF = (
    select(alarms)
    .where(alarms.c.incident == bindparam("incident"))
    .order_by(alarms.c.n)
)
_ADD_ALARMS = insert(alarms)
_DROP_ALARM = delete(alarms).where(
    alarms.c.incident == bindparam("of"), alarms.c.n == bindparam("number")
)
_SAVE_KEY = insert_new(alarm_keys)
_SEEN = select(alarm_keys.c.key).where(
    alarm_keys.c.key.in_(bindparam("keys", expanding=True))
)
WHOLE = ("whole_bytes", "whole_sha256")
KEPT = Codec(KeptAlarm, whole=WHOLE)


class StoredAlarms(StorePart):
    """Kept bounded, all of them."""

    def of(self, incident: IncidentId, *, whole: bool = False) -> list[KeptAlarm]:
        """Those of one incident; `whole` with payloads as long as they came."""
        return self._values(KEPT, _WHOLE_OF if whole else _OF, incident=incident)

    def seen(self, keys: Collection[str]) -> set[str]:
        """Those of the alarm keys that were saved before."""
        return {
            key
            for some in chunks(keys)
            for key in self._db.scalars(_SEEN, {"keys": some})
        }

    def save(self, alarms: Sequence[KeptAlarm]) -> None:
        """The first and last of each incident stay."""
        self._many(_ADD_ALARMS, [KEPT.row(alarm) for alarm in alarms])
        self._many(
            _DROP_ALARM,
            [
                {"of": alarm.incident, "number": alarm.n - LAST_ALARMS}
                for alarm in alarms
                if alarm.n > FIRST_ALARMS + LAST_ALARMS
            ],
        )

    def save_keys(self, keys: Iterable[str], at: datetime) -> None:
        self._many(_SAVE_KEY, [{"key": key, "at": to_ms(at)} for key in keys])
