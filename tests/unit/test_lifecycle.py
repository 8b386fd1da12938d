"""What alarms and time do to incidents, as plays: alarms in, windows out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from evidenced.core.alarms.alarm import Signal, TimeSource
from evidenced.core.errors import Reason
from evidenced.core.exports.answers import reject
from evidenced.core.ids import GroupKey
from evidenced.core.incidents.cutting import MAX_PIECES, advance
from evidenced.core.incidents.happening import Happening, find_agreeing, find_touching
from evidenced.core.incidents.history import Change, Event, entry_of
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.lifecycle import clear, extend, open_incident
from evidenced.core.incidents.operating import cancel
from evidenced.core.incidents.states import ClipState, IncidentState
from fakes.incident import (
    ANNEX,
    AWAITS,
    DOOR,
    GATE,
    LOBBY,
    SETTLES,
    Ids,
    camera,
    check_change,
    clip_of,
    ended,
    happening,
    m,
    moment,
    opened,
    requested,
    rule,
    s,
    states,
    t,
    turn,
    windows,
)


def cleared(at: str, *, now: str | None = None) -> Happening:
    return happening(at, LOBBY, rule=AWAITS, now=now, signal=Signal.CLEAR)


def last(changes: list[Change]) -> Incident:
    for change in changes:
        check_change(change)
    return changes[-1].after


# ---- opening


def test_each_camera_has_the_rolls_of_its_own_or_of_the_rule() -> None:
    own = camera("own", pre_roll=s(5), post_roll=s(10))
    incident = opened(happening("12:00", LOBBY, own))
    assert windows(incident) == {
        "lobby": [("11:59:30", "12:02")],
        "own": [("11:59:55", "12:00:10")],
    }
    assert incident.span == replace(clip_of(incident, LOBBY).window)
    assert incident.turn_at == t("12:02")
    assert not incident.is_active


def test_clips_of_one_recorder_are_due_together_after_its_settle() -> None:
    short = camera("short", post_roll=s(10))
    gate = replace(GATE, post_roll=s(30))
    incident = opened(happening("12:00", LOBBY, short, gate))
    assert [clip.due_at for clip in incident.clips] == [
        t("12:02:15"),
        t("12:02:15"),
        t("12:00:35"),
    ]
    assert [clip.rank for clip in incident.clips] == [
        clip.due_at + m(50) for clip in incident.clips
    ]
    assert incident.turn_at == t("12:00:30")
    assert clip_of(incident, GATE).recorder == ANNEX


def test_an_alarm_that_may_have_waited_is_widened_up_to_max_length() -> None:
    def start(absence: timedelta) -> str:
        when = moment(
            t("12:00"), earliest=t("12:00") - absence, source=TimeSource.RECEIVED
        )
        return windows(opened(happening(when, LOBBY)))["lobby"][0][0]

    assert start(m(10)) == "11:49:30"
    assert start(m(30)) == "11:29:30"
    assert start(timedelta(hours=9)) == "11:29:30"


def test_a_local_time_that_exists_twice_is_covered_twice() -> None:
    """Seen: with max_length 30m only half an hour before the later one was kept."""
    when = moment(t("12:00"), earliest=t("11:00"), source=TimeSource.AMBIGUOUS)
    incident = opened(happening(when, LOBBY))
    assert windows(incident) == {"lobby": [("10:59:30", "12:02")]}


def test_an_alarm_without_known_cameras_is_kept_and_has_failed() -> None:
    change = open_incident(happening("12:00", rule=AWAITS, unknown=("x",)), Ids())
    check_change(change)
    assert change.detail["unknown_cameras"] == ["x"]
    assert change.after.state is IncidentState.FAILED
    assert change.after.reason is Reason.NO_CAMERA
    assert change.after.finished_at == t("12:00")
    assert not change.after.is_active
    assert change.after.turn_at is None
    assert change.after.alert_at is None


def test_a_storm_without_known_cameras_is_one_incident() -> None:
    incident = opened(happening("12:00", unknown=("x",)))
    for n in range(1, 90):
        alarm = happening(t("12:00") + s(20 * n), unknown=("x",))
        assert find_touching([incident], alarm) == incident
        incident = last(extend(incident, alarm, Ids()))
    assert incident.alarms == 90
    assert incident.state is IncidentState.FAILED


def test_an_alarm_with_cameras_does_not_join_one_without() -> None:
    incident = opened(happening("12:00", unknown=("x",)))
    assert find_touching([incident], happening("12:00:01", LOBBY)) is None


# ---- touching


@pytest.mark.parametrize(
    ("at", "is_touched"),
    [
        ("12:02:30", True),  # its pre-roll begins where the window ends
        ("12:02:30.001", False),
        ("11:57:30", True),  # its post-roll ends where the window begins
        ("11:57:29.999", False),
    ],
)
def test_windows_that_share_an_edge_touch(at: str, *, is_touched: bool) -> None:
    incident = opened(happening("12:00", LOBBY))
    assert (find_touching([incident], happening(at, LOBBY)) is not None) == is_touched


def test_an_alarm_joins_the_latest_of_those_that_it_touches() -> None:
    early, late = opened(happening("12:00", LOBBY)), opened(happening("12:03", LOBBY))
    assert find_touching([late, early], happening("12:02", LOBBY)) is late
    assert find_touching([early, late], happening("12:02", LOBBY)) is late


def test_what_was_asked_for_takes_no_more_alarms() -> None:
    asked, _ = requested(ended())
    assert find_touching([asked], happening("12:01", LOBBY)) is None


# ---- extending


def test_an_extension_moves_the_end_and_the_due_moment() -> None:
    incident = opened(happening("12:00", LOBBY))
    changes = extend(incident, happening("12:01", LOBBY), Ids())
    after = last(changes)
    assert [change.event for change in changes] == [Event.EXTENDED]
    assert windows(after) == {"lobby": [("11:59:30", "12:03")]}
    assert after.clips[0].due_at == t("12:03:15")
    assert after.clips[0].rank == t("12:53:15")
    assert after.alarms == 2
    assert after.last_at == t("12:01")
    assert (after.opened_at, after.first_at) == (t("12:00"), t("12:00"))
    assert changes[0].detail["end"] == "2026-11-23T12:03:00.000Z"


def test_the_same_alarm_again_changes_no_window() -> None:
    incident = opened(happening("12:00", LOBBY))
    changes = extend(incident, happening("12:00", LOBBY), Ids())
    assert last(changes).clips == incident.clips
    assert "end" not in changes[0].detail


def test_a_late_alarm_moves_the_start() -> None:
    incident = opened(happening("12:00", LOBBY))
    after = last(extend(incident, happening("11:59", LOBBY), Ids()))
    assert windows(after) == {"lobby": [("11:58:30", "12:02")]}
    assert after.opened_at == t("12:00")
    assert after.last_at == t("12:00")


def test_windows_of_one_camera_that_do_not_touch_are_two_clips_until_bridged() -> None:
    long = camera("long", post_roll=m(20))
    incident = opened(happening("12:00", LOBBY, long))
    apart = last(extend(incident, happening("12:04", LOBBY), Ids()))
    assert windows(apart)["lobby"] == [("11:59:30", "12:02"), ("12:03:30", "12:06")]
    assert [clip.n for clip in apart.clips] == [1, 2, 3]
    wide = last(extend(apart, happening("12:02:10", LOBBY), Ids()))
    assert windows(wide)["lobby"] == [("11:59:30", "12:06")]


def test_merged_clips_are_told() -> None:
    incident = opened(happening("12:00", LOBBY, camera("long", post_roll=m(20))))
    incident = extend(incident, happening("12:04", LOBBY), Ids())[-1].after
    change = extend(incident, happening("12:02:10", LOBBY), Ids())[-1]
    entry = entry_of(change, t("12:10"))
    assert entry is not None
    assert entry.detail["clips"] == {
        "1": {"camera": "lobby", "from": "recording", "to": "merged"}
    }


def test_a_clip_that_had_ended_records_again_when_extended() -> None:
    incident = ended()
    assert states(incident) == ["due"]
    after = last(extend(incident, happening("12:02:10", LOBBY), Ids()))
    assert states(after) == ["recording"]
    assert after.clips[0].due_at == t("12:04:25")
    assert after.turn_at == t("12:04:10")


def test_an_alarm_from_the_past_leaves_what_had_ended_due() -> None:
    incident = ended()
    after = last(extend(incident, happening("11:59", LOBBY, now="12:03"), Ids()))
    assert states(after) == ["due"]


def test_a_camera_that_nobody_knows_is_told_and_the_others_go_on() -> None:
    incident = opened(happening("12:00", LOBBY))
    change = extend(incident, happening("12:01", DOOR, unknown=("x",)), Ids())[-1]
    assert change.detail["unknown_cameras"] == ["x"]
    assert set(windows(change.after)) == {"lobby", "door"}


def test_a_rejected_clip_takes_no_new_window() -> None:
    """Seen: footage of a new alarm went into a clip that would never be asked for."""
    start = opened(happening("12:00", LOBBY, replace(GATE, post_roll=m(10))))
    some = last(turn(start, t("12:02"), SETTLES, Ids()))
    bad = reject(some, some.clips[:1], Reason.BAD_PATH, "no path", t("12:02"))
    incident = bad.after
    assert states(incident) == ["rejected", "recording"]
    after = last(extend(incident, happening("12:01", LOBBY, GATE), Ids()))
    assert windows(after)["lobby"] == [("11:59:30", "12:02"), ("12:00:30", "12:03")]
    assert [clip.state for clip in after.clips if clip.camera == "lobby"] == [
        ClipState.REJECTED,
        ClipState.RECORDING,
    ]


# ---- awaiting a clear


def test_windows_stay_open_to_the_cut_until_cleared() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    assert incident.is_active
    assert windows(incident) == {"lobby": [("11:59:30", "12:30")]}
    assert incident.turn_at == t("12:30")
    assert turn(incident, t("12:29:59.999"), SETTLES, Ids()) == []
    changes = clear(incident, cleared("12:10"), Ids())
    after = last(changes)
    assert [change.event for change in changes] == [Event.CLEARED]
    assert windows(after) == {"lobby": [("11:59:30", "12:12")]}
    assert after.clips[0].due_at == t("12:12:15")
    assert not after.is_active
    assert after.alarms == 2


def test_each_camera_has_its_own_post_roll_after_the_clear() -> None:
    own = camera("own", post_roll=s(10))
    incident = opened(happening("12:00", LOBBY, own, rule=AWAITS))
    after = last(clear(incident, cleared("12:10"), Ids()))
    assert windows(after) == {
        "lobby": [("11:59:30", "12:12")],
        "own": [("11:59:30", "12:10:10")],
    }


def test_a_clear_older_than_the_last_alarm_ends_at_the_alarm() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    more = last(extend(incident, happening("12:05", LOBBY, rule=AWAITS), Ids()))
    after = last(clear(more, cleared("12:03"), Ids()))
    assert windows(after) == {"lobby": [("11:59:30", "12:07")]}


def test_a_clear_ends_what_was_received_before_it_whatever_it_says() -> None:
    """Two clocks may tell the times: a gateway's was 30 s ahead, and nothing ended."""
    incident = opened(happening("12:00:30", LOBBY, rule=AWAITS))
    assert find_agreeing([incident], cleared("12:00:20")) == [incident]


def test_a_clear_ends_all_that_await_one_and_agree_with_it() -> None:
    early, late, other = (
        replace(
            opened(happening(at, LOBBY, rule=AWAITS)),
            fields={"zone": zone},
            key=GroupKey(zone),
        )
        for at, zone in (("12:00", "a"), ("12:05", "a"), ("12:00", "b"))
    )
    plain = opened(happening("12:00", LOBBY))
    listed, over = [early, late, other, plain], cleared("12:06")

    def ended(**group: str) -> list[Incident]:
        reading = replace(over.reading, key=GroupKey("?"), group=group)
        return find_agreeing(listed, replace(over, reading=reading))

    assert ended(zone="a") == [early, late]
    assert ended() == [early, late, other]
    assert ended(zone="c") == []


def test_an_alarm_after_the_clear_waits_for_the_next_clear() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    over = last(clear(incident, cleared("12:05"), Ids()))
    again = last(extend(over, happening("12:06", LOBBY, rule=AWAITS), Ids()))
    assert again.is_active
    assert windows(again) == {"lobby": [("11:59:30", "12:30")]}
    after = last(clear(again, cleared("12:08"), Ids()))
    assert windows(after) == {"lobby": [("11:59:30", "12:10")]}


def test_while_a_clear_is_awaited_nothing_is_asked_for() -> None:
    """Seen: the other recorder's clip stayed due, was asked for, and that closed the
    incident; the clear then moved the window of a clip that had been exported."""
    start = opened(happening("12:00", LOBBY, GATE, rule=AWAITS))
    over = last(clear(start, cleared("12:01"), Ids()))
    done = last(turn(over, t("12:03"), SETTLES, Ids()))
    assert states(done) == ["due", "due"]
    again = last(extend(done, happening("12:03:10", LOBBY, rule=AWAITS), Ids()))
    assert states(again) == ["recording", "recording"]
    assert turn(again, t("12:29"), SETTLES, Ids()) == []


def test_only_windows_that_await_the_clear_are_ended_by_it() -> None:
    """Seen: an earlier window of the same camera was stretched over the whole."""
    long = camera("long", post_roll=m(10))
    start = opened(happening("12:00", LOBBY, long, rule=AWAITS))
    over = last(clear(start, cleared("12:01"), Ids()))
    again = last(extend(over, happening("12:10", LOBBY, rule=AWAITS), Ids()))
    after = last(clear(again, cleared("12:15"), Ids()))
    assert windows(after) == {
        "lobby": [("11:59:30", "12:03"), ("12:09:30", "12:17")],
        "long": [("11:59:30", "12:11")],
    }


def test_only_cameras_that_await_the_clear_go_on_after_the_cut() -> None:
    """Seen: a camera with two windows was recorded, and asked for, twice."""
    long = camera("long", post_roll=m(10))
    start = opened(happening("12:00", LOBBY, long, rule=AWAITS))
    over = last(clear(start, cleared("12:01"), Ids()))
    again = last(extend(over, happening("12:10", LOBBY, rule=AWAITS), Ids()))
    first, second = turn(again, t("12:30"), SETTLES, Ids())
    assert windows(first.after)["lobby"] == [
        ("11:59:30", "12:03"),
        ("12:09:30", "12:30"),
    ]
    assert windows(second.after) == {"lobby": [("12:30", "13:00")]}


def test_a_camera_goes_on_once_however_many_windows_reach_the_cut() -> None:
    """Seen where a post-roll is longer than max_length: it was exported twice."""
    long, longer = camera("a", post_roll=m(60)), camera("b", post_roll=m(100))
    incident = opened(happening("12:00", long, longer, rule=AWAITS))
    incident = last(clear(incident, cleared("12:10"), Ids()))
    again = happening("13:20", long, rule=AWAITS)
    assert find_touching([incident], again) is incident
    piece = last(extend(incident, again, Ids()))
    assert windows(piece)["a"] == [("12:30", "13:10"), ("13:19:30", "13:50")]
    for change in turn(piece, t("13:20"), SETTLES, Ids()):
        check_change(change)
    assert windows(change.after)["a"] == [("13:00", "13:30")]


def test_an_alarm_by_hand_joins_one_that_awaits_its_clear() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    by_hand = happening("12:01", DOOR, rule=AWAITS.without_clear())
    after = last(extend(incident, by_hand, Ids()))
    assert after.is_active
    assert windows(after) == {
        "lobby": [("11:59:30", "12:30")],
        "door": [("12:00:30", "12:30")],
    }


def test_an_alarm_by_hand_does_not_wait_for_a_clear() -> None:
    by_hand = happening("12:00", LOBBY, rule=AWAITS.without_clear())
    assert not opened(by_hand).is_active


def test_an_alarm_without_known_cameras_revives_nothing() -> None:
    """Seen: it waited for a clear with no window to end, and was cut for ever."""
    start = opened(happening("12:00", LOBBY, rule=AWAITS))
    over = last(clear(start, cleared("12:05"), Ids()))
    alarm = happening("12:06", rule=AWAITS, unknown=("x",))
    assert find_touching([over], alarm) is over
    after = last(extend(over, alarm, Ids()))
    assert not after.is_active
    assert windows(after) == windows(over)
    assert after.alarms == over.alarms + 1


# ---- cuts


def test_time_cuts_what_awaits_its_clear() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    changes = turn(incident, t("12:30"), SETTLES, Ids())
    after = last(changes)
    assert [change.event for change in changes] == [Event.ENDED, Event.CONTINUED]
    first = changes[0].after
    assert windows(first) == {"lobby": [("11:59:30", "12:30")]}
    assert states(first) == ["due"]
    assert not first.is_active
    assert changes[0].detail["goes_on_as"] == after.id
    assert windows(after) == {"lobby": [("12:30", "13:00")]}
    assert after.continues == incident.id
    assert after.is_active
    assert after.alarms == 0
    assert (after.opened_at, after.first_at) == (t("12:30"), t("12:30"))


def test_what_no_rule_can_clear_any_more_ends_at_its_cut() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    assert turn(incident, t("12:29:59"), SETTLES, Ids(), may_go_on=False) == []
    changes = turn(incident, t("12:30"), SETTLES, Ids(), may_go_on=False)
    after = last(changes)
    assert [change.event for change in changes] == [Event.ENDED]
    assert windows(after) == {"lobby": [("11:59:30", "12:30")]}
    assert states(after) == ["due"]
    assert not after.is_active


def test_the_last_cut_leaves_no_alarm_without_its_post_roll() -> None:
    """A reload renamed its group, and a few seconds after the alarm came the cut."""
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    changes = extend(incident, happening("12:29:50", LOBBY, rule=AWAITS), Ids())
    changes = turn(last(changes), t("12:30"), SETTLES, Ids(), may_go_on=False)
    first, after = changes[0].after, changes[-1].after
    assert [change.event for change in changes] == [Event.ENDED, Event.CONTINUED]
    assert windows(first) == {"lobby": [("11:59:30", "12:30")]}
    assert windows(after) == {"lobby": [("12:30", "12:31:50")]}
    assert "no rule would find it" in changes[-1].detail["why"]
    assert not after.is_active
    over = turn(after, t("12:31:50"), SETTLES, Ids(), may_go_on=False)
    assert [change.event for change in over] == [Event.ENDED]
    assert states(over[-1].after) == ["due"]


def test_a_long_absence_is_cut_as_often_as_needed() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    changes = turn(incident, t("14:10"), SETTLES, Ids())
    last(changes)
    pieces = [change.after for change in changes if change.event is Event.ENDED]
    assert [windows(piece)["lobby"][0] for piece in [*pieces, changes[-1].after]] == [
        ("11:59:30", "12:30"),
        ("12:30", "13:00"),
        ("13:00", "13:30"),
        ("13:30", "14:00"),
        ("14:00", "14:30"),
    ]
    assert all(states(piece) == ["due"] for piece in pieces)


def test_one_turn_cuts_a_bounded_number_of_pieces() -> None:
    short = rule(clear=True, max_length=s(1))
    incident = opened(happening("12:00", LOBBY, rule=short))
    changes = turn(incident, t("18:00"), SETTLES, Ids())
    assert len(changes) == 2 * MAX_PIECES
    assert changes[-1].after.turn_at == t("12:00") + s(MAX_PIECES + 1)


def test_the_last_piece_ends_at_clear_and_post_roll() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    changes = clear(incident, cleared("12:40"), Ids())
    after = last(changes)
    assert [change.event for change in changes] == [
        Event.ENDED,
        Event.CONTINUED,
        Event.CLEARED,
    ]
    assert windows(changes[0].after) == {"lobby": [("11:59:30", "12:30")]}
    assert windows(after) == {"lobby": [("12:30", "12:42")]}
    assert after.alarms == 1


def test_a_clear_at_the_cut_leaves_the_post_roll_to_the_next_piece() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    changes = clear(incident, cleared("12:30"), Ids())
    assert windows(changes[0].after) == {"lobby": [("11:59:30", "12:30")]}
    assert windows(last(changes)) == {"lobby": [("12:30", "12:32")]}


def test_a_late_clear_leaves_nothing_of_a_piece_that_began_after_it() -> None:
    """Seen: the cut itself counted as an alarm, and its post-roll was kept."""
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    piece = last(turn(incident, t("12:40"), SETTLES, Ids()))
    after = last(clear(piece, cleared("12:20", now="12:40"), Ids()))
    assert states(after) == ["cancelled"]
    assert after.state is IncidentState.CANCELLED
    assert after.finished_at == t("12:40")
    assert not after.is_open


def test_a_late_clear_from_just_before_the_cut_keeps_its_post_roll() -> None:
    short = camera("short", post_roll=s(10))
    incident = opened(happening("12:00", LOBBY, short, rule=AWAITS))
    piece = last(turn(incident, t("12:30"), SETTLES, Ids()))
    over = last(clear(piece, cleared("12:29", now="12:30:20"), Ids()))
    assert windows(over) == {
        "lobby": [("12:30", "12:31")],
        "short": [("12:30", "12:30")],
    }
    assert states(over) == ["recording", "cancelled"]
    again = happening("12:30:40", LOBBY, short, rule=AWAITS)
    after = last(extend(over, again, Ids()))
    assert windows(after) == {
        "lobby": [("12:30", "13:00")],
        "short": [("12:30", "12:30"), ("12:30:10", "13:00")],
    }
    assert states(after) == ["recording", "cancelled", "recording"]
    finished = last(clear(after, cleared("12:35"), Ids()))
    assert states(finished) == ["recording", "cancelled", "recording"]
    assert windows(finished)["short"][0] == ("12:30", "12:30")


def test_an_alarm_past_the_cut_belongs_to_the_next_piece() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    changes = extend(incident, happening("12:30:10", LOBBY, DOOR, rule=AWAITS), Ids())
    after = last(changes)
    assert windows(after) == {
        "lobby": [("12:30", "13:00")],
        "door": [("12:29:40", "13:00")],  # it did not go on: it has its pre-roll
    }
    assert after.alarms == 1
    assert after.last_at == t("12:30:10")


def test_repeated_alarms_without_a_clear_are_cut_without_gap_or_overlap() -> None:
    incident = opened(happening("12:00", LOBBY))
    for minute in range(1, 30):
        changes = extend(incident, happening(f"12:{minute:02}", LOBBY), Ids())
        assert len(changes) == 1
        incident = last(changes)
    assert windows(incident) == {"lobby": [("11:59:30", "12:31")]}
    changes = extend(incident, happening("12:30:30", LOBBY), Ids())
    after = last(changes)
    assert [change.event for change in changes] == [Event.ENDED, Event.CONTINUED]
    assert windows(changes[0].after) == {"lobby": [("11:59:30", "12:30")]}
    assert windows(after) == {"lobby": [("12:30", "12:32:30")]}
    assert after.alarms == 1
    assert after.continues == incident.id


def test_the_pre_roll_of_the_alarm_that_cuts_is_kept_before_the_cut() -> None:
    """Seen: a window that had ended before the cut left a gap up to it."""
    own = camera("own", pre_roll=s(90))
    incident = opened(happening("12:00", own))
    incident = last(extend(incident, happening("12:02", own), Ids()))
    for at in ("12:05", "12:08", "12:11", "12:14", "12:17", "12:20", "12:23", "12:26"):
        incident = last(extend(incident, happening(at, own), Ids()))
    incident = last(extend(incident, happening("12:27", own), Ids()))
    incident = last(turn(incident, t("12:29"), SETTLES, Ids()))
    changes = extend(incident, happening("12:30:10", own), Ids())
    assert windows(changes[0].after) == {"own": [("11:58:30", "12:30")]}
    assert windows(last(changes)) == {"own": [("12:30", "12:32:10")]}


def test_a_new_camera_of_the_alarm_that_cuts_is_in_both_pieces() -> None:
    incident = opened(happening("12:00", LOBBY))
    for minute in range(2, 30, 2):
        alarm = happening(f"12:{minute:02}", LOBBY)
        incident = last(extend(incident, alarm, Ids()))
    changes = extend(incident, happening("12:30:10", DOOR), Ids())
    assert windows(changes[0].after)["door"] == [("12:29:40", "12:30")]
    assert windows(last(changes)) == {"door": [("12:30", "12:32:10")]}


@pytest.mark.parametrize("which", [rule(), AWAITS])
def test_an_alarm_exactly_at_the_cut_begins_the_next_piece(which: object) -> None:
    """Seen: without pre-roll its window was empty, and the alarm was lost."""
    own = rule(clear=which is AWAITS, pre_roll=timedelta(0))
    incident = opened(happening("12:00", LOBBY, rule=own))
    if own.clear:
        incident = last(clear(incident, cleared("12:29"), Ids()))
    else:
        for minute in range(2, 30, 2):
            alarm = happening(f"12:{minute:02}", LOBBY, rule=own)
            incident = last(extend(incident, alarm, Ids()))
    changes = extend(incident, happening("12:30", LOBBY, rule=own), Ids())
    after = last(changes)
    assert after.first_at == t("12:30")
    assert windows(changes[0].after) == {"lobby": [("12:00", "12:30")]}
    end = "13:00" if own.clear else "12:32"
    assert windows(after) == {"lobby": [("12:30", end)]}


NO_ROLLS = rule(pre_roll=timedelta(0), post_roll=timedelta(0))
ENDS_AT_ONCE = rule(clear=True, pre_roll=timedelta(0), post_roll=timedelta(0))


def test_rolls_of_nothing_leave_a_window_that_has_the_alarm_in_it() -> None:
    """Seen: it ended where it began, the recorder refused it, and the alarm failed."""
    change = open_incident(happening("12:00", LOBBY, GATE, rule=NO_ROLLS), Ids())
    assert windows(change.after) == {
        "lobby": [("12:00", "12:00:01")],
        "gate": [("12:00", "12:00:01")],
    }
    assert change.detail["short"] == ["lobby", "gate"]
    more = extend(change.after, happening("12:00:01", LOBBY, rule=NO_ROLLS), Ids())[-1]
    assert windows(more.after)["lobby"] == [("12:00", "12:00:02")]
    assert more.detail["short"] == ["lobby"]


@pytest.mark.parametrize("over", ["12:00", "12:00:00.005", "11:59"])
def test_an_alarm_that_is_over_at_once_keeps_its_instant(over: str) -> None:
    """Seen: nothing to export was left of it, and it ended as if nobody wanted it."""
    incident = opened(happening("12:00", LOBBY, rule=ENDS_AT_ONCE))
    over_at = happening(over, rule=ENDS_AT_ONCE, now="12:01", signal=Signal.CLEAR)
    change = clear(incident, over_at, Ids())[-1]
    assert windows(change.after) == {"lobby": [("12:00", "12:00:01")]}
    assert change.detail["short"] == ["lobby"]
    assert [clip.is_void for clip in change.after.clips] == [False]


@pytest.mark.parametrize("on", [True, False])
def test_what_is_over_as_its_piece_begins_is_void_unless_an_alarm_came_then(
    *, on: bool
) -> None:
    incident = opened(happening("12:00", LOBBY, rule=ENDS_AT_ONCE))
    if on:
        again = happening("12:30", LOBBY, rule=ENDS_AT_ONCE)
        incident = last(extend(incident, again, Ids()))
    over = happening("12:30", rule=ENDS_AT_ONCE, signal=Signal.CLEAR)
    change = clear(incident, over, Ids())[-1]
    [clip] = change.after.clips
    assert clip.is_void is not on
    assert change.detail.get("short") == (["lobby"] if on else None)
    assert change.after.first_at == t("12:30")


def test_a_window_that_ends_at_the_cut_begins_no_piece() -> None:
    """Seen: a next piece without any clip, and the alarm's instant in none of it."""
    own = rule(post_roll=timedelta(0), max_length=m(2))
    incident = opened(happening("12:00", LOBBY, rule=own))
    for at in ("12:00:30", "12:01", "12:01:30", "12:02"):
        changes = extend(incident, happening(at, LOBBY, rule=own), Ids())
        incident = last(changes)
    assert [change.event for change in changes] == [Event.EXTENDED]
    assert windows(incident) == {"lobby": [("11:59:30", "12:02")]}


def test_the_rest_of_a_window_beyond_the_cut_is_no_shorter_than_the_least() -> None:
    own = rule(post_roll=timedelta(milliseconds=3), max_length=m(2))
    incident = opened(happening("12:00", LOBBY, rule=own))
    for at in ("12:00:30", "12:01", "12:01:30", "12:02"):
        changes = extend(incident, happening(at, LOBBY, rule=own), Ids())
        incident = last(changes)
    assert windows(incident) == {"lobby": [("12:02", "12:02:01")]}


def test_an_alarm_past_the_cut_without_known_cameras_cuts_nothing() -> None:
    """Seen: a piece without clips that had failed and not finished: no store took it,
    and every alarm behind it waited for ever."""
    incident = opened(happening("12:00", LOBBY))
    incident = last(extend(incident, happening("12:02", LOBBY), Ids()))
    late = replace(incident, first_at=t("11:34"))  # as if it had begun then
    changes = extend(late, happening("12:04:20", unknown=("x",)), Ids())
    assert [change.event for change in changes] == [Event.EXTENDED]
    assert windows(last(changes)) == windows(incident)


def test_a_camera_that_joins_a_later_piece_has_its_pre_roll() -> None:
    """Seen: it was cut off at the start of the piece, though nothing else had it."""
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    piece = last(turn(incident, t("12:30"), SETTLES, Ids()))
    after = last(extend(piece, happening("12:30:05", DOOR, rule=AWAITS), Ids()))
    assert windows(after)["door"] == [("12:29:35", "13:00")]


def test_a_late_alarm_in_a_later_piece_begins_at_the_cut() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    piece = last(turn(incident, t("12:30"), SETTLES, Ids()))
    late = happening("12:29:50", LOBBY, rule=AWAITS.without_clear(), now="12:30:05")
    after = last(extend(piece, late, Ids()))
    assert windows(after) == {"lobby": [("12:30", "13:00")]}


def test_a_late_alarm_is_covered_though_it_lies_before_the_piece() -> None:
    """Seen: it was left to the earlier piece, which had nothing of it."""
    long = camera("long", post_roll=m(10))
    incident = opened(happening("12:00", LOBBY, long))
    changes = extend(incident, happening("12:30:00", LOBBY, long), Ids())
    piece = last(changes)
    after = last(extend(piece, happening("12:27", LOBBY, long), Ids()))
    assert windows(after) == {
        "lobby": [("12:30", "12:32"), ("12:26:30", "12:29")],
        "long": [("12:26:30", "12:40")],
    }


def test_a_late_alarm_of_a_camera_that_joined_after_the_cut_is_covered() -> None:
    """Seen: 12:29:20 was in no window, for the camera's clip began before the cut."""
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    piece = last(turn(incident, t("12:30"), SETTLES, Ids()))
    piece = last(extend(piece, happening("12:30:10", DOOR, rule=AWAITS), Ids()))
    late = happening("12:29:20", DOOR, rule=AWAITS, now="12:30:20")
    after = last(extend(piece, late, Ids()))
    assert windows(after)["door"] == [("12:28:50", "13:00")]


def test_an_alarm_older_than_the_latest_known_may_have_footage_twice() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    piece = last(turn(incident, t("12:30"), SETTLES, Ids()))
    piece = last(extend(piece, happening("12:30:30", LOBBY, rule=AWAITS), Ids()))
    assert windows(piece) == {"lobby": [("12:30", "13:00")]}
    late = happening("12:30:10", LOBBY, rule=AWAITS, now="12:30:40")
    after = last(extend(piece, late, Ids()))
    assert windows(after) == {"lobby": [("12:29:40", "13:00")]}


def test_a_piece_that_a_late_clear_leaves_empty_was_silenced_by_nobody() -> None:
    """Seen: it was called silenced, in the history too."""
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    piece = last(turn(incident, t("12:30"), SETTLES, Ids()))
    after = last(clear(piece, cleared("12:01"), Ids()))
    [clip] = after.clips
    assert (after.state, after.reason) == (IncidentState.CANCELLED, None)
    assert clip.message == "the alarm was over before this piece began"
    assert not clip.can_be_asked_again


def test_a_piece_that_was_cut_takes_no_more_alarms() -> None:
    """Seen: a late one woke it, its clear shortened it, and it went on twice."""
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    first, _ = turn(incident, t("12:30"), SETTLES, Ids())
    assert not first.after.is_open
    late = happening("11:59:50", LOBBY, rule=AWAITS, now="12:30:05")
    assert find_touching([first.after], late) is None


def test_no_number_of_a_clip_is_given_twice() -> None:
    """Seen: two cameras under one number, after a merge had taken the highest away."""
    wide = camera("lobby", pre_roll=m(6))
    incident = opened(happening("12:00", LOBBY, DOOR))
    seen: dict[int, str] = {}
    for alarm in (
        happening("12:05", LOBBY),
        happening("12:05:05", wide),
        happening("12:05:06", GATE),
    ):
        incident = last(extend(incident, alarm, Ids()))
        for clip in incident.clips:
            assert seen.setdefault(clip.n, clip.camera) == clip.camera


# ---- ending


def test_windows_end_and_clips_are_due_by_recorder() -> None:
    gate = replace(GATE, post_roll=s(30))
    incident = opened(happening("12:00", LOBBY, gate))
    assert turn(incident, t("12:00:29.999"), SETTLES, Ids()) == []
    some = last(turn(incident, t("12:00:30"), SETTLES, Ids()))
    assert states(some) == ["recording", "due"]
    assert some.state is IncidentState.RECORDING
    assert some.turn_at == t("12:02")
    every = last(turn(some, t("12:02"), SETTLES, Ids()))
    assert states(every) == ["due", "due"]
    assert every.state is IncidentState.WAITING
    assert every.turn_at is None
    assert turn(every, t("13:00"), SETTLES, Ids()) == []


def test_a_recorder_s_shorter_window_waits_for_its_longer_one() -> None:
    short = camera("short", post_roll=s(10))
    incident = opened(happening("12:00", LOBBY, short))
    assert turn(incident, t("12:01:59"), SETTLES, Ids()) == []
    assert states(last(turn(incident, t("12:02"), SETTLES, Ids()))) == ["due", "due"]


def test_a_cancelled_incident_does_not_turn() -> None:
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    gone = cancel(incident, "op", t("12:01")).after
    assert gone.turn_at is None
    assert advance(gone, t("15:00"), SETTLES, t("15:00"), Ids()) == []
