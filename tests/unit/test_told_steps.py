"""What each step writes into the history and the export's row, word for word.

The history is the audit chain: whoever reads it later has nothing but these words.
"""

from dataclasses import replace

import pytest

from evidenced.core.address import handle_of, parts_of
from evidenced.core.errors import Reason
from evidenced.core.exports import answers, exporting
from evidenced.core.exports.following import Verdict
from evidenced.core.exports.growth import Sighting
from evidenced.core.exports.hold import hold_after
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState, ExportState, IncidentState
from evidenced.core.instants import render_utc
from evidenced.core.recorder import Answer
from fakes.incident import (
    DOOR,
    GATE,
    LOBBY,
    camera,
    check_change,
    ended,
    patience,
    requested,
    s,
    states,
    t,
)

HANDLE = handle_of({"exportid": "4", "session": "s1"})
KNOWN = {"known_as": "4", "exportid": "4", "session": "s1"}
NOW = t("12:03")
SEEN = Sighting(files=2, size_bytes=4096)


def told(change: Change) -> tuple[Incident | None, Event, object]:
    check_change(change)
    return change.before, change.event, change.detail


def adopted() -> tuple[Incident, ExportRequest]:
    change = exporting.adopt(*requested(ended(LOBBY, DOOR)), HANDLE, NOW)
    return change.after, change.exports[0]


def test_an_adopted_export_is_known_by_session_and_number() -> None:
    incident, export = requested(ended())
    change = exporting.adopt(incident, export, HANDLE, NOW)
    detail = {"export": 1, **KNOWN}
    assert told(change) == (incident, Event.ADOPTED, detail)
    [row] = change.exports
    assert (row.handle, row.answered_at) == (HANDLE, NOW)


def test_a_request_says_what_is_asked_for() -> None:
    incident = ended()
    change, export = exporting.request(
        incident,
        incident.clips,
        exporting.Intent(id=3, n=2, path="V:\\a", bandwidth=9, offset=s(2), now=NOW),
    )
    [clip] = incident.clips
    device = {
        "clip": 1,
        **parts_of(clip.address),
        "start": render_utc(clip.window.start + s(2)),
        "end": render_utc(clip.window.end + s(2)),
    }
    assert told(change) == (
        incident,
        Event.REQUESTED,
        {
            "export": 3,
            "recorder": "main",
            "path": "V:\\a",
            "bandwidth": 9,
            "devices": [device],
            "clock_offset_s": 2.0,
        },
    )
    assert change.exports == (export,)


def test_an_accepted_export_clears_what_was_wrong_before() -> None:
    incident, export = requested(ended())
    [clip] = incident.clips
    refused_before = replace(
        clip, no_video=2, reason=Reason.NO_VIDEO, message="no video", code="-48"
    )
    incident = incident.with_clips(refused_before)
    answer = Answer(code="0", text="NoError", handle=HANDLE)
    change = exporting.accept(incident, export, answer, NOW)
    detail = {"export": 1, "code": "0", **KNOWN}
    assert told(change) == (incident, Event.ACCEPTED, detail)
    [row], [after] = change.exports, change.after.clips
    assert (row.text, row.code, row.handle) == ("NoError", "0", HANDLE)
    assert (after.no_video, after.reason, after.message) == (0, None, "NoError")


def test_an_export_that_vanished_says_how_and_counts_for_its_clips() -> None:
    incident, export = adopted()
    change = exporting.vanish(incident, export, "not listed", patience(NOW))
    assert (change.before, change.event) == (incident, Event.VANISHED)
    assert change.detail == {
        "export": 1,
        "text": "not listed",
        "next_try": render_utc(min(clip.due_at for clip in change.after.clips)),
    }
    [row] = change.exports
    assert (row.state, row.text) == (ExportState.VANISHED, "not listed")
    for clip in change.after.clips:
        assert (clip.code, clip.message) == ("", "not listed")
        assert clip.reason is Reason.EXPORT_VANISHED


def test_an_export_that_failed_in_part_says_which_and_goes_on_with_it() -> None:
    incident, export = adopted()
    done = tuple(replace(device, percent=99.0) for device in export.devices)
    verdict = Verdict(devices=done, done=frozenset({1}), failed=frozenset({2}))
    change = exporting.finish(incident, export, verdict, patience(NOW))
    first, second = change.after.clips
    assert change.detail == {
        "export": 1,
        "path": export.path,
        "failed": [2],
        "next_try": render_utc(second.due_at),
    }
    assert [each.percent for each in change.exports[0].devices] == [99.0, 99.0]
    assert [each.has_failed for each in change.exports[0].devices] == [False, True]
    assert (first.state, first.message) == (ClipState.EXPORTED, "")
    assert (second.state, second.reason) == (ClipState.DUE, Reason.EXPORT_FAILED)
    assert (second.code, second.message) == (
        "",
        "the recorder reports that the export failed",
    )


def test_a_withdrawn_export_is_over_and_says_why() -> None:
    incident, export = adopted()
    change = exporting.withdraw(incident, export, "by ann", NOW + s(1))
    detail = {"export": 1, **KNOWN, "text": "by ann"}
    assert told(change) == (incident, Event.CANCELLED, detail)
    [row] = change.exports
    assert (row.state, row.text, row.finished_at) == (
        ExportState.CANCELLED,
        "by ann",
        NOW + s(1),
    )


def test_a_request_that_cannot_go_out_says_why() -> None:
    incident, export = requested(ended())
    change = answers.not_sent(incident, export, Reason.UNREACHABLE, "down")
    detail = {"export": 1, "reason": "unreachable", "text": "down"}
    assert told(change) == (incident, Event.NOT_SENT, detail)
    assert change.after.clips[0].message == "down"
    assert (change.exports[0].text, change.exports[0].finished_at) == ("down", None)


def test_a_request_that_is_taken_back_says_why() -> None:
    incident, export = requested(ended())
    change = answers.take_back(incident, export, "other", NOW)
    assert told(change) == (incident, Event.TAKEN_BACK, {"export": 1, "text": "other"})
    assert (change.exports[0].text, change.exports[0].finished_at) == ("other", NOW)


def test_a_request_without_answer_is_told() -> None:
    incident, export = requested(ended())
    change = answers.unanswered(incident, export, Reason.TIMEOUT, "30 s")
    assert (change.before, change.event) == (incident, Event.UNANSWERED)


def test_clips_for_which_no_request_can_be_made_say_why() -> None:
    incident = ended(LOBBY, DOOR)
    change = answers.reject(incident, incident.clips, Reason.BAD_PATH, "why", NOW)
    detail = {"reason": "bad-path", "text": "why"}
    assert told(change) == (incident, Event.REFUSED, detail)
    assert [clip.reason for clip in change.after.clips] == [Reason.BAD_PATH] * 2


def test_what_cannot_be_put_on_the_wire_is_given_up() -> None:
    incident, export = requested(ended(LOBBY, DOOR))
    change = answers.unsendable(incident, export, "a NUL in the path", NOW)
    detail = {"export": 1, "reason": "bad-request", "text": "a NUL in the path"}
    assert told(change) == (incident, Event.REFUSED, detail)
    after, [row] = change.after, change.exports
    assert states(after) == ["rejected", "rejected"]
    assert (after.state, after.reason) == (IncidentState.FAILED, Reason.BAD_REQUEST)
    assert after.finished_at == NOW
    for clip in after.clips:
        assert (clip.reason, clip.message) == (Reason.BAD_REQUEST, "a NUL in the path")
    assert (row.state, row.text, row.finished_at) == (
        ExportState.REFUSED,
        "a NUL in the path",
        NOW,
    )


def test_what_cannot_be_sent_to_one_recorder_goes_on_at_the_other() -> None:
    incident = ended(LOBBY, GATE)
    change, export = exporting.request(
        incident,
        incident.clips[:1],
        exporting.Intent(id=1, n=1, path="V:\\a", bandwidth=0, offset=s(0), now=NOW),
    )
    after = answers.unsendable(change.after, export, "why", NOW).after
    assert states(after) == ["rejected", "due"]
    assert (after.is_ended, after.reason) == (False, None)
    assert after.clips[0].reason is Reason.BAD_REQUEST


# ---- files that prove an export which the list does not show


def test_files_prove_an_export_whose_answer_was_lost() -> None:
    incident, export = requested(ended(LOBBY, DOOR))
    steps = exporting.prove(incident, export, SEEN, patience(NOW))
    assert [step.event for step in steps] == [Event.ADOPTED, Event.EXPORTED]
    first, last = steps
    check_change(first)
    assert (first.before, last.before) == (incident, first.after)
    assert first.detail == {"export": 1}
    assert first.exports[0].answered_at == NOW
    _check_proved(last)


def test_files_prove_an_export_that_vanished_from_the_list() -> None:
    incident, export = adopted()
    [step] = exporting.prove(incident, export, SEEN, patience(NOW))
    assert step.before == incident
    _check_proved(step)
    assert step.exports[0].handle == HANDLE


def _check_proved(step: Change) -> None:
    check_change(step)
    assert step.event is Event.EXPORTED
    assert states(step.after) == ["exported", "exported"]
    assert step.after.state is IncidentState.EXPORTED
    assert step.detail == {
        "export": 1,
        "path": r"V:\evidence\i1",
        "files": 2,
        "bytes": 4096,
    }
    [row] = step.exports
    assert (row.state, row.finished_at) == (ExportState.EXPORTED, NOW)
    assert [device.clip for device in row.devices] == [1, 2]


# ---- cameras that are told apart


def apart(recorded: dict[int, bool | None]) -> Change:
    incident, export = requested(ended(*(camera(f"c{n}") for n in range(3))))
    answer = Answer(reason=Reason.NO_DEVICE, text="no device")
    return answers.refuse(incident, export, answer, patience(NOW), recorded)


def test_cameras_told_apart_are_never_asked_for_together_again() -> None:
    change = apart({1: True, 2: True, 3: None})
    check_change(change)
    assert (change.event, change.detail["apart"]) == (
        Event.ISOLATED,
        [["c0", "c1"], ["c2"]],
    )
    assert [clip.cohort for clip in change.after.clips] == [1, 1, 2]


def test_cameras_that_are_fine_are_asked_for_at_once_and_the_bad_one_later() -> None:
    fine, also_fine, bad = apart({1: True, 2: True, 3: None}).after.clips
    assert {clip.state for clip in (fine, also_fine, bad)} == {ClipState.DUE}
    assert fine.due_at == also_fine.due_at == NOW
    assert bad.due_at > NOW
    assert bad.reason is Reason.NO_DEVICE


def test_a_second_telling_apart_counts_on() -> None:
    incident = ended(camera("a"), camera("b"), camera("c"))
    clips = [replace(clip, cohort=4) for clip in incident.clips]
    incident, export = requested(incident.with_clips(*clips))
    change = answers.refuse(
        incident, export, Answer(reason=Reason.NO_DEVICE, code="-2"), patience(NOW)
    )
    assert [clip.cohort for clip in change.after.clips] == [5, 5, 6]


@pytest.mark.parametrize("recorded", [{1: True}, {1: False}])
def test_a_device_is_sought_where_the_recorder_knows_only_one_kind(
    recorded: dict[int, bool | None],
) -> None:
    """It knows the first, with or without video: the others are those at fault."""
    assert apart(recorded).detail["apart"] == [["c0"], ["c1"], ["c2"]]


# ---- holds


def test_a_hold_says_what_is_wrong_and_waits_by_the_dice() -> None:
    hold = hold_after(
        None, Reason.BAD_PATH, "Incorrect path", patience(NOW, jitter=0.5)
    )
    assert (hold.reason, hold.text) == (Reason.BAD_PATH, "Incorrect path")
    assert hold.next_try == NOW + s(7.5)
    assert hold.wait == s(7.5)
