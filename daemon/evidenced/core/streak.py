"""What goes on for a while is told once when it begins, and once when it ends.

Else a broker that is away for a night fills the log with the same line; and nobody
reads when it was back.
"""

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

REMIND_S = 3600.0
"""What goes on is logged again once in this time, for those who read one day only."""


class Streak:
    """One thing: `look` whenever it may have changed. Seconds are monotonic.

    With `quiet_s`, what is met again so soon after its end is the same streak, and told
    neither again nor over.
    """

    def __init__(self, quiet_s: float = 0.0) -> None:
        self.count = 0
        """How often it was met since it began; 0 while it is not on."""
        self._quiet_s = quiet_s
        self._began = self._told = self._ended = float("-inf")
        self._is_told = False

    def look(self, *, is_so: bool, now: float = 0.0) -> bool | None:
        """Whether it begins (True), ends (False), or neither is to be told (None)."""
        if is_so:
            return self.met(now) or None
        return False if self.over(now) else None

    def met(self, now: float = 0.0) -> bool:
        """It is so, perhaps still; whether that is to be told."""
        self.count += 1
        if self.count > 1:
            return False
        self._began = self._told = now
        self._is_told = not self._quiet_s or now - self._ended >= self._quiet_s
        return self._is_told

    def over(self, now: float = 0.0) -> int:
        """It is not so; how often it was met, 0 where its end is not to be told."""
        count, self.count = self.count, 0
        if count:
            self._ended = now
        return count if self._is_told else 0

    def lasts(self, now: float) -> float | None:
        """For how long it has been so, where that is to be told once more."""
        if not self.count or now - self._told < REMIND_S:
            return None
        self._told = now
        return now - self._began


class Reasons(Generic[K]):
    """Several things by name, and why each of them is not well now."""

    def __init__(self) -> None:
        self.of: dict[K, str] = {}

    def look(self, found: Mapping[K, str]) -> tuple[list[K], list[K]]:
        """Take `found` for all that is wrong now: what begins, and what is over."""
        begun = [name for name in found if name not in self.of]
        over = [name for name in self.of if name not in found]
        self.of = dict(found)
        return begun, over
