"""Whether the host's wall clock may decide what has lasted too long.

A clock that is wrong by years for a minute (a dead battery, a bad time server) makes
everything look old. What depends on a date comes back when the clock is right again;
what was deleted, or given up, does not. So a date is trusted for that only after the
clock has run for a while without being set.
"""

from datetime import datetime, timedelta

from evidenced.core.instants import DAY, HOUR, ZERO

STEP = HOUR
"""A clock that moved so far by itself was set. Retention counts in days; so does
`give_up`, unless it is configured shorter."""
LONG_ENOUGH = HOUR
LONG_ENOUGH_UNSYNCED = DAY
"""Of a clock known not to be in sync: it may never be, and the disk fills all the
same."""


class Steadiness:
    """How long the wall clock has run like the monotonic one; from 0 at each start."""

    def __init__(self, step: timedelta = STEP) -> None:
        """What moves it by more than `step` has set it."""
        self._step = step
        self._skew: timedelta | None = None
        self._since = 0.0
        self.was_set = False
        """Since the start, as seen when it was looked at."""

    def look(self, now: datetime, monotonic: float) -> timedelta:
        """Call now and then: for how long the clock has not been set."""
        skew = timedelta(seconds=now.timestamp() - monotonic)
        if self._skew is None or abs(skew - self._skew) > self._step:
            self.was_set = self._skew is not None
            self._skew, self._since = skew, monotonic
            return ZERO
        return timedelta(seconds=monotonic - self._since)


def may_delete(steady: timedelta, *, in_sync: bool | None) -> bool:
    """Whether a clock that ran so long may decide what is old enough to be deleted."""
    return steady >= (LONG_ENOUGH_UNSYNCED if in_sync is False else LONG_ENOUGH)


def may_give_up(steady: timedelta, *, was_set: bool, in_sync: bool | None) -> bool:
    """Whether it may decide that a recorder was asked for long enough.

    A start alone is no reason to doubt it: what was given up can be retried.
    """
    return steady >= LONG_ENOUGH or not (was_set or in_sync is False)
