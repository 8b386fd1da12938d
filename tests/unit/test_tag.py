"""Tags as values: what is wanted, asked, kept, and when people are told."""

from dataclasses import replace
from datetime import timedelta

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
from evidenced.core.keeping.tag import FURTHEST_BACK, ListedTag, Tag, TagState
from evidenced.core.recorder import Answer
from evidenced.core.trust import exactly
from evidenced.core.window import Window
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


def listed(tag: Tag, **changes: str) -> ListedTag:
    entry = ListedTag(id="7", address=tag.address, title=tag.title, comment="")
    return replace(entry, **changes)  # type: ignore[arg-type]


def test_a_request_reaches_from_before_the_start_to_after_the_end() -> None:
    asked, order = tagging.order_for(a_tag(), "c", t("12:00") + s(30), SLACK)
    assert (order.before, order.after) == (35, 95)
    assert (asked.state, asked.n, order.title) == (TagState.ASKED, 1, "evidenced i1/1")
    assert asked.asked == asked.window


def test_a_window_that_is_over_has_the_shortest_end_never_none() -> None:
    _, order = tagging.order_for(a_tag(), "c", t("13:00"), timedelta(0))
    assert (order.before, order.after) == (3600, 1)


def test_what_lies_more_than_a_day_back_is_told() -> None:
    asked, order = tagging.order_for(a_tag(), "c", t("12:30", day=24), SLACK)
    assert order.before == FURTHEST_BACK // s(1)
    assert asked.message == tagging.TOO_OLD


@given(
    start=st.integers(-100_000, 100_000),
    length=st.integers(0, 90_000),
    slack=st.integers(0, 10),
)
def test_every_request_covers_its_window_as_far_as_a_day_goes(
    start: int, length: int, slack: int
) -> None:
    now = t("12:00")
    window = Window(start=now + s(start), end=now + s(start + length))
    tag = replace(a_tag(), window=window)
    _, order = tagging.order_for(tag, "", now, s(slack))
    assert 0 <= order.before <= 86_400
    assert order.after >= 1
    assert now + s(order.after) >= window.end
    assert now - s(order.before) <= max(window.start, now - FURTHEST_BACK)


def test_confirmed_is_only_what_was_asked_for() -> None:
    asked, _ = tagging.order_for(a_tag(), "c", t("12:00"), SLACK)
    wider = replace(asked, window=Window(start=t("12:00"), end=t("12:09")))
    after = tagging.confirm(wider, listed(asked), t("12:01"))
    assert (after.state, after.due_at) == (TagState.WANTED, t("12:01"))
    more, order = tagging.order_for(after, "c", t("12:01"), SLACK)
    assert order.title == "evidenced i1/2"
    assert more.asked == Window(start=t("12:02"), end=t("12:09"))
    done = tagging.confirm(more, listed(more), t("12:01"))
    assert (done.state, done.kept) == (TagState.CONFIRMED, wider.window)
    assert done.tag_id == "7"


@pytest.mark.parametrize(
    ("changes", "is_it"),
    [
        ({}, True),
        ({"title": " evidenced i1/1 "}, True),
        ({"title": "", "comment": "evidenced i1/1, cut"}, True),
        ({"title": "evidenced i1/2"}, False),
        ({"title": "somebody's"}, False),
        ({"address": sense_address("1001", "2002")}, False),
        ({"address": sense_address("1002", "2001")}, False),
    ],
)
def test_only_our_own_title_on_this_camera_is_it(
    changes: dict[str, str], is_it: bool
) -> None:
    asked, _ = tagging.order_for(a_tag(), "c", t("12:00"), SLACK)
    assert (tagging.find_listed(asked, [listed(asked, **changes)]) is not None) is is_it


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
    asked, _ = tagging.order_for(known, "", t("12:00"), SLACK)
    grown = tagging.merge_wanted(asked, wider)
    assert (grown.state, grown.window.end) == (TagState.ASKED, t("12:05"))
    kept = tagging.confirm(asked, listed(asked), t("12:01"))
    assert tagging.merge_wanted(kept, known).state is TagState.CONFIRMED
    assert tagging.merge_wanted(kept, wider).state is TagState.WANTED
    off = replace(known, state=TagState.WITHDRAWN)
    assert tagging.merge_wanted(kept, off) is kept
    withdrawn = tagging.merge_wanted(known, off)
    assert (withdrawn.state, withdrawn.due_at) == (TagState.WITHDRAWN, None)
    assert tagging.merge_wanted(withdrawn, known).state is TagState.WANTED


def test_a_window_that_begins_earlier_is_asked_for_from_its_start() -> None:
    asked, _ = tagging.order_for(a_tag(), "", t("12:00"), SLACK)
    kept = tagging.confirm(asked, listed(asked), t("12:01"))
    again = tagging.confirm(replace(kept, asked=None), listed(asked), t("12:01"))
    assert again.state is TagState.CONFIRMED
    earlier = tagging.merge_wanted(kept, a_tag(start="11:50"))
    more, order = tagging.order_for(earlier, "", t("12:01"), SLACK)
    assert more.asked == Window(start=t("11:50"), end=t("12:02"))
    assert order.before == 11 * 60 + 5
