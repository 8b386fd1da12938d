"""What lasts is told again now and then: a log that is read from today must have it."""

EVERY_S = 3600.0


class Reminder:
    """Of one trouble. Seconds are monotonic."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._told = 0.0

    def lasting(self, now: float) -> float | None:
        """How long it lasts, when that is to be told again; None: not now.

        The first call begins it and is None: how it began is told by whoever calls.
        """
        if self._began is None:
            self._began = self._told = now
            return None
        if now - self._told < EVERY_S:
            return None
        self._told = now
        return now - self._began

    def over(self) -> None:
        self._began = None
