"""The back-off as a literal table: what an operator reads is what happens."""

from dataclasses import replace
from datetime import timedelta

import pytest

from evidenced.core.errors import Reason
from evidenced.core.exports.retry import (
    COURSES,
    Again,
    Blame,
    End,
    RetryPolicy,
    after_refusal,
    back_off,
)
from evidenced.core.incidents.states import ClipState
from evidenced.core.trust import exactly
from fakes.incident import ended, m, s, t

POLICY = RetryPolicy()


@pytest.mark.parametrize(
    ("tries", "normal", "slow"),
    [
        (1, 15, 60),
        (2, 30, 120),
        (3, 60, 240),
        (4, 120, 480),
        (5, 240, 600),
        (6, 480, 600),
        (7, 600, 600),
        (8, 600, 600),
        (1_000_000, 600, 600),
    ],
)
def test_the_wait_after_so_many_tries(tries: int, normal: int, slow: int) -> None:
    assert back_off(POLICY, tries, 1.0) == s(normal)
    assert back_off(POLICY, tries, 1.0, slower=4) == s(slow)


@pytest.mark.parametrize(("jitter", "wait"), [(0.0, 1), (0.01, 1), (0.5, 30)])
def test_jitter_draws_from_the_whole_wait_but_never_less_than_a_second(
    jitter: float, wait: int
) -> None:
    assert back_off(POLICY, 3, jitter) == s(wait)


def test_a_first_wait_longer_than_the_longest_counts() -> None:
    policy = RetryPolicy(first=m(20), longest=m(10))
    assert [back_off(policy, n, 1.0) for n in (1, 2, 9)] == [m(20), m(20), m(20)]


@pytest.mark.parametrize("first", [timedelta(milliseconds=1), timedelta(days=14)])
def test_no_wait_is_too_long_to_be_a_timedelta(first: timedelta) -> None:
    """Seen: from a first wait of six hours on, doubling it 32 times overflowed."""
    policy = RetryPolicy(first=first, longest=timedelta(days=30))
    assert back_off(policy, 10_000, 1.0, slower=4) <= timedelta(days=56)


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        (Reason.NO_VIDEO, Blame.CAMERA),
        (Reason.NO_DEVICE, Blame.CAMERA),
        (Reason.NO_SERVER, Blame.CAMERA),
        (Reason.BAD_PATH, Blame.DESTINATION),
        (Reason.DISK_FULL, Blame.DESTINATION),
        (Reason.BAD_REQUEST, Blame.REQUEST),
        (Reason.RECORDER_FAULT, Blame.RECORDER),
    ],
)
def test_whose_fault_a_reason_tells_of(reason: Reason, fault: Blame) -> None:
    assert COURSES[reason].fault is fault


def test_the_schedule_of_an_hour_without_video() -> None:
    """Jitter at its longest; the last try falls on the moment of giving up."""
    policy = replace(POLICY, give_up=timedelta(hours=1))
    clip = replace(ended().clips[0], attempts=0)  # its window ends at 12:02
    now, tries, ends = t("12:02:15"), list[str](), list[End]()
    while not ends:
        clip = replace(clip, attempts=clip.attempts + 1)
        match after_refusal(Reason.NO_VIDEO, clip, policy, exactly(now), 1.0):
            case Again(at=at):
                tries.append(f"{at:%H:%M:%S}")
                now = at
            case End() as end:
                ends.append(end)
    assert tries == [
        "12:02:30",
        "12:03:00",
        "12:04:00",
        "12:06:00",
        "12:10:00",
        "12:18:00",
        "12:28:00",
        "12:38:00",
        "12:48:00",
        "12:58:00",
        "13:02:00",
    ]
    assert ends == [End(state=ClipState.MISSING)]


@pytest.mark.parametrize(
    ("reason", "jitter", "wait"),
    [
        (Reason.NO_VIDEO, 0.5, s(7.5)),
        (Reason.NO_VIDEO, 1.0, s(15)),
        (Reason.NO_DEVICE, 0.5, s(30)),
        (Reason.NO_DEVICE, 1.0, s(60)),
    ],
)
def test_the_next_try_is_by_the_dice_and_the_reason(
    reason: Reason, jitter: float, wait: timedelta
) -> None:
    clip = replace(ended().clips[0], attempts=1)
    now = t("12:03")
    found = after_refusal(reason, clip, POLICY, exactly(now), jitter)
    assert found == Again(at=now + wait)
