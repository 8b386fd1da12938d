"""Reading: every question that somebody asks of the store, one function each."""

import json
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, func, select

from evidenced.core.alarms.alarm import Alarm, Signal
from evidenced.core.alarms.payload import KEPT_BYTES
from evidenced.core.ids import IncidentId, RecorderName
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Entry
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import from_ms, to_ms
from evidenced.core.keeping.records import AuditHead, Dossier, KeptAlarm
from evidenced.store import rows
from evidenced.store.chain import GENESIS
from evidenced.store.evidencereading import NEXT_TAGGED, EvidenceView
from evidenced.store.figures import FiguresView
from evidenced.store.listing import ListingView
from evidenced.store.reading import chunks, instant
from evidenced.store.schema import (
    alarms,
    clips,
    deliveries,
    exports,
    history,
    inbox,
    incidents,
    meta,
)
from evidenced.store.silences import NEXT_SILENCE_END

_INCIDENTS = select(incidents).where(
    incidents.c.id.in_(bindparam("ids", expanding=True))
)
_EXPORTS = (
    select(exports)
    .where(exports.c.incident.in_(bindparam("ids", expanding=True)))
    .order_by(exports.c.id)
)
_LIVE = (
    select(exports)
    .where(exports.c.recorder == bindparam("recorder"), exports.c.finished_at.is_(None))
    .order_by(exports.c.id)
)
SHOWN_BYTES = KEPT_BYTES + 1
"""Of an alarm's payload: what is shown, and a byte more to tell that it was cut."""
_ALARMS = (
    select(
        *(column for column in alarms.c if column.name != "payload"),
        func.substr(alarms.c.payload, 1, SHOWN_BYTES).label("payload"),
    )
    .where(alarms.c.incident == bindparam("incident"))
    .order_by(alarms.c.n)
)
_WHOLE_ALARMS = (
    select(alarms)
    .where(alarms.c.incident == bindparam("incident"))
    .order_by(alarms.c.n)
)
_INBOX = select(inbox).where(inbox.c.seq <= bindparam("last")).order_by(inbox.c.seq)
_INBOX_SIZES = (
    select(inbox.c.seq, func.length(inbox.c.payload).label("size"))
    .order_by(inbox.c.seq)
    .limit(bindparam("most"))
)
_LAST_DELIVERY = select(func.max(deliveries.c.delivery))
"""Gone through once, at the start: one row for a packet identifier, 65,535 at most."""
_INBOX_ENDS = (select(func.min(inbox.c.seq)), select(func.max(inbox.c.seq)))
_OLDEST = select(func.min(inbox.c.seq)).scalar_subquery()
_NEWEST = select(func.max(inbox.c.seq)).scalar_subquery()
_BYTES_BEFORE = select(inbox.c.bytes_before).where(inbox.c.seq == _OLDEST)
_BYTES_AFTER = select(inbox.c.bytes_after).where(inbox.c.seq == _NEWEST)
_NEXT_TURN = select(func.min(incidents.c.turn_at)).where(
    incidents.c.turn_at.is_not(None)
)
_NEXT_ALERT = select(func.min(incidents.c.alert_at)).where(
    incidents.c.alert_at.is_not(None)
)
_NEXT_DUE = select(func.min(clips.c.due_at)).where(
    clips.c.recorder == bindparam("recorder"),
    clips.c.state == ClipState.DUE.value,
    clips.c.due_at > bindparam("after"),
)
_NEXT_WAITED_FOR = select(func.min(clips.c.recorder)).where(
    clips.c.state == ClipState.DUE.value, clips.c.recorder > bindparam("after")
)
_NEXT_RUNNING = select(func.min(exports.c.recorder)).where(
    exports.c.finished_at.is_(None), exports.c.recorder > bindparam("after")
)
_HEAD = select(history.c.seq, history.c.hash).order_by(history.c.seq.desc()).limit(1)
_ENTRIES = (
    select(history)
    .where(history.c.seq > bindparam("after"))
    .order_by(history.c.seq)
    .limit(bindparam("most"))
)
_NOTE = select(meta.c.value).where(meta.c.key == bindparam("name"))

INBOX_BYTES = 4 * 1024 * 1024
"""Payloads of the inbox that are read at a time, the largest message that there is:
a batch of such would be more than the service may have of memory, at each start anew.
"""
EVER = -(1 << 62)
"""Milliseconds; before every instant."""


class SqlView(FiguresView, EvidenceView, ListingView):
    """`ports.View` over one connection; the caller holds the transaction."""

    def incidents(self, ids: Collection[IncidentId]) -> list[Incident]:
        found: list[Incident] = []
        for some in chunks(ids):
            found_rows = self._rows(_INCIDENTS, ids=some)
            found += self._with_clips(found_rows)
        return found

    def dossier(self, incident: IncidentId, *, whole: bool = False) -> Dossier | None:
        found = self.incidents([incident])
        if not found:
            return None
        kept = self._rows(_WHOLE_ALARMS if whole else _ALARMS, incident=incident)
        entries = self._rows(
            select(history)
            .where(history.c.incident == incident)
            .order_by(history.c.seq)
        )
        return Dossier(
            incident=found[0],
            alarms=tuple(_alarm(row) for row in kept),
            exports=tuple(self.exports_of([incident])),
            history=tuple(entry_row(row) for row in entries),
            record=next(iter(self.records_of([incident])), None),
            tags=tuple(self.tags_of([incident])),
        )

    def exports_of(self, incidents: Collection[IncidentId]) -> list[ExportRequest]:
        return [
            rows.export_of(row)
            for some in chunks(incidents)
            for row in self._rows(_EXPORTS, ids=some)
        ]

    def live_exports(self, recorder: RecorderName) -> list[ExportRequest]:
        return [rows.export_of(row) for row in self._rows(_LIVE, recorder=recorder)]

    def inbox(self, limit: int) -> list[tuple[int, Alarm]]:
        last = size = 0
        for row in self._rows(_INBOX_SIZES, most=limit):
            size += row["size"]
            if last and size > INBOX_BYTES:
                break
            last = row["seq"]
        return [
            (row["seq"], rows.inbox_alarm(row)) for row in self._rows(_INBOX, last=last)
        ]

    def inbox_size(self) -> int:
        first, last = (self._db.scalar(each) for each in _INBOX_ENDS)
        return 0 if first is None or last is None else last - first + 1

    def inbox_bytes(self) -> int:
        first = self._db.scalar(_BYTES_BEFORE)
        return 0 if first is None else self.inbox_end() - int(first)

    def inbox_end(self) -> int:
        """The running total behind the newest message; 0 where none waits."""
        return int(self._db.scalar(_BYTES_AFTER) or 0)

    def last_delivery(self) -> int:
        return int(self._db.scalar(_LAST_DELIVERY) or 0)

    def next_turn(self) -> datetime | None:
        asked = (_NEXT_TURN, _NEXT_ALERT, NEXT_SILENCE_END)
        instants = [self._db.scalar(each) for each in asked]
        return instant(min((at for at in instants if at is not None), default=None))

    def next_due(
        self, recorder: RecorderName, after: datetime | None = None
    ) -> datetime | None:
        later = EVER if after is None else to_ms(after)
        values = {"recorder": recorder, "after": later}
        return instant(self._db.scalar(_NEXT_DUE, values))

    def recorders_needed(self) -> set[RecorderName]:
        found: set[RecorderName] = set()
        for query in (_NEXT_WAITED_FOR, _NEXT_RUNNING, NEXT_TAGGED):
            name = ""  # from one name to the next, each found at once in the index
            while (name := self._db.scalar(query, {"after": name})) is not None:
                found.add(RecorderName(name))
        return found

    def oldest_due(self) -> datetime | None:
        oldest = select(func.min(clips.c.due_at)).where(
            clips.c.state == ClipState.DUE.value
        )
        return instant(self._db.scalar(oldest))

    def entries_after(self, seq: int, limit: int) -> list[tuple[int, Entry]]:
        return [
            (row["seq"], entry_row(row))
            for row in self._rows(_ENTRIES, after=seq, most=limit)
        ]

    def head(self) -> AuditHead:
        row = self._db.execute(_HEAD).one_or_none()
        return (
            AuditHead(seq=0, hash=GENESIS)
            if row is None
            else AuditHead(seq=row.seq, hash=row.hash)
        )

    def note(self, key: str) -> str | None:
        return self._db.scalar(_NOTE, {"name": key})


def _alarm(row: rows.Row) -> KeptAlarm:
    return KeptAlarm(
        incident=IncidentId(row["incident"]),
        n=row["n"],
        received_at=from_ms(row["received_at"]),
        at=from_ms(row["at"]),
        signal=Signal(row["signal"]),
        time_source=row["time_source"],
        topic=row["topic"],
        payload=row["payload"],
        whole=rows.whole_from(row),
    )


def entry_row(row: rows.Row) -> Entry:
    return Entry(
        incident=row["incident"],
        at=from_ms(row["at"]),
        event=row["event"],
        detail=json.loads(row["detail"]),
    )
