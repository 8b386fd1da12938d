"""Windows: half-open intervals `[start, end)` of one camera that we want to keep."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from evidenced.core.instants import SECOND, check_aware

LEAST = SECOND
"""Of what an alarm wants: a recorder refuses to export a window that ends where it
begins, and one of a few milliseconds holds no picture."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Window:
    """From `start` (included) to `end` (not included), both aware UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        check_aware(self.start)
        check_aware(self.end)
        if self.end < self.start:
            raise ValueError(f"window ends before it starts: {self}")

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @property
    def is_short(self) -> bool:
        return self.length < LEAST

    def touches(self, other: Self) -> bool:
        """Whether nothing lies between the two; sharing one edge is enough."""
        return self.start <= other.end and other.start <= self.end

    def hull(self, other: Self) -> Self:
        """The smallest window that covers both."""
        return type(self)(
            start=min(self.start, other.start), end=max(self.end, other.end)
        )

    def lasting(self) -> Self:
        """The same, as long as LEAST where it is shorter: the start stays."""
        if not self.is_short:
            return self
        return type(self)(start=self.start, end=self.start + LEAST)

    def shifted(self, by: timedelta) -> Self:
        return type(self)(start=self.start + by, end=self.end + by) if by else self


def merge(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same instants as sorted, disjoint windows that do not touch."""
    merged: list[Window] = []
    for window in sorted(windows):
        if merged and merged[-1].touches(window):
            merged[-1] = merged[-1].hull(window)
        else:
            merged.append(window)
    return tuple(merged)
