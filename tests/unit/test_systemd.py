import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from evidenced.core.errors import StoreError
from evidenced.core.ids import RecorderName
from evidenced.core.incidents.states import IncidentState
from evidenced.host.systemd import (
    MAX_STATUS,
    Notifier,
    Watch,
    notifier_from,
    status_line,
)
from evidenced.ports import Store
from evidenced.ports.control import RecorderStatus
from fakes.clock import FakeClock
from fakes.running import Log


class Manager:
    """The service manager's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.setblocking(False)

    def told(self) -> list[str]:
        """The datagrams since the last call."""
        told = []
        while True:
            try:
                told.append(self._socket.recv(65536).decode())
            except BlockingIOError:
                return told

    def close(self) -> None:
        self._socket.close()


class Counting:
    """A store that knows one number; or fails."""

    error: Exception | None = None

    async def read(self, query: Callable[[Any], Any]) -> Any:
        if self.error:
            raise self.error
        return query(SimpleNamespace(incidents=self))

    def counts(self) -> dict[IncidentState, int]:
        return {IncidentState.WAITING: 3, IncidentState.EXPORTED: 900}

    async def write(self, step: Callable[[Any], Any], _lease: Any = None) -> Any:
        raise NotImplementedError


class Daemon:
    def __init__(self) -> None:
        self.counting = Counting()
        self.why_stalled: list[str] = []
        self.why_unready: list[str] = ["not connected to the broker yet"]

    @property
    def store(self) -> Store:
        return self.counting

    async def stalled(self) -> list[str]:
        return self.why_stalled

    def unready(self) -> list[str]:
        return self.why_unready

    def recorders(self) -> list[RecorderStatus]:
        return []


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.close()


@pytest.fixture
def notifier(manager: Manager) -> Notifier:
    return Notifier(manager.address, FakeClock(), timedelta(seconds=8))


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def watch(notifier: Notifier, daemon: Daemon) -> Watch:
    return Watch(notifier, daemon, daemon.store, structlog.get_logger())


def test_a_reload_carries_the_monotonic_clock(
    manager: Manager, notifier: Notifier
) -> None:
    notifier.reloading()
    (told,) = manager.told()
    first, second = told.split("\n")
    assert first == "RELOADING=1"
    assert second.startswith("MONOTONIC_USEC=")
    assert second.removeprefix("MONOTONIC_USEC=").isdigit()


def test_a_status_is_one_line_whatever_it_is_made_of(
    manager: Manager, notifier: Notifier
) -> None:
    notifier.status("a\nREADY=1\x1b[2J" + "x" * 1000)
    (told,) = manager.told()
    assert told.startswith("STATUS=a READY=1 [2Jx")
    assert "\n" not in told
    assert len(told) == len("STATUS=") + MAX_STATUS


def test_nobody_listens(tmp_path: Path) -> None:
    for address in ("", str(tmp_path / "nowhere"), "\0evidenced-nowhere", "x" * 500):
        Notifier(address, FakeClock(), None).ready()


def test_the_environment_names_socket_and_watchdog(manager: Manager) -> None:
    environ = {
        "NOTIFY_SOCKET": manager.address,
        "WATCHDOG_USEC": "60000000",
        "WATCHDOG_PID": str(os.getpid()),
        "PATH": "/bin",
    }
    notifier = notifier_from(environ, FakeClock())
    notifier.feed()
    assert manager.told() == ["WATCHDOG=1"]
    assert notifier.watchdog == timedelta(seconds=60)
    assert environ == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"},
    ],
)
def test_no_watchdog_is_asked_of_us(environ: dict[str, str]) -> None:
    assert notifier_from(environ, FakeClock()).watchdog is None


def test_an_abstract_socket() -> None:
    name = f"evidenced-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"\0{name}")
        server.settimeout(10)
        notifier_from({"NOTIFY_SOCKET": f"@{name}"}, FakeClock()).ready()
        assert server.recv(100) == b"READY=1"


async def test_a_start_is_ready_once_broker_and_store_are(
    manager: Manager, watch: Watch, daemon: Daemon
) -> None:
    await watch.once()
    told = manager.told()
    assert "READY=1" not in told
    assert any(each.startswith("EXTEND_TIMEOUT_USEC=") for each in told)
    assert told[-1] == "STATUS=3 waiting; not connected to the broker yet"
    daemon.why_unready = []
    await watch.once()
    assert manager.told() == [
        "READY=1",
        "WATCHDOG=1",
        "STATUS=3 waiting; broker connected",
    ]
    await watch.once()
    assert "READY=1" not in manager.told()


async def test_what_stalls_is_not_fed(
    manager: Manager, watch: Watch, daemon: Daemon
) -> None:
    daemon.why_stalled = ["the store has not answered"]
    daemon.why_unready = []
    await watch.once()
    assert manager.told() == ["STATUS=3 waiting; the store has not answered"]
    daemon.why_stalled = []
    await watch.once()
    assert "WATCHDOG=1" in manager.told()


async def test_a_broker_that_is_away_is_no_reason_to_restart(
    manager: Manager, watch: Watch
) -> None:
    await watch.once()
    assert "WATCHDOG=1" in manager.told()


async def test_a_store_that_cannot_be_read_still_gives_a_line(
    manager: Manager, watch: Watch, daemon: Daemon
) -> None:
    daemon.counting.error = StoreError("disk full")
    daemon.why_unready = ["disk full"]
    await watch.once()
    assert manager.told()[-1] == "STATUS=nothing open; disk full"


async def test_a_reload_ends_with_ready_and_names_its_problem(
    manager: Manager, watch: Watch, daemon: Daemon
) -> None:
    watch.reloaded(None)
    assert manager.told() == [], "a start that waits for the broker is not ready yet"
    daemon.why_unready = []
    await watch.once()
    manager.told()
    watch.reloaded("the configuration on disk is wrong")
    assert manager.told() == ["READY=1"]
    await watch.once()
    assert manager.told()[-1] == (
        "STATUS=3 waiting; the configuration on disk is wrong"
    )


async def test_the_loop_feeds_several_times_in_one_interval_and_looks_when_told(
    manager: Manager, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidenced.host.systemd.ROUND", timedelta(hours=1))
    turns = asyncio.Queue[None]()

    class Turning(Watch):
        async def once(  # type: ignore[explicit-override]  # not in 3.11
            self, pause: timedelta = timedelta(0)
        ) -> None:
            await super().once(pause)
            turns.put_nowait(None)

    notifier = Notifier(manager.address, FakeClock(), timedelta(milliseconds=40))
    watch = Turning(notifier, daemon, daemon.store, structlog.get_logger())
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        task = group.create_task(watch.run())
        for _ in range(3):
            await turns.get()
        task.cancel()
    slow = Turning(
        Notifier(manager.address, FakeClock(), None),
        daemon,
        daemon.store,
        structlog.get_logger(),
    )
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(slow.run())
        await turns.get()
        slow.look()
        await turns.get()
        task.cancel()


def status(name: str, problem: str | None) -> RecorderStatus:
    return RecorderStatus(name=RecorderName(name), is_up=not problem, problem=problem)


@pytest.mark.parametrize(
    ("counts", "problems", "line"),
    [
        ({}, [], "nothing open; broker connected; recorder annex down"),
        (
            {IncidentState.WAITING: 3, IncidentState.EXPORTING: 1},
            [],
            "3 waiting, 1 exporting; broker connected; recorder annex down",
        ),
        (
            {IncidentState.FAILED: 3, IncidentState.RECORDING: 0},
            ["the broker is away", "disk full"],
            "nothing open; the broker is away; disk full; recorder annex down",
        ),
    ],
)
def test_status_lines(
    counts: dict[IncidentState, int], problems: list[str], line: str
) -> None:
    recorders = [status("main", None), status("annex", "refused")]
    assert status_line(counts, recorders, problems) == line


async def test_a_clock_that_is_not_in_sync_is_told_once_and_shown(
    manager: Manager, daemon: Daemon
) -> None:
    clock, log = FakeClock(), Log()
    watch = Watch(
        Notifier(manager.address, clock, None),
        daemon,
        daemon.store,
        log.bound,
    )
    daemon.why_unready = []
    statuses = []
    for sync in (None, False, False, True):
        clock.sync = sync
        await watch.once()
        statuses.append(manager.told()[-1].rpartition("; ")[2])
    assert statuses == [
        "broker connected",
        *2 * ["the host's clock is not in sync"],
        "broker connected",
    ]
    assert len(log.events("warning")) == 1
    assert log.events("info") == ["the host's clock is in sync"]
