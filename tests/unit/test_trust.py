"""When a clock is trusted, and what has come for sure while it is not."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from evidenced.core.trust import (
    LEAP,
    PROOF,
    STEP,
    UNKEPT_PROOF,
    Now,
    Trust,
    exactly,
    recalled,
    written,
)
from fakes.clock import START, FakeClock

YEARS = timedelta(days=20 * 365)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@dataclass
class Watch:
    """A clock, and the trust of whoever looks at it."""

    clock: FakeClock = field(default_factory=FakeClock)
    trust: Trust = field(default_factory=Trust)

    def look(self) -> Now:
        clock = self.clock
        self.trust, now = self.trust.look(
            clock.now(), clock.monotonic(), in_sync=clock.sync
        )
        return now

    def after(self, passed: timedelta) -> Now:
        self.clock.advance(passed)
        return self.look()

    def set(self, by: timedelta) -> Now:
        self.clock.jump(by)
        return self.look()

    def restarted(self, booted: timedelta | None = None) -> "Watch":
        """Another process on the same host, which perhaps was off for so long."""
        row, clock = written(self.look()), FakeClock(self.clock.now())
        clock.sync = self.clock.sync
        clock._monotonic = self.clock.monotonic()
        if booted is not None:
            clock._now += booted
            clock._monotonic = 3.0
        return Watch(clock=clock, trust=recalled(row, clock.monotonic()))


@pytest.mark.parametrize("sync", [True, None, False])
def test_the_first_clock_of_a_store_is_trusted(sync: bool | None) -> None:
    watch = Watch()
    watch.clock.sync = sync
    now = watch.look()
    assert (now.at, now.sure, now.is_trusted) == (START, START, True)
    assert not now.may_delete


@pytest.mark.parametrize("sync", [True, None, False])
@pytest.mark.parametrize("by", [YEARS, -YEARS, STEP + SECOND, -STEP - SECOND])
def test_a_clock_that_was_set_is_not_trusted_for_an_hour(
    by: timedelta, sync: bool | None
) -> None:
    watch = Watch()
    watch.clock.sync = sync
    watch.look()
    assert watch.after(MINUTE).is_trusted
    assert not watch.set(by).is_trusted
    assert not watch.after(PROOF - SECOND).is_trusted
    now = watch.after(SECOND)
    assert now.is_trusted
    assert now.sure == now.at


@pytest.mark.parametrize("by", [STEP, -STEP, SECOND])
def test_a_small_step_is_none(by: timedelta) -> None:
    watch = Watch()
    watch.look()
    assert watch.set(by).is_trusted


def test_what_has_come_for_sure_runs_on_while_the_clock_is_ahead() -> None:
    watch = Watch()
    watch.look()
    ahead = watch.set(YEARS)
    assert (ahead.at, ahead.sure) == (START + YEARS, START)
    assert watch.after(10 * MINUTE).sure == START + 10 * MINUTE


def test_a_clock_that_is_behind_makes_nothing_come_sooner() -> None:
    watch = Watch()
    watch.look()
    now = watch.set(-YEARS)
    assert now.sure == now.at == START - YEARS


def test_a_clock_that_is_back_where_it_was_is_trusted_at_once() -> None:
    watch = Watch()
    watch.look()
    watch.set(YEARS)
    watch.after(MINUTE)
    assert watch.set(-YEARS).is_trusted


def test_who_begins_to_vouch_for_it_ends_the_doubt() -> None:
    watch = Watch()
    watch.look()
    watch.clock.sync = False
    assert not watch.set(YEARS).is_trusted
    watch.clock.sync = True
    assert watch.after(SECOND).is_trusted
    assert watch.after(MINUTE).is_trusted


def test_who_vouched_before_the_step_vouches_for_nothing() -> None:
    """A time server that is wrong, or a person: the host calls it in sync still."""
    watch = Watch()
    watch.clock.sync = True
    watch.look()
    assert not watch.set(YEARS).is_trusted
    assert not watch.after(MINUTE).is_trusted


@pytest.mark.parametrize(
    ("sync", "proof"), [(True, PROOF), (None, PROOF), (False, UNKEPT_PROOF)]
)
def test_deleting_takes_a_longer_proof(sync: bool | None, proof: timedelta) -> None:
    watch = Watch()
    watch.clock.sync = sync
    watch.look()
    assert not watch.after(proof - SECOND).may_delete
    assert watch.after(SECOND).may_delete
    assert not watch.set(YEARS).may_delete


def test_trust_goes_on_over_a_restart_of_the_process() -> None:
    watch = Watch()
    watch.look()
    watch.after(MINUTE)
    again = watch.restarted()
    assert again.look().is_trusted
    ahead = again.restarted()
    ahead.clock.jump(YEARS)
    ahead.clock.advance(MINUTE)
    now = ahead.look()
    assert not now.is_trusted
    assert now.sure == START + 2 * MINUTE


@pytest.mark.parametrize(
    ("off", "sync", "trusted"),
    [
        (MINUTE, None, True),
        (STEP, False, True),
        (STEP + SECOND, None, False),
        (STEP + SECOND, False, False),
        (STEP + SECOND, True, True),
        (-YEARS, None, False),
        (-YEARS, False, False),
        (YEARS, False, False),
    ],
)
def test_a_boot_is_trusted_where_it_goes_on_from_what_was_noted(
    off: timedelta, sync: bool | None, *, trusted: bool
) -> None:
    watch = Watch()
    watch.look()
    watch.after(timedelta(days=3))
    booted = watch.restarted(booted=off)
    booted.clock.sync = sync
    now = booted.look()
    assert now.is_trusted == trusted
    assert now.sure == (now.at if trusted else min(now.at, now.at - off))
    assert not now.may_delete


def test_a_boot_soon_after_a_boot_takes_nothing_for_come_that_has_not() -> None:
    """The monotonic clock may be further than it was when the instant was noted."""
    row = f"{START.isoformat()} 10.0"
    off = timedelta(hours=3)
    _, now = recalled(row, 40.0).look(START + off, 40.0, in_sync=None)
    assert not now.is_trusted
    assert now.sure == START + timedelta(seconds=30)


def test_without_a_note_nothing_is_recalled() -> None:
    assert recalled(None, 3.0) == Trust()


@pytest.mark.parametrize(
    ("ahead", "has_come"),
    [
        (-YEARS, True),
        (timedelta(0), True),
        (SECOND, False),
        (2 * MINUTE, False),
        (2 * MINUTE + SECOND, True),
        (YEARS, True),
    ],
)
def test_no_wait_is_much_longer_than_its_longest(
    ahead: timedelta, *, has_come: bool
) -> None:
    assert exactly(START).has_come(START + ahead, MINUTE) == has_come


def test_a_message_moves_nothing_far_beyond_what_is_sure() -> None:
    watch = Watch()
    assert watch.look().furthest > START + YEARS
    assert watch.set(YEARS).furthest == START + LEAP


@pytest.mark.parametrize(
    ("sync", "by", "unsure"),
    [(None, YEARS, True), (False, SECOND, True), (True, SECOND, False)],
)
def test_a_doubtful_time_is_told(
    sync: bool | None, by: timedelta, *, unsure: bool
) -> None:
    watch = Watch()
    watch.look()
    watch.clock.sync = sync
    assert watch.set(by).is_unsure == unsure


def test_what_is_sure_has_whole_milliseconds() -> None:
    watch = Watch()
    watch.look()
    watch.clock._monotonic += 0.0004
    now = watch.set(YEARS)
    assert now.sure == datetime.fromisoformat(now.sure.isoformat("T", "milliseconds"))
