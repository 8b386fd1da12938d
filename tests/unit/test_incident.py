from dataclasses import replace
from datetime import timedelta

import pytest

from evidenced.core.incidents.incident import Incident, ends_of
from evidenced.core.incidents.lifecycle import extend
from evidenced.core.incidents.operating import retry
from evidenced.core.incidents.states import ClipState, IncidentState
from evidenced.core.machine import IllegalStep
from evidenced.core.recorder import ClockOffset
from evidenced.core.window import Window
from fakes.incident import (
    AWAITS,
    DOOR,
    GATE,
    LOBBY,
    PLAIN,
    SETTLES,
    Ids,
    ended,
    happening,
    m,
    opened,
    s,
    t,
    turn,
    window,
)


def test_a_clip_moves_only_by_the_table() -> None:
    clip = opened(happening("12:00", LOBBY)).clips[0]
    assert clip.moved(ClipState.DUE).state is ClipState.DUE
    with pytest.raises(IllegalStep):
        clip.moved(ClipState.EXPORTED)


def test_the_span_reaches_over_all_windows() -> None:
    incident = opened(happening("12:00", LOBBY, replace(DOOR, pre_roll=m(5))))
    assert incident.span == window("11:55", "12:02")


def test_the_span_without_clips_is_that_of_the_alarms() -> None:
    incident = opened(happening("12:00", unknown=("x",)))
    assert incident.span == Window(start=t("12:00"), end=t("12:00"))


def test_nothing_is_late_before_the_end_nor_after_it_was_told() -> None:
    incident = opened(happening("12:00", LOBBY))
    assert incident.alert_at is None
    terms = replace(incident.terms, alert_after=m(30))
    incident = replace(incident, terms=terms)
    assert incident.alert_at == t("12:32")
    assert replace(incident, is_late_told=True).alert_at is None
    gone = incident.with_clips(incident.clips[0].moved(ClipState.CANCELLED))
    assert gone.alert_at is None


LATE = replace(PLAIN, terms=replace(PLAIN.terms, alert_after=m(30)))


def test_footage_of_an_alarm_that_waited_at_the_broker_is_late_from_its_receipt() -> (
    None
):
    incident = opened(happening("12:00", LOBBY, rule=LATE, now="15:00"))
    assert incident.alert_at == t("15:30")
    [change] = extend(
        incident, happening("12:01", LOBBY, rule=LATE, now="15:10"), Ids()
    )
    assert change.after.alert_at == t("15:40")


def test_a_piece_that_was_cut_long_after_its_cut_is_late_from_then() -> None:
    awaits = replace(LATE, clear=AWAITS.clear)
    incident = opened(happening("06:00", LOBBY, rule=awaits))
    *_, last = turn(incident, t("07:10"), SETTLES, Ids())
    assert last.after.alert_at == t("08:00")  # its end is still to come
    pieces = turn(incident, t("12:00"), SETTLES, Ids())
    second = next(each.after for each in pieces if each.after.opened_at == t("06:30"))
    assert second.alert_at == t("12:30")


def test_footage_that_is_asked_for_again_is_late_from_then() -> None:
    incident = replace(ended(rule=LATE), is_late_told=True)
    missing = incident.clips[0].moved(ClipState.REJECTED)
    again = retry(incident.with_clips(missing).settled(t("13:00")), "ann", t("14:00"))
    assert again.after.alert_at == t("14:30")


def test_settling_follows_the_state() -> None:
    incident = ended()
    assert incident.settled(t("12:03")) is incident
    over = incident.with_clips(incident.clips[0].moved(ClipState.REJECTED))
    settled = over.settled(t("12:03"))
    assert (settled.finished_at, settled.is_open) == (t("12:03"), False)
    assert settled.settled(t("12:09")).finished_at == t("12:03")
    again = settled.with_clips(settled.clips[0].moved(ClipState.DUE))
    assert again.settled(t("12:10")).finished_at is None
    assert again.state is IncidentState.WAITING


def test_one_without_clips_ends_open_so_that_a_storm_of_it_is_one() -> None:
    incident = opened(happening("12:00", unknown=("x",)))
    assert incident.is_open
    assert incident.is_ended


def test_the_cut_counts_from_the_first_alarm() -> None:
    assert opened(happening("12:00", LOBBY, rule=AWAITS)).cut_at == t("12:30")


def turned(incident: Incident) -> str | None:
    return None if incident.turn_at is None else f"{incident.turn_at:%H:%M:%S}"


def test_what_turns_next() -> None:
    gate = replace(GATE, post_roll=s(10))
    incident = opened(happening("12:00", LOBBY, replace(DOOR, post_roll=s(5)), gate))
    assert turned(incident) == "12:00:10"
    due = incident.clips[2].moved(ClipState.DUE)
    assert turned(incident.with_clips(due)) == "12:02:00"
    every = [clip.moved(ClipState.DUE) for clip in incident.clips]
    assert turned(incident.with_clips(*every)) is None


def test_a_cancelled_clip_holds_up_no_other() -> None:
    incident = opened(happening("12:00", LOBBY, replace(DOOR, post_roll=s(5))))
    gone = incident.clips[0].moved(ClipState.CANCELLED)
    incident = incident.with_clips(gone)
    assert turned(incident) == "12:00:05"
    assert ends_of(incident.clips) == {"main": t("12:00:05")}


@pytest.mark.parametrize(
    ("low", "high", "applied", "slack"),
    [
        (-0.1, 13.4, 0, 0.1),  # slow answers prove nothing, or only the least
        (-13.4, 0.1, 0, 13.4),
        (4, 17.5, 4, 0),
        (-17.5, -4, -4, 13.5),
        (-1.0, 1.0, 0, 1),
        (1.5, 2.5, 0, 0),
        (2.5, 3.5, 3, 0.5),
        (-3.5, -2.5, -3, 0.5),
        (-2.4, -1.4, 0, 2.4),
        (2.0, 2.001, 2.0, 0),
    ],
)
def test_small_offsets_are_none_and_slack_waits_for_the_recorder_s_clock(
    low: float, high: float, applied: float, slack: float
) -> None:
    offset = ClockOffset(
        lowest=s(low), highest=s(high), measured_at=t("12:00"), skew_s=0.0
    )
    assert offset.applied == s(applied)
    assert offset.slack == s(slack)
    # the recorder's clock has surely passed the shifted end once we ask
    assert offset.lowest + offset.slack >= offset.applied
    assert offset.applied % timedelta(milliseconds=1) == timedelta(0)
