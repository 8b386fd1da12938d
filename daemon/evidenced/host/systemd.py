"""The service manager: what it is told, and the watchdog that progress feeds.

The protocol is a datagram of NAME=value lines to the socket in $NOTIFY_SOCKET; without
that variable nothing is sent. Source: sd_notify(3), systemd.service(5).
"""

import asyncio
import os
import socket
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import StoreError
from evidenced.core.incidents.states import INCIDENT_OPEN, IncidentState
from evidenced.core.streak import Streak
from evidenced.ports import Clock, Condition, Store
from evidenced.ports.control import RecorderStatus

ROUND = timedelta(seconds=10)
"""How often the status line is renewed where no watchdog asks for more."""
FEEDS = 4
"""Rounds in one watchdog interval, so that one slow round does not bite."""
UNSURE = "the host's clock is not in sync"
COUNT_LIMIT = timedelta(seconds=2)
SEND_LIMIT_S = 0.5
MAX_STATUS = 400
"""Characters; `systemctl status` shows one line."""


class Notifier:
    """The way to the service manager. Sending never raises and hardly ever waits."""

    def __init__(self, address: str, clock: Clock, watchdog: timedelta | None) -> None:
        self._address = address
        self.clock = clock
        self.watchdog = watchdog
        """Within which time `feed` is due again; None when nobody waits for it."""

    def ready(self) -> None:
        """The start or the reload is done."""
        self._send("READY=1")

    def reloading(self) -> None:
        """A reload begins; `ready` ends it.

        Source: systemd.service(5), Type=notify-reload: MONOTONIC_USEC tells which of
        several reloads is answered.
        """
        now_us = int(self.clock.monotonic() * 1_000_000)
        self._send("RELOADING=1", f"MONOTONIC_USEC={now_us}")

    def stopping(self) -> None:
        self._send("STOPPING=1", "STATUS=stopping")

    def status(self, line: str) -> None:
        """What is shown in `systemctl status`: one line, whatever it is made of."""
        safe = "".join(c if c.isprintable() else " " for c in line[:MAX_STATUS])
        self._send(f"STATUS={safe}")

    def feed(self) -> None:
        """The daemon works."""
        self._send("WATCHDOG=1")

    def extend_start(self, by: timedelta) -> None:
        """The start makes progress but is not done: do not give it up before then."""
        self._send(f"EXTEND_TIMEOUT_USEC={by // timedelta(microseconds=1)}")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        with (
            suppress(OSError),  # a manager that cannot be told must not stop alarms
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as s,
        ):
            s.settimeout(SEND_LIMIT_S)
            s.connect(self._address)
            s.sendall("\n".join(lines).encode("utf-8", "replace"))


def notifier_from(environ: MutableMapping[str, str], clock: Clock) -> Notifier:
    """The notifier that the environment names; takes its variables out of it.

    Taken out, so that no child process speaks in the daemon's name.
    """
    name = environ.pop("NOTIFY_SOCKET", "")
    period = environ.pop("WATCHDOG_USEC", "")
    process = environ.pop("WATCHDOG_PID", "")
    # a leading @ is an abstract socket. Source: sd_notify(3)
    address = f"\0{name[1:]}" if name.startswith("@") else name
    is_ours = process in ("", str(os.getpid()))
    usec = int(period) if period.isascii() and period.isdigit() else 0
    watchdog = timedelta(microseconds=usec) if usec and is_ours else None
    return Notifier(address, clock, watchdog)


class Watch:
    """The loop that reports readiness, status and progress.

    The watchdog is fed when the store has answered and the turn has turned since, never
    because time has passed. A full disk is no reason to restart: the store answered.
    """

    def __init__(
        self,
        notifier: Notifier,
        condition: Condition,
        store: Store,
        log: FilteringBoundLogger,
    ) -> None:
        self._notifier = notifier
        self._condition = condition
        self._store = store
        self._log = log
        self._news = asyncio.Event()
        self._is_ready = False
        self._stalled = Streak()
        self._unsure = Streak()
        self._config_problem: str | None = None

    def look(self) -> None:
        """Something changed: report now."""
        self._news.set()

    def reloaded(self, problem: str | None) -> None:
        """A reload is done; the problem is why the configuration on disk is not used.

        A start that waits for the broker is not ready because of a reload.
        """
        self._config_problem = problem
        if self._is_ready:
            self._notifier.ready()
        self.look()

    async def run(self) -> None:
        """Forever."""
        watchdog = self._notifier.watchdog
        pause = min(ROUND, watchdog / FEEDS) if watchdog else ROUND
        while True:
            self._news.clear()
            await self.once(pause)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause.total_seconds()):
                    await self._news.wait()

    async def once(self, pause: timedelta = ROUND) -> None:
        """One report."""
        stalled = await self._condition.stalled()
        problems = stalled or self._condition.unready()
        if not problems and not self._is_ready:
            self._is_ready = True
            self._notifier.ready()
        if not stalled:
            self._notifier.feed()
            if not self._is_ready:
                self._notifier.extend_start(FEEDS * pause + timedelta(seconds=30))
        self._tell(stalled)
        self._tell_clock()
        self._notifier.status(await self._line(problems))

    def _tell(self, stalled: Sequence[str]) -> None:
        told = self._stalled.look(is_so=bool(stalled))
        if told:
            self._log.error("no progress; the watchdog is not fed", why=stalled)
        elif told is False:
            self._log.info("progress again")

    def _tell_clock(self) -> None:
        told = self._unsure.look(is_so=self._notifier.clock.in_sync() is False)
        if told:
            self._log.warning(
                "the host's clock is not in sync; alarms without a time of their "
                "own get what it says"
            )
        elif told is False:
            self._log.info("the host's clock is in sync")

    async def _line(self, problems: Sequence[str]) -> str:
        counts: Mapping[IncidentState, int] = {}
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(COUNT_LIMIT.total_seconds()):
                counts = await self._store.read(lambda view: view.incidents.counts())
        if self._config_problem:
            problems = [*problems, self._config_problem]
        notes = [UNSURE] if self._unsure.count else []
        return status_line(counts, self._condition.recorders(), problems, notes)


def status_line(
    counts: Mapping[IncidentState, int],
    recorders: Sequence[RecorderStatus],
    problems: Sequence[str],
    notes: Sequence[str] = (),
) -> str:
    """One line: what is under way, then what is wrong; "broker connected" if nothing.

    Ended incidents are history and not counted.
    """
    parts = [f"{counts[state]} {state}" for state in INCIDENT_OPEN if counts.get(state)]
    work = ", ".join(parts) or "nothing open"
    down = [f"recorder {each.name} down" for each in recorders if each.problem]
    return "; ".join([work, *(problems or ["broker connected"]), *down, *notes])
