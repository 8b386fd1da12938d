from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from evidenced.core.instants import (
    check_aware,
    floor_ms,
    from_ms,
    render_utc,
    to_ms,
)

EAST = timezone(timedelta(hours=1))


def test_an_instant_is_aware_and_in_utc() -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert check_aware(at) is at
    also = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo("Etc/UTC"))
    assert check_aware(also) is also


@pytest.mark.parametrize("zone", [None, EAST])
def test_anything_else_is_a_bug(zone: timezone | None) -> None:
    with pytest.raises(ValueError, match="not an aware UTC instant"):
        check_aware(datetime(2026, 11, 23, 12, tzinfo=zone))


def test_whole_milliseconds_are_cut_never_rounded_up() -> None:
    at = datetime(2026, 11, 23, 13, 0, 59, 999_999, tzinfo=EAST)
    assert floor_ms(at) == datetime(2026, 11, 23, 12, 0, 59, 999_000, tzinfo=UTC)
    assert floor_ms(at).tzinfo is UTC


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(2026, 11, 23, 12, tzinfo=UTC), "2026-11-23T12:00:00.000Z"),
        (datetime(2026, 11, 23, 1, tzinfo=EAST), "2026-11-23T00:00:00.000Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 250_000, UTC), "2026-01-01T00:00:00.250Z"),
    ],
)
def test_rendering(at: datetime, shown: str) -> None:
    assert render_utc(at) == shown


@pytest.mark.parametrize("ms", [0, 1, -1, 1_795_435_200_001, 253_402_300_799_999])
def test_milliseconds_there_and_back(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms
