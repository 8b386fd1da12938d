"""Footage that a person asks for, and what it must not do to what alarms asked for."""

from dataclasses import replace

import pytest

from evidenced.core.errors import BadInput, NotFound, Reason, Refused
from evidenced.core.incidents.byhand import (
    BY_HAND_RULE,
    FootageOrder,
    Hand,
    MoreOrder,
    add,
    comment,
    find_cameras,
    save,
)
from evidenced.core.incidents.history import Change, Event, Replay, entry_of
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState, IncidentState
from evidenced.core.instants import SECOND
from fakes.incident import (
    AWAITS,
    DOOR,
    GATE,
    LOBBY,
    PLAIN,
    SETTLES,
    Ids,
    check_change,
    clip_of,
    ended,
    happening,
    m,
    opened,
    requested,
    s,
    states,
    t,
    turn,
    windows,
)

KNOWN = {camera.name: camera for camera in (LOBBY, DOOR, GATE)}


def hand(now: str = "13:00") -> Hand:
    return Hand(who="ann", now=t(now), settles=SETTLES)


def order(start: str = "12:00", end: str = "12:10", why: str = "a van") -> FootageOrder:
    return FootageOrder(
        cameras=("lobby", "gate"), start=t(start), end=t(end), comment=why
    )


def of_year(year: int) -> FootageOrder:
    start = t("12:00").replace(year=year)
    return FootageOrder(
        cameras=("lobby",), start=start, end=start + 9 * SECOND, comment="a slip"
    )


def saved(wanted: FootageOrder, now: str = "13:00") -> Change:
    cameras = find_cameras(wanted.cameras, KNOWN)
    return save(wanted, cameras, PLAIN.terms, hand(now), Ids())


def added(incident: Incident, now: str = "13:00", **said: object) -> Change:
    more = MoreOrder(**said)  # type: ignore[arg-type]
    cameras = find_cameras(more.cameras, KNOWN) if more.cameras else ()
    change = add(incident, more, cameras, hand(now))
    check_change(change)
    return change


def test_footage_by_hand_has_exactly_its_windows_and_waits_its_turn() -> None:
    change = saved(order())
    check_change(change)
    made = change.after
    assert (made.rule, made.state) == (BY_HAND_RULE, IncidentState.WAITING)
    assert windows(made) == {
        "lobby": [("12:00", "12:10")],
        "gate": [("12:00", "12:10")],
    }
    assert {clip.due_at for clip in made.clips} == {t("13:00")}
    assert made.first_due(made.clips[0]) == t("13:00")
    assert made.fields == {"comment": "a van"}
    assert not made.is_open
    entry = entry_of(change, t("13:00"))
    assert entry is not None
    assert (entry.detail["by"], entry.detail["comment"]) == ("ann", "a van")


def test_an_end_that_is_to_come_is_saved_when_it_has_come() -> None:
    made = saved(order(end="13:05")).after
    assert states(made) == ["recording", "recording"]
    assert made.turn_at == t("13:05")
    [over] = turn(made, t("13:05"), SETTLES, Ids())
    assert states(over.after) == ["due", "due"]
    assert clip_of(over.after, LOBBY).due_at == t("13:05:15")


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (order(start="13:00:01", end="13:10"), "begins in the future"),
        (of_year(1), "begins before 2000"),
        (of_year(1999), "begins before 2000"),
        (order(start="12:10", end="12:10"), "end is not after its begin"),
        (order(end="11:59"), "end is not after its begin"),
        (order(start="00:00", end="12:01"), "12 h are possible at once"),
        (order(why=" "), "say why"),
        (order(why="x" * 201), "1 to 200 characters"),
        (order(why="a\nb"), "on one line"),
    ],
)
def test_what_cannot_be_saved_says_why(wanted: FootageOrder, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        saved(wanted)


def test_cameras_are_found_by_name_or_label_once_each() -> None:
    assert find_cameras(["LOBBY", "Lobby", " gate "], KNOWN) == (LOBBY, GATE)
    with pytest.raises(NotFound, match=r"no camera 'loby'; did you mean .lobby.\?"):
        find_cameras(["loby"], KNOWN)
    with pytest.raises(BadInput, match="no camera is named"):
        find_cameras([], KNOWN)


def test_while_alarms_may_change_it_its_windows_grow() -> None:
    change = added(ended(LOBBY, GATE), "12:02:10", until=t("12:20"))
    after = change.after
    assert windows(after) == {
        "lobby": [("11:59:30", "12:20")],
        "gate": [("11:59:30", "12:20")],
    }
    assert states(after) == ["recording", "recording"]
    assert clip_of(after, LOBBY).due_at == t("12:20:15")
    assert change.detail["until"] == "2026-11-23T12:20:00.000Z"


def test_what_was_asked_for_stays_and_gets_a_clip_besides() -> None:
    asked, _ = requested(ended(LOBBY))
    after = added(asked, "12:02:30", until=t("12:20")).after
    assert windows(after) == {"lobby": [("11:59:30", "12:02"), ("12:02", "12:20")]}
    assert states(after) == ["requested", "recording"]
    again = added(after, "12:03", until=t("12:25")).after
    assert windows(again)["lobby"][1] == ("12:02", "12:25")
    [over] = turn(again, t("12:25"), SETTLES, Ids())
    assert states(over.after) == ["requested", "due"]


def test_an_incident_that_has_ended_goes_on() -> None:
    [clip] = ended(LOBBY).clips
    lost = replace(clip, state=ClipState.MISSING, reason=Reason.NO_VIDEO)
    over = replace(ended(LOBBY), clips=(lost,), is_open=False).settled(t("12:30"))
    assert over.finished_at is not None
    after = added(over, until=t("12:10"), cameras=("gate",)).after
    assert windows(after) == {
        "lobby": [("11:59:30", "12:02"), ("12:02", "12:10")],
        "gate": [("11:59:30", "12:10")],
    }
    assert after.state is IncidentState.WAITING
    assert clip_of(after, GATE).due_at == t("13:00")
    assert added(over, cameras=("Gate",)).after.reason is None


def test_other_cameras_of_one_that_goes_on_end_with_its_alarm() -> None:
    goes_on = opened(happening("12:00", LOBBY, rule=AWAITS))
    after = added(goes_on, "12:01", cameras=("gate",)).after
    assert windows(after)["gate"] == [("11:59:30", "12:30")]
    with pytest.raises(Refused, match="until its alarm is cleared"):
        added(goes_on, "12:01", until=t("12:10"))


def test_what_it_has_already_is_refused() -> None:
    incident = ended(LOBBY)
    with pytest.raises(Refused, match="Lobby is one of its cameras already"):
        added(incident, cameras=("lobby",))
    with pytest.raises(Refused, match="until then already"):
        added(incident, until=incident.span.end)
    with pytest.raises(Refused, match="in parts"):
        added(incident, until=incident.span.end + m(60 * 12))
    with pytest.raises(BadInput, match="until when, or of which"):
        added(incident)
    bare = opened(happening("12:00"))
    with pytest.raises(Refused, match="save the footage by hand"):
        added(bare, cameras=("gate",))


def test_a_camera_that_goes_on_long_enough_stays_as_it_is() -> None:
    long = replace(LOBBY, post_roll=m(20))
    after = added(ended(long, GATE), "12:21", until=t("12:10")).after
    assert windows(after) == {
        "lobby": [("11:59:30", "12:20")],
        "gate": [("11:59:30", "12:10")],
    }
    assert after.clips[1].due_at == t("12:10") + s(5)


def test_a_comment_changes_nothing_else_and_is_in_the_chain() -> None:
    incident = ended(LOBBY)
    change = comment(incident, " seen by the guard ", hand())
    assert change.after == incident
    entry = entry_of(change, t("13:00"))
    assert entry is not None
    assert entry.event == Event.COMMENTED
    assert entry.detail == {"by": "ann", "comment": "seen by the guard"}
    with pytest.raises(BadInput, match="say why in a comment"):
        comment(incident, "", hand())


def test_the_entries_alone_say_what_it_came_to() -> None:
    first = saved(order())
    second = added(first.after, until=t("12:30"), cameras=("door",))
    replay = Replay()
    for change in (first, second):
        entry = entry_of(change, t("13:00"))
        assert entry is not None
        replay.read(entry.detail)
    assert replay.clips == {clip.n: clip.state for clip in second.after.clips}
