import asyncio
from datetime import timedelta
from typing import Any

import pytest

from evidenced.core.errors import StoreError
from fakes.clock import FakeClock
from fakes.running import Log
from fakes.world import make_world

FAILS = "the store does not work; alarms wait at the broker"
WORKS = "the store works again"


class Disk:
    """A store that reads, and writes while there is room."""

    def __init__(self) -> None:
        self.is_full = True
        self.refused = asyncio.Event()

    async def write(self, _step: Any, _lease: Any = None) -> Any:
        if self.is_full:
            self.refused.set()
            raise StoreError("the store could not commit: database or disk is full")

    async def read(self, _query: Any) -> Any:
        return "read"

    def read_now(self, _query: Any) -> Any:
        return "read"

    async def checkpoint(self) -> Any:
        return None


async def test_a_store_that_never_answers_takes_no_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A database that waits for its standby: `/readyz` was ok for ever."""
    monkeypatch.setattr("evidenced.pipeline.world.SILENT", timedelta())
    asked, answers, told = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Silent(Disk):
        async def write(self, _step: Any, _lease: Any = None) -> Any:
            asked.set()
            await answers.wait()

        async def read(self, _query: Any) -> Any:
            await told.wait()  # one that takes its time tells nothing of the store

    log = Log()
    world: Any = make_world(Silent(), FakeClock(), log)
    reading = asyncio.create_task(world.read(lambda _view: None))
    writing = asyncio.create_task(world.write(lambda _tx: None))
    await asked.wait()
    await log.until("error", FAILS)
    assert world.store_problem == "the store has not answered for 0 s"
    assert not world.is_store_refusing  # so it is stuck, and the watchdog sees it
    told.set()
    await reading
    assert world.store_problem
    answers.set()
    await writing
    assert world.store_problem is None
    assert (log.events("error"), log.events("info")) == ([FAILS], [WORKS])


async def test_what_can_be_read_does_not_hide_that_nothing_can_be_written() -> None:
    """On a full disk `/readyz` was ok again, and the log said so, after each read."""
    disk, log = Disk(), Log()
    world: Any = make_world(disk, FakeClock(), log)
    writing = asyncio.create_task(world.write(lambda _tx: None))
    await disk.refused.wait()
    assert await world.read(lambda _view: "read") == "read"
    assert world.store_problem == "the store could not commit: database or disk is full"
    assert (log.events("error"), log.events("info")) == ([FAILS], [])
    writing.cancel()  # it would try again in a second
    disk.is_full = False
    await world.write(lambda _tx: None)
    assert not world.store_problem
    assert log.events("info") == [WORKS]
