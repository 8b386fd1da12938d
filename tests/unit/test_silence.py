"""What a silence does to alarms, as plays; and who may make one."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from evidenced.core.alarms.alarm import Alarm, TimeSource
from evidenced.core.errors import BadInput, Reason, Refused
from evidenced.core.ids import SilenceId
from evidenced.core.incidents.happening import Happening, find_touching
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.lifecycle import clear, extend, open_incident, turn
from evidenced.core.incidents.operating import retry
from evidenced.core.incidents.silence import (
    LONGEST,
    Silence,
    SilenceOrder,
    Silences,
    Subject,
    begin,
    end,
)
from evidenced.core.incidents.states import ClipState, IncidentState
from fakes.incident import (
    AWAITS,
    DOOR,
    LOBBY,
    PLAIN,
    SETTLES,
    Ids,
    camera,
    check_change,
    happening,
    m,
    moment,
    opened,
    requested,
    s,
    states,
    t,
    windows,
)

NOW = t("12:00")
END = NOW + m(60)


def order(
    subject: Subject = Subject.RULE,
    name: str = "door-forced",
    until: datetime = END,
    comment: str = "lock is being replaced",
) -> SilenceOrder:
    return SilenceOrder(subject=subject, name=name, until=until, comment=comment)


def silence(subject: Subject = Subject.RULE, name: str = str(PLAIN.name)) -> Silence:
    return begin(order(subject, name), SilenceId("k3f9qx2a"), "ann", NOW)


def under(
    each: Happening, *silences: Silence, at: datetime = NOW, topic: str = "a/b/c"
) -> Happening:
    alarm = Alarm(topic=topic, payload=b"", received_at=at)
    return Silences(silences).over(each, alarm)


def after(changes: list[Change]) -> Incident:
    for change in changes:
        check_change(change)
    return changes[-1].after


TEXT = "silenced by ann until 2026-11-23T13:00:00.000Z: lock is being replaced"


# ---- which alarms


@pytest.mark.parametrize(
    ("subject", "name", "silenced"),
    [
        (Subject.RULE, str(PLAIN.name), ["door", "lobby"]),
        (Subject.RULE, "another", []),
        (Subject.CAMERA, "lobby", ["lobby"]),
        (Subject.CAMERA, "gate", []),
        (Subject.TOPIC, "a/b/c", ["door", "lobby"]),
        (Subject.TOPIC, "a/+/c", ["door", "lobby"]),
        (Subject.TOPIC, "a/#", ["door", "lobby"]),
        (Subject.TOPIC, "a/b", []),
        (Subject.TOPIC, "b/#", []),
    ],
)
def test_what_a_silence_is_over(
    subject: Subject, name: str, silenced: list[str]
) -> None:
    found = under(happening("12:00", LOBBY, DOOR), silence(subject, name))
    assert sorted(found.silenced) == silenced
    assert found.is_silenced == (len(silenced) == 2)
    assert ("silenced" in found.trigger) == bool(silenced)


@pytest.mark.parametrize(
    ("at", "is_silenced"),
    [
        (NOW - s(0.001), False),
        (NOW, True),
        (NOW + m(60) - s(0.001), True),
        (NOW + m(60), False),
    ],
)
def test_the_instant_of_receipt_counts(at: datetime, *, is_silenced: bool) -> None:
    old = happening("11:00", LOBBY)
    assert under(old, silence(), at=at).is_silenced == is_silenced


def test_who_opens_an_incident_by_hand_is_not_silenced() -> None:
    by_hand = happening(moment(NOW, source=TimeSource.OPERATOR), LOBBY)
    assert under(by_hand, silence()) is by_hand


def test_of_several_silences_the_one_that_ends_last_is_named() -> None:
    longer = begin(
        order(name=str(PLAIN.name), until=NOW + m(90)), silence().id, "bob", NOW
    )
    found = under(happening("12:00", LOBBY), silence(), longer)
    assert found.silenced[LOBBY.name].startswith("silenced by bob")


def test_all_cameras_silenced_one_by_one_are_all() -> None:
    each = [silence(Subject.CAMERA, name) for name in ("lobby", "door")]
    assert under(happening("12:00", LOBBY, DOOR), *each).is_silenced


# ---- what becomes of them


def test_a_silenced_incident_ends_cancelled_and_says_why() -> None:
    incident = opened(under(happening("12:00", LOBBY, DOOR), silence()))
    assert incident.state is IncidentState.RECORDING
    incident = after(
        extend(incident, under(happening("12:01", LOBBY), silence()), Ids())
    )
    assert windows(incident)["lobby"] == [("11:59:30", "12:03")]
    over = after(turn(incident, t("12:03"), SETTLES, Ids()))
    assert (over.state, over.reason) == (IncidentState.CANCELLED, Reason.SILENCED)
    assert {clip.message for clip in over.clips} == {TEXT}
    assert not over.is_open
    assert over.turn_at is None


def test_an_operator_has_it_exported_afterwards() -> None:
    incident = opened(under(happening("12:00", LOBBY), silence()))
    over = after(turn(incident, t("12:02"), SETTLES, Ids()))
    again = after([retry(over, "bob", t("15:00"))])
    assert (again.state, again.reason) == (IncidentState.WAITING, None)
    assert (again.clips[0].due_at, again.clips[0].message) == (t("15:00"), "")
    assert requested(again)[0].state is IncidentState.EXPORTING


def silenced_beside_recording(**options: Any) -> Incident:
    """A's silenced clip is over; b's, of the same incident, records on."""
    quiet, long = camera("a"), camera("b", post_roll=m(30))
    silent = silence(Subject.CAMERA, "a")
    incident = opened(under(happening("12:00", quiet, long, **options), silent))
    if incident.is_active:
        incident = after(clear(incident, happening("12:01", **options), Ids()))
    incident = after(turn(incident, t("12:05"), SETTLES, Ids()))
    assert states(incident) == ["cancelled", "recording"]
    return incident


def test_what_an_operator_wants_is_not_moved_by_later_alarms() -> None:
    """Seen: the next alarm had it record again, onto a window of the same camera."""
    incident = silenced_beside_recording()
    assert incident.is_open
    again = after([retry(incident, "bob", t("12:06"))])
    assert states(again) == ["recording", "due"]
    assert find_touching([again], happening("12:07", camera("a"))) is None
    over = after(turn(again, t("12:30"), SETTLES, Ids()))
    assert states(over) == ["due", "due"]


def test_nothing_is_asked_for_while_a_clear_is_awaited_not_even_by_hand() -> None:
    """Seen: it was asked for, and the incident closed to the alarms that it awaited."""
    incident = silenced_beside_recording(rule=AWAITS)
    loud = happening("12:06", camera("b", post_roll=m(30)), rule=AWAITS)
    incident = after(extend(incident, loud, Ids()))
    assert incident.is_active
    with pytest.raises(Refused, match="until its alarm is cleared: retry what"):
        retry(incident, "bob", t("12:07"))


def test_a_silenced_camera_leaves_out_only_its_clips() -> None:
    quiet = silence(Subject.CAMERA, "lobby")
    incident = opened(under(happening("12:00", LOBBY, DOOR), quiet))
    over = after(turn(incident, t("12:02"), SETTLES, Ids()))
    assert states(over) == ["cancelled", "due"]
    assert over.state is IncidentState.WAITING
    assert not over.is_ended


def test_a_silence_does_not_touch_what_was_recording_before() -> None:
    """Nor does a storm under it hold the footage up: it is due when it would be."""
    incident = opened(happening("12:00", LOBBY))
    for minute in range(1, 12):
        storm = under(happening(f"12:{minute:02}", LOBBY), silence(), at=t("12:01"))
        assert find_touching([incident], storm) is incident
        incident = after(extend(incident, storm, Ids()))
        for change in turn(incident, t(f"12:{minute:02}"), SETTLES, Ids()):
            check_change(change)
            incident = change.after
    assert windows(incident)["lobby"] == [("11:59:30", "12:02"), ("12:00:30", "12:13")]
    wanted, quiet = incident.clips
    assert (wanted.state, wanted.due_at) == (ClipState.DUE, t("12:02:15"))
    assert quiet.state is ClipState.RECORDING
    assert incident.state is IncidentState.WAITING
    asked, _ = requested(incident)
    assert find_touching([asked], storm) is None
    over = after(turn(asked, t("12:13"), SETTLES, Ids()))
    assert over.state is IncidentState.EXPORTING
    assert over.clips[1].state is ClipState.CANCELLED


def test_after_a_silence_only_the_new_alarm_is_exported() -> None:
    incident = opened(under(happening("12:59", LOBBY), silence(), at=t("12:59")))
    fresh = under(happening("13:00", LOBBY), silence(), at=t("13:00"))
    assert find_touching([incident], fresh) is incident
    incident = after(extend(incident, fresh, Ids()))
    assert [(c.is_silenced, c.window.start) for c in incident.clips] == [
        (True, t("12:58:30")),
        (False, t("12:59:30")),
    ]
    over = after(turn(incident, t("13:02"), SETTLES, Ids()))
    assert states(over) == ["cancelled", "due"]


def test_late_footage_is_told_for_what_is_wanted_only() -> None:
    terms = replace(PLAIN.terms, alert_after=m(30))
    told = replace(PLAIN, terms=terms)
    quiet = silence()
    incident = opened(under(happening("12:00", LOBBY, rule=told), quiet))
    assert incident.alert_at is None
    both = after(extend(incident, happening("12:01", LOBBY, rule=told), Ids()))
    assert both.alert_at == t("12:33")


# ---- with a clear


def test_a_clear_ends_silenced_and_wanted_windows_alike() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    quiet = under(happening("12:01", LOBBY, rule=AWAITS), silence())
    incident = after(extend(incident, quiet, Ids()))
    over = after(clear(incident, happening("12:05", LOBBY, rule=AWAITS), Ids()))
    assert windows(over)["lobby"] == [("11:59:30", "12:07"), ("12:00:30", "12:07")]
    assert states(after(turn(over, t("12:07"), SETTLES, Ids()))) == ["due", "cancelled"]


def test_a_silenced_alarm_does_not_make_cleared_footage_wait_again() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    incident = after(clear(incident, happening("12:01", LOBBY, rule=AWAITS), Ids()))
    quiet = under(happening("12:02", LOBBY, rule=AWAITS), silence())
    assert find_touching([incident], quiet) is None
    loud = happening("12:02", LOBBY, rule=AWAITS)
    assert find_touching([incident], loud) is incident


def test_a_silenced_alarm_that_goes_on_is_cut_and_stays_silent() -> None:
    incident = opened(under(happening("12:00", LOBBY, rule=AWAITS), silence()))
    first, second = turn(incident, t("12:30"), SETTLES, Ids())
    check_change(first)
    assert first.after.state is IncidentState.CANCELLED
    assert first.after.reason is Reason.SILENCED
    assert [clip.is_silenced for clip in second.after.clips] == [True]


def test_a_late_clear_leaves_a_silenced_piece_its_reason() -> None:
    """Seen: the piece that began after the clear was cancelled, and nobody knew why."""
    incident = opened(under(happening("12:00", LOBBY, rule=AWAITS), silence()))
    piece = turn(incident, t("12:40"), SETTLES, Ids())[-1].after
    late = happening("12:20", LOBBY, rule=AWAITS, now="12:40")
    over = after(clear(piece, late, Ids()))
    assert (over.state, over.reason) == (IncidentState.CANCELLED, Reason.SILENCED)


def test_an_alarm_of_unknown_cameras_is_told_as_ever() -> None:
    change = open_incident(under(happening("12:00", unknown=("x",)), silence()), Ids())
    assert change.after.reason is Reason.NO_CAMERA


# ---- making and ending one


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (order(comment=" "), "comment of a silence is a text of 1 to 500"),
        (order(comment="a\nb"), "comment of a silence"),
        (order(comment="a" * 501), "comment of a silence"),
        (order(Subject.TOPIC, "a/#/b"), "'#' must be the last level"),
        (order(Subject.TOPIC, "a/{door}"), "captures 'door'; write + for a level"),
        (order(name=""), "name of a silence"),
    ],
)
def test_orders_that_cannot_be_kept(wrong: SilenceOrder, says: str) -> None:
    with pytest.raises(BadInput, match=says.replace("+", r"\+")):
        begin(wrong, SilenceId("x"), "ann", NOW)


@pytest.mark.parametrize(
    ("until", "says"),
    [(NOW, "is not ahead"), (NOW + LONGEST + timedelta(seconds=1), "over 90 days")],
)
def test_ends_that_are_refused(until: datetime, says: str) -> None:
    with pytest.raises(Refused, match=says):
        begin(order(until=until), SilenceId("x"), "ann", NOW)


def test_an_end_before_its_time_is_from_now_on() -> None:
    over = end(silence(), "bob", NOW + m(10))
    assert (over.until, over.ends_at) == (NOW + m(60), NOW + m(10))
    assert (over.ended_by, over.is_over) == ("bob", True)
    for at in (NOW + m(10), NOW + m(60)):
        with pytest.raises(Refused, match="ended at 2026-11-23T12:10"):
            end(over, "bob", at)


def test_a_clock_that_went_back_ends_it_all_the_same() -> None:
    over = end(silence(), "bob", NOW - m(10))
    assert not over.is_in_force(NOW)


def test_another_camera_of_the_same_incident_is_not_held() -> None:
    short = camera("short", post_roll=s(10))
    quiet = silence(Subject.CAMERA, "lobby")
    incident = opened(under(happening("12:00", LOBBY, short), quiet))
    over = after(turn(incident, t("12:00:10"), SETTLES, Ids()))
    assert states(over) == ["recording", "due"]
    assert over.state is IncidentState.WAITING
