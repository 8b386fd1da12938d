"""How much may happen within an hour or a minute, whoever sends the alarms.

Each kind has a limit and a length of time, which begins with the first one that counts.
How many there were is a row, so that a restart gives nobody a new hour.

An alarm beyond a limit is kept and exported like any other. It only has no incident of
its own: it joins one that takes such alarms of all groups of its rule.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from evidenced.core.ids import GroupKey
from evidenced.core.incidents.happening import Happening
from evidenced.core.instants import HOUR, render_utc

SHARED = GroupKey("over the limit")
"""The group of alarms beyond a limit. A group may have that name by itself: then its
alarms are in one incident with them, and nothing is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one sender of alarms can at most cause. 0 = unlimited.

    Alarms a minute on one topic and incidents an hour of one rule that may be incidents
    of their own; new exports an hour on one recorder.
    """

    alarms_per_topic: int = 0
    incidents_per_rule: int = 0
    exports_per_recorder: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much of a limit is used: `used` since `since`, for `length` from then on."""

    limit: int
    length: timedelta
    since: datetime
    used: int = 0

    def at(self, now: datetime) -> "Allowance":
        """As it is now: a new one once it is over, or if the clock went back."""
        if self.since <= now < self.ends_at:
            return self
        return replace(self, since=now, used=0)

    @property
    def ends_at(self) -> datetime:
        return self.since + self.length

    @property
    def is_used_up(self) -> bool:
        return bool(self.limit) and self.used >= self.limit

    def less(self, number: int = 1) -> "Allowance":
        """With so many more used."""
        return Allowance(
            limit=self.limit,
            length=self.length,
            since=self.since,
            used=self.used + number,
        )

    def given_back(self, number: int) -> "Allowance":
        """With so many less used; some may have been counted in an hour before."""
        return replace(self, used=max(0, self.used - number))

    def written(self) -> str:
        """As text for a row; `allowance` reads it."""
        return f"{render_utc(self.since)} {self.used}"


def allowance(
    limit: int, now: datetime, kept: str | None = None, length: timedelta = HOUR
) -> Allowance:
    """The one that was kept, as it is now; a new one where there is none.

    The limit in force counts, not the one of before a reload.
    """
    fresh = Allowance(limit=limit, length=length, since=now)
    if kept is None:
        return fresh
    since, _, used = kept.partition(" ")
    begun = datetime.fromisoformat(since).astimezone(UTC)
    return replace(fresh, since=begun, used=int(used)).at(now)


def share(happening: Happening, limit: str) -> Happening:
    """The same alarm, without an incident of its own.

    Its clear is not waited for: one of another group would end it too.
    """
    return replace(
        happening,
        rule=happening.rule.without_clear(),
        reading=replace(happening.reading, key=SHARED),
        trigger={**happening.trigger, "limit": limit, "group": happening.reading.key},
    )
