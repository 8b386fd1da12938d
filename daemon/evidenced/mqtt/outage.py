"""A broker that cannot be had: why, how often by now, and when it is tried again."""

from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from evidenced.core.exports.retry import RetryPolicy, back_off
from evidenced.core.instants import ZERO
from evidenced.core.streak import Streak
from evidenced.mqtt.problems import BrokerError
from evidenced.mqtt.settings import BrokerSettings

STABLE_S = 10.0
"""A connection that lived this long ends the streak of failures."""
TAKEOVER_FACTOR = 30
"""Two daemons with one client id would throw each other out each second: each waits at
least half of so many times the first wait, by chance not the same."""


class Outage:
    """From one end of a connection to the next; seconds are monotonic."""

    def __init__(
        self,
        settings: BrokerSettings,
        jitter: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self._policy = RetryPolicy(
            first=settings.retry_first, longest=settings.retry_max
        )
        self._jitter = jitter
        self._streak = Streak()
        self._log = log
        self.why = "not connected to the broker yet"

    @property
    def failures(self) -> int:
        """Connections in a row that did not come about, or did not last."""
        return self._streak.count

    def ended(self, why: BrokerError, lived_s: float, now: float) -> float:
        """A connection did; the seconds to wait before the next one."""
        self.why = str(why)
        if why.is_deliberate:
            return 0.0
        if lived_s >= STABLE_S:
            self._streak.over()
        say = self._log.warning if self._streak.met(now) else self._log.debug
        wait = self._wait(why)
        say("no connection to the broker", problem=self.why, next_try_s=wait)
        lasts = self._streak.lasts(now)
        if lasts is not None:
            self._log.warning(
                "still no connection to the broker; no alarms arrive",
                problem=self.why,
                for_minutes=round(lasts / 60),
            )
        return wait

    def _wait(self, why: BrokerError) -> float:
        if why.is_takeover:
            first = self._policy.first.total_seconds()
            return first * TAKEOVER_FACTOR * (1 + self._jitter()) / 2
        wait = back_off(self._policy, self.failures, self._jitter(), least=ZERO)
        return wait.total_seconds()
