"""Writing: one transaction of the one writer."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, or_, select
from sqlalchemy.dialects.sqlite import dialect, insert

from evidenced.core.alarm import Alarm
from evidenced.core.export import ExportRequest
from evidenced.core.history import Change, Entry, entry_of
from evidenced.core.ids import (
    DestinationName,
    GroupKey,
    IncidentId,
    RecorderName,
    RuleName,
)
from evidenced.core.incident import Clip, Incident
from evidenced.core.instants import to_ms
from evidenced.core.records import (
    FIRST_ALARMS,
    LAST_ALARMS,
    REFUSED_ALARMS,
    DeliveryMark,
    KeptAlarm,
    RefusedAlarm,
)
from evidenced.core.states import ClipState
from evidenced.store import rows
from evidenced.store.chain import ANCHOR, link
from evidenced.store.schema import (
    alarm_keys,
    alarms,
    clips,
    deliveries,
    exports,
    history,
    inbox,
    incidents,
    meta,
    refused_alarms,
    tally,
)
from evidenced.store.view import CHUNK, SqlView, _chunks

_FIRST_ENTRIES = (
    select(history.c.seq, history.c.at, history.c.hash)
    .where(history.c.seq > 0)
    .order_by(history.c.seq)
    .limit(bindparam("most"))
)

LAST_EXPORT_ID = "last-export-id"
HISTORY_BATCH = 5000
"""History rows taken off in one transaction."""
CLOCKS_APART = 120_000
"""Milliseconds: an alarm's own time may be a minute later than its entry's."""
QUEUE_PAGE = 256
"""Rows of the queue taken at a time; it is read only as far as it is needed."""


def _upsert(table: Any, *keys: str) -> Any:  # noqa: ANN401 - SQLAlchemy's own typing
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(keys),
        set_={
            column.name: statement.excluded[column.name]
            for column in table.columns
            if column.name not in keys
        },
    )


_SAVE_INCIDENT = _upsert(incidents, "id")
_SAVE_CLIP = _upsert(clips, "incident", "n")
_DROP_CLIP = delete(clips).where(
    clips.c.incident == bindparam("of"), clips.c.n == bindparam("number")
)
_SAVE_EXPORT = _upsert(exports, "id")
_ADD_ALARMS = insert(alarms)
_ADD_REFUSED_ALARMS = insert(refused_alarms)
_ADD_HISTORY = insert(history)
_ADD_INBOX = insert(inbox)
_DROP_INBOX = delete(inbox).where(inbox.c.seq == bindparam("number"))
_SAVE_MARK = _upsert(deliveries, "packet_id")
_SAVE_NOTE = _upsert(meta, "key")
_SAVE_KEY = insert(alarm_keys).on_conflict_do_nothing()
_COUNT = insert(tally)
_COUNT = _COUNT.on_conflict_do_update(
    index_elements=["state"],
    set_={"incidents": tally.c.incidents + _COUNT.excluded.incidents},
)
_DROP_ALARM = delete(alarms).where(
    alarms.c.incident == bindparam("of"), alarms.c.n == bindparam("number")
)
_OPEN = select(incidents).where(
    incidents.c.is_open == 1,
    incidents.c.rule.in_(bindparam("rules", expanding=True)),
    incidents.c.key.in_(bindparam("keys", expanding=True)),
    or_(incidents.c.end_at >= bindparam("since"), incidents.c.is_active == 1),
)
_SEEN = select(alarm_keys.c.key).where(
    alarm_keys.c.key.in_(bindparam("keys", expanding=True))
)
_MARKS = select(deliveries.c.packet_id, deliveries.c.digest).where(
    deliveries.c.packet_id.in_(bindparam("ids", expanding=True))
)
_TURNING = (
    select(incidents)
    .where(incidents.c.turn_at <= bindparam("now"))
    .order_by(incidents.c.turn_at)
    .limit(bindparam("most"))
)
_LATE = (
    select(incidents)
    .where(incidents.c.alert_at <= bindparam("now"))
    .order_by(incidents.c.alert_at)
    .limit(bindparam("most"))
)
_RUNNING = select(exports.c.bandwidth).where(
    exports.c.recorder == bindparam("recorder"), exports.c.finished_at.is_(None)
)
_QUEUE = (
    select(clips.c.incident, clips.c.cohort)
    .where(
        clips.c.recorder == bindparam("recorder"),
        clips.c.state == ClipState.DUE.value,
        clips.c.due_at <= bindparam("now"),
        clips.c.destination.not_in(bindparam("closed", expanding=True)),
    )
    .order_by(clips.c.rank, clips.c.incident)
    .execution_options(yield_per=QUEUE_PAGE)
)
_PRUNABLE = (
    select(incidents.c.id, incidents.c.state)
    .where(incidents.c.finished_at < bindparam("before"))
    .order_by(incidents.c.finished_at)
    .limit(bindparam("most"))
)


class SqlTx(SqlView):
    """`ports.Tx` over the writer's connection."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)

    def open_incidents(
        self, groups: Collection[tuple[RuleName, GroupKey]], since: datetime
    ) -> list[Incident]:
        found: list[Incident] = []
        for some in _chunks(list(groups)):
            wanted = set(some)
            values = {
                "rules": list({rule for rule, _ in wanted}),
                "keys": list({key for _, key in wanted}),
                "since": to_ms(since),
            }
            matching = [
                row
                for row in self._rows(_OPEN, **values)
                if (row["rule"], row["key"]) in wanted
            ]
            found += self._with_clips(matching)
        return found

    def seen(self, keys: Collection[str]) -> set[str]:
        return {
            key
            for some in _chunks(keys)
            for key in self._db.scalars(_SEEN, {"keys": some})
        }

    def marks(self, packet_ids: Collection[int]) -> dict[int, str]:
        return {
            row["packet_id"]: row["digest"]
            for some in _chunks(packet_ids)
            for row in self._rows(_MARKS, ids=some)
        }

    def turning(self, now: datetime, limit: int) -> list[Incident]:
        return self._with_clips(self._rows(_TURNING, now=to_ms(now), most=limit))

    def late(self, now: datetime, limit: int) -> list[Incident]:
        return self._with_clips(self._rows(_LATE, now=to_ms(now), most=limit))

    def due(
        self,
        recorder: RecorderName,
        now: datetime,
        limit: int,
        closed: Collection[DestinationName] = (),
    ) -> list[tuple[Incident, int]]:
        values = {"recorder": recorder, "now": to_ms(now), "closed": list(closed)}
        order: dict[tuple[IncidentId, int], None] = {}
        with self._db.execute(_QUEUE, values) as queue:
            for row in queue:
                order[IncidentId(row.incident), row.cohort] = None
                if len(order) >= limit:
                    break
        wanted = list(order)
        found = {each.id: each for each in self.incidents([name for name, _ in wanted])}
        return [(found[name], cohort) for name, cohort in wanted]

    def running(self, recorder: RecorderName) -> list[int]:
        return list(self._db.scalars(_RUNNING, {"recorder": recorder}))

    def new_export_id(self) -> int:
        if self._export_id is None:
            self._export_id = self._last_export_id()
        self._export_id += 1
        return self._export_id

    _export_id: int | None = None

    def _last_export_id(self) -> int:
        newest = self._db.scalar(select(func.max(exports.c.id))) or 0
        return max(newest, int(self.note(LAST_EXPORT_ID) or 0))

    def save(self, changes: Sequence[Change], at: datetime) -> None:
        steps: dict[IncidentId, tuple[Incident | None, Incident]] = {}
        for change in changes:
            first = steps.get(change.after.id, (change.before, change.after))[0]
            steps[change.after.id] = (first, change.after)
        self._save_incidents(steps.values())
        self._save_exports(export for change in changes for export in change.exports)
        entries = [entry_of(change, at) for change in changes]
        self._write_entries([entry for entry in entries if entry is not None])

    def _save_incidents(
        self, steps: Collection[tuple[Incident | None, Incident]]
    ) -> None:
        self._many(_SAVE_INCIDENT, [rows.incident_row(after) for _, after in steps])
        dropped, saved, counted = [], [], Counter[str]()
        for before, after in steps:
            old = {} if before is None else {clip.n: clip for clip in before.clips}
            saved += [
                rows.clip_row(after, clip)
                for clip in after.clips
                if _is_changed(old.pop(clip.n, None), clip)
            ]
            dropped += [{"of": after.id, "number": n} for n in old]
            if before is not None:
                counted[before.state.value] -= 1
            counted[after.state.value] += 1
        self._many(_DROP_CLIP, dropped)
        self._many(_SAVE_CLIP, saved)
        self._count(counted)

    def _count(self, counted: Counter[str]) -> None:
        self._many(
            _COUNT,
            [{"state": state, "incidents": n} for state, n in counted.items() if n],
        )

    def save_progress(self, exports: Iterable[ExportRequest]) -> None:
        self._save_exports(exports)

    def _save_exports(self, exports: Iterable[ExportRequest]) -> None:
        self._many(_SAVE_EXPORT, [rows.export_row(export) for export in exports])

    def save_inbox(self, alarms: Sequence[Alarm]) -> None:
        self._many(_ADD_INBOX, [rows.inbox_row(alarm) for alarm in alarms])

    def drop_inbox(self, numbers: Collection[int]) -> None:
        self._many(_DROP_INBOX, [{"number": number} for number in numbers])

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

    def save_marks(self, marks: Iterable[DeliveryMark], at: datetime) -> None:
        self._many(
            _SAVE_MARK,
            [
                {"packet_id": mark.packet_id, "digest": mark.digest, "at": to_ms(at)}
                for mark in marks
            ],
        )

    def forget_marks(self, before: datetime) -> None:
        self._db.execute(delete(deliveries).where(deliveries.c.at < to_ms(before)))

    def save_note(self, key: str, value: str) -> None:
        self._many(_SAVE_NOTE, [{"key": key, "value": value}])

    def write_entry(self, entry: Entry) -> None:
        self._write_entries([entry])

    def _write_entries(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        head = self.head()
        seq, previous = head.seq, head.hash
        written = []
        for entry in entries:
            seq += 1
            at, detail = to_ms(entry.at), rows.dump(entry.detail)
            previous = link(previous, seq, at, (entry.incident, entry.event, detail))
            written.append(
                {
                    "seq": seq,
                    "incident": entry.incident,
                    "at": at,
                    "event": entry.event,
                    "detail": detail,
                    "hash": previous,
                }
            )
        self._many(_ADD_HISTORY, written)

    def prune(self, before: datetime, limit: int) -> list[IncidentId]:
        gone = self._rows(_PRUNABLE, before=to_ms(before), most=min(limit, CHUNK))
        ids = [row["id"] for row in gone]
        if ids:
            # pruned numbers are not given again: the history names exports by them
            self.save_note(LAST_EXPORT_ID, str(self._last_export_id()))
            for table in (clips, exports, alarms):
                self._db.execute(delete(table).where(table.c.incident.in_(ids)))
            self._db.execute(delete(incidents).where(incidents.c.id.in_(ids)))
            counted = Counter[str]()
            for row in gone:
                counted[row["state"]] -= 1
            self._count(counted)
        self._db.execute(delete(alarm_keys).where(alarm_keys.c.at < to_ms(before)))
        self._prune_history(before)
        return ids

    def _prune_history(self, before: datetime) -> None:
        """Take old rows off the beginning of the chain; where it begins is noted.

        Never the last row, and none that may belong to an incident that is still here.
        """
        oldest = self._db.scalar(select(func.min(incidents.c.opened_at)))
        limit = to_ms(before)
        if oldest is not None:
            limit = min(limit, oldest - CLOCKS_APART)
        if not any(row["at"] < limit for row in self._rows(_FIRST_ENTRIES, most=1)):
            return
        first = self._rows(_FIRST_ENTRIES, most=HISTORY_BATCH + 1)
        old = list(takewhile(lambda row: row["at"] < limit, first))
        if len(old) == len(first):
            old = old[:-1]
        if old:
            last = old[-1]
            self._db.execute(delete(history).where(history.c.seq <= last["seq"]))
            self.save_note(ANCHOR, f"{last['seq']} {last['hash']}")

    def _many(self, statement: Any, values: Sequence[dict[str, Any]]) -> None:  # noqa: ANN401
        """Run it once for each row.

        Rows hold only what the driver itself takes, so they go to it as they are:
        SQLAlchemy's own look at each value costs as much as the insert.
        """
        if values:
            self._db.exec_driver_sql(_text(statement), list(values))


@cache
def _text(statement: Any) -> str:  # noqa: ANN401
    """A statement as the driver takes it, with named parameters; there are a dozen."""
    return str(statement.compile(dialect=dialect(paramstyle="named")))


def _is_changed(before: Clip | None, after: Clip) -> bool:
    return before is not after and before != after


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
    }
