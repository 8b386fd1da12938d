"""Where time and chance come from."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where time comes from. Nothing else reads a clock."""

    def now(self) -> datetime:
        """The wall clock: aware UTC, whole milliseconds. It may jump."""

    def monotonic(self) -> float:
        """Seconds that never jump, for time-outs and durations."""

    def in_sync(self) -> bool | None:
        """Whether the wall clock is known to be right; None: nobody tells."""


class Dice(Protocol):
    """Where chance comes from, so that a run can be repeated."""

    def jitter(self) -> float:
        """From 0 (included) to 1 (not included)."""

    def token(self) -> str:
        """Eight lower-case letters and digits, not to be guessed and not repeated."""
