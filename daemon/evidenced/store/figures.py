"""What the store counts of a day: by index, as much work as the day had incidents."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from evidenced.core.incidents.states import CLIP_LOST, ClipState, IncidentState
from evidenced.core.instants import to_ms
from evidenced.core.keeping.kept import REFUSED_ALARMS
from evidenced.core.telling.report import ClipTally, Figures, Tally
from evidenced.store.part import StorePart
from evidenced.store.schema import clips, incidents, refused_alarms
from evidenced.store.silences import StoredSilences
from evidenced.store.telling import StoredTroubles

_THAT_DAY = (
    incidents.c.opened_at >= bindparam("start"),
    incidents.c.opened_at < bindparam("end"),
)
_INCIDENTS = (
    select(
        incidents.c.rule,
        incidents.c.state,
        incidents.c.reason,
        func.count().label("incidents"),
        func.sum(incidents.c.alarms).label("alarms"),
    )
    .where(*_THAT_DAY)
    .group_by(incidents.c.rule, incidents.c.state, incidents.c.reason)
)
_CLIPS = (
    select(clips.c.state, clips.c.reason, func.count().label("clips"))
    .join(incidents, incidents.c.id == clips.c.incident)
    .where(*_THAT_DAY)
    .where(clips.c.state.in_(CLIP_LOST))
    .group_by(clips.c.state, clips.c.reason)
)

_NOT_TAKEN = (
    select(refused_alarms.c.outcome, func.count().label("alarms"))
    .where(
        refused_alarms.c.received_at >= bindparam("start"),
        refused_alarms.c.received_at < bindparam("end"),
    )
    .group_by(refused_alarms.c.outcome)
)
_FULL = (
    select(func.min(refused_alarms.c.received_at))
    .group_by(refused_alarms.c.outcome)
    .having(func.count() >= REFUSED_ALARMS)
)


class DayFigures(StorePart):
    """What a report asks."""

    def __init__(
        self, connection: Connection, troubles: StoredTroubles, silences: StoredSilences
    ) -> None:
        super().__init__(connection)
        self._troubles = troubles
        self._silences = silences

    def between(self, start: datetime, end: datetime, now: datetime) -> Figures:
        """Of the incidents opened from `start` (included) to `end` (not)."""
        span = {"start": to_ms(start), "end": to_ms(end)}
        return Figures(
            incidents=[
                Tally(
                    rule=row["rule"],
                    state=IncidentState(row["state"]),
                    reason=row["reason"] or "",
                    incidents=row["incidents"],
                    alarms=row["alarms"],
                )
                for row in self._rows(_INCIDENTS, **span)
            ],
            clips=[
                ClipTally(
                    state=ClipState(row["state"]),
                    reason=row["reason"] or "",
                    clips=row["clips"],
                )
                for row in self._rows(_CLIPS, **span)
            ],
            troubles=self._troubles.between(start, end),
            silences=self._silences.in_force(now),
            not_taken={
                row["outcome"]: row["alarms"] for row in self._rows(_NOT_TAKEN, **span)
            },
            is_cut=self._is_cut(start),
        )

    def _is_cut(self, start: datetime) -> bool:
        """Whether messages of that day may have made room for later ones."""
        return any(since > to_ms(start) for since in self._db.scalars(_FULL))
