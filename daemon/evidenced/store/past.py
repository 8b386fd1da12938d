"""Taking away what is old: incidents, keys, and the beginning of the history."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

from sqlalchemy import Connection, bindparam, delete, func, select, update

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.incidents.states import IncidentState
from evidenced.core.instants import HOUR, MILLISECOND, ZERO, render_utc, to_ms
from evidenced.core.keeping.loss import outlived
from evidenced.store.codec import Row
from evidenced.store.held import IS_HELD
from evidenced.store.part import CHUNK, StorePart, chunks
from evidenced.store.schema import (
    alarm_keys,
    alarms,
    clips,
    exports,
    history,
    incidents,
    papers,
    pictures,
    record_files,
    records,
    silences,
    still_wishes,
    stills,
    tags,
    troubles,
)
from evidenced.store.seal import keep_sealed
from evidenced.store.view import View

HISTORY_BATCH = 5000
"""History rows taken off in one transaction."""
SLACK = 20
"""History is pruned in pieces of an hour, or of this part of what is kept."""
CLOCKS_APART = 120_000
"""Milliseconds: an alarm's own time may be a minute later than its entry's."""

_OF_INCIDENTS = (
    papers,
    record_files,
    records,
    pictures,
    stills,
    still_wishes,
    tags,
    clips,
    exports,
    alarms,
)
"""Tables whose rows go with their incident."""

_FIRST_ENTRIES = (
    select(history)
    .where(history.c.seq > 0)
    .order_by(history.c.seq)
    .limit(bindparam("most"))
)
_LAST_AT = select(history.c.at).where(
    history.c.seq == select(func.max(history.c.seq)).scalar_subquery()
)
_STILL_TO_COME = [
    update(column.table)
    .where(column > bindparam("now"))
    .values({column: bindparam("now")})
    for column in (incidents.c.finished_at, alarm_keys.c.at)
]
_HERE = select(incidents.c.id).where(
    incidents.c.id.in_(bindparam("ids", expanding=True))
)
_OLDEST = select(
    func.min(func.coalesce(incidents.c.imported_at, incidents.c.opened_at))
)
"""Before this there is no entry of an incident that is here."""
_PRUNABLE = (
    select(incidents.c.id, incidents.c.state)
    .where(incidents.c.finished_at < bindparam("before"), ~IS_HELD)
    .order_by(incidents.c.finished_at)
    .limit(bindparam("most"))
)


class Past(StorePart):
    """Removes and counts; never what is still under way."""

    def __init__(self, connection: Connection, view: View) -> None:
        super().__init__(connection)
        self._view = view

    def prune(self, before: datetime, now: datetime, limit: int) -> list[IncidentId]:
        """Remove up to `limit` incidents that finished before; returns which.

        None that somebody holds, nor the history since the oldest that is kept.

        With them what else is as old: keys, history, silences. What finished in the
        future did so by a clock that was ahead, nobody knows when: it is kept from now
        on, as long as any. Only for a clock that may delete.
        """
        for to_come in _STILL_TO_COME:
            self._db.execute(to_come, {"now": to_ms(now)})
        gone = self._rows(_PRUNABLE, before=to_ms(before), most=min(limit, CHUNK))
        ids = [row["id"] for row in gone]
        if ids:
            self._view.exports.remember_id()
            self._outlive(ids)
            for table in _OF_INCIDENTS:
                self._db.execute(delete(table).where(table.c.incident.in_(ids)))
            self._db.execute(delete(incidents).where(incidents.c.id.in_(ids)))
            counted = Counter[IncidentState]()
            for row in gone:
                counted[IncidentState(row["state"])] -= 1
            self._view.incidents.count(counted)
            self._view.retained.take_back(ids)
        self._db.execute(delete(alarm_keys).where(alarm_keys.c.at < to_ms(before)))
        self._view.footage.prune(before)
        for ends in (silences.c.ends_at, troubles.c.ended_at):
            self._db.execute(delete(ends.table).where(ends < to_ms(before)))
        self._prune_history(before, now)
        return ids

    def _outlive(self, ids: Sequence[IncidentId]) -> None:
        """What is lost of them and nobody has acknowledged stays without them."""
        lost = self._view.losses.open_among(ids)
        here = self._view.incidents.get({IncidentId(each.name) for each in lost})
        known = {each.id: each for each in here}
        self._view.losses.save(
            outlived(each, known[IncidentId(each.name)]) for each in lost
        )

    def _prune_history(self, before: datetime, now: datetime) -> None:
        """Take old rows off the beginning of the chain, with an entry that says so.

        The row that it begins with from then on is an old one, too: that it is shows
        that no younger ones were taken. None is taken that may belong to an incident
        that is still here, and rows that are still here are sealed anew. It waits until
        some have gathered, for each time costs an entry.
        """
        oldest = self._db.scalar(_OLDEST)
        limit = to_ms(before)
        if oldest is not None:
            limit = min(limit, oldest - CLOCKS_APART)
        slack = max(min(HOUR, (now - before) / SLACK), ZERO)
        if not self._may_begin_old(limit - slack // MILLISECOND):
            return
        old = self._old(self._rows(_FIRST_ENTRIES, most=HISTORY_BATCH + 1), limit)
        if not old:
            return
        last = old[-1]
        keep_sealed(self._db, old)
        self._db.execute(delete(history).where(history.c.seq <= last["seq"]))
        detail = {
            "through": last["seq"],
            "hash": last["hash"],
            "rows": len(old),
            "before": render_utc(before),
        }
        self._view.history.write(
            Entry(incident=None, at=now, event=Event.PRUNED, detail=detail)
        )

    def _may_begin_old(self, limit: int) -> bool:
        """By the second row alone: an old one, or one of a clock that was ahead."""
        newest = self._db.scalar(_LAST_AT) or 0
        return any(
            row["at"] < limit or row["at"] > newest + CLOCKS_APART
            for row in self._rows(_FIRST_ENTRIES, most=2)[1:]
        )

    def _old(self, first: Sequence[Row], limit: int) -> list[Row]:
        """Rows before the last old one: they are as old as it, whatever clock.

        But none of an incident that is still here.
        """
        end = max((n for n, row in enumerate(first, 1) if row["at"] < limit), default=0)
        late = {row["incident"] for row in first[:end] if row["at"] >= limit} - {None}
        here = {
            name
            for some in chunks(late)
            for name in self._db.scalars(_HERE, {"ids": some})
        }
        found = list(takewhile(lambda row: row["incident"] not in here, first[:end]))
        while found and found.pop()["at"] >= limit:
            pass
        return found
