"""The one place that reads real clocks."""

import time
from datetime import UTC, datetime

from evidenced.core.instants import floor_ms
from evidenced.host.hosttime import in_sync


class SystemClock:
    """The host's clocks, as the Clock port wants them."""

    def now(self) -> datetime:
        """The wall clock: aware UTC, whole milliseconds. It may jump."""
        return floor_ms(datetime.now(UTC))

    def monotonic(self) -> float:
        """Seconds since some fixed point; stands still while the host is suspended."""
        return time.monotonic()

    def in_sync(self) -> bool | None:
        """Whether the wall clock is known to be right; None: nobody tells."""
        return in_sync()
