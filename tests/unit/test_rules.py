import json
from datetime import timedelta

import pytest

from evidenced.core.alarms.alarm import NotTaken, Outcome, Reading, Signal, TimeSource
from evidenced.core.alarms.reading import read_alarm as read_all
from evidenced.core.alarms.rules import Rule
from evidenced.core.alarms.switchboard import Switchboard
from evidenced.core.camera import CameraRef
from fakes.rule import RECEIVED, make_alarm, make_rule, read_alarm

TOPIC = "access/site-1/north/forced"
PATTERN = "access/{site}/{door}/forced"


def taken(rules: Rule | list[Rule], *args: object, **kwargs: object) -> Reading:
    result = _read(rules, *args, **kwargs)
    assert isinstance(result, Reading), result
    return result


def refused(rules: Rule | list[Rule], *args: object, **kwargs: object) -> NotTaken:
    result = _read(rules, *args, **kwargs)
    assert isinstance(result, NotTaken), result
    return result


def _read(
    rules: Rule | list[Rule], payload: object, **kwargs: object
) -> Reading | NotTaken:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    listed = rules if isinstance(rules, list) else [rules]
    topic = str(kwargs.pop("topic", TOPIC))
    return read_alarm(listed, make_alarm(topic, raw, **kwargs))  # type: ignore[arg-type]


# Which rule takes it, and how


@pytest.mark.parametrize(
    ("when", "clear", "state", "expected"),
    [
        ("", "", "x", Signal.ACTIVE),
        ("s == 'on'", "", "on", Signal.ACTIVE),
        ("s == 'on'", "", "off", None),
        ("s == 'on'", "s == 'off'", "off", Signal.CLEAR),
        ("s == 'on'", "s == 'off'", "idle", None),
        ("", "s == 'off'", "off", Signal.CLEAR),
        ("", "s == 'off'", "idle", Signal.ACTIVE),
        ("s", "s", "both", Signal.ACTIVE),
    ],
)
def test_signal(when: str, clear: str, state: str, expected: Signal | None) -> None:
    result = _read(make_rule(PATTERN, when=when, clear=clear), {"s": state})
    if expected is None:
        assert isinstance(result, NotTaken)
        assert result.outcome is Outcome.UNMATCHED
        assert result.detail == "topic fits, but no condition holds: rule-0"
    else:
        assert isinstance(result, Reading)
        assert result.signal is expected


def test_the_first_rule_that_takes_it_wins() -> None:
    rules = [
        make_rule("other/#", n=0),
        make_rule(PATTERN, n=1, when="s == 'off'"),
        make_rule("nothing", "access/#", n=2, when="s == 'on'"),
        make_rule("#", n=3),
    ]
    assert taken(rules, {"s": "on"}).rule == "rule-2"


def test_no_rule_has_the_topic() -> None:
    refusal = refused(make_rule("other/#"), {})
    assert refusal == NotTaken(
        rule=None,
        outcome=Outcome.UNMATCHED,
        detail=f"no rule has a topic that fits '{TOPIC}'",
    )
    assert refused([], {}).outcome is Outcome.UNMATCHED


def test_a_payload_that_one_rule_cannot_read_may_be_another_ones() -> None:
    rules = [
        make_rule("#", n=0, when="state"),
        make_rule("#", n=1, text=True, when="payload == 'ON'"),
    ]
    assert taken(rules, b"ON").rule == "rule-1"
    unread, _ = read_all(Switchboard(rules), make_alarm(TOPIC, "ON"))
    assert isinstance(unread, NotTaken)
    assert (unread.rule, unread.outcome) == ("rule-0", Outcome.INVALID)
    refusal = refused(rules, b"OFF")
    assert refusal.outcome is Outcome.INVALID
    assert refusal.rule == "rule-0"
    assert "not JSON" in refusal.detail


def test_retained_is_an_old_state_unless_accepted() -> None:
    ignoring, accepting = make_rule("#", n=0), make_rule("#", n=1, retained=True)
    assert refused(ignoring, {}, retained=True).outcome is Outcome.RETAINED
    assert taken([ignoring, accepting], {}, retained=True).rule == "rule-1"
    # even where it could not be read
    assert refused(ignoring, b"{", retained=True).outcome is Outcome.RETAINED


def test_stale_by_its_own_time_only() -> None:
    rule = make_rule("#", time="t", max_age=timedelta(hours=1))
    assert isinstance(_read(rule, {"t": "2026-11-23T11:00:00Z"}), Reading)
    refusal = refused(rule, {"t": "2026-11-23T10:59:59.999Z"})
    assert refusal.outcome is Outcome.STALE
    assert "2026-11-23T10:59:59.999Z" in refusal.detail
    # a clock never set says nothing about age
    assert taken(rule, {"t": 23848}).moment.source is TimeSource.ANCIENT


def test_a_later_rule_may_take_what_is_stale_for_the_first() -> None:
    strict = make_rule("#", n=0, time="t", max_age=timedelta(hours=1))
    patient = make_rule("#", n=1, time="t")
    old = {"t": "2026-11-23T10:00:00Z"}
    assert taken([strict, patient], old).rule == "rule-1"


# Faults


def test_a_condition_that_fails_does_not_hold_and_is_told() -> None:
    rule = make_rule("#", when="length(zones) > `0`")
    refusal = refused(rule, {"zones": None})
    assert refusal.outcome is Outcome.INVALID
    assert refusal.rule == "rule-0"
    assert refusal.faults == (refusal.detail,)
    assert refusal.detail.startswith("rules[0].when: length() takes")


def test_a_failed_condition_leaves_the_clear_and_the_next_rule() -> None:
    failing = make_rule("#", when="length(zones) > `0`", clear="state == 'off'")
    cleared = taken(failing, {"state": "off"})
    assert cleared.signal is Signal.CLEAR
    assert len(cleared.faults) == 1
    other = taken([failing, make_rule("#", n=1)], {"state": "on"})
    assert other.rule == "rule-1"
    assert other.faults[0].startswith("rules[0].when: ")


def test_a_failed_clear_never_loses_the_alarm() -> None:
    reading = taken(make_rule("#", clear="abs(x)"), {"x": "y"})
    assert reading.signal is Signal.ACTIVE
    assert reading.faults == ("rules[0].clear: abs() takes number, not string",)


def test_faults_elsewhere_never_lose_the_alarm() -> None:
    rule = make_rule("#", time="abs(x)", id="abs(x)", fields={"a": "abs(x)", "b": "x"})
    reading = taken(rule, {"x": "y"}, absence=timedelta(minutes=5))
    assert reading.moment.source is TimeSource.UNREADABLE
    assert reading.moment.earliest == RECEIVED - timedelta(minutes=5)
    assert reading.dedup_key is None
    assert reading.fields == {"b": "y"}
    places = [fault.partition(":")[0] for fault in reading.faults]
    assert places == ["rules[0].time", "rules[0].fields.a", "rules[0].id"]


# Fields


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (123456789012345678901234567890, "123456789012345678901234567890"),
        (1.5, "1.5"),
        (5.0, "5"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (-0.0, "0"),
        (None, None),
        ([], None),
        ([None], None),
        (["a", 1, None, False], ("a", "1", "false")),
        ([["x"], {"b": 1}], ('["x"]', '{"b":1}')),
        ({"b": 1, "a": "ä"}, '{"a":"ä","b":1}'),
        ("a\nb\0c\ud800", "a\ufffdb\ufffdc\ufffd"),
        ("x" * 1000, "x" * 199 + "…"),
        ({"a": "x" * 1000}, '{"a":"' + "x" * 193 + "…"),
        (list(range(1001)), tuple(str(n) for n in range(1000))),
    ],
)
def test_field_values(value: object, expected: object) -> None:
    reading = taken(make_rule("#", fields={"f": "v"}), {"v": value})
    assert reading.fields.get("f") == expected


@pytest.mark.parametrize("expression", ["to_number('1e999')", "&v", "v.missing"])
def test_what_is_no_value_is_left_out(expression: str) -> None:
    reading = taken(make_rule("#", fields={"f": expression}), {"v": 1})
    assert "f" not in reading.fields
    assert reading.faults == ()


def test_levels_are_fields_and_fields_come_last() -> None:
    rule = make_rule(PATTERN, fields={"door": "d", "site": "s"})
    assert taken(rule, {"d": "side"}).fields == {"site": "site-1", "door": "side"}


def test_levels_are_made_printable() -> None:
    reading = taken(make_rule("a/{x}"), {}, topic="a/\x01b")
    assert reading.fields == {"x": "\ufffdb"}


# Group key


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"a": "x", "b": "y"}, "x/y"),
        ({"a": "x/y"}, "x%2Fy/"),
        ({"a": "x%2Fy"}, "x%252Fy/"),
        ({"a": ["x", "y"]}, "x,y,/"),
        ({"a": "x,y,"}, "x%2Cy%2C/"),
        ({"a": ["x"], "b": "x"}, "x,/x"),
        ({"b": 7}, "/7"),
        ({}, "/"),
    ],
)
def test_group_key(fields: dict[str, object], key: str) -> None:
    rule = make_rule("#", fields={"a": "a", "b": "b"}, group_by=("a", "b"))
    assert taken(rule, fields).key == key


# Cameras


@pytest.mark.parametrize(
    ("templates", "payload", "expected"),
    [
        (["lobby", "@entrance", "lobby"], {}, ["lobby", "@entrance"]),
        (["door-{d}"], {"d": 5}, ["door-5"]),
        (["@zone-{d}"], {"d": 5}, ["@zone-5"]),
        (["{d}"], {"d": ["a", "b"]}, ["a", "b"]),
        (["{d}-{e}"], {"d": ["a", "b"], "e": [1, 2]}, ["a-1", "a-2", "b-1", "b-2"]),
        (["{d}"], {}, ["{d}"]),
        (["{d}"], {"d": ""}, ["{d}"]),
        (["{d}-{e}"], {"d": "a"}, ["a-{e}"]),
        (["{d}"], {"d": "{e}", "e": "x"}, ["{e}"]),
    ],
)
def test_cameras(
    templates: list[str], payload: dict[str, object], expected: list[str]
) -> None:
    rule = make_rule("#", fields={"d": "d", "e": "e"}, cameras=templates)
    assert [str(ref) for ref in taken(rule, payload).cameras] == expected


def test_a_value_never_makes_a_group() -> None:
    rule = make_rule("#", fields={"d": "d"}, cameras=["{d}", "@{d}"])
    assert taken(rule, {"d": "@perimeter"}).cameras == (
        CameraRef("@perimeter", is_group=False),
        CameraRef("@perimeter", is_group=True),
    )


def test_names_from_lists_are_bounded() -> None:
    rule = make_rule("#", fields={"d": "d"}, cameras=["{d}-{d}"])
    cameras = taken(rule, {"d": list(range(100))}).cameras
    assert len(cameras) == 1001
    assert str(cameras[-1]) == "9000 more than the 1000 that are used"


def test_no_list_is_cut_without_a_word() -> None:
    rule = make_rule("#", fields={"d": "d"}, cameras=["{d}"])
    reading = taken(rule, {"d": [f"cam{n}" for n in range(40)]})
    assert (len(reading.cameras), reading.faults) == (40, ())
    reading = taken(rule, {"d": list(range(1200))})
    assert reading.faults == (
        "rules[0].fields.d: gives 1200 values; the first 1000 are used",
    )


# De-duplication


def test_the_id_names_the_event_within_rule_topic_and_time() -> None:
    rule = make_rule("#", id="id", time="t")
    one = taken(rule, {"id": "4711", "t": 1_795_000_000, "score": 0.5})
    again = taken(rule, {"id": "4711", "t": 1_795_000_000, "score": 0.9})
    assert one.dedup_key == again.dedup_key
    anew = taken(rule, {"id": "4711", "t": 1_795_000_009, "score": 0.5})
    other = taken(rule, {"id": "4711", "t": 1_795_000_000, "score": 0.5}, topic="x")
    assert len({each.dedup_key for each in (one, anew, other)}) == 3
    assert one.dedup_key is not None
    assert len(one.dedup_key) == 64


def test_what_makes_another_event() -> None:
    payloads: list[object] = ["a", "b", 1, 1.5, 0]
    rules = [make_rule("#", n=n, id="id") for n in (0, 1)]
    keys = {
        taken(rule, {"id": value}).dedup_key for value in payloads for rule in rules
    }
    assert len(keys) == len(payloads) * len(rules)
    same = {taken(rules[0], {"id": value}).dedup_key for value in (5, 5.0, "5", " 5")}
    assert len(same) == 1


def test_ids_that_differ_at_their_end_are_two_events() -> None:
    """Seen: of a long one the first 200 characters counted; the second was a repeat."""
    rule = make_rule("#", id="id")
    values = ["x" * 300 + end for end in "ab"] + ["a\x01b", "a\x02b"]
    keys = {taken(rule, {"id": value}).dedup_key for value in values}
    assert len(keys) == len(values)


def test_a_clear_is_never_a_repetition() -> None:
    rule = make_rule("#", id="id", time="t", clear="off")
    payload = {"id": 1, "off": True, "t": 1_795_000_000}
    assert taken(rule, payload).dedup_key is None


@pytest.mark.parametrize("value", [None, "", " ", True, False, [], ["a"], {}])
def test_what_names_no_event(value: object) -> None:
    reading = taken(make_rule("#", id="id"), {"id": value})
    assert reading.dedup_key is None
    is_fault = value is not None and not isinstance(value, str)
    assert bool(reading.faults) is is_fault


def test_without_id_the_own_time_and_content_name_the_event() -> None:
    rule = make_rule("#", time="t")
    payload = {"t": "2026-11-23T11:59:00Z", "n": 1}
    one, again = taken(rule, payload), taken(rule, payload, at=RECEIVED)
    assert one.dedup_key == again.dedup_key is not None
    assert taken(rule, payload | {"n": 2}).dedup_key != one.dedup_key
    assert taken(rule, payload, topic="x").dedup_key != one.dedup_key


def test_an_end_is_told_again_by_a_repetition_and_anew_by_another_alarm() -> None:
    """A length counts from the receipt where there is no time: each ends later."""
    rule = make_rule("#", id="id", until="lasted")
    payload = {"id": 7, "lasted": 30}
    one = taken(rule, payload)
    later = taken(rule, payload, at=RECEIVED + timedelta(seconds=5))
    assert one.until != later.until
    assert one.dedup_key == later.dedup_key is not None
    assert taken(rule, payload | {"lasted": 60}).dedup_key != one.dedup_key


def test_without_id_and_time_nothing_names_the_event() -> None:
    assert taken(make_rule("#"), {"n": 1}).dedup_key is None
    assert taken(make_rule("#", time="t"), {"t": None}).dedup_key is None
    assert (
        taken(make_rule("#", time="t"), {"t": "2052-01-01T00:00:00Z"}).dedup_key is None
    )
