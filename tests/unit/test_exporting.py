"""The steps of an export request, for every state in which its clips can be."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from evidenced.core.address import Address, Handle
from evidenced.core.errors import Reason, Refused
from evidenced.core.exports import answers, exporting
from evidenced.core.exports.exporting import Intent, free_path, request, split
from evidenced.core.exports.following import Verdict
from evidenced.core.folders.paths import with_suffix
from evidenced.core.incidents import operating
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event, entry_of
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import (
    EXPORT_LIVE,
    ClipState,
    ExportState,
    IncidentState,
)
from evidenced.core.machine import IllegalStep
from evidenced.core.recorder import Answer
from evidenced.sense.address import sense_address
from fakes.incident import (
    AWAITS,
    DOOR,
    GATE,
    LOBBY,
    MAIN,
    NO_VIDEO,
    OK,
    camera,
    check_change,
    ended,
    happening,
    intent,
    m,
    opened,
    patience,
    requested,
    s,
    states,
    t,
)

HANDLE = Handle("n=7")
NOW = t("12:03")


def taken(incident: Incident, export: ExportRequest) -> tuple[Incident, ExportRequest]:
    answer = Answer(code="0", handle=HANDLE)
    change = exporting.accept(incident, export, answer, NOW)
    check_change(change)
    return change.after, change.exports[0]


def verdict(
    export: ExportRequest,
    *,
    done: set[int] | None = None,
    failed: set[int] | None = None,
) -> Verdict:
    return Verdict(
        devices=export.devices,
        done=frozenset(done or set()),
        failed=frozenset(failed or set()),
    )


def clip(n: int, device: str = "") -> Clip:
    made = opened(happening("12:00", LOBBY)).clips[0]
    return replace(made, n=n, address=Address(device or f"d{n}"))


def test_no_request_has_a_window_without_length() -> None:
    """Wherever it came from: a recorder would refuse it, for good."""
    over = ended(GATE, LOBBY)
    clips = [
        replace(each, window=replace(each.window, end=each.window.start))
        if each.camera == LOBBY.name
        else each
        for each in over.clips
    ]
    change, export = request(over.with_clips(*clips), clips, intent(NOW))
    assert [each.asked.window.length for each in export.devices] == [m(2.5), s(1)]
    assert [each.window.length for each in change.after.clips] == [m(2.5), s(1)]
    assert change.detail["short"] == [LOBBY.name]
    check_change(change)


# ---- split


@pytest.mark.parametrize(
    ("devices", "most", "expected"),
    [
        ("abcd", 32, ["abcd"]),
        ("abcd", 2, ["ab", "cd"]),
        ("abc", 1, ["a", "b", "c"]),
        ("aab", 32, ["ab", "a"]),
        ("aabb", 2, ["ab", "ab"]),
        ("aaab", 2, ["ab", "a", "a"]),
        ("", 2, []),
    ],
)
def test_split(devices: str, most: int, expected: list[str]) -> None:
    clips = [clip(n, device) for n, device in enumerate(devices, 1)]
    parts = split(clips, most)
    assert ["".join(each.address for each in part) for part in parts] == expected
    assert sorted(each.n for part in parts for each in part) == [c.n for c in clips]


def test_the_same_device_id_of_two_servers_is_two_devices() -> None:
    other = replace(clip(2, "a"), address=Address("9"))
    assert len(split([clip(1, "a"), other], 32)) == 1


# ---- paths


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        ([], r"V:\e\x"),
        ([r"V:\e\x"], r"V:\e\x-2"),
        ([r"v:\E\X"], r"V:\e\x-2"),
        ([r"V:\e\x", r"V:\e\x-2"], r"V:\e\x-3"),
        ([r"V:\e\x", r"V:\e\x-3"], r"V:\e\x-2"),
        ([r"V:\e\x-2"], r"V:\e\x"),
        ([r"V:\e\y"], r"V:\e\x"),
    ],
)
def test_free_path(used: list[str], expected: str) -> None:
    assert free_path(r"V:\e\x", used, with_suffix) == expected


# ---- request


def test_the_intent_says_all_that_is_asked() -> None:
    incident = ended(LOBBY, DOOR)
    intent = Intent(
        id=9, n=2, path=r"V:\e\x", bandwidth=1000, offset=s(-3), now=t("12:02:15")
    )
    change, export = request(incident, incident.clips, intent)
    check_change(change)
    assert change.exports == (export,)
    assert states(change.after) == ["requested", "requested"]
    assert change.after.state is IncidentState.EXPORTING
    assert not change.after.is_open
    assert export.state is ExportState.REQUESTED
    assert [device.asked.window.start for device in export.devices] == [
        t("11:59:27"),
        t("11:59:27"),
    ]
    assert change.detail["clock_offset_s"] == -3
    assert change.detail["devices"] == [
        {
            "clip": n,
            "server": "1001",
            "device": f"device-{name}",
            "start": "2026-11-23T11:59:27.000Z",
            "end": "2026-11-23T12:01:57.000Z",
        }
        for n, name in ((1, "lobby"), (2, "door"))
    ]
    assert export.order.path == r"V:\e\x"
    assert export.order.bandwidth == 1000
    assert incident.clips[0].state is ClipState.DUE  # nothing is changed in place


def test_without_an_offset_none_is_told() -> None:
    incident = ended()
    change, _ = request(
        incident,
        incident.clips,
        Intent(id=1, n=1, path="p", bandwidth=0, offset=timedelta(0), now=NOW),
    )
    assert "clock_offset_s" not in change.detail


# ---- answers


def test_an_accepted_request_counts_as_an_attempt() -> None:
    incident, export = requested(ended())
    after, running = taken(incident, export)
    assert states(after) == ["exporting"]
    assert (after.clips[0].attempts, after.clips[0].code) == (1, "")
    assert running.handle == HANDLE
    assert running.state is ExportState.EXPORTING
    assert running.answered_at == NOW


def test_an_adopted_request_is_as_if_it_had_been_answered() -> None:
    incident, export = requested(ended())
    change = exporting.adopt(incident, export, Handle("n=4"), NOW)
    check_change(change)
    assert change.event is Event.ADOPTED
    assert states(change.after) == ["exporting"]
    assert change.after.clips[0].attempts == 1
    assert change.exports[0].handle == "n=4"


def test_a_refused_request_is_due_again_after_the_back_off() -> None:
    incident, export = requested(ended())
    change = answers.refuse(incident, export, NO_VIDEO, patience(NOW))
    check_change(change)
    mine = change.after.clips[0]
    assert mine.state is ClipState.DUE
    assert (mine.due_at, mine.attempts, mine.no_video) == (NOW + s(15), 1, 1)
    assert (mine.code, mine.message) == ("-48", "No video data")
    assert mine.reason is Reason.NO_VIDEO
    assert mine.rank == incident.clips[0].rank
    assert change.exports[0].state is ExportState.REFUSED
    assert change.exports[0].finished_at == NOW
    assert change.exports[0].answered_at == NOW
    assert change.detail == {
        "export": 1,
        "code": "-48",
        "reason": Reason.NO_VIDEO,
        "text": "No video data",
        "next_try": "2026-11-23T12:03:15.000Z",
    }
    assert change.after.state is IncidentState.WAITING


def test_another_answer_breaks_the_row_of_no_video() -> None:
    incident, export = requested(ended())
    nothing, fault = NO_VIDEO, Answer(reason=Reason.RECORDER_FAULT)
    for answer, counted in ((nothing, 1), (nothing, 2), (fault, 0), (nothing, 1)):
        change = answers.refuse(incident, export, answer, patience(NOW))
        assert change.after.clips[0].no_video == counted
        incident, export = requested(change.after)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (Reason.NO_VIDEO, "missing"),
        (Reason.NO_DEVICE, "rejected"),
        (Reason.NO_SERVER, "rejected"),
        (Reason.BAD_PATH, "rejected"),
        (Reason.DISK_FULL, "rejected"),
        (Reason.RECORDER_FAULT, "missing"),
    ],
)
@pytest.mark.parametrize(("early", "is_over"), [(0, True), (1, False)])
def test_giving_up_is_exact(
    reason: Reason, state: str, *, early: int, is_over: bool
) -> None:
    incident, export = requested(ended())
    now = incident.span.end + timedelta(hours=24, milliseconds=-early)
    change = answers.refuse(incident, export, Answer(reason=reason), patience(now))
    check_change(change)
    assert states(change.after) == [state if is_over else "due"]
    if is_over:
        assert change.after.reason is reason
        assert change.after.state is IncidentState.FAILED
        assert change.after.finished_at == now
    else:
        assert change.after.clips[0].due_at == now + timedelta(milliseconds=1)


def test_our_own_bad_request_is_never_repeated() -> None:
    incident, export = requested(ended())
    answer = Answer(reason=Reason.BAD_REQUEST, text="why")
    change = answers.refuse(incident, export, answer, patience(NOW))
    check_change(change)
    assert states(change.after) == ["rejected"]
    assert change.after.reason is Reason.BAD_REQUEST
    assert change.detail["text"] == "why"


def test_each_clip_of_a_request_gives_up_at_its_own_end() -> None:
    short = camera("short", post_roll=s(10))
    incident, export = requested(ended(LOBBY, short))
    now = t("12:00:10", day=24)
    change = answers.refuse(
        incident, export, Answer(reason=Reason.RECORDER_FAULT, code="-1"), patience(now)
    )
    assert states(change.after) == ["due", "missing"]
    assert change.after.state is IncidentState.WAITING
    assert change.after.reason is None


def test_a_request_that_was_not_sent_is_no_attempt() -> None:
    incident, export = requested(ended())
    change = answers.not_sent(incident, export, Reason.UNREACHABLE, "down")
    check_change(change)
    mine = change.after.clips[0]
    assert (mine.state, mine.attempts) == (ClipState.REQUESTED, 0)
    assert (mine.due_at, mine.reason) == (t("12:02:15"), Reason.UNREACHABLE)
    [waiting] = change.exports
    assert (waiting.state, waiting.unsent) == (ExportState.REQUESTED, 1)
    assert waiting.is_unsent


def test_a_request_that_was_not_sent_and_would_be_another_is_taken_back() -> None:
    incident, export = requested(ended())
    asked = answers.not_sent(incident, export, Reason.UNREACHABLE, "down")
    change = answers.take_back(asked.after, asked.exports[0], "full", NOW)
    check_change(change)
    mine = change.after.clips[0]
    assert (mine.state, mine.attempts, mine.message) == (ClipState.DUE, 0, "down")
    assert change.exports[0].state is ExportState.REFUSED
    assert not change.exports[0].is_unsent


def test_no_answer_moves_nothing() -> None:
    incident, export = requested(ended())
    change = answers.unanswered(incident, export, Reason.TIMEOUT, "30 s")
    assert change.after is incident
    assert change.exports == ()
    assert change.detail == {"export": 1, "reason": "timeout", "text": "30 s"}


def test_clips_for_which_no_request_can_be_made_are_rejected() -> None:
    incident = ended(LOBBY, DOOR)
    change = answers.reject(
        incident, incident.clips, Reason.BAD_PATH, "leaves the root", NOW
    )
    check_change(change)
    assert states(change.after) == ["rejected", "rejected"]
    assert change.after.reason is Reason.BAD_PATH
    assert change.after.finished_at == NOW
    assert change.after.clips[0].message == "leaves the root"


def test_a_vanished_export_is_asked_for_again() -> None:
    incident, running = taken(*requested(ended()))
    change = exporting.vanish(incident, running, "gone", patience(NOW))
    check_change(change)
    mine = change.after.clips[0]
    assert (mine.state, mine.reason) == (ClipState.DUE, Reason.EXPORT_VANISHED)
    assert mine.due_at == NOW + s(15)
    assert change.exports[0].state is ExportState.VANISHED


def test_an_export_that_fails_counts_as_one_attempt() -> None:
    """Seen: it was counted when taken and again when it failed: waits grew twofold."""
    incident, export = requested(ended())
    for attempts, wait in ((1, 15), (2, 30), (3, 60)):
        incident, running = taken(incident, export)
        change = exporting.finish(
            incident, running, verdict(running, failed={1}), patience(NOW)
        )
        check_change(change)
        mine = change.after.clips[0]
        assert (mine.attempts, mine.due_at) == (attempts, NOW + s(wait))
        incident, export = requested(change.after)


def test_a_lost_request_that_vanished_counts_as_an_attempt() -> None:
    incident, export = requested(ended())
    change = exporting.vanish(incident, export, "never there", patience(NOW))
    assert change.after.clips[0].attempts == 1


# ---- finish


def test_what_the_recorder_says_is_done_is_exported() -> None:
    incident, running = taken(*requested(ended(LOBBY, DOOR)))
    change = exporting.finish(
        incident, running, verdict(running, done={1, 2}), patience(NOW)
    )
    check_change(change)
    assert states(change.after) == ["exported", "exported"]
    assert change.after.state is IncidentState.EXPORTED
    assert change.after.reason is None
    assert change.after.finished_at == NOW
    assert change.event is Event.EXPORTED
    assert change.exports[0].state is ExportState.EXPORTED
    assert change.after.clips[0].reason is None


def test_what_failed_goes_on_alone() -> None:
    incident, running = taken(*requested(ended(LOBBY, DOOR)))
    change = exporting.finish(
        incident, running, verdict(running, done={1}, failed={2}), patience(NOW)
    )
    check_change(change)
    assert states(change.after) == ["exported", "due"]
    assert change.after.state is IncidentState.WAITING
    assert change.detail["failed"] == [2]
    assert change.after.clips[1].reason is Reason.EXPORT_FAILED


def test_some_exported_and_some_given_up_is_partial() -> None:
    incident, running = taken(*requested(ended(LOBBY, DOOR)))
    now = t("12:03", day=24)
    change = exporting.finish(
        incident, running, verdict(running, done={1}, failed={2}), patience(now)
    )
    check_change(change)
    assert states(change.after) == ["exported", "missing"]
    assert change.after.state is IncidentState.PARTIAL
    assert change.after.reason is Reason.EXPORT_FAILED


def test_an_export_of_which_nothing_is_done_has_failed() -> None:
    incident, running = taken(*requested(ended()))
    change = exporting.finish(
        incident, running, verdict(running, failed={1}), patience(NOW)
    )
    assert change.event is Event.FAILED
    assert change.exports[0].state is ExportState.FAILED


# ---- cancel


CANCELLED_IN: dict[str, Callable[[], Incident]] = {
    "recording": lambda: opened(happening("12:00", LOBBY)),
    "awaiting a clear": lambda: opened(happening("12:00", LOBBY, rule=AWAITS)),
    "due": ended,
    "requested": lambda: requested(ended())[0],
    "exporting": lambda: taken(*requested(ended()))[0],
}


@pytest.mark.parametrize("where", CANCELLED_IN)
def test_cancelling(where: str) -> None:
    change = operating.cancel(CANCELLED_IN[where](), "ann", NOW)
    check_change(change)
    assert states(change.after) == ["cancelled"]
    assert change.after.state is IncidentState.CANCELLED
    assert change.after.reason is Reason.OPERATOR
    assert (change.after.is_open, change.after.is_active) == (False, False)
    assert change.after.turn_at is None
    assert change.after.clips[0].message == "cancelled by ann"


def test_cancelling_keeps_what_was_exported() -> None:
    incident, running = taken(*requested(ended(LOBBY, DOOR)))
    some = exporting.finish(
        incident, running, verdict(running, done={1}, failed={2}), patience(NOW)
    ).after
    after = operating.cancel(some, "ann", NOW).after
    assert states(after) == ["exported", "cancelled"]
    assert after.state is IncidentState.PARTIAL
    assert after.reason is Reason.OPERATOR
    assert after.is_withdrawn
    with pytest.raises(Refused, match="is partial: nothing to cancel"):
        operating.cancel(after, "ann", NOW)


def test_a_camera_that_was_lost_before_stays_the_reason() -> None:
    """Else a person who cancels the rest would hide it."""
    incident, running = taken(*requested(ended(LOBBY, DOOR, GATE)))
    some = exporting.finish(
        incident, running, verdict(running, done={1}, failed={2, 3}), patience(NOW)
    ).after
    less = answers.reject(some, some.clips[1:2], Reason.NO_DEVICE, "no", NOW).after
    after = operating.cancel(less, "ann", NOW).after
    assert states(after) == ["exported", "rejected", "cancelled"]
    assert after.reason is Reason.NO_DEVICE
    assert not after.is_withdrawn


def test_without_clips_there_is_nothing_to_cancel_or_retry() -> None:
    incident = opened(happening("12:00", unknown=("x",)))
    with pytest.raises(Refused, match="nothing to cancel"):
        operating.cancel(incident, "ann", NOW)
    with pytest.raises(Refused, match="no ended clip"):
        operating.retry(incident, "ann", NOW)


Late = Callable[[Incident, ExportRequest, ExportRequest], Change]
LATE: dict[str, Late] = {
    "accept": lambda i, asked, _: exporting.accept(i, asked, OK, NOW),
    "adopt": lambda i, asked, _: exporting.adopt(i, asked, Handle("n=3"), NOW),
    "refuse": lambda i, asked, _: answers.refuse(i, asked, NO_VIDEO, patience(NOW)),
    "not_sent": lambda i, asked, _: answers.not_sent(i, asked, Reason.UNREACHABLE, ""),
    "vanish": lambda i, asked, _: exporting.vanish(i, asked, "", patience(NOW)),
    "withdraw": lambda i, asked, _: exporting.withdraw(i, asked, "deleted", NOW),
    "vanish running": lambda i, _, r: exporting.vanish(i, r, "", patience(NOW)),
    "withdraw running": lambda i, _, r: exporting.withdraw(i, r, "deleted", NOW),
    "finish": lambda i, _, r: exporting.finish(
        i, r, verdict(r, done={1}), patience(NOW)
    ),
    "fail": lambda i, _, r: exporting.finish(
        i, r, verdict(r, failed={1}), patience(NOW)
    ),
}


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("then", ["", "retried", "retried and asked for"])
def test_what_comes_after_the_cancel_moves_no_clip(late: str, then: str) -> None:
    """Seen: a clip that was cancelled and retried was moved by its old export, an
    illegal step that ended the process, at every start again."""
    incident, asked = requested(ended())
    _, running = taken(incident, asked)
    incident = operating.cancel(incident, "ann", NOW).after
    if then:
        incident = operating.retry(incident, "ann", NOW).after
    if then == "retried and asked for":
        incident, other = requested(incident, n=2)
        assert exporting.is_wanted(incident, other)
    assert not exporting.is_wanted(incident, asked)
    assert not exporting.is_wanted(incident, running)
    change = LATE[late](incident, asked, running)
    check_change(change)
    assert change.after.clips == incident.clips
    assert change.after == incident
    if change.exports[0].state not in EXPORT_LIVE:
        assert change.exports[0].finished_at == NOW


def test_an_export_is_wanted_while_one_of_its_clips_waits() -> None:
    incident, running = taken(*requested(ended(LOBBY, DOOR)))
    assert exporting.is_wanted(incident, running)
    gone = incident.clips[0].moved(ClipState.CANCELLED)
    assert exporting.is_wanted(incident.with_clips(gone), running)


# ---- retry


@pytest.mark.parametrize("state", ["missing", "rejected", "cancelled"])
def test_retrying_makes_ended_clips_due_now(state: str) -> None:
    incident = ended(LOBBY, DOOR)
    incident = incident.with_clips(
        *(replace(c, state=ClipState(state), no_video=9) for c in incident.clips)
    ).settled(NOW)
    assert incident.finished_at == NOW
    change = operating.retry(incident, "ann", t("13:00"))
    check_change(change)
    after = change.after
    assert states(after) == ["due", "due"]
    assert [clip.due_at for clip in after.clips] == [t("13:00")] * 2
    assert [clip.no_video for clip in after.clips] == [0, 0]
    assert (after.reason, after.finished_at) == (None, None)
    assert change.detail == {"by": "ann"}


def exported(again: bool = True) -> Incident:
    incident = ended(LOBBY, DOOR)
    first, second = incident.clips
    incident = incident.with_clips(
        replace(first, state=ClipState.EXPORTED),
        replace(second, state=ClipState.MISSING, reason=Reason.NO_VIDEO),
    ).settled(NOW)
    return operating.retry(incident, "ann", NOW, again=again).after


def test_asking_again_takes_exported_clips_too() -> None:
    assert states(exported()) == ["due", "due"]
    assert states(exported(again=False)) == ["exported", "due"]


@pytest.mark.parametrize("how", ["in vain", "refused for good", "cancelled"])
def test_what_was_exported_is_so_whatever_asking_again_brings(how: str) -> None:
    incident, export = requested(exported())
    match how:
        case "in vain":
            late = patience(NOW + s(100 * 3600))
            after = exporting.vanish(incident, export, "", late).after
        case "refused for good":
            after = answers.unsendable(incident, export, "why", NOW).after
        case _:
            after = operating.cancel(incident, "ann", NOW).after
    assert states(after)[0] == "exported"
    assert states(after)[1] in {"missing", "rejected"}
    assert after.state is IncidentState.PARTIAL
    assert after.clips[1].is_lacking
    assert not after.clips[0].is_lacking


def test_what_is_asked_for_again_is_asked_for_by_the_ids_of_now() -> None:
    incident = ended(LOBBY, GATE)
    gone = [replace(clip, state=ClipState.REJECTED) for clip in incident.clips]
    gone[1] = replace(gone[1], reason=Reason.NO_RECORDER)
    incident = incident.with_clips(*gone).settled(NOW)
    moved = replace(LOBBY, address=sense_address("1001", "new"))
    gate = replace(GATE, recorder=MAIN, address=sense_address("1001", "gate"))
    cameras = {LOBBY.name: moved, GATE.name: gate}
    after = operating.retry(incident, "ann", NOW, cameras=cameras).after
    assert [clip.address for clip in after.clips] == [moved.address, gate.address]
    assert {clip.recorder for clip in after.clips} == {MAIN}
    elsewhere = {LOBBY.name: replace(moved, recorder=GATE.recorder)}
    after = operating.retry(incident, "ann", NOW, cameras=elsewhere).after
    assert after.clips[0].address == LOBBY.address  # its footage lies where it was


def test_retrying_leaves_exported_clips() -> None:
    incident = ended(LOBBY, DOOR)
    first, second = incident.clips
    incident = incident.with_clips(
        replace(first, state=ClipState.EXPORTED),
        replace(second, state=ClipState.MISSING),
    )
    assert states(operating.retry(incident, "ann", NOW).after) == ["exported", "due"]


@pytest.mark.parametrize("state", ["recording", "due", "requested", "exported"])
def test_what_has_not_ended_without_footage_is_not_retried(state: str) -> None:
    incident = ended()
    incident = incident.with_clips(replace(incident.clips[0], state=ClipState(state)))
    with pytest.raises(Refused, match="incident i1 is "):
        operating.retry(incident, "ann", NOW)


def test_a_retry_does_not_ask_before_the_end_and_settle() -> None:
    """Seen: cancelled while it recorded, it was asked for at its end without settle."""
    incident = opened(happening("12:00", LOBBY))
    gone = operating.cancel(incident, "ann", t("12:01")).after
    again = operating.retry(gone, "ann", t("12:01:30")).after
    assert again.clips[0].due_at == t("12:02:15")


def test_a_cancelled_clip_is_asked_for_again_under_a_new_number() -> None:
    gone = operating.cancel(ended(LOBBY, DOOR), "ann", NOW).after
    change = operating.retry(gone, "ann", NOW)
    assert [clip.n for clip in change.after.clips] == [3, 4]
    entry = entry_of(change, NOW)
    assert entry is not None
    assert entry.detail["clips"] == {
        "3": {"camera": "lobby", "from": None, "to": "due"},
        "4": {"camera": "door", "from": None, "to": "due"},
        "1": {"camera": "lobby", "from": "cancelled", "to": "asked for again"},
        "2": {"camera": "door", "from": "cancelled", "to": "asked for again"},
    }


def test_a_clip_whose_alarm_was_over_before_it_began_is_not_retried() -> None:
    incident = ended(LOBBY, DOOR)
    first, second = incident.clips
    empty = replace(first.window, end=first.window.start)
    incident = incident.with_clips(
        replace(first, state=ClipState.CANCELLED, window=empty),
        replace(second, state=ClipState.MISSING),
    )
    after = operating.retry(incident, "ann", NOW).after
    assert states(after) == ["cancelled", "due"]


# ---- steps that the tables lack


def test_steps_out_of_order_raise_and_change_nothing() -> None:
    incident, export = requested(ended())
    done = replace(export, state=ExportState.EXPORTED)
    with pytest.raises(IllegalStep, match="export: exported -> vanished"):
        exporting.vanish(incident, done, "", patience(NOW))
    with pytest.raises(IllegalStep, match="clip: requested -> requested"):
        request(
            incident,
            incident.clips,
            Intent(id=2, n=2, path="p", bandwidth=0, offset=timedelta(0), now=NOW),
        )


def test_progress_is_the_mean_of_the_devices() -> None:
    _, export = requested(ended(LOBBY, DOOR))
    assert export.percent == 0
    first, second = export.devices
    half = replace(export, devices=(replace(first, percent=50.0), second))
    assert half.percent == 25
    assert replace(export, devices=()).percent == 0


def test_two_recorders_of_one_incident_are_asked_apart() -> None:
    incident = ended(LOBBY, GATE)
    main, annex = incident.clips
    change, export = request(
        incident,
        [annex],
        Intent(id=1, n=1, path="p", bandwidth=0, offset=timedelta(0), now=NOW),
    )
    assert export.recorder == "annex"
    assert states(change.after) == ["due", "requested"]
    assert change.after.clips[0] is main


def test_a_clock_that_went_back_brings_no_try_before_the_windows_end() -> None:
    incident, export = requested(ended())
    first = incident.clips[0].due_at
    earlier = answers.refuse(incident, export, NO_VIDEO, patience(first - s(600)))
    assert earlier.after.clips[0].due_at == first
    later = answers.refuse(incident, export, NO_VIDEO, patience(first + s(600)))
    assert later.after.clips[0].due_at > first + s(600)


def test_a_lost_answer_does_not_begin_the_count_of_refusals_anew() -> None:
    """Else cameras of a recorder that loses some answers were never told apart."""
    incident, export = requested(ended(LOBBY, DOOR))
    for _ in range(2):
        refused = answers.refuse(incident, export, NO_VIDEO, patience(NOW)).after
        incident, export = requested(refused)
        lost = exporting.vanish(incident, export, "not listed", patience(NOW)).after
        incident, export = requested(lost)
    last = answers.refuse(incident, export, NO_VIDEO, patience(NOW))
    assert last.event is Event.ISOLATED
