"""What a loop has to look at now: open, turning, late and due incidents."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, or_, select

from evidenced.core.ids import (
    DestinationName,
    GroupKey,
    IncidentId,
    RecorderName,
    RuleName,
)
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import to_ms
from evidenced.store.reading import chunks
from evidenced.store.schema import clips, exports, incidents
from evidenced.store.view import SqlView

QUEUE_PAGE = 256
"""Rows of the queue taken at a time; it is read only as far as it is needed."""

_OPEN = select(incidents).where(
    incidents.c.is_open == 1,
    incidents.c.rule.in_(bindparam("rules", expanding=True)),
    incidents.c.key.in_(bindparam("keys", expanding=True)),
    or_(incidents.c.end_at >= bindparam("since"), incidents.c.is_active == 1),
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
    exports.c.recorder == bindparam("recorder"),
    exports.c.finished_at.is_(None),
    exports.c.id.not_in(bindparam("besides", expanding=True)),
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
_BEYOND = (
    select(clips.c.incident)
    .where(
        clips.c.recorder == bindparam("recorder"),
        clips.c.state == ClipState.DUE.value,
        clips.c.due_at > bindparam("later"),
        clips.c.end_at <= bindparam("now"),
    )
    .distinct()
)
_STRANDED_CLIPS = (
    select(clips.c.incident)
    .where(
        clips.c.recorder == bindparam("recorder"),
        clips.c.state == ClipState.DUE.value,
    )
    .limit(bindparam("most"))
)
_STRANDED_EXPORTS = (
    select(exports.c.incident)
    .where(exports.c.recorder == bindparam("recorder"), exports.c.finished_at.is_(None))
    .limit(bindparam("most"))
)


class QueueTx(SqlView):
    """Questions that lead to a change in the same transaction."""

    def open_incidents(
        self, groups: Collection[tuple[RuleName, GroupKey]], since: datetime
    ) -> list[Incident]:
        found: list[Incident] = []
        for some in chunks(list(groups)):
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
            for page in queue.partitions():
                order.update(
                    ((IncidentId(name), cohort), None) for name, cohort in page
                )
                if len(order) >= limit:
                    break
        wanted = list(order)[:limit]
        found = {each.id: each for each in self.incidents([name for name, _ in wanted])}
        return [(found[name], cohort) for name, cohort in wanted]

    def due_beyond(
        self, recorder: RecorderName, later: datetime, now: datetime
    ) -> list[IncidentId]:
        values = {"later": to_ms(later), "now": to_ms(now)}
        rows = self._rows(_BEYOND, recorder=recorder, **values)
        return [IncidentId(row["incident"]) for row in rows]

    def waiting_for(self, recorder: RecorderName, limit: int) -> list[Incident]:
        found: dict[IncidentId, None] = {}
        for query in (_STRANDED_CLIPS, _STRANDED_EXPORTS):
            for row in self._rows(query, recorder=recorder, most=limit):
                found[row["incident"]] = None
        return self.incidents(list(found)[:limit])

    def running(
        self, recorder: RecorderName, besides: Collection[int] = ()
    ) -> list[int]:
        values = {"recorder": recorder, "besides": list(besides)}
        return list(self._db.scalars(_RUNNING, values).all())
