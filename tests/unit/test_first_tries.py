"""What integrators of systems that nobody here had seen write first, and are told."""

import json
from datetime import UTC, datetime

import pytest

from evidenced.cli.explanation import explain_alarm
from evidenced.core.alarms.alarm import Alarm, Outcome
from evidenced.core.alarms.moment import read_moment
from evidenced.core.alarms.timewords import time_formats
from evidenced.core.errors import ConfigError
from evidenced.core.instants import ZERO
from fakes.listening import NOON, listener, loaded

OPENED, CLEARED = Outcome.OPENED, Outcome.CLEARED


def rule(keys: str) -> str:
    return f'[[rules]]\nname = "r"\ncameras = ["lobby"]\ntopics = ["t"]\n{keys}\n'


def taught(keys: str, payload: object) -> str:
    """All that `explain` says of a message."""
    site = listener(rule(keys)).site
    raw = payload if isinstance(payload, str) else json.dumps(payload)
    found = explain_alarm(
        site, Alarm(topic="t", payload=raw.encode(), received_at=NOON)
    )
    return "\n".join(
        [
            *(line for each in found.effects for line in each.seen),
            *(line for each in found.passed for line in each.seen),
        ]
    )


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("29/11/2026 20:00:01", "write time_format = '%d/%m/%Y %H:%M:%S'"),
        ("11/29/2026 8:00 PM", "write time_format = '%m/%d/%Y %I:%M %p'"),
        ("29-Nov-26 08.00.01 PM", "write time_format = '%d-%b-%y %I.%M.%S %p'"),
        ("29. November 2026 20:00", "write time_format = '%d. %B %Y %H:%M'"),
        ("20:00:01 Uhr 29.11.2026", "write time_format = '%H:%M:%S Uhr %d.%m.%Y'"),
        ("11:59:58,11-30-2026", "write time_format = '%H:%M:%S,%m-%d-%Y'"),
        ("Mon 30/11/2026 11:59 +0000", "time_format = '%a %d/%m/%Y %H:%M %z'"),
        ("29112026200001", "write time_format = '%d%m%Y%H%M%S'"),
        (
            "11/10/2026 20:00",
            "'%d/%m/%Y %H:%M' if the day is first, time_format = '%m/%d/%Y %H:%M' if",
        ),
        ("2026-11-29", "it has no time of the day"),
        ("29 novembre 2026 20:00", "time_format says how it is written"),
    ],
)
def test_the_format_of_a_time_is_told(said: str, written: str) -> None:
    assert written in taught('time = "t"', {"t": said})


def test_a_format_that_does_not_fit_is_told_with_the_one_that_does() -> None:
    keys = 'time = "t"\ntime_format = "%d-%m-%Y %H:%M"'
    told = taught(keys, {"t": "30/11/2026 11:59"})
    assert "'%d-%m-%Y %H:%M' does not fit it: write time_format = '%d/%m/%Y" in told


@pytest.mark.parametrize(
    "text", ["1" * 100_000, "1:" * 50_000, "1/" * 50_000, "a " * 50_000, ""]
)
def test_no_text_takes_long_to_look_at(text: str) -> None:
    assert time_formats(text[:100]) == {}
    assert "time: " in taught('time = "t"', {"t": text})


@pytest.mark.parametrize(
    ("said", "received", "at"),
    [
        (
            "Nov 30 11:59:58",
            datetime(2026, 11, 30, 12, tzinfo=UTC),
            datetime(2026, 11, 30, 11, 59, 58, tzinfo=UTC),
        ),
        (
            "Dec 31 23:59:58",
            datetime(2027, 1, 1, 0, tzinfo=UTC),
            datetime(2026, 12, 31, 23, 59, 58, tzinfo=UTC),
        ),
        (
            "Feb  9 01:02:03",
            datetime(2028, 2, 9, 2, tzinfo=UTC),
            datetime(2028, 2, 9, 1, 2, 3, tzinfo=UTC),
        ),
        (
            "Feb 29 01:02:03",
            datetime(2028, 2, 29, 2, tzinfo=UTC),
            datetime(2028, 2, 29, 1, 2, 3, tzinfo=UTC),
        ),
    ],
)
def test_a_time_without_year_is_near_its_receipt(
    said: str, received: datetime, at: datetime
) -> None:
    found = read_moment(said, received_at=received, absence=ZERO, zone=UTC)
    assert not found.is_from_receipt
    assert found.at == at


def test_a_clock_that_is_ahead_over_the_new_year_is_not_a_year_behind() -> None:
    received = datetime(2026, 12, 31, 23, 50, tzinfo=UTC)
    found = read_moment("Jan 1 00:05:00", received_at=received, absence=ZERO, zone=UTC)
    assert found.is_from_receipt


@pytest.mark.parametrize(
    ("keys", "payload", "told"),
    [
        (
            "when = \"metrics[?name == 'Door'].value == `true`\"",
            {"metrics": [{"name": "Door", "value": True}]},
            "write contains(metrics[?name == 'Door'].value, `true`)",
        ),
        (
            "when = \"states == 'alarm'\"",
            {"states": ["armed", "alarm"]},
            "write contains(states, 'alarm') for any of them",
        ),
        (
            'when = "Payload.Door.Value == `true`"',
            {"Messages": [{"Payload": {"Door": {"Value": True}}}]},
            "it stands in the items of a list: write each = 'Messages' too",
        ),
        (
            "when = \"payload == 'OPEN'\"",
            {"payload": {"type": "Buffer", "data": [79, 80, 69, 78]}},
            "write from_bytes(payload.data)",
        ),
        ('when = "a.door"', {"a": {"door": 0}}, "counts as true: write a.door == `1`"),
        ('when = "a.on"', {"a": {"on": "false"}}, "compare it, as in a.on == '1'"),
        ('when = "a.on"', {"a": {"on": {}}}, "write a.on != `null` to ask whether"),
    ],
)
def test_what_was_seen_says_what_to_write(
    keys: str, payload: object, told: str
) -> None:
    assert told in taught(keys, payload)


@pytest.mark.parametrize("data", [[79, 80, 69, 78], [79, 80, 69, 78, 0]])
def test_text_in_a_list_of_bytes(data: list[int]) -> None:
    found = listener(rule("when = \"trim(from_bytes(payload.data)) == 'OPEN'\""))
    said = {"payload": {"type": "Buffer", "data": data}}
    assert found.outcomes("t", said) == [("r", OPENED)]


def test_bytes_as_java_writes_them() -> None:
    found = listener(rule("when = \"hex(from_bytes(b)) == 'ff80'\""))
    assert found.outcomes("t", {"b": [-1, -128]}) == [("r", OPENED)]


@pytest.mark.parametrize("data", [[256], ["1"], [-129], [1.5], [True]])
def test_what_are_no_bytes_is_told(data: list[object]) -> None:
    [found] = listener(rule("when = \"from_bytes(b) == 'x'\"")).hear("t", {"b": data})
    assert found.outcome is Outcome.INVALID
    assert "from_bytes() takes a list of numbers from 0 to 255" in found.detail


def test_an_empty_message_ends_what_json_began() -> None:
    """Retained alarms are taken away at the broker so."""
    keys = """format = "text"
when = "from_json(payload).active == `true`"
clear = "payload == ''"
"""
    found = listener(rule(keys))
    assert found.outcomes("t", {"active": True}) == [("r", OPENED)]
    assert found.outcomes("t", b"") == [("r", CLEARED)]


def warnings(text: str) -> list[str]:
    return [str(each) for each in loaded(text).warnings]


@pytest.mark.parametrize("way", ["di1", "(a.door)", "inputs[3]"])
def test_a_clear_by_what_lacks_the_key_is_told(way: str) -> None:
    keys = f'when = "{way} == `true`"\nclear = "!{way}"'
    way = way.strip("()")
    [told] = [each for each in warnings(rule(keys)) if ".clear" in each]
    assert f"asks for no {way}, which holds of every message without it" in told
    assert f"{way} == `false` or {way} == `0`" in told


@pytest.mark.parametrize("clear", ["!di1 && event == 'x'", "!(di1 == `1`)", "!@"])
def test_a_clear_that_asks_for_more_is_left_alone(clear: str) -> None:
    keys = f'when = "di1 == `true`"\nclear = "{clear}"'
    assert not [each for each in warnings(rule(keys)) if ".clear" in each]


def test_a_key_of_what_not_gives_is_told() -> None:
    """JMESPath reads it as (!a).door, which is null of every message."""
    keys = 'when = "a.door == `true`"\nclear = "!a.door"'
    [told] = [each for each in warnings(rule(keys)) if ".clear" in each]
    assert "asks for a key of what ! gives, which has none; write !(...)" in told


CONDITION = """[conditions.armed]
topic = "{topic}"
format = "text"
when = "payload == '1'"
"""


def test_a_condition_that_many_sites_share_is_told() -> None:
    text = CONDITION.format(topic="{site}/armed") + rule('only_while = ["armed"]')
    [told] = [each for each in warnings(text) if "conditions.armed.topic" in each]
    assert (
        "takes every {site}, and the last message of any of them counts for all" in told
    )
    text = CONDITION.format(topic="+/armed") + rule('only_while = ["armed"]')
    assert not [each for each in warnings(text) if "conditions.armed.topic" in each]


def test_the_whole_number_is_what_stands_in_backquotes() -> None:
    with pytest.raises(ConfigError, match=r"write `0\.5` in backquotes"):
        loaded(rule('when = "score >= 0.5"'))
