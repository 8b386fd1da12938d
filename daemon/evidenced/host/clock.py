"""The one place that reads real clocks."""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from evidenced.core.instants import floor_ms
from evidenced.host import hosttime

ASK_EVERY_S: Final = 1.0
"""How old an answer may be whether the clock is right: asking goes to the file system
and the kernel, and each step of each loop wants to know."""
STEP_S: Final = 0.5
"""A wall clock that has moved so far by itself was set: it is asked for anew."""


class SystemClock:
    """The host's clocks, as the Clock port wants them."""

    def __init__(self, ask: Callable[[], bool | None] = hosttime.in_sync) -> None:
        """`ask`: who tells whether the wall clock is right."""
        self._ask = ask
        self._asked_at = -math.inf
        self._skew_s = 0.0
        self._is_synced: bool | None = None

    def now(self) -> datetime:
        """The wall clock: aware UTC, whole milliseconds. It may jump."""
        return floor_ms(datetime.now(UTC))

    def monotonic(self) -> float:
        """Seconds since some fixed point; stands still while the host is suspended."""
        return time.monotonic()

    def in_sync(self) -> bool | None:
        """Whether the wall clock is known to be right; None: nobody tells.

        As of a second ago at most, and never of before the clock was set.
        """
        now = time.monotonic()
        skew = time.time() - now
        is_fresh = now - self._asked_at < ASK_EVERY_S
        if not is_fresh or abs(skew - self._skew_s) > STEP_S:
            self._asked_at, self._skew_s = now, skew
            self._is_synced = self._ask()
        return self._is_synced
