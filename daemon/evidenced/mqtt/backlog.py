"""Since when the broker may be holding messages back, which makes them old news.

It holds them while we are away (a resumed session), while we have not acknowledged what
it sent (a full receive window), and the kernel does while this process stands still.
MQTT tells no message's age; what is known is an upper bound: received minus held.
"""

from datetime import datetime, timedelta

from evidenced.core.instants import SECOND, ZERO

QUIET_S = 2.0
"""A gap this long after the SUBACK, with room in the window: nothing is held."""

BUSY_S = 10.0
"""The same where live messages leave no gap: brokers send what they hold at once."""

STALL_S = 3.0
"""A beat comes each second; a later one tells of a process that stood still."""

NOTICEABLE = SECOND
"""What was held for less than this was not held: bursts fill the window for moments."""


class Backlog:
    """Pure: instants and monotonic seconds are arguments."""

    def __init__(self) -> None:
        self._held_since: datetime | None = None
        self._room_since: float | None = 0.0
        self._quiet_since = 0.0
        self._is_subscribed = False
        self._beat: tuple[datetime, float] | None = None

    def disconnected(self) -> None:
        self._is_subscribed = False
        self._beat = None

    def resumed(self, since: datetime | None, mono: float) -> None:
        """A connection began; the broker holds messages since then (None: none)."""
        self._held_since = since
        self._room_since = mono
        self._quiet_since = mono

    def subscribed(self, mono: float) -> None:
        self._is_subscribed = True
        self._begin_again(mono)

    def beat(self, at: datetime, mono: float) -> None:
        """Call about each second, and before each message: finds standstills.

        By either clock, for only the wall clock goes on while the host is suspended. A
        wall clock that is set forward looks the same, and costs a wider window at most.
        """
        if self._beat is not None and _gap(self._beat, (at, mono)) > STALL_S:
            self.hold(self._beat[0])
            self._begin_again(mono)
        self._beat = (at, mono)

    def hold(self, since: datetime) -> None:
        """Messages may be held since then, if not since earlier."""
        if self._held_since is None or since < self._held_since:
            self._held_since = since

    def full(self, at: datetime) -> None:
        """The window has no room left: the broker holds what comes next."""
        if self._room_since is not None:
            self.hold(at)
            self._room_since = None

    def has_room(self, mono: float) -> None:
        if self._room_since is None:
            self._room_since = mono
            self._quiet_since = mono

    def arrived(self, at: datetime, mono: float) -> timedelta:
        """How long the message that arrives now may have been held."""
        since = self.held_since(mono)
        self._quiet_since = mono
        if since is None or at - since < NOTICEABLE:
            return ZERO
        return at - since

    def held_since(self, mono: float) -> datetime | None:
        """None: what arrives now is fresh."""
        if self._held_since is not None and self._is_over(mono):
            self._held_since = None
        return self._held_since

    def _begin_again(self, mono: float) -> None:
        self._quiet_since = mono
        if self._room_since is not None:
            self._room_since = mono

    def _is_over(self, mono: float) -> bool:
        if not self._is_subscribed or self._room_since is None:
            return False
        is_quiet = mono - self._quiet_since >= QUIET_S
        return is_quiet or mono - self._room_since >= BUSY_S


def _gap(last: tuple[datetime, float], now: tuple[datetime, float]) -> float:
    """Seconds between two beats, by the clock that says more."""
    return max(now[1] - last[1], (now[0] - last[0]).total_seconds())
