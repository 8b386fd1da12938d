"""Wake-ups between nodes: LISTEN and NOTIFY. Rows are the truth, these are hints.

One thread listens, and sends what was passed on meanwhile. Each name goes once in
AGAIN_S at most, so a storm of alarms is no storm of wake-ups. One that is lost with its
connection costs a loop its half minute.
Source: postgresql.org/docs/current/sql-notify.html (a payload is below 8,000 bytes).
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import psycopg

CHANNEL = "evidenced"
PAUSE_S = 0.1
"""How long what is passed on may wait for others to go with it."""
AGAIN_S = 1.0
LONGEST = 7_000
"""Characters of a payload."""
AWAY_S = 1.0
CLOSE_S = 1.0
"""A connection that hangs is left to the end of the process."""


class Connect(Protocol):
    """Makes a connection of its own, past every pool."""

    def __call__(self) -> psycopg.Connection[Any]: ...


class Hints:
    """Between `start` and `close`; both, and `pass_on`, from the event loop."""

    def __init__(self, connect: Connect, monotonic: Callable[[], float]) -> None:
        self._connect = connect
        self._monotonic = monotonic
        self._waiting: dict[str, None] = {}
        self._sent: dict[str, float] = {}
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, tell: Callable[[str], object]) -> None:
        """`tell` gets the name of each loop that another node wakes, on the thread."""
        self._thread = threading.Thread(
            target=self._work, args=(tell,), name="hints", daemon=True
        )
        self._thread.start()

    def pass_on(self, name: str) -> None:
        """Wake that loop at the other nodes soon. Never blocks."""
        self._waiting[name] = None

    def close(self) -> None:
        """Blocks for a moment."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _work(self, tell: Callable[[str], object]) -> None:
        while not self._is_over.is_set():
            try:
                with self._connect() as connection:
                    connection.autocommit = True
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._exchange(connection, tell)
            except psycopg.Error:
                self._is_over.wait(AWAY_S)

    def _exchange(
        self, connection: psycopg.Connection[Any], tell: Callable[[str], object]
    ) -> None:
        own = connection.info.backend_pid
        while not self._is_over.is_set():
            for each in connection.notifies(timeout=PAUSE_S):
                if each.pid != own:
                    for name in each.payload.split("\n"):
                        tell(name)
            for payload in _payloads(self._due()):
                connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])

    def _due(self) -> list[str]:
        """Names that wait and were not sent just now."""
        now = self._monotonic()
        last = now - AGAIN_S
        self._sent = {name: at for name, at in self._sent.items() if at > last}
        found = [name for name in tuple(self._waiting) if name not in self._sent]
        for name in found:
            del self._waiting[name]
            self._sent[name] = now
        return found


def _payloads(names: Iterable[str]) -> Iterator[str]:
    """As many names each as one notification holds."""
    page: list[str] = []
    for name in names:
        if page and sum(len(each.encode()) + 1 for each in [*page, name]) > LONGEST:
            yield "\n".join(page)
            page = []
        page.append(name)
    if page:
        yield "\n".join(page)
