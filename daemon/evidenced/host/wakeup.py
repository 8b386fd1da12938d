"""The one wake-up for the next moment that matters, by APScheduler.

A hint only: the rows in the store say what is due, and the dispatcher looks at them on
its own every while. So one job is enough, whatever the number of incidents.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler

_JOB = "wake"
MANY = 1000
"""Wake-ups that may be under way at once: more than ever are."""


class Wakeup:
    """Calls `wake` on the event loop at the planned instant; at once if it is past.

    Nothing happens before `start` and after `stop`; what was planned before counts.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._planned: datetime | None = None
        self._is_started = False
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        """Call on the running loop."""
        self._scheduler.start()
        self._is_started = True
        if self._planned is not None:
            self._plan(self._planned)

    def stop(self) -> None:
        """Plans nothing more. Idempotent."""
        if self._is_started:
            self._is_started = False  # the scheduler's own flag lags a turn of the loop
            self._scheduler.shutdown(wait=False)

    def wake_at(self, at: datetime | None) -> None:
        """Replace the planned wake-up; None plans none. See ports.Waker."""
        if at == self._planned:
            return
        self._planned = at
        if not self._is_started:
            return
        if at is not None:
            self._plan(at)
        else:
            with suppress(JobLookupError):  # it is just being run
                self._scheduler.remove_job(_JOB)

    def _plan(self, at: datetime) -> None:
        self._scheduler.add_job(
            self._fire,
            "date",
            run_date=at,
            id=_JOB,
            replace_existing=True,
            # by default a wake-up more than a second late is silently dropped: after a
            # suspend, a clock that jumped or a busy loop nothing would ever wake again
            misfire_grace_time=None,
            coalesce=True,
            # by default one that is due while the last is being ended is dropped too:
            # whoever is woken plans the next, which may be due within that moment
            max_instances=MANY,
        )

    async def _fire(self) -> None:
        """A coroutine, because APScheduler runs plain functions on another thread."""
        self._planned = None
        self._wake()
