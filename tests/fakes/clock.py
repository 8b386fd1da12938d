"""A clock that moves only when a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


class FakeClock:
    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 1000.0
        self.sync: bool | None = None

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def in_sync(self) -> bool | None:
        return self.sync

    def advance(self, by: timedelta | float) -> datetime:
        """Let time pass, seconds or a duration; returns the new now."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self._now += step
        self._monotonic += step.total_seconds()
        return self._now

    def jump(self, by: timedelta) -> None:
        """Set the wall clock, as NTP does; no time passes."""
        self._now += by
