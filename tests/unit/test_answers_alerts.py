"""Whom a refusal is told to: people, once, and only if it is one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from evidenced.core.address import Handle
from evidenced.core.errors import Reason
from evidenced.core.exports.answers import (
    newly,
    newly_stuck,
    newly_unknown,
    refuse,
)
from evidenced.core.exports.exporting import accept
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.recorder import Answer
from fakes.incident import DOOR, LOBBY, NO_VIDEO, ended, patience, requested, t

NOW = t("06:10")


def asked_again(refusals: int) -> tuple[Incident, ExportRequest]:
    incident = ended()
    clips = tuple(replace(clip, attempts=refusals) for clip in incident.clips)
    return requested(replace(incident, clips=clips))


def test_the_third_refusal_is_told_and_no_other() -> None:
    told = [
        len(newly_stuck(refuse(*asked_again(n), NO_VIDEO, patience(NOW))))
        for n in range(4)
    ]
    assert told == [0, 0, 1, 0]


def test_a_third_answer_that_takes_it_is_no_refusal() -> None:
    answer = Answer(code="0", handle=Handle("n=1"))
    taken = accept(*asked_again(2), answer, NOW)
    assert newly_stuck(taken) == []


def test_a_clip_that_another_request_moves_is_not_told_again() -> None:
    incident, export = asked_again(0)
    stuck = replace(ended().clips[0], n=9, attempts=3)
    change = refuse(
        replace(incident, clips=(*incident.clips, stuck)),
        export,
        NO_VIDEO,
        patience(NOW),
    )
    assert newly_stuck(change) == []


def test_a_request_that_is_wrong_is_told_at_once() -> None:
    change = refuse(
        *asked_again(0),
        Answer(reason=Reason.BAD_REQUEST, code="-4", text="x"),
        patience(NOW),
    )
    assert len(newly(change, ClipState.REJECTED)) == 1
    later = replace(change, before=change.after)
    assert newly(later, ClipState.REJECTED) == []
    assert (
        newly(refuse(*asked_again(0), NO_VIDEO, patience(NOW)), ClipState.REJECTED)
        == []
    )


def test_footage_that_give_up_ends_is_told_once() -> None:
    late = patience(t("06:10") + timedelta(days=2))
    change = refuse(*asked_again(5), NO_VIDEO, late)
    assert [clip.camera for clip in newly(change, ClipState.MISSING)] == ["lobby"]
    assert newly(replace(change, before=change.after), ClipState.MISSING) == []
    assert (
        newly(refuse(*asked_again(5), NO_VIDEO, patience(NOW)), ClipState.MISSING) == []
    )


@pytest.mark.parametrize("reason", [Reason.NO_DEVICE, Reason.NO_SERVER])
def test_a_camera_that_the_recorder_does_not_know_is_told_at_once(
    reason: Reason,
) -> None:
    answer = Answer(reason=reason, text="x")
    change = refuse(*asked_again(0), answer, patience(NOW))
    assert [clip.camera for clip in newly_unknown(change)] == ["lobby"]
    again = refuse(*requested(change.after), answer, patience(NOW))
    assert newly_unknown(again) == []
    assert newly_unknown(refuse(*asked_again(0), NO_VIDEO, patience(NOW))) == []


def test_of_several_cameras_all_are_told_that_it_may_be() -> None:
    answer = Answer(reason=Reason.NO_DEVICE, code="-2", text="x")
    change = refuse(*requested(ended(LOBBY, DOOR)), answer, patience(NOW))
    assert change.event is Event.ISOLATED
    assert [clip.camera for clip in newly_unknown(change)] == ["lobby", "door"]


def test_what_begins_an_incident_has_nothing_before_it() -> None:
    change = replace(refuse(*asked_again(2), NO_VIDEO, patience(NOW)), before=None)
    assert len(newly_stuck(change)) == 1
