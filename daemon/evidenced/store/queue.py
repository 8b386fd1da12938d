"""What a loop has to look at now: open, turning, late and due incidents."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    bindparam,
    func,
    or_,
    select,
    update,
)

from evidenced.core.ids import (
    DestinationName,
    GroupKey,
    IncidentId,
    RecorderName,
    RuleName,
)
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState, ExportState
from evidenced.core.instants import MILLISECOND, to_ms
from evidenced.core.terms import Terms
from evidenced.store.alarms import NEXT_WITHHELD
from evidenced.store.incidents import INCIDENT, StoredIncidents
from evidenced.store.keeping import NEXT_TAGGED
from evidenced.store.part import StorePart, chunks, instant
from evidenced.store.schema import clips, exports, incidents
from evidenced.store.silences import NEXT_SILENCE_END
from evidenced.store.stills import NEXT_PICTURED

QUEUE_PAGE = 256
"""Rows of the queue taken at a time; it is read only as far as it is needed."""

_OPEN = select(incidents).where(
    incidents.c.is_open == 1,
    incidents.c.rule.in_(bindparam("rules", expanding=True)),
    incidents.c.key.in_(bindparam("keys", expanding=True)),
    or_(incidents.c.end_at >= bindparam("since"), incidents.c.is_active == 1),
)
_AWAITING = select(incidents).where(
    incidents.c.is_open == 1,
    incidents.c.rule == bindparam("name"),
    incidents.c.is_active == 1,
)
_AWAITING_ON_OTHERS = _AWAITING.where(incidents.c.terms != bindparam("terms"))
_TURNING = (
    select(incidents)
    .where(
        incidents.c.turn_at <= bindparam("now"),
        or_(incidents.c.is_active == 0, incidents.c.turn_at <= bindparam("sure")),
    )
    .order_by(incidents.c.turn_at)
    .limit(bindparam("most"))
)
_LATE = (
    select(incidents)
    .where(incidents.c.alert_at <= bindparam("now"))
    .order_by(incidents.c.alert_at)
    .limit(bindparam("most"))
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
_UNCOVERED = (
    select(clips.c.incident, clips.c.n)
    .where(
        clips.c.recorder == bindparam("recorder"),
        clips.c.state == ClipState.EXPORTED.value,
        clips.c.coverage.is_(None),
    )
    .order_by(clips.c.end_at)
    .limit(1)
)
_FIRST_DUE = clips.c.end_at + bindparam("settle", type_=BigInteger)
_HASTEN = (
    update(clips)
    .where(
        clips.c.recorder == bindparam("of"),
        clips.c.state == ClipState.DUE.value,
        clips.c.due_at > bindparam("later"),
        clips.c.due_at > _FIRST_DUE,
    )
    .values(due_at=_FIRST_DUE)
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


_NEXT_TURNS = [
    select(func.min(at)).where(at > bindparam("after"))
    for at in (incidents.c.turn_at, incidents.c.alert_at)
]
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
_NEXT_VANISHED = select(func.min(exports.c.recorder)).where(
    exports.c.state == ExportState.VANISHED.value,
    exports.c.recorder > bindparam("after"),
)
_NEXT_UNCOVERED = select(func.min(clips.c.recorder)).where(
    clips.c.state == ClipState.EXPORTED.value,
    clips.c.coverage.is_(None),
    clips.c.recorder > bindparam("after"),
)
_NEEDED = (_NEXT_WAITED_FOR, _NEXT_RUNNING, NEXT_TAGGED, NEXT_PICTURED)
_TO_VISIT = (*_NEEDED, _NEXT_VANISHED, _NEXT_UNCOVERED)
EVER = -(1 << 62)
"""Milliseconds; before every instant."""


class Queue(StorePart):
    """When something is next due, and what is due now."""

    def __init__(self, connection: Connection, incidents: StoredIncidents) -> None:
        super().__init__(connection)
        self._incidents = incidents

    def next_turn(self, after: datetime) -> datetime | None:
        """The next instant at which time alone changes an incident or makes it late."""
        asked = (*_NEXT_TURNS, NEXT_SILENCE_END, NEXT_WITHHELD)
        instants = [self._db.scalar(each, {"after": to_ms(after)}) for each in asked]
        return instant(min((at for at in instants if at is not None), default=None))

    def next_due(
        self, recorder: RecorderName, after: datetime | None = None
    ) -> datetime | None:
        """The earliest due instant, later than `after`, of a clip that waits for it."""
        later = EVER if after is None else to_ms(after)
        values = {"recorder": recorder, "after": later}
        return instant(self._db.scalar(_NEXT_DUE, values))

    def uncovered(self, recorder: RecorderName) -> tuple[Incident, Clip] | None:
        """A clip that is exported, and of which nobody asked whether it is whole."""
        for row in self._rows(_UNCOVERED, recorder=recorder):
            [incident] = self._incidents.get([row["incident"]])
            return incident, next(c for c in incident.clips if c.n == row["n"])
        return None

    def recorders_needed(self) -> set[RecorderName]:
        """Recorders for which anything waits, or at which exports run; no scan."""
        return self._recorders(_NEEDED)

    def recorders_to_visit(self) -> set[RecorderName]:
        """Those, and where an export was given up for lost or is not compared yet."""
        return self._recorders(_TO_VISIT)

    def _recorders(self, queries: Iterable[Select[Any]]) -> set[RecorderName]:
        """From one name to the next, each found at once in the index."""
        found: set[RecorderName] = set()
        for query in queries:
            name: str | None = ""
            while (name := self._db.scalar(query, {"after": name})) is not None:
                found.add(RecorderName(name))
        return found

    def oldest_due(self) -> datetime | None:
        """The earliest due instant of any clip that waits."""
        oldest = select(func.min(clips.c.due_at)).where(
            clips.c.state == ClipState.DUE.value
        )
        return instant(self._db.scalar(oldest))

    def awaiting(self, rule: RuleName) -> list[Incident]:
        """All of a rule that await their clear, whatever their group."""
        return self._incidents.with_clips(
            self._rows(self._locked(_AWAITING), name=rule)
        )

    def awaiting_on_others(self, rule: RuleName, terms: Terms) -> list[Incident]:
        """Those of them that began on other terms, before a reload."""
        values = {"name": rule, "terms": INCIDENT.kept("terms", terms)}
        return self._incidents.with_clips(
            self._rows(self._locked(_AWAITING_ON_OTHERS), **values)
        )

    def open(
        self, groups: Collection[tuple[RuleName, GroupKey]], since: datetime
    ) -> list[Incident]:
        """Open incidents of these groups: windows that end at `since` or later.

        Those that await their clear are among them in any case: their cut may be
        overdue.
        """
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
                for row in self._rows(self._locked(_OPEN), **values)
                if (row["rule"], row["key"]) in wanted
            ]
            found += self._incidents.with_clips(matching)
        return found

    def turning(self, now: datetime, sure: datetime, limit: int) -> list[Incident]:
        """Incidents that time alone changes by now, earliest first.

        Those that await their clear only where that has come for sure.
        """
        values = {"now": to_ms(now), "sure": to_ms(sure), "most": limit}
        return self._incidents.with_clips(self._rows(self._locked(_TURNING), **values))

    def late(self, now: datetime, limit: int) -> list[Incident]:
        """Incidents whose footage is late by now and nobody was told."""
        return self._incidents.with_clips(
            self._rows(self._locked(_LATE), now=to_ms(now), most=limit)
        )

    def due(
        self,
        recorder: RecorderName,
        now: datetime,
        limit: int,
        closed: Collection[DestinationName] = (),
    ) -> list[tuple[Incident, int]]:
        """Incidents with due clips on this recorder and the cohort, in queue order.

        Those whose destination is `closed` are passed over.
        """
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
        found = {
            each.id: each for each in self._incidents.get([name for name, _ in wanted])
        }
        return [(found[name], cohort) for name, cohort in wanted]

    def hasten(self, recorder: RecorderName, later: datetime, settle: timedelta) -> int:
        """Clips that are due later than any may be are due when they first were.

        There are none unless the host's clock was ahead; returns how many.
        """
        values = {
            "of": recorder,
            "later": to_ms(later),
            "settle": settle // MILLISECOND,
        }
        return self._db.execute(_HASTEN, values).rowcount

    def waiting_for(self, recorder: RecorderName, limit: int) -> list[Incident]:
        """Incidents with clips that wait for this recorder, or exports that run there.

        Up to `limit`, in no particular order, whenever they are due.
        """
        found: dict[IncidentId, None] = {}
        for query in (_STRANDED_CLIPS, _STRANDED_EXPORTS):
            for row in self._rows(query, recorder=recorder, most=limit):
                found[row["incident"]] = None
        return self._incidents.get(list(found)[:limit])
