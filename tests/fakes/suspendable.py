"""`evidenced run` on a host that can be suspended: suspendable.py CLOCKS FILE.

To a process a suspend is this: it stands still, its connections die or not, and when it
goes on CLOCK_MONOTONIC has stood still with it while CLOCK_REALTIME has not. SIGSTOP
gives the first; CLOCKS, which `HostClocks` writes, the last.
"""

import mmap
import struct
import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from apscheduler.executors import base as executors
from apscheduler.schedulers import base

from evidenced.host.clock import SystemClock

SHIFTS = struct.Struct("dd")
"""Seconds that the wall clock is ahead, and the monotonic one behind, of the real."""


class HostClocks:
    """For those who suspend the host; and the clock of others, who do not sleep."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._ahead = 0.0
        self._behind = 0.0
        file.write_bytes(SHIFTS.pack(0.0, 0.0))
        self._system = SystemClock()

    def suspended(self, *, really_s: float, for_s: float) -> None:
        """It stood still for so long really, and for so long by the wall clock."""
        self._ahead += for_s - really_s
        self._behind += really_s
        with self.file.open("r+b") as out:
            out.write(SHIFTS.pack(self._ahead, self._behind))

    def now(self) -> datetime:
        return self._system.now() + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        return self._system.monotonic() + self._ahead

    def in_sync(self) -> bool | None:
        return self._system.in_sync()


def shift_clocks(file: Path) -> None:
    """Everything in this process reads these clocks from now on."""
    with file.open("rb") as opened:
        shifts = mmap.mmap(opened.fileno(), SHIFTS.size, prot=mmap.PROT_READ)
    monotonic, now = time.monotonic, SystemClock.now

    def shifted() -> float:
        return monotonic() - float(SHIFTS.unpack(shifts[:])[1])

    def ahead() -> timedelta:
        return timedelta(seconds=SHIFTS.unpack(shifts[:])[0])

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + ahead()

    for module in (base, executors):  # APScheduler's own looks at the clock
        module.datetime = Shifted
    time.monotonic = shifted
    SystemClock.now = lambda clock: now(clock) + ahead()  # type: ignore[method-assign]


if __name__ == "__main__":
    shift_clocks(Path(sys.argv[1]))

    from evidenced.app import run

    sys.exit(run(Path(sys.argv[2])))
