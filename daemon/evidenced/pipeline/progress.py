"""That a loop moves: what the watchdog and /healthz go by."""

from datetime import timedelta

from evidenced.ports import Clock


class Pulse:
    """One for each loop that must always move."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made_at = clock.monotonic()

    def made(self) -> None:
        """The loop has looked at the store, and done what it found to do."""
        self._made_at = self._clock.monotonic()

    def idle_for(self) -> timedelta:
        """How long ago that was."""
        return timedelta(seconds=self._clock.monotonic() - self._made_at)
