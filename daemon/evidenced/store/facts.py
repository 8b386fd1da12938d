"""What the rows say of whether the footage is safe, for the verdict."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, tzinfo

from sqlalchemy import Connection, bindparam, distinct, func, select

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.cutting import LONG_ON
from evidenced.core.incidents.states import ClipState
from evidenced.core.telling.judgement import MANY, Findings, Lost, Surroundings
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import AHEAD_TEXT, Trouble, TroubleKey
from evidenced.core.telling.verdict import MOST_CAUSES, WITHIN
from evidenced.store.incidents import StoredIncidents
from evidenced.store.losses import StoredLosses
from evidenced.store.part import StorePart, instant
from evidenced.store.schema import clips, exports, inbox
from evidenced.store.silences import StoredSilences
from evidenced.store.telling import StoredTroubles

_DUE = clips.c.state == ClipState.DUE.value
_DUE_AT = select(clips.c.incident).where(_DUE, clips.c.recorder == bindparam("name"))
_DUE_FOR = select(clips.c.incident).where(
    _DUE, clips.c.destination == bindparam("name")
)
_RUNNING_AT = select(exports.c.incident).where(
    exports.c.finished_at.is_(None), exports.c.recorder == bindparam("name")
)
_UNCHECKED = select(exports.c.incident).where(
    exports.c.check_at.is_not(None), exports.c.destination == bindparam("name")
)
"""Its recorder has written there, and nobody has seen yet whether it is footage."""
_UNREAD = select(inbox.c.received_at).order_by(inbox.c.seq).limit(1)
_WAITING = {
    NoticeKind.RECORDER: _DUE_AT.union_all(_RUNNING_AT),
    NoticeKind.DESTINATION: _DUE_FOR,
    NoticeKind.SHARE: _DUE_FOR.union_all(_UNCHECKED),
}
"""What waits for whatever is in trouble."""


class StoredFacts(StorePart):
    """Counted by index and within bounds: a page asks every other second."""

    def __init__(
        self,
        connection: Connection,
        incidents: StoredIncidents,
        losses: StoredLosses,
        troubles: StoredTroubles,
        silences: StoredSilences,
    ) -> None:
        super().__init__(connection)
        self._incidents = incidents
        self._losses = losses
        self._troubles = troubles
        self._silences = silences

    def read(
        self, around: Surroundings | None, now: datetime, zone: tzinfo
    ) -> Findings:
        """All that a verdict is made of; `around` None where no daemon tells."""
        known = self._troubles.open()
        troubles = known
        if around is not None:
            seen = [*around.troubles, *self._ahead(around, now)]
            seen += [each for each in known if _may_go_on(each, around)]
            troubles = _dated(seen, known)
        losses = self._losses.open(MOST_CAUSES)
        names = [each.incident for each in losses if each.incident is not None]
        kept = {each.id: each for each in self._incidents.get(names)}
        return Findings(
            now=now,
            zone=zone,
            standing=self._incidents.standing(now - WITHIN),
            losses=[
                Lost(loss=each, incident=kept.get(IncidentId(each.name)))
                for each in losses
            ],
            open=self._losses.count_open(),
            known=self._losses.count_known(now - WITHIN),
            late=self._incidents.late(MOST_CAUSES),
            on=self._incidents.lasting(now - LONG_ON, MOST_CAUSES),
            troubles=troubles,
            waiting={each.key: self.waiting(each.key) for each in troubles},
            silences=self._silences.in_force(now),
            unread_since=instant(self._db.scalar(_UNREAD)),
            around=around,
        )

    def _ahead(self, around: Surroundings, now: datetime) -> list[Trouble]:
        """An incident of a time that is still to come: a clock was wrong."""
        if around.ahead is None:
            return []
        found = self._incidents.opened_after(around.ahead)
        if found is None:
            return []
        text = AHEAD_TEXT.format(found)
        return [Trouble(kind=NoticeKind.CLOCK, name="", text=text, since=now)]

    def waiting(self, key: TroubleKey) -> int:
        """How many incidents wait for what is in trouble, within bounds."""
        kind, name = key
        if kind not in _WAITING:
            return 0
        found = _WAITING[kind].limit(MANY).subquery()
        query = select(func.count(distinct(found.c.incident)))
        return self._db.scalar(query, {"name": name}) or 0


def _may_go_on(known: Trouble, around: Surroundings) -> bool:
    """Whether it was so before a start, and nobody has found out since."""
    is_seen = any(each.key == known.key for each in around.troubles)
    is_unknown = {
        NoticeKind.RECORDER: known.name in around.unheard,
        NoticeKind.SHARE: around.is_blind,
    }
    return is_unknown.get(known.kind, False) and not is_seen


def _dated(seen: Iterable[Trouble], known: Iterable[Trouble]) -> list[Trouble]:
    """What began before a restart began then."""
    since = {each.key: each.since for each in known}
    return [
        replace(each, since=min(each.since, since.get(each.key, each.since)))
        for each in seen
    ]
