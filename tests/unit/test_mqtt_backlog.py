"""How old a message may be that the broker, or a standstill, held back."""

from datetime import timedelta

from evidenced.core.instants import ZERO
from evidenced.mqtt.backlog import BUSY_S, QUIET_S, Backlog
from fakes.clock import FakeClock

AWAY = timedelta(minutes=5)


class Line:
    """A backlog and its clock, so that a test reads as a play."""

    def __init__(self, away: timedelta | None = None) -> None:
        self.clock = FakeClock()
        self.backlog = Backlog()
        since = None if away is None else self.clock.now() - away
        self.backlog.resumed(since, self.clock.monotonic())

    def subscribed(self) -> None:
        self.backlog.subscribed(self.clock.monotonic())

    def message(self, after: float = 0.0) -> timedelta:
        """Seconds later a message arrives; beats come each second till then."""
        whole, part = divmod(after, 1.0)
        for _ in range(int(whole)):
            self.clock.advance(1)
            self.backlog.beat(self.clock.now(), self.clock.monotonic())
        now = self.clock.advance(part)
        return self.backlog.arrived(now, self.clock.monotonic())


def test_without_a_resumed_session_everything_is_fresh() -> None:
    line = Line()
    assert line.message() == ZERO
    line.subscribed()
    assert line.message(5) == ZERO


def test_the_absence_counts_until_a_gap_after_the_suback() -> None:
    line = Line(AWAY)
    assert line.message() == AWAY
    assert line.message(30) == AWAY + timedelta(seconds=30), "no SUBACK yet"
    line.subscribed()
    assert line.message(QUIET_S / 2) > AWAY
    assert line.message(QUIET_S) == ZERO
    assert line.message() == ZERO


def test_live_messages_without_a_gap_do_not_keep_it_for_ever() -> None:
    line = Line(AWAY)
    line.subscribed()
    ages = [line.message(1) for _ in range(int(BUSY_S) + 2)]
    assert ages[0] > AWAY
    assert ages[-1] == ZERO


def test_a_full_window_makes_the_broker_hold_messages_back() -> None:
    line = Line()
    line.subscribed()
    line.backlog.full(line.clock.now())
    assert line.message(60) == timedelta(seconds=60)
    line.backlog.has_room(line.clock.monotonic())
    assert line.message(1) == timedelta(seconds=61)
    assert line.message(QUIET_S) == ZERO


def test_a_window_that_is_full_for_a_moment_is_not_noticed() -> None:
    line = Line()
    line.subscribed()
    line.backlog.full(line.clock.now())
    line.backlog.has_room(line.clock.monotonic())
    assert line.message(0.5) == ZERO


def test_the_earlier_reason_counts() -> None:
    line = Line(AWAY)
    line.subscribed()
    line.backlog.full(line.clock.now())
    assert line.message(1) == AWAY + timedelta(seconds=1)


def test_a_process_that_stood_still_let_messages_wait() -> None:
    line = Line()
    line.subscribed()
    line.backlog.beat(line.clock.now(), line.clock.monotonic())
    line.clock.advance(20)  # no beat
    line.backlog.beat(line.clock.now(), line.clock.monotonic())
    assert line.message() == timedelta(seconds=20)
    assert line.message(QUIET_S) == ZERO


def test_a_host_that_was_suspended_let_messages_wait() -> None:
    line = Line()
    line.subscribed()
    assert line.message(5) == ZERO
    line.clock.jump(AWAY)  # the monotonic clock slept too
    line.backlog.beat(line.clock.now(), line.clock.monotonic())
    assert line.message() == AWAY
    assert line.message(QUIET_S) == ZERO


def test_a_wall_clock_that_goes_back_gives_no_negative_absence() -> None:
    line = Line(AWAY)
    line.clock.jump(-2 * AWAY)
    assert line.message() == ZERO
