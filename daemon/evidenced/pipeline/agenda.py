"""Who looks at the store next, and when.

Every loop waits here: for a hint (somebody wrote what it cares about), for the next
instant that it read from the store, and LOOK_AGAIN at the longest. Rows are the truth,
wake-ups are hints, and the host's clock may jump: the timer of an instant runs by the
clock that never does.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from evidenced.core.instants import ZERO
from evidenced.ports import Clock

LOOK_AGAIN = timedelta(seconds=30)
"""Due instants are compared with the wall clock at least so often (design.md)."""
REST = timedelta(minutes=10)
"""How long a loop waits that `Rounds` wakes so often if there is anything for it."""


class Agenda:
    """Hints and awaited instants by the names of loops."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hints: dict[str, asyncio.Event] = {}
        self._awaited: dict[str, datetime] = {}
        """What a loop that waits now waits for."""
        self.pass_on: Callable[[str], object] = lambda _: None
        """Told of each hint: the loop may be another node's."""

    def hint(self, name: str) -> None:
        """Wake that loop, wherever it runs: there may be something for it."""
        self.hint_here(name)
        self.pass_on(name)

    def hint_here(self, name: str) -> None:
        """Wake that loop if it runs here."""
        self._event(name).set()

    def sooner(self, name: str, at: datetime) -> None:
        """There is something for that loop at this instant: wake it if it waits longer.

        The loop finds out what. Also if what it waits for is past: the host was
        suspended, which timers sleep through, or its clock was set.
        """
        awaited = self._awaited.get(name)
        if awaited is None or at < awaited or awaited <= self._clock.now():
            self.hint(name)

    async def wait(
        self,
        name: str,
        until: datetime | None = None,
        at_most: timedelta = LOOK_AGAIN,
    ) -> None:
        """Until that loop's hint, this instant, or so long. Cancel-safe.

        A past instant is not waited for: name only one that the last look found to be
        still to come, or the loop spins.
        """
        event = self._event(name)
        if until is not None:
            self._awaited[name] = until
            at_most = min(at_most, max(until - self._clock.now(), ZERO))
        try:
            async with asyncio.timeout(at_most.total_seconds()):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._awaited.pop(name, None)
        event.clear()

    def _event(self, name: str) -> asyncio.Event:
        return self._hints.setdefault(name, asyncio.Event())
