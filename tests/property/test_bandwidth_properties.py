from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from evidenced.core.exports.bandwidth import (
    BandwidthWindow,
    Budget,
    budget_at,
    has_bandwidth,
    next_change,
    request_bandwidth,
)

# half an hour of daylight saving, none at all, a whole hour
ZONES = [ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")]
quarters = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
windows = st.lists(
    st.builds(
        BandwidthWindow,
        start=quarters,
        end=quarters,
        days=st.frozensets(st.integers(0, 6), min_size=1),
        bandwidth=st.none() | st.integers(0, 3),
        pause=st.booleans(),
    ),
    max_size=3,
)
START = datetime(2026, 3, 20, tzinfo=UTC)
MINUTES_TO_NOVEMBER = 60 * 24 * 235
moments = st.one_of(
    st.integers(0, MINUTES_TO_NOVEMBER).map(lambda n: START + timedelta(minutes=n)),
    # the evenings before each change of a clock
    st.sampled_from([(3, 28), (4, 4), (10, 3), (10, 24)]).map(
        lambda day: datetime(2026, *day, 12, tzinfo=UTC)
    ),
)


@settings(deadline=None)
@given(windows, moments, st.sampled_from(ZONES))
def test_nothing_changes_before_the_next_change(
    schedule: list[BandwidthWindow], at: datetime, zone: ZoneInfo
) -> None:
    def budget(at: datetime) -> Budget:
        return budget_at(7, schedule, at.astimezone(zone))

    change = next_change(schedule, at.astimezone(zone))
    step = timedelta(minutes=15)
    grid = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) + step
    until = change or at + timedelta(days=8)
    while grid < until:
        assert budget(grid) == budget(at)
        grid += step


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(0, 10_000))
def test_requests_that_start_together_stay_within_the_budget(
    limit: int, max_exports: int, cap: int
) -> None:
    wanted = request_bandwidth(limit, max_exports, cap)
    assert (wanted == 0) == (limit == 0 and cap == 0)
    assert cap == 0 or wanted <= cap
    running: list[int] = []
    while len(running) < max_exports and has_bandwidth(
        Budget(limit=limit), running, wanted
    ):
        running.append(wanted)
    assert running, "the first one always fits"
    assert limit == 0 or sum(running) <= limit
    assert 0 < limit < max_exports or len(running) == max_exports


@given(
    st.integers(1, 1_000), st.lists(st.integers(0, 1_000), max_size=5), st.integers(0)
)
def test_what_may_start_never_exceeds_the_limit(
    limit: int, running: list[int], wanted: int
) -> None:
    if has_bandwidth(Budget(limit=limit), running, wanted):
        assert sum(running) + wanted <= limit
        assert wanted > 0 or not running
