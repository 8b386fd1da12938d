from datetime import timedelta

import pytest

from evidenced.core.window import Window, merge
from fakes.incident import m, t, window

A = window("12:00", "12:10")


@pytest.mark.parametrize(
    ("start", "end", "touches"),
    [
        ("12:10", "12:11", True),
        ("12:10:00.001", "12:11", False),
        ("11:59", "12:00", True),
        ("11:58", "11:59:59.999", False),
        ("12:04", "12:05", True),
        ("11:00", "13:00", True),
        ("12:05", "12:05", True),
    ],
)
def test_touching_goes_both_ways(start: str, end: str, *, touches: bool) -> None:
    other = window(start, end)
    assert A.touches(other) == touches
    assert other.touches(A) == touches


def test_merged_windows_cover_the_same_and_are_apart() -> None:
    parts = [
        window("12:20", "12:30"),
        A,
        window("12:05", "12:06"),
        window("12:10", "12:12"),
        window("12:31", "12:32"),
    ]
    assert merge(parts) == (
        window("12:00", "12:12"),
        window("12:20", "12:30"),
        window("12:31", "12:32"),
    )
    assert merge([]) == ()


def test_length_and_shift() -> None:
    assert A.length == m(10)
    assert A.shifted(-m(1)) == window("11:59", "12:09")
    assert A.hull(window("12:30", "12:40")) == window("12:00", "12:40")


def test_a_window_can_be_made_to_last() -> None:
    assert A.lasting() is A
    nothing = window("12:00", "12:00")
    assert nothing.lasting() == window("12:00", "12:00:01")
    assert nothing.is_short
    assert not nothing.lasting().is_short


def test_a_window_that_ends_before_it_starts_is_a_bug() -> None:
    with pytest.raises(ValueError, match="ends before it starts"):
        Window(start=t("12:00"), end=t("12:00") - timedelta(milliseconds=1))


def test_a_naive_instant_is_a_bug() -> None:
    with pytest.raises(ValueError, match="not an aware UTC instant"):
        Window(start=t("12:00").replace(tzinfo=None), end=t("12:00"))
