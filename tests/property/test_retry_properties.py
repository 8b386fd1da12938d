from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from evidenced.core.errors import Reason
from evidenced.core.exports.retry import (
    COURSES,
    MIN_WAIT,
    Again,
    End,
    RetryPolicy,
    after_refusal,
    back_off,
)
from evidenced.core.trust import exactly
from fakes.incident import ended

SPANS = st.timedeltas(timedelta(milliseconds=1), timedelta(days=14))
POLICIES = st.builds(
    RetryPolicy,
    first=SPANS,
    longest=SPANS,
    isolate=st.integers(1, 9),
    give_up=st.timedeltas(timedelta(0), timedelta(days=60)),
)
JITTERS = st.floats(0, 1, exclude_max=True)


@given(POLICIES, st.integers(0, 10**9), JITTERS, st.sampled_from([1, 4]))
def test_waits_stay_inside_cap_and_floor(
    policy: RetryPolicy, tries: int, jitter: float, slower: int
) -> None:
    wait = back_off(policy, tries, jitter, slower)
    assert wait >= MIN_WAIT
    assert wait <= max(MIN_WAIT, policy.longest, policy.first * slower)


@given(POLICIES, st.integers(1, 40))
def test_the_longest_wait_never_shrinks(policy: RetryPolicy, tries: int) -> None:
    assert back_off(policy, tries, 1.0) <= back_off(policy, tries + 1, 1.0)


@given(
    POLICIES,
    st.sampled_from(sorted(COURSES)),
    st.timedeltas(timedelta(0), timedelta(days=61)),
    JITTERS,
)
def test_a_try_lies_ahead_and_not_past_giving_up(
    policy: RetryPolicy, reason: Reason, after: timedelta, jitter: float
) -> None:
    clip = ended().clips[0]
    now = clip.window.end + after
    deadline = clip.window.end + policy.give_up
    match after_refusal(reason, clip, policy, exactly(now), jitter):
        case Again(at=at):
            assert now < at <= deadline
        case End():
            assert now >= deadline or not COURSES[reason].retries
