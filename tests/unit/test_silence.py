"""What a silence does to alarms; who may make one, and what it withholds."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from evidenced.core.alarms.alarm import TimeSource
from evidenced.core.alarms.rules import Rule
from evidenced.core.camera import Camera, Roster
from evidenced.core.errors import BadInput, Refused
from evidenced.core.ids import SilenceId
from evidenced.core.incidents.happening import Happening
from evidenced.core.incidents.silence import (
    LONGEST,
    Silence,
    SilenceOrder,
    Silences,
    Subject,
    begin,
    end,
    labelled,
)
from evidenced.core.incidents.withheld import Withheld
from fakes.incident import (
    AWAITS,
    DOOR,
    LOBBY,
    PLAIN,
    happening,
    m,
    moment,
    s,
    t,
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
) -> tuple[Happening, Withheld | None]:
    return Silences(silences).part(each, topic, at)


def names(cameras: Iterable[Camera]) -> list[str]:
    return [camera.name for camera in cameras]


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
    heard, held = under(happening("12:00", LOBBY, DOOR), silence(subject, name))
    assert sorted(held.cameras if held else ()) == silenced
    assert sorted([*names(heard.cameras), *silenced]) == ["door", "lobby"]
    assert ("silenced" in heard.trigger) == bool(silenced)


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
    heard, _ = under(old, silence(), at=at)
    assert bool(heard.cameras) is not is_silenced


@pytest.mark.parametrize("source", [TimeSource.OPERATOR, TimeSource.SILENCE])
def test_what_somebody_asks_for_or_what_is_resumed_is_heard(source: TimeSource) -> None:
    by_hand = happening(moment(NOW, source=source), LOBBY)
    assert under(by_hand, silence()) == (by_hand, None)


def test_of_several_silences_the_one_that_ends_last_is_named() -> None:
    longer = begin(
        order(name=str(PLAIN.name), until=NOW + m(90)), silence().id, "bob", NOW
    )
    _, held = under(happening("12:00", LOBBY), silence(), longer)
    assert held is not None
    assert held.why.startswith("lobby: silenced by bob")


def test_one_that_is_planned_begins_then() -> None:
    later = replace(order(name=str(PLAIN.name)), start=NOW + m(10))
    made = begin(later, silence().id, "ann", NOW)
    assert (made.starts_at, made.is_planned(NOW)) == (NOW + m(10), True)
    for after, is_silenced in ((9, False), (10, True)):
        heard, _ = under(happening("12:00", LOBBY), made, at=NOW + m(after))
        assert bool(heard.cameras) is not is_silenced
    off = end(made, "bob", NOW + m(5))
    assert not off.is_planned(NOW + m(5))
    heard, _ = under(happening("12:00", LOBBY), off, at=NOW + m(10))
    assert heard.cameras
    assert (off.ends_at, off.until) == (NOW + m(5), made.until)


@pytest.mark.parametrize(
    ("start", "text"), [(-2, "its start .* is past"), (60, "is not after its start")]
)
def test_one_cannot_be_planned_for_the_past_or_after_its_end(
    start: int, text: str
) -> None:
    with pytest.raises(Refused, match=text):
        begin(replace(order(), start=NOW + m(start)), silence().id, "ann", NOW)


def test_an_alarm_counts_for_each_silence_that_it_came_under() -> None:
    whole, camera = silence(), silence(Subject.CAMERA, "door")
    other = replace(silence(Subject.CAMERA, "lobby"), id=SilenceId("other"))
    found, never = happening("12:00", LOBBY, DOOR), silence(name="no such rule")
    over = Silences([camera, other, never]).over(found, "a/b/c", NOW)
    assert over == {camera.id, other.id}
    assert Silences([whole, other]).over(found, "a/b/c", NOW) == {whole.id}


def test_all_cameras_silenced_one_by_one_are_all() -> None:
    each = [silence(Subject.CAMERA, name) for name in ("lobby", "door")]
    heard, _ = under(happening("12:00", LOBBY, DOOR), *each)
    assert heard.cameras == ()


def test_a_silenced_camera_is_left_out_and_the_others_go_their_way() -> None:
    found = happening("12:00", LOBBY, DOOR, rule=AWAITS)
    heard, held = under(found, silence(Subject.CAMERA, "lobby"))
    assert heard == replace(
        found,
        cameras=(DOOR,),
        trigger={**found.trigger, "silenced": [f"lobby: {TEXT}"]},
    )
    assert held == Withheld(
        moment=found.reading.moment,
        fields={},
        key=found.reading.key,
        cameras=("lobby",),
        why=f"lobby: {TEXT}",
        until=END,
    )


def test_names_that_nobody_configured_wait_where_no_camera_is_left() -> None:
    """They are told with the first incident that has them."""
    found = happening("12:00", LOBBY, unknown=("x",))
    for each in (silence(), silence(Subject.CAMERA, "lobby")):
        heard, held = under(found, each)
        assert (heard.cameras, heard.unknown) == ((), ())
        assert held is not None
        assert held.cameras == ("lobby", "x")
    heard, _ = under(
        happening("12:00", LOBBY, DOOR, unknown=("x",)),
        silence(Subject.CAMERA, "lobby"),
    )
    assert heard.unknown == ("x",)
    heard, held = under(happening("12:00", unknown=("x",)), silence())
    assert held is not None
    assert held.cameras == ("x",)


def test_only_an_alarm_that_awaits_its_clear_can_still_be_on() -> None:
    _, plain = under(happening("12:00", LOBBY), silence())
    assert plain is not None
    assert plain.until is None
    shorter = begin(
        order(Subject.CAMERA, "door", NOW + m(10)), SilenceId("x"), "bob", NOW
    )
    _, held = under(
        happening("12:00", LOBBY, DOOR, rule=AWAITS),
        silence(Subject.CAMERA, "lobby"),
        shorter,
    )
    assert held is not None
    assert held.until == NOW + m(10)


# ---- what is withheld


def withheld(**changes: Any) -> Withheld:
    _, held = under(happening("12:00", LOBBY, rule=AWAITS), silence())
    assert held is not None
    return replace(held, **changes)


@pytest.mark.parametrize(
    ("rule", "is_on"),
    [
        (AWAITS, True),
        (PLAIN, False),
        (replace(AWAITS, clear_within=m(61)), True),
        (replace(AWAITS, clear_within=m(60)), False),
    ],
)
def test_whether_an_alarm_is_still_on(rule: Rule, *, is_on: bool) -> None:
    assert withheld().is_on(rule) is is_on
    assert not withheld(until=None).is_on(rule)


def test_what_is_exported_after_all_is_read_by_the_rule_in_force() -> None:
    held = withheld(fields={"zone": "a/b"}, cameras=("lobby", "gone"))
    roster = Roster(cameras={LOBBY.name: LOBBY, DOOR.name: DOOR}, groups={})
    assert held.found(roster) == ((LOBBY,), ("gone",))
    reading = held.reading(replace(AWAITS, group_by=("zone",)), held.resumed())
    assert (reading.key, reading.moment.at) == ("a%2Fb", END)
    assert held.by_hand().at == NOW


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


def test_one_that_held_something_back_has_begun_whatever_the_clock_says() -> None:
    """Its row said that it began and ended before the alarm that it silenced."""
    made = replace(silence(), held_back=1)
    over = end(made, "bob", NOW - m(10))
    assert over.starts_at == over.ends_at == made.starts_at


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


def test_what_is_withheld_is_told_by_what_people_call_the_cameras() -> None:
    told = f"door: {TEXT}; lobby: {TEXT}; hall: {TEXT}, by door: no"
    called = {"door": "Front: door", "lobby": ""}
    wanted = f"Front: door: {TEXT}; lobby: {TEXT}; hall: {TEXT}, by door: no"
    assert labelled(told, called) == wanted
