"""Alarms of incidents, messages that opened nothing, and the keys that tell repeats.

All are kept bounded; of what a silence withheld there is what its rule read of it.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from evidenced.core.alarms.alarm import Outcome, Reading
from evidenced.core.alarms.payload import KEPT_BYTES
from evidenced.core.alarms.repeats import SeenAlarm, agree
from evidenced.core.ids import GroupKey, IncidentId, RuleName
from evidenced.core.incidents.withheld import Withheld
from evidenced.core.instants import to_ms
from evidenced.core.keeping.kept import (
    FIRST_ALARMS,
    LAST_ALARMS,
    MOST_WITHHELD,
    REFUSED_ALARMS,
    UNREAD_WHOLE,
    KeptAlarm,
    RefusedAlarm,
)
from evidenced.store.codec import Codec, Row
from evidenced.store.dialect import insert_numbered, upsert
from evidenced.store.part import StorePart
from evidenced.store.schema import alarm_keys, alarms, refused_alarms

SHOWN_BYTES = KEPT_BYTES + 1
"""Of an alarm's payload: what is shown, and a byte more to tell that it was cut."""
_OF = (
    select(
        *(column for column in alarms.c if column.name != "payload"),
        # of an empty payload substr gives NULL
        func.coalesce(func.substr(alarms.c.payload, 1, SHOWN_BYTES), b"").label(
            "payload"
        ),
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
_K = alarm_keys.c
_SAVE_SEEN = upsert(alarm_keys, "key")
_SEEN_BY_KEY = select(alarm_keys).where(_K.key.in_(bindparam("ids", expanding=True)))
_OF_GROUP = (
    _K.group_key.is_not(None),
    _K.rule == bindparam("of_rule"),
    _K.group_key == bindparam("of_key"),
)
_FORGET_SEEN = delete(alarm_keys).where(*_OF_GROUP)
_SEEN_GROUPS = (
    select(_K.group_key, _K.group)
    .where(_K.group_key.is_not(None), _K.rule == bindparam("of_rule"))
    .distinct()
)
_SEEN = Codec(SeenAlarm)
WHOLE = ("whole_bytes", "whole_sha256")
KEPT = Codec(KeptAlarm, whole=WHOLE)


class StoredAlarms(StorePart):
    """Kept bounded, all of them."""

    def of(self, incident: IncidentId, *, whole: bool = False) -> list[KeptAlarm]:
        """Those of one incident; `whole` with payloads as long as they came."""
        return self._values(KEPT, _WHOLE_OF if whole else _OF, incident=incident)

    def seen(self, keys: Collection[str]) -> list[SeenAlarm]:
        """Alarms with one of these keys that led to footage."""
        return [_SEEN.value(row) for row in self._by_ids(_SEEN_BY_KEY, keys)]

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

    def save_seen(self, alarms: Iterable[SeenAlarm]) -> None:
        self._many(_SAVE_SEEN, [_SEEN.row(alarm) for alarm in alarms])

    def forget_seen(self, over: Reading, *, is_wide: bool) -> None:
        """Those of the groups that a clear is about: what comes next is no repeat.

        `is_wide` is whether there may be others than the one that it names.
        """
        keys = {over.key}
        for row in self._rows(_SEEN_GROUPS, of_rule=over.rule) if is_wide else ():
            if agree(json.loads(row["group"]), over.group):
                keys.add(row["group_key"])
        rows = [{"of_rule": over.rule, "of_key": key} for key in keys]
        self._many(_FORGET_SEEN, rows)


_T = refused_alarms.c
_IS_ON = _T.until.is_not(None)
_IN_GROUP = (_IS_ON, _T.rule == bindparam("of_rule"), _T.key == bindparam("of_key"))
_SAME = (*_IN_GROUP, _T.cameras == bindparam("of_cameras"))
_LATEST = select(func.max(_T.seq)).where(*_SAME).correlate(None).scalar_subquery()
_SUPERSEDE = (
    update(refused_alarms).where(*_SAME, _T.seq < _LATEST).values({"until": None})
)
_ADD = insert_numbered(refused_alarms)
_MOVING = ("seq", "cameras", "until", "incident")
_END = update(refused_alarms).where(*_IN_GROUP).values({"until": None})
_ON = select(refused_alarms).where(_IS_ON, _T.rule == bindparam("of_rule"))
_DUE = (
    select(refused_alarms)
    .where(_IS_ON, _T.until <= bindparam("now"))
    .order_by(_T.until, _T.seq)
    .limit(bindparam("most"))
)
_HEARD = (
    update(refused_alarms)
    .where(_IS_ON, _T.until > bindparam("now"))
    .values({"until": bindparam("now")})
)


def _but_last(kept: int) -> Any:  # noqa: ANN401 - SQLAlchemy's own typing
    """Those of an outcome that make room for the last so many."""
    last = select(_T.seq).where(_T.outcome == bindparam("of"))
    last = last.order_by(_T.seq.desc()).offset(kept).limit(1)
    return delete(refused_alarms).where(
        _T.outcome == bindparam("of"),
        _T.seq <= last.correlate(None).scalar_subquery(),
    )


_DROP = _but_last(REFUSED_ALARMS).where(_T.until.is_(None))
_RAW = select(_T.seq).where(_T.raw.is_not(None)).order_by(_T.seq.desc())
_DROP_RAW = (
    update(refused_alarms)
    .where(
        _T.raw.is_not(None),
        _T.seq <= _RAW.offset(UNREAD_WHOLE).limit(1).correlate(None).scalar_subquery(),
    )
    .values({"raw": None})
)
_DROP_WITHHELD = _but_last(MOST_WITHHELD)
_BY_NUMBER = select(refused_alarms).where(_T.seq == bindparam("number"))
_REFUSED = Codec(RefusedAlarm, number="seq", whole=WHOLE, raw=None, withheld=None)
_WITHHELD = Codec(Withheld, why=None)
NEXT_WITHHELD = select(func.min(_T.until)).where(_T.until > bindparam("after"))


class StoredRefused(StorePart):
    """By number, which counts on; bounded, each outcome by itself."""

    def newest(
        self, limit: int, before: int | None = None, outcome: Outcome | None = None
    ) -> list[RefusedAlarm]:
        """The newest first; `before` is a number."""
        columns = (each for each in refused_alarms.c if each.name != "raw")
        query = select(*columns).order_by(_T.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(_T.seq < before)
        if outcome is not None:
            query = query.where(_T.outcome == outcome.value)
        return [refused_of(row) for row in self._rows(query)]

    def get(self, number: int) -> RefusedAlarm | None:
        found = self._rows(_BY_NUMBER, number=number)
        return refused_of(found[0]) if found else None

    def save(self, alarms: Sequence[RefusedAlarm]) -> None:
        """The last ones of each outcome stay.

        A silenced alarm that is on takes the place of an earlier one of its group that
        was left without the same cameras.
        """
        if not alarms:
            return
        added = [_row(alarm) for alarm in alarms]
        self._many(_ADD, added)
        for group in {
            (row["rule"], row["key"], row["cameras"]) for row in added if row["until"]
        }:
            names = ("of_rule", "of_key", "of_cameras")
            self._db.execute(_SUPERSEDE, dict(zip(names, group, strict=True)))
        for outcome in {alarm.outcome for alarm in alarms}:
            self._db.execute(_DROP, {"of": outcome.value})
            if outcome is Outcome.INVALID:
                self._db.execute(_DROP_RAW)
            if outcome is Outcome.SILENCED:
                self._db.execute(_DROP_WITHHELD, {"of": outcome.value})

    def due(self, now: datetime, limit: int) -> list[tuple[RefusedAlarm, Withheld]]:
        """Silenced alarms that are on, and whose silence has ended."""
        found = self._rows(_DUE, now=to_ms(now), most=limit)
        alarms = [refused_of(row) for row in found]
        return [(each, each.withheld) for each in alarms if each.withheld is not None]

    def move(self, alarms: Iterable[RefusedAlarm]) -> None:
        """What goes on being withheld of them, and the incident that they opened."""
        self._move(
            refused_alarms,
            ["seq"],
            [{name: _row(each)[name] for name in _MOVING} for each in alarms],
        )

    def end(self, rule: RuleName, key: GroupKey) -> bool:
        """Silenced alarms of the group are on no more; whether one was."""
        ended = self._db.execute(_END, {"of_rule": rule, "of_key": key})
        return bool(ended.rowcount)

    def on_of(self, rule: RuleName) -> list[Withheld]:
        """What is withheld of a rule's alarms that are on."""
        found = (refused_of(row) for row in self._rows(_ON, of_rule=rule))
        return [each.withheld for each in found if each.withheld is not None]

    def hear(self, now: datetime) -> None:
        """A silence has ended before its time: all that are on are looked at now."""
        self._db.execute(_HEARD, {"now": to_ms(now)})


def _row(alarm: RefusedAlarm) -> dict[str, Any]:
    held = alarm.withheld
    return {
        **_REFUSED.row(alarm),
        "raw": alarm.raw,
        **(dict.fromkeys(_WITHHELD.columns) if held is None else _WITHHELD.row(held)),
    }


def refused_of(row: Row) -> RefusedAlarm:
    is_held = row["moment"] is not None
    held = _WITHHELD.value(row, why=row["detail"]) if is_held else None
    return _REFUSED.value(row, raw=row.get("raw"), withheld=held)
