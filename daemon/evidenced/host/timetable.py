"""What comes by the calendar, by APScheduler: the daily report's hour.

A hint only: the loop that is woken reads in its row what is due, and looks again on its
own every while. So a job that is dropped costs no more than that.
"""

from collections.abc import Callable
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger


class Timetable:
    """Calls `wake` on the event loop whenever the trigger says; None: never."""

    def __init__(self, trigger: CronTrigger | None, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        if trigger is not None:
            # by default what is more than a second late is silently dropped, such as
            # after a suspend or behind a busy loop
            self._scheduler.add_job(self._fire, trigger, misfire_grace_time=None)

    def start(self) -> None:
        """Call on the running loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Wakes nobody any more. Once, after `start`."""
        self._scheduler.shutdown(wait=False)

    async def _fire(self) -> None:
        """A coroutine, because APScheduler runs plain functions on another thread."""
        self._wake()
