from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from evidenced.core.exports.bandwidth import (
    BandwidthWindow,
    Budget,
    budget_at,
    has_bandwidth,
    next_change,
    request_bandwidth,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
EVERY_DAY = frozenset(range(7))
WEEKDAYS = frozenset(range(5))
BASE = 2_500_000
OFFICE = BandwidthWindow(start=time(8), end=time(18), days=WEEKDAYS, bandwidth=500_000)
FRIDAY_NIGHT = BandwidthWindow(
    start=time(22), end=time(6), days=frozenset({4}), bandwidth=9_000_000
)
BACKUP = BandwidthWindow(start=time(9), end=time(10), days=EVERY_DAY, pause=True)


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM, fold=fold)


@pytest.mark.parametrize(
    ("windows", "at", "expected"),
    [
        ([], "2026-11-23T12:00", Budget(limit=BASE)),
        ([OFFICE], "2026-11-23T07:59:59.999", Budget(limit=BASE)),
        ([OFFICE], "2026-11-23T08:00", Budget(limit=500_000)),
        ([OFFICE], "2026-11-23T17:59:59.999", Budget(limit=500_000)),
        ([OFFICE], "2026-11-23T18:00", Budget(limit=BASE)),
        ([OFFICE], "2026-11-22T12:00", Budget(limit=BASE)),  # a Sunday
        ([FRIDAY_NIGHT], "2026-11-27T23:00", Budget(limit=9_000_000)),
        ([FRIDAY_NIGHT], "2026-11-28T05:59", Budget(limit=9_000_000)),
        ([FRIDAY_NIGHT], "2026-11-28T23:00", Budget(limit=BASE)),
        ([FRIDAY_NIGHT], "2026-11-27T05:59", Budget(limit=BASE)),  # Thursday's night
        ([BACKUP, OFFICE], "2026-11-23T09:30", Budget(limit=BASE, is_paused=True)),
        ([OFFICE, BACKUP], "2026-11-23T09:30", Budget(limit=500_000)),
        ([OFFICE, BACKUP], "2026-11-22T09:30", Budget(limit=BASE, is_paused=True)),
    ],
)
def test_the_first_window_that_covers_the_moment_wins(
    windows: list[BandwidthWindow], at: str, expected: Budget
) -> None:
    assert budget_at(BASE, windows, local(at)) == expected


def test_a_window_of_zero_is_unlimited() -> None:
    night = BandwidthWindow(start=time(0), end=time(0), days=EVERY_DAY, bandwidth=0)
    assert budget_at(BASE, [night], local("2026-11-23T12:00")) == Budget(limit=0)


@pytest.mark.parametrize("start", [time(0), time(8)])
def test_equal_ends_are_a_whole_day_from_there(start: time) -> None:
    window = BandwidthWindow(start=start, end=start, days=frozenset({0}), bandwidth=1)
    monday = datetime.combine(datetime(2026, 11, 23), start, AMSTERDAM)  # noqa: DTZ001
    assert window.covers(monday)
    assert window.covers(monday.replace(hour=23))
    assert not window.covers(monday.replace(day=24))


@pytest.mark.parametrize(
    ("windows", "at", "expected"),
    [
        ([], "2026-11-23T12:00", None),
        ([OFFICE], "2026-11-23T07:00", "2026-11-23T07:00Z"),
        ([OFFICE], "2026-11-23T08:00", "2026-11-23T17:00Z"),
        ([OFFICE], "2026-11-27T18:00", "2026-11-30T07:00Z"),  # over the weekend
        ([FRIDAY_NIGHT], "2026-11-28T06:00", "2026-12-04T21:00Z"),  # a week less 8 h
        ([OFFICE, BACKUP], "2026-11-23T08:30", "2026-11-23T17:00Z"),  # hidden behind
        ([BACKUP, OFFICE], "2026-11-23T08:30", "2026-11-23T08:00Z"),
    ],
)
def test_next_change(
    windows: list[BandwidthWindow], at: str, expected: str | None
) -> None:
    found = next_change(windows, local(at))
    assert found == (datetime.fromisoformat(expected) if expected else None)
    assert found is None or found.tzinfo is UTC


def test_a_schedule_that_never_changes_has_no_next_change() -> None:
    always = BandwidthWindow(start=time(0), end=time(0), days=EVERY_DAY, bandwidth=1)
    assert next_change([always], local("2026-11-23T12:00")) is None


EARLY = BandwidthWindow(start=time(2, 30), end=time(4), days=EVERY_DAY, bandwidth=1)


def test_a_start_that_never_was_is_the_end_of_the_gap() -> None:
    # 2026-03-29 02:00 +01:00 is followed by 03:00 +02:00
    found = next_change([EARLY], local("2026-03-29T01:00"))
    assert found == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_repeated_hour_follows_the_wall_clock() -> None:
    # 2026-10-25 03:00 +02:00 is followed by 02:00 +01:00
    changes = []
    at: datetime | None = local("2026-10-25T01:00")
    for _ in range(4):
        assert at is not None
        at = next_change([EARLY], at.astimezone(AMSTERDAM))
        changes.append(at)
    assert changes == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # 02:30, first time
        datetime(2026, 10, 25, 1, 0, tzinfo=UTC),  # 03:00 becomes 02:00
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),  # 02:30, second time
        datetime(2026, 10, 25, 3, 0, tzinfo=UTC),  # 04:00
    ]


@pytest.mark.parametrize(
    ("budget", "max_exports", "cap", "expected"),
    [
        (0, 2, 0, 0),
        (0, 2, 1_000, 1_000),
        (2_500_000, 2, 0, 1_250_000),
        (2_500_000, 2, 1_000_000, 1_000_000),
        (2_500_000, 2, 2_000_000, 1_250_000),
        (1, 2, 0, 1),
        (1, 2, 9, 1),
    ],
)
def test_request_bandwidth(
    budget: int, max_exports: int, cap: int, expected: int
) -> None:
    assert request_bandwidth(budget, max_exports, cap) == expected


@pytest.mark.parametrize(
    ("budget", "running", "wanted", "expected"),
    [
        (Budget(limit=0), [0, 5, 0], 0, True),
        (Budget(limit=0, is_paused=True), [], 0, False),
        (Budget(limit=10, is_paused=True), [], 1, False),
        (Budget(limit=10), [], 10, True),
        (Budget(limit=10), [5], 5, True),
        (Budget(limit=10), [5, 5], 1, False),
        (Budget(limit=10), [6], 5, False),
        (Budget(limit=10), [0], 1, False),
        (Budget(limit=10), [], 0, True),
        (Budget(limit=10), [1], 0, False),
    ],
)
def test_free(budget: Budget, running: list[int], wanted: int, expected: bool) -> None:
    assert has_bandwidth(budget, running, wanted) is expected
