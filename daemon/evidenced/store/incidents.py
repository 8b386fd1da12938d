"""Finding incidents: by id, and newest first by filters for people.

Each list is read along an index that is in its order, so a page costs the same however
many incidents there are. The index is chosen here and not by the database, which would
have to guess how rare a state, a rule or a camera is:

    states, rule    one walk for each state, merged: they are few
    a camera        along that camera's clips; along the states where those are few
    held            along those that somebody holds: they are few
    text            no index helps: only the newest SEARCHED are looked at, and
                    `reach` says where the next page goes on
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    distinct,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    union,
)
from sqlalchemy.sql.elements import ColumnElement

from evidenced.core.errors import Reason
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import INCIDENT_OPEN, IncidentState
from evidenced.core.instants import HOUR, from_ms, to_ms
from evidenced.core.keeping.kept import IncidentFilter, Standing
from evidenced.core.keeping.loss import LossKind
from evidenced.store.codec import Codec, Row
from evidenced.store.dialect import add_up
from evidenced.store.part import StorePart
from evidenced.store.schema import HAS_GAPS, clips, held, incidents, losses, tally

INCIDENT = Codec(Incident, clips=None)
CLIP = Codec(Clip, window=("start_at", "end_at"))
SEARCHED = 5_000
"""Incidents that a search for text looks at for one page: some ten milliseconds."""
FEW = 2_000
"""Incidents of some states that are looked through one by one for a camera."""
MOST_COUNTED = 1_000
"""More of a state are told as "at least so many"."""

MOST_OF_HOUR = 200
"""More of an hour are shown as so many."""

_BY_ID = select(incidents).where(incidents.c.id.in_(bindparam("ids", expanding=True)))
_CLIPS = (
    select(clips)
    .where(clips.c.incident.in_(bindparam("ids", expanding=True)))
    .order_by(clips.c.incident, clips.c.n)
)
_COUNT = add_up(tally, "state", "incidents")
_IS_WITHDRAWN = func.coalesce(incidents.c.reason, "") == Reason.OPERATOR.value
"""Of what is partial: it lacks only what an operator cancelled."""
_NEWEST = (incidents.c.opened_at.desc(), incidents.c.id.desc())
_AFTER = (
    select(incidents.c.id)
    .where(
        incidents.c.state == bindparam("state"), incidents.c.opened_at > bindparam("at")
    )
    .limit(1)
)


@cache
def _hours(number: int) -> Select[Any]:
    counts = []
    for n in range(number):
        begun = incidents.c.opened_at >= bindparam(f"h{n}")
        over = incidents.c.opened_at < bindparam(f"h{n + 1}")
        lacking = [
            select(incidents.c.id).where(
                incidents.c.state == state, begun, over, _is_lossy(incidents.c.id)
            )
            for state in (IncidentState.FAILED.value, IncidentState.PARTIAL.value)
        ]
        gapped = select(clips.c.incident).where(
            literal_column(HAS_GAPS),
            clips.c.opened_at >= bindparam(f"h{n}"),
            clips.c.opened_at < bindparam(f"h{n + 1}"),
            _is_lossy(clips.c.incident),
        )
        lossy = union(*lacking, gapped)
        for of in (select(incidents.c.id).where(begun, over), lossy):
            some = of.limit(MOST_OF_HOUR).subquery()
            counts.append(select(func.count()).select_from(some).scalar_subquery())
    return select(*counts)


def _is_lossy(incident: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether it lacks footage and nobody has acknowledged that.

    What people cancelled is no loss.
    """
    is_its = losses.c.name == incident
    is_open = losses.c.acknowledged_at.is_(None)
    kind = losses.c.kind == LossKind.INCIDENT.value
    return select(losses.c.name).where(kind, is_its, is_open).exists()


class StoredIncidents(StorePart):
    """Finding them; only `ledger` saves them."""

    def get(self, ids: Collection[IncidentId]) -> list[Incident]:
        """Those that exist, in no particular order."""
        return self.with_clips(self._by_ids(_BY_ID, ids))

    def with_clips(self, found: Collection[Row]) -> list[Incident]:
        """The incidents of these rows."""
        by_incident: dict[str, list[Row]] = defaultdict(list)
        for clip in self._by_ids(_CLIPS, [row["id"] for row in found]):
            by_incident[clip["incident"]].append(clip)
        return [
            INCIDENT.value(row, clips=tuple(map(CLIP.value, by_incident[row["id"]])))
            for row in found
        ]

    def counts(self) -> dict[IncidentState, int]:
        """How many there are of each state; does not scan history."""
        found = {row["state"]: row["incidents"] for row in self._rows(select(tally))}
        return {state: found.get(state.value, 0) for state in IncidentState}

    def count(self, steps: Counter[IncidentState]) -> None:
        """So many came into each state; negative where they left it."""
        self._many(
            _COUNT,
            [{"state": state.value, "incidents": n} for state, n in steps.items() if n],
        )

    def search(self, wanted: IncidentFilter) -> list[Incident]:
        """Newest first, at most `wanted.limit`."""
        conditions = _conditions(wanted, self.reach(wanted))
        if wanted.gapped:
            conditions.append(incidents.c.id.in_(_gapped(wanted.since)))
        if wanted.is_held:
            return self.with_clips(self._along_held(wanted, conditions))
        if wanted.camera is not None and not self._are_few(wanted.states):
            return self.with_clips(self._along_camera(wanted, conditions))
        if wanted.camera is not None:
            conditions.append(_has_camera(wanted.camera))
        states = wanted.states or (tuple(IncidentState) if wanted.rule else ())
        if not states:
            query = select(incidents).where(*conditions).order_by(*_NEWEST)
            return self.with_clips(self._rows(query.limit(wanted.limit)))
        return self.with_clips(self._along_states(states, wanted, conditions))

    def reach(self, wanted: IncidentFilter) -> tuple[datetime, IncidentId] | None:
        """How far back one search for text looks; the next goes on after it.

        None where the search sees everything.
        """
        if not wanted.text or wanted.is_held:
            return None
        place = (
            select(incidents.c.opened_at, incidents.c.id)
            .where(*_between(wanted))
            .order_by(*_NEWEST)
        )
        row = self._db.execute(place.offset(SEARCHED - 1).limit(1)).one_or_none()
        return None if row is None else (from_ms(row.opened_at), IncidentId(row.id))

    def _are_few(self, states: Collection[IncidentState]) -> bool:
        if not states:
            return False
        found = self.counts()
        return sum(found[state] for state in states) <= FEW

    def _along_states(
        self,
        states: Sequence[IncidentState],
        wanted: IncidentFilter,
        conditions: Sequence[ColumnElement[bool]],
    ) -> list[Row]:
        walks = []
        for state in states:
            query = select(incidents).where(incidents.c.state == state.value)
            query = query.where(*conditions).order_by(*_NEWEST).limit(wanted.limit)
            walks.append(self._rows(query))
        newest = merge(
            *walks, key=lambda row: (row["opened_at"], row["id"]), reverse=True
        )
        return list(islice(newest, wanted.limit))

    def _along_held(
        self, wanted: IncidentFilter, conditions: Sequence[ColumnElement[bool]]
    ) -> list[Row]:
        states = [state.value for state in wanted.states or IncidentState]
        query = (
            select(incidents)
            .select_from(held)
            .join(incidents, incidents.c.id == held.c.incident)
            .where(*conditions, incidents.c.state.in_(states))
        )
        if wanted.camera is not None:
            query = query.where(_has_camera(wanted.camera))
        return self._rows(query.order_by(*_NEWEST).limit(wanted.limit))

    def _along_camera(
        self, wanted: IncidentFilter, conditions: Sequence[ColumnElement[bool]]
    ) -> list[Row]:
        """Each incident once, by its first clip of the camera."""
        other = clips.alias()
        first = (
            select(func.min(other.c.n))
            .where(
                other.c.incident == clips.c.incident,
                other.c.camera == wanted.camera,
                other.c.opened_at == clips.c.opened_at,
            )
            .scalar_subquery()
        )
        query = (
            select(incidents)
            .select_from(clips)
            .join(incidents, incidents.c.id == clips.c.incident)
            .where(clips.c.camera == wanted.camera, clips.c.n == first)
            .where(*conditions, *_between(wanted, clips.c.opened_at, clips.c.incident))
            .order_by(clips.c.opened_at.desc(), clips.c.incident.desc())
        )
        if wanted.states:
            states = [state.value for state in wanted.states]
            query = query.where(incidents.c.state.in_(states))
        return self._rows(query.limit(wanted.limit))

    def late(self, limit: int) -> list[Incident]:
        """Those whose footage is late, as people were told, newest first."""
        late = and_(incidents.c.is_late_told == 1, incidents.c.finished_at.is_(None))
        query = select(incidents).where(late).order_by(*_NEWEST)
        return self.with_clips(self._rows(query.limit(limit)))

    def lasting(self, since: datetime, limit: int) -> list[Incident]:
        """Those whose alarm has been on since before that, and await their clear."""
        lasts = and_(
            incidents.c.is_open == literal_column("1"),
            incidents.c.is_active == 1,
            incidents.c.begun_at < to_ms(since),
        )
        query = select(incidents).where(lasts).order_by(incidents.c.begun_at)
        return self.with_clips(self._rows(query.limit(limit)))

    def opened_after(self, at: datetime) -> IncidentId | None:
        """An incident that was opened later than that and is not ended."""
        for state in INCIDENT_OPEN:
            found = self._db.scalar(_AFTER, {"state": state, "at": to_ms(at)})
            if found is not None:
                return IncidentId(found)
        return None

    def standing(self, since: datetime) -> Standing:
        """How many since then have their footage, and how many wait for it."""
        found = self.counts()
        return Standing(
            safe=self._count_since(since, IncidentState.EXPORTED),
            waiting=sum(found[state] for state in INCIDENT_OPEN),
            withdrawn=self._count_since(since, IncidentState.CANCELLED)
            + self._count_since(since, IncidentState.PARTIAL, _IS_WITHDRAWN),
            lost=self._count_since(since, IncidentState.FAILED)
            + self._count_since(since, IncidentState.PARTIAL, not_(_IS_WITHDRAWN)),
            gapped=self._count_gapped(since),
        )

    def hours(self, start: datetime, number: int) -> list[tuple[int, int]]:
        """Of so many hours: incidents opened in each, and those to be looked at.

        Those lack footage, and nobody has acknowledged that. Each counted no further
        than MOST_OF_HOUR, by index, in one query.
        """
        edges = {f"h{n}": to_ms(start + n * HOUR) for n in range(number + 1)}
        row = self._db.execute(_hours(number), edges).one()
        return list(zip(row[::2], row[1::2], strict=True))

    def _count_since(
        self, since: datetime, state: IncidentState, *more: ColumnElement[bool]
    ) -> int:
        return self._most(
            select(incidents.c.opened_at).where(
                incidents.c.state == state.value,
                incidents.c.opened_at >= to_ms(since),
                *more,
            )
        )

    def _count_gapped(self, since: datetime) -> int:
        found = _gapped(since).limit(MOST_COUNTED).subquery()
        return self._db.scalar(select(func.count(distinct(found.c.incident)))) or 0

    def _most(self, query: Select[Any]) -> int:
        """How many there are, counted no further than MOST_COUNTED."""
        counted = select(func.count()).select_from(query.limit(MOST_COUNTED).subquery())
        return self._db.scalar(counted) or 0


def _gapped(since: datetime | None) -> Select[Any]:
    """The ids of incidents with gaps in their footage, by their own index."""
    query = select(clips.c.incident).where(literal_column(HAS_GAPS))
    return query if since is None else query.where(clips.c.opened_at >= to_ms(since))


def _between(
    wanted: IncidentFilter,
    at: ColumnElement[Any] = incidents.c.opened_at,
    name: ColumnElement[Any] = incidents.c.id,
) -> list[ColumnElement[bool]]:
    """The stretch of time that is asked for, down from where the last page ended."""
    found: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        found.append(at >= to_ms(wanted.since))
    if wanted.until is not None:
        found.append(at < to_ms(wanted.until))
    if wanted.after is not None:
        last_at, last = wanted.after
        found.append(tuple_(at, name) < (to_ms(last_at), last))
    return found


def _conditions(
    wanted: IncidentFilter, reach: tuple[datetime, IncidentId] | None
) -> list[ColumnElement[bool]]:
    table = incidents.c
    found = _between(wanted)
    if wanted.rule is not None:
        found.append(table.rule == wanted.rule)
    if wanted.called:
        ends = (table.id.startswith, table.id.endswith)
        found.append(or_(*(each(wanted.called, autoescape=True) for each in ends)))
    if wanted.text:
        columns = (table.id, table.rule, table.key, table.fields)
        text = wanted.text
        found.append(or_(*(one.icontains(text, autoescape=True) for one in columns)))
    if reach is not None:
        at, last = reach
        found.append(tuple_(table.opened_at, table.id) >= (to_ms(at), last))
    return found


def _has_camera(camera: str) -> ColumnElement[bool]:
    return (
        select(clips.c.n)
        .where(
            clips.c.incident == incidents.c.id,
            clips.c.camera == camera,
            # the same, but then all columns of the index are gone by and not one
            clips.c.opened_at == incidents.c.opened_at,
        )
        .exists()
    )
