"""How long to wait before the next try to connect."""

from collections.abc import Callable
from datetime import timedelta

TAKEOVER_FACTOR = 30
"""Two daemons with one client id would throw each other out each second."""


class Backoff:
    """Doubling from `first` to `longest`, full jitter: no herd at a broker restart."""

    def __init__(
        self, first: timedelta, longest: timedelta, jitter: Callable[[], float]
    ) -> None:
        self._first = first.total_seconds()
        self._longest = longest.total_seconds()
        self._jitter = jitter
        self.failures = 0

    def next_wait(self, *, is_takeover: bool) -> float:
        """Seconds; counts a failure. After a takeover at least half of a long wait."""
        bound = min(self._longest, self._first * 2.0 ** min(self.failures, 32))
        self.failures += 1
        if is_takeover:
            return self._first * TAKEOVER_FACTOR * (1 + self._jitter()) / 2
        return bound * self._jitter()

    def reset(self) -> None:
        self.failures = 0
