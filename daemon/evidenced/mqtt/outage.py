"""A broker that cannot be had: why, how often by now, and when it is tried again."""

from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from evidenced.mqtt.backoff import Backoff
from evidenced.mqtt.problems import BrokerError
from evidenced.mqtt.reminder import Reminder
from evidenced.mqtt.settings import BrokerSettings

STABLE_S = 10.0
"""A connection that lived this long ends the streak of failures."""


class Outage:
    """From one end of a connection to the next; seconds are monotonic."""

    def __init__(
        self,
        settings: BrokerSettings,
        jitter: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self._backoff = Backoff(settings.retry_first, settings.retry_max, jitter)
        self._reminder = Reminder()
        self._log = log
        self.why = "not connected to the broker yet"

    @property
    def failures(self) -> int:
        """Connections in a row that did not come about, or did not last."""
        return self._backoff.failures

    def ended(self, why: BrokerError, lived_s: float, now: float) -> float:
        """A connection did; the seconds to wait before the next one."""
        self.why = str(why)
        if why.is_deliberate:
            return 0.0
        if lived_s >= STABLE_S:
            self._backoff.reset()
            self._reminder.over()
        say = self._log.debug if self.failures else self._log.warning
        wait = self._backoff.next_wait(is_takeover=why.is_takeover)
        say("no connection to the broker", problem=self.why, next_try_s=wait)
        lasts = self._reminder.lasting(now)
        if lasts is not None:
            self._log.warning(
                "still no connection to the broker; no alarms arrive",
                problem=self.why,
                for_minutes=round(lasts / 60),
            )
        return wait
