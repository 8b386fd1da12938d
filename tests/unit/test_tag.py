"""Tags as values: what is wanted, asked, kept, and when people are told."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidenced.core.errors import Reason
from evidenced.core.exports.retry import RetryPolicy
from evidenced.core.ids import (
    CameraName,
    IncidentId,
    RecorderName,
)
from evidenced.core.incidents.states import ClipState
from evidenced.core.keeping import tag as tagging
from evidenced.core.keeping.tag import Tag, TagOrder, TagState
from evidenced.core.recorder import Answer
from evidenced.core.trust import exactly
from evidenced.core.window import Window
from evidenced.kinds.sense import FURTHEST_TAG
from evidenced.sense.address import sense_address
from fakes.incident import LOBBY, camera, happening, opened, t

SLACK = timedelta(seconds=5)
FULL = Answer(reason=Reason.RECORDER_FAULT, text="full")
POLICY = RetryPolicy(give_up=timedelta(hours=1))


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def a_tag(start: str = "12:00", end: str = "12:02") -> Tag:
    return Tag(
        incident=IncidentId("i1"),
        camera=CameraName("lobby"),
        recorder=RecorderName("main"),
        address=sense_address("1001", "2001"),
        window=Window(start=t(start), end=t(end)),
        state=TagState.WANTED,
        due_at=t(start),
    )


def order_for(tag: Tag, now: datetime) -> tuple[Tag, TagOrder]:
    return tagging.order_for(tag, "c", now, SLACK, FURTHEST_TAG)


def test_a_request_is_wider_than_the_window_at_both_ends() -> None:
    asked, order = order_for(a_tag(), t("12:00") + s(30))
    window = a_tag().window
    assert order.window == Window(start=window.start - SLACK, end=window.end + SLACK)
    assert (asked.state, asked.n, order.title) == (TagState.ASKED, 1, "evidenced i1/1")
    assert (asked.asked, asked.out_of_reach) == (asked.window, None)


def test_what_lies_too_far_back_is_not_called_kept() -> None:
    """The window began half an hour earlier than any tag can: so long is told."""
    now = t("12:30", day=24)
    old = replace(a_tag(), window=Window(start=t("12:00"), end=now))
    asked, order = order_for(old, now)
    earliest = now - FURTHEST_TAG + SLACK
    assert order.window.start == now - FURTHEST_TAG
    assert asked.message == tagging.TOO_OLD
    kept = tagging.confirm(asked, "7", now)
    assert kept.kept == Window(start=earliest, end=now)
    assert (kept.state, kept.due_at) == (TagState.CONFIRMED, None)
    # it is as much as there is to be had: growing on asks for what is new only
    assert tagging.merge_wanted(kept, old).state is TagState.CONFIRMED
    wider = replace(old, window=Window(start=t("12:00"), end=now + s(60)))
    more, _ = order_for(tagging.merge_wanted(kept, wider), now + s(9))
    assert more.asked == Window(start=now, end=now + s(60))
    assert more.message == tagging.TOO_OLD
    done = tagging.confirm(more, "8", now + s(9))
    assert (done.state, done.kept) == (
        TagState.CONFIRMED,
        Window(start=earliest, end=now + s(60)),
    )


def test_what_is_out_of_reach_as_a_whole_is_not_asked_for() -> None:
    """Seen: a tag over other footage was asked for, and called the incident's."""
    now = t("12:00", day=25)
    assert tagging.is_too_old(a_tag(), now, SLACK, FURTHEST_TAG)
    edge = replace(a_tag(), window=Window(start=t("12:00"), end=now - FURTHEST_TAG))
    assert tagging.is_too_old(edge, now, SLACK, FURTHEST_TAG)
    assert not tagging.is_too_old(edge, now - 2 * SLACK, SLACK, FURTHEST_TAG)
    over = tagging.give_up(a_tag())
    assert (over.state, over.due_at, over.kept) == (TagState.REFUSED, None, None)
    assert over.message == tagging.ALL_TOO_OLD


def test_what_lies_between_two_tags_is_not_called_kept() -> None:
    """The recorder was away for a day while the incident grew."""
    first, _ = order_for(a_tag(), t("12:01"))
    known = tagging.confirm(first, "7", t("12:01"))
    now = t("13:00", day=24)
    grown = replace(a_tag(), window=Window(start=t("12:00"), end=now))
    asked, _ = order_for(tagging.merge_wanted(known, grown), now)
    done = tagging.confirm(asked, "8", now)
    assert done.kept == Window(start=now - FURTHEST_TAG + SLACK, end=now)
    assert (done.state, done.message) == (TagState.CONFIRMED, tagging.TOO_OLD)


@given(start=st.integers(-100_000, 100_000), length=st.integers(0, 90_000))
def test_every_request_covers_its_window_as_far_as_a_day_goes(
    start: int, length: int
) -> None:
    now = t("12:00")
    window = Window(start=now + s(start), end=now + s(start + length))
    asked, order = order_for(replace(a_tag(), window=window), now)
    assert order.window.start >= now - FURTHEST_TAG
    assert order.window.end >= window.end
    assert asked.asked is not None
    assert order.window.start < asked.asked.start <= max(window.start, now)
    assert (asked.asked.start == window.start) is (asked.out_of_reach is None)


def test_confirmed_is_only_what_was_asked_for() -> None:
    asked, _ = order_for(a_tag(), t("12:00"))
    wider = replace(asked, window=Window(start=t("12:00"), end=t("12:09")))
    after = tagging.confirm(wider, "7", t("12:01"))
    assert (after.state, after.due_at) == (TagState.WANTED, t("12:01"))
    more, order = order_for(after, t("12:01"))
    assert order.title == "evidenced i1/2"
    assert more.asked == Window(start=t("12:02"), end=t("12:09"))
    done = tagging.confirm(more, "7", t("12:01"))
    assert (done.state, done.kept) == (TagState.CONFIRMED, wider.window)
    assert done.tag_id == "7"


def test_tries_are_further_and_further_apart_until_they_end() -> None:
    tag, waits = a_tag(), []
    for _ in range(4):
        tag = tagging.fail_try(tag, FULL, POLICY, exactly(t("12:03")))
        assert tag.due_at is not None
        waits.append((tag.due_at - t("12:03")).total_seconds())
    assert waits == [15, 30, 60, 120]
    over = tagging.fail_try(tag, FULL, POLICY, exactly(t("13:02")))
    assert (over.state, over.due_at) == (TagState.REFUSED, None)


@pytest.mark.parametrize(
    ("failures", "reason", "told"),
    [
        (1, Reason.NO_LICENSE, True),
        (1, Reason.RECORDER_FAULT, False),
        (2, Reason.RECORDER_FAULT, False),
        (3, None, True),
        (4, None, False),
    ],
)
def test_people_are_told_once(failures: int, reason: Reason | None, told: bool) -> None:
    assert tagging.is_told(replace(a_tag(), failures=failures, reason=reason)) is told


def test_a_step_that_leaves_windows_alone_wants_nothing() -> None:
    incident = opened(happening("12:00", LOBBY, camera("door")))
    incident = replace(incident, terms=replace(incident.terms, protect=True))
    first = tagging.tags_after(None, incident, t("12:00"))
    assert [(tag.camera, tag.state) for tag in first] == [
        ("lobby", TagState.WANTED),
        ("door", TagState.WANTED),
    ]
    same = replace(incident, is_late_told=True)
    assert tagging.tags_after(incident, same, t("12:01")) == []
    plain = replace(incident, terms=replace(incident.terms, protect=False))
    assert tagging.tags_after(None, plain, t("12:00")) == []


def test_two_windows_of_one_camera_are_one_tag_and_cancelled_ones_do_not_count() -> (
    None
):
    incident = opened(happening("12:00", LOBBY))
    incident = replace(incident, terms=replace(incident.terms, protect=True))
    first = incident.clips[0]
    later = replace(first, n=2, window=Window(start=t("12:30"), end=t("12:40")))
    [tag] = tagging.tags_after(
        None, replace(incident, clips=(first, later)), t("12:00")
    )
    assert tag.window == Window(start=first.window.start, end=t("12:40"))
    off = replace(later, state=ClipState.CANCELLED)
    for clips in ((first, off), (off, first)):
        [tag] = tagging.tags_after(None, replace(incident, clips=clips), t("12:00"))
        assert (tag.window, tag.state) == (first.window, TagState.WANTED)
    [tag] = tagging.tags_after(None, replace(incident, clips=(off,)), t("12:00"))
    assert tag.state is TagState.WITHDRAWN


def test_what_is_wanted_joins_what_is_known() -> None:
    known, wider = a_tag(), a_tag(end="12:05")
    assert tagging.merge_wanted(None, wider) is wider
    asked, _ = order_for(known, t("12:00"))
    grown = tagging.merge_wanted(asked, wider)
    assert (grown.state, grown.window.end) == (TagState.ASKED, t("12:05"))
    kept = tagging.confirm(asked, "7", t("12:01"))
    assert tagging.merge_wanted(kept, known).state is TagState.CONFIRMED
    assert tagging.merge_wanted(kept, wider).state is TagState.WANTED
    off = replace(known, state=TagState.WITHDRAWN)
    assert tagging.merge_wanted(kept, off) is kept
    withdrawn = tagging.merge_wanted(known, off)
    assert (withdrawn.state, withdrawn.due_at) == (TagState.WITHDRAWN, None)
    assert tagging.merge_wanted(withdrawn, known).state is TagState.WANTED


def test_a_window_that_begins_earlier_is_asked_for_from_its_start() -> None:
    asked, _ = order_for(a_tag(), t("12:00"))
    kept = tagging.confirm(asked, "7", t("12:01"))
    again = tagging.confirm(replace(kept, asked=None), "7", t("12:01"))
    assert again.state is TagState.CONFIRMED
    earlier = tagging.merge_wanted(kept, a_tag(start="11:50"))
    more, order = order_for(earlier, t("12:01"))
    assert more.asked == Window(start=t("11:50"), end=t("12:02"))
    assert order.window.start == t("11:50") - SLACK
