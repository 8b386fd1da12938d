"""The messages that the store keeps, with what became of them, for looking back.

Only read, from the file, in one snapshot: the daemon may go on writing meanwhile.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from evidenced.core.alarms.alarm import Alarm, Outcome
from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import NotFound
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import to_ms
from evidenced.store.alarms import KEPT, refused_of
from evidenced.store.codec import Row
from evidenced.store.database import StoreSettings
from evidenced.store.part import StorePart
from evidenced.store.schema import alarms, incidents, refused_alarms
from evidenced.store.snapshot import connected
from evidenced.store.tx import View

NUMBER_LIMIT = 1 << 62
_NUMBER = re.compile("[0-9]{1,19}")
_TAKEN = select(alarms, incidents.c.rule).join(
    incidents, incidents.c.id == alarms.c.incident
)
_REFUSED = select(refused_alarms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A message as it was kept, and what became of it.

    `name` is what a person says to mean it: the number of one that no rule took, or
    the incident's id and the alarm's number in it. `incident` is None for the former,
    and `outcome` for the latter.
    """

    name: str
    alarm: Alarm
    incident: IncidentId | None = None
    outcome: Outcome | None = None
    rule: str | None = None
    detail: str = ""


def _not_kept(name: str) -> NotFound:
    name = one_line(name, 60)
    return NotFound(
        f"no message is kept as {name!r}: say the number of one that no rule took, "
        "or INCIDENT/NUMBER; `evidenced alarms` lists them"
    )


class Recordings(StorePart):
    """Everything that one snapshot of the store knows of past messages."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._view = View(connection)

    def find(self, name: str) -> Recorded:
        """The message of this name: "17", or "20261123-061530-k3f9qx2a/1".

        As much of an incident's id is enough as no other begins or ends with.

        Raises:
            NotFound: none is kept under it, or several are.
        """
        incident, slash, number = name.rpartition("/")
        if _NUMBER.fullmatch(number) and (n := int(number)) < NUMBER_LIMIT:
            if slash:
                return self._taken(name, incident, n)
            for row in self._rows(_REFUSED.where(refused_alarms.c.seq == n)):
                return _of_refused(row)
        raise _not_kept(name)

    def _taken(self, name: str, incident: str, n: int) -> Recorded:
        """By the whole id, which may be the end of another; else by a part of it."""
        of, nth = alarms.c.incident, alarms.c.n == n
        sides = (of.startswith, of.endswith)
        ends = [each(incident, autoescape=True) for each in sides]
        found = self._rows(_TAKEN.where(of == incident, nth))
        found = found or self._rows(_TAKEN.where(or_(*ends), nth).limit(2))
        if not found or not incident:
            raise _not_kept(name)
        if len(found) > 1:
            raise NotFound(f"{name!r} is more than one message: say more of its id")
        return _of_taken(found[0])

    def newest(self, limit: int) -> list[Recorded]:
        """The last messages, whatever became of them, newest first."""
        newest = (
            select(incidents.c.id)
            .order_by(incidents.c.opened_at.desc(), incidents.c.id.desc())
            .limit(limit)
        )
        taken = _TAKEN.where(alarms.c.incident.in_(newest))
        refused = _REFUSED.order_by(refused_alarms.c.seq.desc()).limit(limit)
        return self._as_they_came(taken, refused)[: -limit - 1 : -1]

    def refused(self, limit: int, outcome: Outcome | None = None) -> list[Recorded]:
        """The last messages that opened nothing, newest first."""
        newest = _REFUSED.order_by(refused_alarms.c.seq.desc())
        if outcome is not None:
            newest = newest.where(refused_alarms.c.outcome == outcome.value)
        return [_of_refused(row) for row in self._rows(newest.limit(limit))]

    def since(self, at: datetime) -> list[Recorded]:
        """Messages from then on, of incidents opened since too; as they came."""
        begin = to_ms(at)
        return self._as_they_came(
            _TAKEN.where(incidents.c.opened_at >= begin),
            _REFUSED.where(refused_alarms.c.received_at >= begin),
        )

    def _as_they_came(self, taken: Any, refused: Any) -> list[Recorded]:  # noqa: ANN401
        found = [*map(_of_refused, self._rows(refused))]
        found += map(_of_taken, self._rows(taken))
        return sorted(found, key=lambda each: each.alarm.received_at)

    def incidents(self, recorded: Iterable[Recorded]) -> list[Incident]:
        """The incidents that these messages belong to, by id."""
        ids = {each.incident for each in recorded if each.incident is not None}
        return sorted(self._view.incidents.get(ids), key=lambda each: each.id)


@contextmanager
def open_recordings(settings: StoreSettings) -> Iterator[Recordings]:
    """The recordings of the store; nothing is changed. Blocks.

    Raises:
        StoreError: there is no store, it cannot be read, or it is of another version.
    """
    with connected(settings) as connection:
        yield Recordings(connection)


_OF_TAKEN, _OF_REFUSED = (
    {column.name: column.type.python_type for column in columns}
    for columns in ((incidents.c.rule, *alarms.c), refused_alarms.c)
)


def _plain(row: Row, kinds: Mapping[str, type]) -> Row:
    """The row. Raises ValueError where a column holds what is not of its kind."""
    for name, value in row.items():
        if value is not None and not isinstance(value, kinds[name]):
            raise ValueError(f"{name} of a message is {one_line(repr(value), 60)}")
    return row


def _of_refused(row: Row) -> Recorded:
    _plain(row, _OF_REFUSED)
    kept, whole = refused_of(row), row["whole_bytes"]
    payload = kept.payload.encode(errors="replace") if kept.raw is None else kept.raw
    is_whole = kept.raw is not None and whole in {None, len(kept.raw)}
    return Recorded(
        name=str(row["seq"]),
        alarm=Alarm(
            topic=kept.topic,
            payload=payload,
            received_at=kept.received_at,
            retained=kept.outcome is Outcome.RETAINED,
            whole=None if is_whole else kept.whole,
        ),
        outcome=kept.outcome,
        rule=kept.rule,
        detail=kept.detail,
    )


def _of_taken(row: Row) -> Recorded:
    _plain(row, _OF_TAKEN)
    kept = KEPT.value(row)
    return Recorded(
        name=f"{kept.incident}/{kept.n}",
        alarm=Alarm(
            topic=kept.topic,
            payload=kept.payload,
            received_at=kept.received_at,
            whole=kept.whole,
        ),
        incident=kept.incident,
        rule=row["rule"],
    )
