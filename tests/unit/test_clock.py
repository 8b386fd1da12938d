import time
from datetime import UTC

import pytest

from evidenced.host.clock import ASK_EVERY_S, SystemClock
from evidenced.ports import Clock


def test_the_system_clock_gives_whole_milliseconds_in_utc() -> None:
    clock: Clock = SystemClock()
    instants = [clock.now() for _ in range(50)]
    assert all(at.tzinfo is UTC for at in instants)
    assert all(at.microsecond % 1000 == 0 for at in instants)


def test_the_monotonic_clock_does_not_go_back() -> None:
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(50)]
    assert readings == sorted(readings)


def test_whether_the_clock_is_right_is_asked_now_and_then_and_after_a_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every step of every loop wants to know: asking each time was most of idling."""
    answers, wall, seconds = [None, True, False], 1_000.0, 10.0
    clock = SystemClock(lambda: answers.pop(0))
    monkeypatch.setattr(time, "time", lambda: wall + seconds)
    monkeypatch.setattr(time, "monotonic", lambda: seconds)
    assert [clock.in_sync() for _ in range(50)] == [None] * 50
    seconds += ASK_EVERY_S
    assert [clock.in_sync() for _ in range(50)] == [True] * 50
    wall += 60
    assert clock.in_sync() is False
