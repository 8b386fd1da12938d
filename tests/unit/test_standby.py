"""A node that stands by tells what it meets, once, and goes on asking."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidenced import standby
from evidenced.core.errors import HeldElsewhere, StoreAway, StoreError
from evidenced.host.systemd import Notifier
from evidenced.store import StoreSettings
from fakes.clock import FakeClock
from fakes.running import Log

AWAY = StoreError("the database is away")
HELD = HeldElsewhere("a", "here")


class _Front:
    async def look(self) -> None: ...

    async def stop(self) -> None: ...


def answering(answers: list[Any]) -> Callable[[StoreSettings], Any]:
    """Opens the store: each answer in its turn, raised if it is a fault."""

    def opened(_settings: StoreSettings) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return opened


async def test_a_store_that_is_away_meanwhile_is_told_once_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Any] = [HELD, AWAY, AWAY, HELD, AWAY, "the store"]

    monkeypatch.setattr(standby, "open_store", answering(answers))
    monkeypatch.setattr(standby, "ASK_AGAIN", standby.ASK_AGAIN / 1000)
    log = Log()
    front: Any = _Front
    waits = standby.Standby(Notifier("", FakeClock(), None), log.bound)
    settings = StoreSettings(directory=tmp_path)
    assert await waits.open(settings, asyncio.Event(), front) == "the store"
    assert len(log.calls("warning")) == 2
    assert [line["event"] for line in log.calls("info")] == ["standing by"]


async def test_a_store_that_cannot_be_opened_at_all_ends_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(_settings: StoreSettings) -> Any:
        raise AWAY

    monkeypatch.setattr(standby, "open_store", opened)
    log = Log()
    front: Any = _Front
    waits = standby.Standby(Notifier("", FakeClock(), None), log.bound)
    with pytest.raises(StoreError, match="away"):
        await waits.open(StoreSettings(directory=tmp_path), asyncio.Event(), front)


async def test_a_database_that_is_away_at_the_start_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Any] = [StoreAway("refused"), StoreAway("refused"), "the store"]

    monkeypatch.setattr(standby, "open_store", answering(answers))
    monkeypatch.setattr(standby, "ASK_AGAIN", standby.ASK_AGAIN / 1000)
    log = Log()
    front: Any = _Front
    waits = standby.Standby(Notifier("", FakeClock(), None), log.bound)
    settings = StoreSettings(directory=tmp_path)
    assert await waits.open(settings, asyncio.Event(), front) == "the store"
    assert [line["why"] for line in log.calls("warning")] == ["refused"]
