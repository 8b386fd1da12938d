"""Whether the host's wall clock may decide what is old enough to be deleted.

A clock that is wrong by years for a minute (a dead battery, a bad time server) makes
everything look old. What depends on a date comes back when the clock is right again;
what was deleted does not. So a date is trusted for that only after the clock has run
for a while without being set.
"""

from datetime import datetime, timedelta

from evidenced.core.instants import ZERO

STEP = timedelta(hours=1)
"""A clock that moved so far by itself was set. Retention counts in days."""
LONG_ENOUGH = timedelta(hours=1)
LONG_ENOUGH_UNSYNCED = timedelta(days=1)
"""Of a clock known not to be in sync: it may never be, and the disk fills all the
same."""


class Steadiness:
    """How long the wall clock has run like the monotonic one; from 0 at each start."""

    def __init__(self) -> None:
        self._skew: timedelta | None = None
        self._since = 0.0

    def look(self, now: datetime, monotonic: float) -> timedelta:
        """Call now and then: for how long the clock has not been set."""
        skew = timedelta(seconds=now.timestamp() - monotonic)
        if self._skew is None or abs(skew - self._skew) > STEP:
            self._skew, self._since = skew, monotonic
            return ZERO
        return timedelta(seconds=monotonic - self._since)


def is_trusted(steady: timedelta, *, in_sync: bool | None) -> bool:
    """Whether a clock that ran so long may decide what is deleted."""
    return steady >= (LONG_ENOUGH_UNSYNCED if in_sync is False else LONG_ENOUGH)
