"""Who looks at the store next, and when.

Every loop waits here. It is woken by a hint (somebody wrote what it cares about), by
the one planned wake-up for the earliest moment that any loop named, or after LOOK_AGAIN
at the latest: rows are the truth, wake-ups are hints, and the host's clock may jump.
"""

import asyncio
from datetime import datetime, timedelta

from evidenced.ports import Clock, Waker

LOOK_AGAIN = timedelta(seconds=30)
"""Due instants are compared with the wall clock at least so often (design.md)."""


class Agenda:
    """Hints and planned moments by the names of loops."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waker: Waker | None = None
        self._hints: dict[str, asyncio.Event] = {}
        self._plans: dict[str, datetime] = {}

    def attach(self, waker: Waker) -> None:
        """Tell who plans the wake-up; before that, plans only wait."""
        self._waker = waker
        self._replan()

    def hint(self, name: str) -> None:
        """Wake that loop: there may be something for it."""
        self._event(name).set()

    def plan(self, name: str, at: datetime | None) -> None:
        """That loop wants to look at this instant; replaces what it wanted before."""
        if at is None:
            self._plans.pop(name, None)
        else:
            self._plans[name] = at
        self._replan()

    def sooner(self, name: str, at: datetime) -> None:
        """That loop has to look at this instant too; wakes it if that is now.

        Or if what it planned is past: the host was suspended, which timers sleep
        through, or its clock was set.
        """
        planned, now = self._plans.get(name), self._clock.now()
        if at <= now or (planned is not None and planned <= now):
            self.hint(name)
        elif planned is None or at < planned:
            self.plan(name, at)

    def wake(self) -> None:
        """The planned moment is here: wake every loop whose own has come."""
        now = self._clock.now()
        for name in [name for name, at in self._plans.items() if at <= now]:
            del self._plans[name]
            self.hint(name)
        self._replan()

    async def wait(self, name: str, at_most: timedelta = LOOK_AGAIN) -> None:
        """Until that loop's hint, its planned moment, or so long. Cancel-safe."""
        event = self._event(name)
        try:
            async with asyncio.timeout(at_most.total_seconds()):
                await event.wait()
        except TimeoutError:
            pass
        event.clear()

    def _event(self, name: str) -> asyncio.Event:
        return self._hints.setdefault(name, asyncio.Event())

    def _replan(self) -> None:
        if self._waker is not None:
            self._waker.wake_at(min(self._plans.values(), default=None))
