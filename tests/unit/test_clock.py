from datetime import UTC

from evidenced.host.clock import SystemClock
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
