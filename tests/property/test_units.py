"""Durations and rates survive the way to text and back, and nothing else is read."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidenced.config.units import (
    parse_duration,
    parse_rate,
    render_duration,
    render_rate,
)


@given(st.integers(min_value=0, max_value=10 * 365 * 86_400_000))
def test_a_duration_survives_its_text(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(render_duration(duration)) == duration


@given(st.integers(min_value=0, max_value=10**12 - 1))
def test_a_rate_survives_its_text(rate: int) -> None:
    assert parse_rate(render_rate(rate)) == rate


@given(st.text(max_size=40) | st.text("0123456789 .smhdkMBGi/bt", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_duration, parse_rate):
        try:
            parse(text)
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("30s", 30),
        ("2m", 120),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("7d", 604_800),
        ("0s", 0),
        ("90m", 5400),
    ],
)
def test_durations_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", " ", "30", "s", "30 parsecs", "30s1h", "1.5h", "-3s", "1s1s", "٣s", "30S"],
)
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("2 MB/s", 2_000_000),
        ("20 Mbit/s", 2_500_000),
        ("500 kB/s", 500_000),
        ("500kB/s", 500_000),
        ("1.5 MiB/s", 1_572_864),
        ("2 GiB/s", 2_147_483_648),
        ("1 bit/s", 1),
        ("9 bit/s", 2),
        ("0 B/s", 0),
        ("0 Mbit/s", 0),
    ],
)
def test_rates_as_people_write_them(text: str, rate: int) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "2 MB", "2 mb/s", "2 Mb/s", "-1 B/s"])
def test_no_rates(text: str) -> None:
    with pytest.raises(ValueError, match="not a rate"):
        parse_rate(text)
