"""The recorder's own clock: it runs by itself, whatever the host's clock does."""

from datetime import datetime, timedelta

from evidenced.core.instants import floor_ms
from evidenced.ports import Clock
from evidenced.simulator.scenario import OwnClock


class RecorderTime:
    """Seconds since the start, and what true time and the recorder's clock say then.

    Counted by the injected monotonic clock: the recorder is another machine, so a jump
    of the host's wall clock moves neither its clock nor its exports.
    """

    def __init__(self, settings: OwnClock, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._started_at = clock.now()
        self._started = clock.monotonic()

    def elapsed(self) -> float:
        return self._clock.monotonic() - self._started

    def true_at(self, elapsed: float) -> datetime:
        return floor_ms(self._started_at + timedelta(seconds=elapsed))

    def own_at(self, elapsed: float) -> datetime:
        """What the recorder's clock shows: offset, drift and jumps so far."""
        settings = self._settings
        drift = timedelta(seconds=elapsed * settings.drift_ppm / 1_000_000)
        jumps = sum(
            (jump.by for jump in settings.jumps if jump.at.total_seconds() <= elapsed),
            timedelta(0),
        )
        ran = timedelta(seconds=elapsed)
        return floor_ms(self._started_at + ran + settings.offset + drift + jumps)
