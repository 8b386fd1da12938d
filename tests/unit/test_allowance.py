from dataclasses import replace
from datetime import timedelta

from evidenced.core.incidents.allowance import (
    HOUR,
    SHARED,
    Allowance,
    allowance,
    share,
)
from fakes.incident import AWAITS, LOBBY, happening, s, t

NOON = t("12:00")


def used(number: int, limit: int = 3) -> Allowance:
    return replace(allowance(limit, NOON), used=number)


def test_it_is_used_up_at_its_limit() -> None:
    assert [used(n).is_used_up for n in (2, 3, 4)] == [False, True, True]


def test_without_a_limit_there_is_always_more() -> None:
    assert not used(1_000_000, limit=0).is_used_up


def test_it_lasts_an_hour_from_its_first() -> None:
    full = used(3)
    assert full.at(NOON + HOUR - s(1)).is_used_up
    fresh = full.at(NOON + HOUR)
    assert (fresh.used, fresh.since) == (0, NOON + HOUR)


def test_a_clock_that_went_back_does_not_make_it_last_longer() -> None:
    early = NOON - timedelta(days=300)
    assert used(3).at(early).since == early
    assert not used(3).at(early).is_used_up


def test_what_was_kept_goes_on_with_the_limit_in_force() -> None:
    kept = used(3).less(2).written()
    again = allowance(10, NOON + s(60), kept)
    assert (again.used, again.since, again.limit) == (5, NOON, 10)
    assert allowance(10, NOON + HOUR, kept).used == 0


def test_a_shared_alarm_keeps_its_windows_and_waits_for_no_clear() -> None:
    alarm = happening("12:00", LOBBY, rule=AWAITS)
    joined = share(alarm, "incidents_per_rule")
    assert joined.reading.key == SHARED
    assert joined.trigger["limit"] == "incidents_per_rule"
    assert joined.trigger["group"] == alarm.reading.key
    window = joined.windows[LOBBY]
    assert window.start == alarm.windows[LOBBY].start
    assert window.end == NOON + AWAITS.post_roll < alarm.windows[LOBBY].end
