"""Messages of systems that nobody here had seen, over a short story each."""

import gzip
import json
import zlib
from base64 import b64encode

import pytest

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.alarms.jsontext import read_json
from evidenced.core.alarms.moment import read_moment
from evidenced.core.errors import BadInput
from evidenced.core.instants import ZERO
from fakes.listening import NOON, listener

OPENED, EXTENDED, CLEARED = Outcome.OPENED, Outcome.EXTENDED, Outcome.CLEARED
UNMATCHED, UNMET, NOTED = Outcome.UNMATCHED, Outcome.UNMET, Outcome.NOTED
ZONES = [f"z{n}" for n in range(9)]


def rule(keys: str) -> str:
    cameras = "" if "cameras =" in keys else 'cameras = ["lobby"]\n'
    return f'[[rules]]\nname = "r"\n{cameras}{keys}\n'


def outcomes(keys: str, *payloads: object) -> list[Outcome]:
    """What becomes of each message, and of each item in it."""
    found = listener(rule(f'topics = ["t"]\n{keys}'), cameras=ZONES)
    return [each.outcome for p in payloads for each in found.hear("t", p)]


# Conditions on a topic of events (proxies of DSC panels tell all on one)


EVENTS = """
[conditions.armed]
topic = "panel/events"
when = "type == 'partition' && status == 'armed'"
clear = "type == 'partition' && status == 'disarmed'"
"""
OPEN = rule("""topics = ["panel/events"]
when = "type == 'zone' && status == 'open'"
fields = { zone = "zone" }
group_by = ["zone"]
only_while = ["armed"]""")


def test_what_is_about_something_else_leaves_a_condition_as_it_was() -> None:
    heard = listener(EVENTS + OPEN)

    def becomes(**said: object) -> list[Outcome]:
        return [each.outcome for each in heard.hear("panel/events", said)]

    assert becomes(type="partition", status="disarmed") == [NOTED]
    assert becomes(type="zone", status="open", zone=3) == [UNMET]
    assert becomes(type="zone", status="closed", zone=3) == [UNMATCHED]
    assert becomes(type="zone", status="open", zone=4) == [UNMET]
    assert becomes(type="partition", status="exitdelay") == [UNMATCHED]
    assert becomes(type="partition", status="armed") == [NOTED]
    assert becomes(type="zone", status="open", zone=3) == [OPENED]
    heard.restart()
    assert becomes(type="zone", status="open", zone=4) == [OPENED]
    assert becomes(type="partition", status="disarmed") == [NOTED]
    assert becomes(type="zone", status="open", zone=5) == [UNMET]


def test_of_several_lines_the_last_that_tells_a_condition_counts() -> None:
    text = EVENTS.replace("when =", 'format = "lines"\nwhen =')
    heard = listener(text + OPEN.replace("panel/events", "zones"))
    lines = [("partition", "armed"), ("partition", "disarmed"), ("zone", "open")]
    said = "\n".join(json.dumps({"type": kind, "status": s}) for kind, s in lines)
    assert heard.outcomes("panel/events", said) == [(None, NOTED)]
    opened = {"type": "zone", "status": "open", "zone": 1}
    assert heard.outcomes("zones", opened) == [("r", UNMET)]


# Lists


NESTED = """each = "pairs(panels, &zones)"
when = "[1].open == `true`"
clear = "[1].open == `false`"
fields = { panel = "[0].id", zone = "[1].n" }
group_by = ["panel", "zone"]"""


def test_zones_within_panels_know_their_panel() -> None:
    heard = listener(rule(f'topics = ["t"]\n{NESTED}'))
    said = {
        "panels": [
            {"id": "A", "zones": [{"n": 1, "open": True}, {"n": 2, "open": False}]},
            {"id": "B", "zones": [{"n": 1, "open": True}]},
            {"id": "C", "zones": []},
            {"id": "D"},
        ]
    }
    assert [each.outcome for each in heard.hear("t", said)] == [OPENED, CLEARED, OPENED]
    assert {each.key for each in heard.incidents()} == {"A/1", "B/1"}
    for none in ({}, {"panels": None}, {"panels": []}):
        assert [each.outcome for each in heard.hear("t", none)] == [UNMATCHED]


BY_POSITION = """when = "[1] == `true` || [1] == '1'"
clear = "[1] == `false` || [1] == '0'"
fields = { zone = "[0]" }
group_by = ["zone"]
cameras = ["z{zone}"]"""


def test_inputs_whose_number_is_their_place() -> None:
    keys = f'each = "items(inputs)"\n{BY_POSITION}'
    assert outcomes(keys, {"inputs": [False, True, False]}) == [
        CLEARED,
        OPENED,
        CLEARED,
    ]
    text = f'format = "text"\neach = "items(split(payload, \'\'))"\n{BY_POSITION}'
    assert outcomes(text, "010", "000") == [CLEARED, OPENED, CLEARED, *[CLEARED] * 3]


def test_names_and_states_in_two_lists() -> None:
    keys = """each = "zip(names, states)"
when = "[1] == 'open'"
cameras = ["{zone}"]
fields = { zone = "[0]" }"""
    said = {"names": ["z1", "z2"], "states": ["closed", "open"]}
    heard = listener(rule(f'topics = ["t"]\n{keys}'), cameras=ZONES)
    heard.hear("t", said)
    [incident] = heard.incidents()
    assert [clip.camera for clip in incident.clips] == ["z2"]
    assert outcomes(keys, {"names": ["z1"]}) == [UNMATCHED]


def test_the_bits_of_each_register() -> None:
    keys = """each = "pairs(items(registers), &bits([1]))"
fields = { register = "[0][0]", bit = "[1]" }
group_by = ["register", "bit"]"""
    heard = listener(rule(f'topics = ["t"]\n{keys}'))
    heard.hear("t", {"registers": [258, 0, 1]})
    assert {each.key for each in heard.incidents()} == {"0/2", "0/9", "2/1"}


def test_a_list_of_what_is_active_now_ends_what_it_lacks() -> None:
    keys = """each = "`[1, 2, 3]`"
when = "contains(whole().active, @)"
clear = "!contains(whole().active, @)"
fields = { zone = "@" }
group_by = ["zone"]
cameras = ["z{zone}"]"""
    heard = listener(rule(f'topics = ["t"]\n{keys}'), cameras=ZONES)
    heard.hear("t", {"active": [1, 3]})
    assert {each.key for each in heard.incidents()} == {"1", "3"}
    heard.restart()
    heard.hear("t", {"active": [3]})
    assert [each.key for each in heard.incidents() if each.is_active] == ["3"]


# Bytes


@pytest.mark.parametrize(
    "when",
    [
        "bits(substr(from_base64(data), `3`, `1`)) == `[1]`",
        "substr(hex(from_base64(data)), `6`, `2`) == '01'",
    ],
)
def test_the_bytes_of_a_radio_s_payload_are_counted_as_bytes(when: str) -> None:
    """Two of them happen to be one character of UTF-8."""
    said = [b64encode(b"\xc3\xa9\x10" + last).decode() for last in (b"\x01", b"\x00")]
    found = outcomes(f'when = "{when}"', *({"data": each} for each in said))
    assert found == [OPENED, UNMATCHED]


def test_a_payload_of_bytes_is_counted_from_its_first() -> None:
    when = 'format = "text"\nwhen = "bits(substr(payload, `1`, `1`)) == `[3]`"'
    assert outcomes(when, b"\x00\x04", b"\x04\x00") == [OPENED, UNMATCHED]


def test_text_in_base64_is_counted_in_characters() -> None:
    when = "when = \"substr(from_base64(data), `0`, `3`) == 'Tür'\""
    data = b64encode("Tür offen".encode()).decode()
    assert outcomes(when, {"data": data}) == [OPENED]


def test_bytes_that_are_written_as_hex_digits() -> None:
    keys = 'unpack = "hex"\nwhen = "s == \'on\'"'
    said = b'{"s": "on"}'.hex()
    assert outcomes(keys, said, f"0x{said.upper()}\r\n") == [OPENED, EXTENDED]
    assert outcomes(keys, "no hex") == [Outcome.INVALID]


def test_what_is_packed_and_then_written_as_base64() -> None:
    said = gzip.compress(b'{"s": "on"}')
    keys = 'unpack = "base64+gzip"\nwhen = "s == \'on\'"'
    assert outcomes(keys, b64encode(said)) == [OPENED]
    deflated = b64encode(zlib.compress(b'{"s": "on"}'))
    assert outcomes(keys.replace("gzip", "deflate"), deflated) == [OPENED]
    heard = listener(rule('topics = ["t"]\nunpack = "base64"\nwhen = "s"'))
    heard.hear("t", b64encode(said))
    assert 'base64 "base64+gzip"' in heard.refused()[-1].detail


# Ends


UNTIL = 'time = "start"\nuntil = "end"'


@pytest.mark.parametrize("by", ["", 'id = "id"\n'])
def test_an_end_that_is_told_later_with_the_same_id_counts(by: str) -> None:
    heard = listener(rule(f'topics = ["t"]\n{by}{UNTIL}'))
    begun = {"id": 7, "start": "2026-11-30T11:59:00Z", "end": None}
    over = begun | {"end": "2026-11-30T12:05:00Z"}
    assert heard.outcomes("t", begun) == [("r", OPENED)]
    assert heard.outcomes("t", begun)[0][1] is Outcome.DUPLICATE
    assert heard.outcomes("t", over, after=400)[0][1] in {OPENED, EXTENDED}
    heard.restart()
    assert heard.outcomes("t", over)[0][1] is Outcome.DUPLICATE
    assert heard.windows()[-1][2] == "12:07:00"


@pytest.mark.parametrize(
    "lasted", [41, "41", "0:41", "00:00:41", "PT41S", "41s", "0h 0m 41s", 41.0]
)
def test_how_long_it_lasted_in_the_words_of_many(lasted: object) -> None:
    heard = listener(rule('topics = ["t"]\ntime = "at"\nuntil = "lasted"'))
    heard.hear("t", {"at": "2026-11-30T11:50:00Z", "lasted": lasted})
    assert heard.windows() == [("r", "11:49:30", "11:52:41")]


def test_how_long_it_lasted_in_milliseconds() -> None:
    keys = 'topics = ["t"]\ntime = "at"\nuntil = "divide(ms, `1000`)"'
    heard = listener(rule(keys))
    heard.hear("t", {"at": "2026-11-30T11:50:00Z", "ms": 41500})
    assert heard.windows() == [("r", "11:49:30", "11:52:41")]


# What devices write


@pytest.mark.parametrize(
    "said",
    [
        [2026, 11, 30, 11, 59],
        [2026, 11, 30, 11, 59, 0],
        [2026, 11, 30, 11, 59, 0, 250_000_000],
        [2026, 11, 30, 11, 59, 0, 250],
        "2026:11:30 11:59:00",
        "2026年11月30日 11:59:00",
    ],
)
def test_times_that_can_be_read_in_one_way(said: object) -> None:
    utc = NOON.tzinfo
    assert utc is not None
    found = read_moment(said, received_at=NOON, absence=ZERO, zone=utc)
    assert not found.is_from_receipt
    assert f"{found.at:%H:%M:%S}" == "11:59:00"


@pytest.mark.parametrize(
    "said", [[2026, 11, 30], [1, 2, 3, 4, 5], [2026, 13, 1, 0, 0], ["2026", 1, 1, 1, 1]]
)
def test_lists_that_are_no_time(said: object) -> None:
    utc = NOON.tzinfo
    assert utc is not None
    read = read_moment(said, received_at=NOON, absence=ZERO, zone=utc)
    assert read.is_from_receipt


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ('{"at":2026-11-30T12:00:00,"s":1}', {"at": "2026-11-30T12:00:00", "s": 1}),
        ('{"at":2026-11-30 12:00:00}', {"at": "2026-11-30 12:00:00"}),
        ('{"at":12:30:00}', {"at": "12:30:00"}),
        ("{mac:aa:bb:cc:dd:ee:ff,s:on}", {"mac": "aa:bb:cc:dd:ee:ff", "s": "on"}),
        ("{zone: Front Door, s: on}", {"zone": "Front Door", "s": "on"}),
        ('{"s":"on",,"x":1}', {"s": "on", "x": 1}),
        ('{,"s":"on"}', {"s": "on"}),
        ('{"s":"on"},', {"s": "on"}),
    ],
)
def test_texts_without_quotes_and_commas_too_many(said: str, value: object) -> None:
    assert read_json(said) == value


def test_a_picture_beside_an_odd_number_is_read() -> None:
    numbers = ",".join(["255"] * 200_000)
    said = read_json(f'{{"s":"on","lux":nan,"picture":[{numbers}]}}')
    assert isinstance(said, dict)
    assert said["s"] == "on"
    assert len(said["picture"]) == 200_000


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ('{"s":"on"', "it is cut off"),
        ('{"s":"on","x":"cut o', "it is cut off"),
        ('{"s":"on","x":[1,{"a":2}', "it is cut off"),
        ("3,open,2026", 'set format = "text"'),
        ('{"s":1}\n{"s":2}', 'set format = "lines"'),
    ],
)
def test_what_is_no_json_is_told_with_what_to_do(said: str, hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_json(said)
    assert hint in str(caught.value)
