from dataclasses import replace
from datetime import timedelta

import pytest

from evidenced.core.errors import Reason
from evidenced.core.exports.answers import refuse
from evidenced.core.exports.exporting import request
from evidenced.core.exports.isolation import cohorts, may_need_telling, must_tell_apart
from evidenced.core.exports.retry import RetryPolicy
from evidenced.core.incidents.incident import Clip
from evidenced.core.incidents.states import ClipState
from evidenced.core.recorder import Answer
from fakes.incident import (
    NO_VIDEO,
    camera,
    ended,
    intent,
    patience,
    requested,
    t,
)

POLICY = RetryPolicy(isolate=3, give_up=timedelta(hours=24))
NOW = t("12:10")


def clips(count: int, no_video: int = 3) -> list[Clip]:
    names = [camera(f"cam{n}") for n in range(count)]
    return [replace(clip, no_video=no_video) for clip in ended(*names).clips]


@pytest.mark.parametrize(
    ("reason", "count", "no_video", "expected"),
    [
        (Reason.NO_VIDEO, 2, 3, True),
        (Reason.NO_VIDEO, 2, 2, False),
        (Reason.NO_VIDEO, 1, 9, False),
        (Reason.NO_DEVICE, 2, 0, True),
        (Reason.NO_SERVER, 2, 0, True),
        (Reason.BAD_PATH, 2, 9, False),
        (Reason.BAD_REQUEST, 2, 9, False),
        (Reason.RECORDER_FAULT, 2, 9, False),
    ],
)
def test_when_cameras_are_told_apart(
    reason: Reason, count: int, no_video: int, *, expected: bool
) -> None:
    some = clips(count, no_video)
    assert must_tell_apart(reason, some, POLICY, NOW) is expected


def test_a_deadline_tells_apart_before_it_ends_them_all() -> None:
    some = clips(2, no_video=1)
    assert not must_tell_apart(Reason.NO_VIDEO, some, POLICY, NOW)
    late = some[0].window.end + POLICY.give_up
    assert must_tell_apart(Reason.NO_VIDEO, some, POLICY, late)
    assert may_need_telling(Reason.NO_VIDEO, some, POLICY, late)


def test_the_recorder_is_asked_one_answer_earlier() -> None:
    assert may_need_telling(Reason.NO_VIDEO, clips(2, no_video=2), POLICY, NOW)
    assert not may_need_telling(Reason.NO_VIDEO, clips(2, no_video=1), POLICY, NOW)
    assert may_need_telling(Reason.NO_DEVICE, clips(2, no_video=0), POLICY, NOW)
    assert not may_need_telling(Reason.NO_VIDEO, clips(1, no_video=9), POLICY, NOW)


def groups(
    reason: Reason, count: int, recorded: dict[int, bool | None]
) -> list[tuple[list[int], bool]]:
    found = cohorts(reason, clips(count), recorded)
    return [([clip.n for clip in each.clips], each.is_soon) for each in found]


def test_cameras_with_video_go_on_together_and_the_others_alone() -> None:
    told = groups(Reason.NO_VIDEO, 4, {1: True, 2: False, 3: True, 4: False})
    assert told == [([1, 3], True), ([2], False), ([4], False)]


def test_what_nobody_knows_of_goes_its_own_way() -> None:
    assert groups(Reason.NO_VIDEO, 3, {1: True, 2: None, 3: False}) == [
        ([1], True),
        ([2], True),
        ([3], False),
    ]


@pytest.mark.parametrize("recorded", [{}, {1: True, 2: True, 3: True}])
def test_without_help_the_request_is_halved(recorded: dict[int, bool | None]) -> None:
    assert groups(Reason.NO_VIDEO, 3, recorded) == [([1, 2], True), ([3], True)]


def test_a_device_that_does_not_exist_is_the_one_nobody_knows_of() -> None:
    told = groups(Reason.NO_DEVICE, 3, {1: True, 2: None, 3: False})
    assert told == [([1, 3], True), ([2], False)]
    assert groups(Reason.NO_DEVICE, 2, {}) == [([1], True), ([2], True)]


def test_a_refusal_sorts_cameras_by_what_the_recorder_has_of_them() -> None:
    incident = ended(camera("a"), camera("b"), camera("c"))
    incident = incident.with_clips(*(replace(c, no_video=9) for c in incident.clips))
    incident, export = requested(incident)
    known = {1: True, 2: False}
    change = refuse(incident, export, NO_VIDEO, patience(NOW), known)
    assert change.detail["apart"] == [["a"], ["c"], ["b"]]
    due = {clip.n: clip.due_at > NOW for clip in change.after.clips}
    assert due == {1: False, 2: True, 3: False}


@pytest.mark.parametrize(("bad", "total"), [(1, 32), (3, 32), (32, 32), (1, 2), (0, 8)])
def test_few_bad_cameras_cost_few_requests(bad: int, total: int) -> None:
    """O(k log n): each bad camera at most two requests for each halving."""
    names = [camera(f"cam{n}") for n in range(total)]
    incident = ended(*names)
    broken = {clip.n for clip in incident.clips[:bad]}
    requests = 0
    now = NOW
    queue = [list(incident.clips)]
    while queue:
        asked = [clip for clip in incident.clips if clip.n in {c.n for c in queue[0]}]
        queue.pop(0)
        change, export = request(incident, asked, intent(now, requests + 1))
        incident = change.after
        requests += 1
        if not broken & {clip.n for clip in asked}:
            continue
        refused = refuse(
            incident, export, Answer(reason=Reason.NO_DEVICE, code="-2"), patience(now)
        )
        incident = refused.after
        again = [c for c in incident.clips if c.n in {a.n for a in asked}]
        for cohort in sorted({c.cohort for c in again}):
            part = [c for c in again if c.cohort == cohort]
            if part[0].due_at <= now and part[0].state is ClipState.DUE:
                queue.append(part)
    depth = total.bit_length()
    assert requests <= 1 + 2 * bad * depth
    due = [c for c in incident.clips if c.state is ClipState.DUE]
    assert {clip.n for clip in due} == (broken if total > 1 else set())
