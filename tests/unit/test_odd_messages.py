"""Messages whose shape a rule has to name: lists in objects, bits, ends, wrappings."""

import base64
import gzip
import json
import time
import zlib

import pytest

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.alarms.unpacking import MAX_MEMBERS
from fakes.listening import listener

OPENED, EXTENDED, CLEARED = Outcome.OPENED, Outcome.EXTENDED, Outcome.CLEARED
DUPLICATE, UNMATCHED, INVALID = Outcome.DUPLICATE, Outcome.UNMATCHED, Outcome.INVALID
ON = "when = \"s == 'on'\""


def rule(keys: str) -> str:
    cameras = "" if "cameras =" in keys else 'cameras = ["lobby"]\n'
    return f'[[rules]]\nname = "r"\n{cameras}{keys}'


def outcomes(keys: str, *payloads: object) -> list[Outcome]:
    """What becomes of each message, and of each item in it."""
    found = listener(rule(f'topics = ["t"]\n{keys}'))
    return [each.outcome for p in payloads for each in found.hear("t", p)]


# Lists and objects


DOORS = """each = "events"
when = "s == 'on'"
time = "whole().ts"
fields = { panel = "whole().panel", n = "n" }
group_by = ["panel", "n"]"""


def test_what_stands_around_a_list_belongs_to_each_of_its_items() -> None:
    found = listener(rule(f'topics = ["t"]\n{DOORS}'))
    events = [{"s": "on", "n": 1}, {"s": "off", "n": 2}, {"s": "on", "n": 3}]
    said = {"panel": "east", "ts": "2026-11-30T11:50:00Z", "events": events}
    assert [each.outcome for each in found.hear("t", said)] == [OPENED, OPENED]
    assert {each.key for each in found.incidents()} == {"east/1", "east/3"}
    assert {begin for _, begin, _ in found.windows()} == {"11:49:30"}


def test_without_each_the_whole_is_the_message_itself() -> None:
    assert outcomes("when = \"whole().s == 'on'\"", {"s": "on"}, {}) == [
        OPENED,
        UNMATCHED,
    ]


ZONES = """each = "items(zones)"
when = "[1].open == `true`"
clear = "[1].open == `false`"
fields = { zone = "[0]" }
group_by = ["zone"]"""


def test_zones_whose_numbers_are_keys() -> None:
    found = listener(rule(f'topics = ["t"]\n{ZONES}'))
    zones = {"3": {"open": True}, "4": {"open": False}, "5": {"open": True}}
    told = found.hear("t", {"zones": zones})
    assert [each.outcome for each in told] == [OPENED, CLEARED, OPENED]
    assert {each.key for each in found.incidents()} == {"3", "5"}
    for empty in ({"zones": {}}, {"zones": None}, {}):
        assert [each.outcome for each in found.hear("t", empty)] == [UNMATCHED]


# Which messages repeat others


@pytest.mark.parametrize("keys", ['group_by = ["panel"]', 'cameras = ["{panel}"]'])
def test_panels_behind_one_topic_count_their_events_by_themselves(keys: str) -> None:
    fields = 'id = "seq"\nfields = { panel = "panel" }\n'
    told = outcomes(
        fields + keys,
        {"panel": "lobby", "seq": 17},
        {"panel": "yard", "seq": 17},
        {"panel": "yard", "seq": 17},
        {"panel": "yard", "seq": "17"},
    )
    second = OPENED if "group_by" in keys else EXTENDED
    assert told == [OPENED, second, DUPLICATE, DUPLICATE]


# Clears


@pytest.mark.parametrize("none", [None, "", " ", []])
def test_an_empty_name_is_one_that_a_clear_does_not_carry(none: object) -> None:
    keys = """when = "s == 'alarm'"
clear = "s == 'disarmed'"
fields = { zone = "zone" }
group_by = ["zone"]"""
    found = listener(rule(f'topics = ["t"]\n{keys}'))
    found.hear("t", {"s": "alarm", "zone": 3})
    found.hear("t", {"s": "alarm", "zone": 4})
    assert found.outcomes("t", {"s": "disarmed", "zone": none}) == [("r", CLEARED)]
    assert not any(each.is_active for each in found.incidents())


def test_a_clear_that_names_no_camera_ends_also_where_others_are_ignored() -> None:
    keys = """when = "s == 'alarm'"
clear = "s == 'disarmed'"
fields = { zone = "zone" }
cameras = ["{zone}"]
unknown = "ignore\""""
    found = listener(rule(f'topics = ["t"]\n{keys}'))
    assert found.outcomes("t", {"s": "alarm", "zone": "lobby"}) == [("r", OPENED)]
    assert found.outcomes("t", {"s": "disarmed", "zone": "hers"}) == [("r", UNMATCHED)]
    assert found.outcomes("t", {"s": "disarmed"}) == [("r", CLEARED)]
    assert not any(each.is_active for each in found.incidents())


# Ends that one message tells


UNTIL = 'time = "start"\nuntil = "end"'


@pytest.mark.parametrize("length", [45, 45.0, "45", "45.0"])
def test_an_end_may_be_how_long_it_lasted(length: object) -> None:
    found = listener(rule(f'topics = ["t"]\n{UNTIL}'))
    found.hear("t", {"start": "2026-11-30T11:20:00Z", "end": length})
    assert found.windows() == [("r", "11:19:30", "11:22:45")]


@pytest.mark.parametrize("start", ["1970-01-01T00:00:00Z", None, "", 23848])
def test_where_the_begin_is_none_the_end_is_when_it_happened(start: object) -> None:
    found = listener(rule(f'topics = ["t"]\n{UNTIL}'))
    found.hear("t", {"start": start, "end": "2026-11-30T11:40:57Z"})
    assert found.windows() == [("r", "11:40:27", "11:42:57")]
    [incident] = found.incidents()
    dossier = found.tx.dossier(incident.id)
    assert dossier is not None
    assert [each.time_source for each in dossier.alarms] == [
        "payload (only its end can be read)"
    ]


# Bits


BITS = """format = "{form}"
when = "bits({of})"
fields = {{ n = "bits({of})" }}
cameras = ["in{{n}}"]
unknown = "ignore\""""
INPUTS = tuple(f"in{n}" for n in range(1, 17))


@pytest.mark.parametrize(
    "said",
    [
        "8004",
        "80 04",
        "80:04",
        "80-04",
        "0x8004",
        "0x80,0x04",
        [128, 4],
        1152,
        1152.0,
        "0b10010000000",
    ],
)
def test_inputs_as_bits_of_many_spellings(said: object) -> None:
    keys = BITS.format(form="json", of="m")
    found = listener(rule(f'topics = ["t"]\n{keys}'), cameras=INPUTS)
    found.hear("t", {"m": said})
    [incident] = found.incidents()
    cameras = {clip.camera for clip in incident.clips}
    assert cameras == ({"in8", "in11"})


@pytest.mark.parametrize("said", ["open", [256], ["1"], -1, 1.5])
def test_what_has_no_bits_is_told(said: object) -> None:
    keys = BITS.format(form="json", of="m")
    assert outcomes(keys, {"m": said}) == [INVALID]


@pytest.mark.parametrize("said", ["", [], 0, None])
def test_no_bit_is_set(said: object) -> None:
    assert outcomes(BITS.format(form="json", of="m"), {"m": said}) == [UNMATCHED]


def test_bytes_in_base64_within_json() -> None:
    keys = BITS.format(form="json", of="from_base64(data)")
    found = listener(rule(f'topics = ["t"]\n{keys}'), cameras=INPUTS)
    for raw in (b"\x80\x04", b"09"):  # the second is no hex here
        found.hear("t", {"data": base64.b64encode(raw).decode()})
    [incident] = found.incidents()
    cameras = {clip.camera for clip in incident.clips}
    assert cameras == {"in8", "in11", "in5", "in6", "in9", "in12", "in13", "in14"}
    assert outcomes(keys, {"data": "%"}) == [INVALID]


@pytest.mark.parametrize(
    ("raw", "inputs"),
    [
        (b"%\x80\x04$", {"in8", "in11"}),
        (b"%xy$", {"in4", "in5", "in6", "in7", "in9", "in12", "in13", "in14", "in15"}),
        (b"%09$", {"in1", "in4"}),
    ],
)
def test_a_part_of_a_text_keeps_its_bytes(raw: bytes, inputs: set[str]) -> None:
    keys = BITS.format(form="text", of="substr(payload, `1`, `2`)")
    found = listener(rule(f'topics = ["t"]\n{keys}'), cameras=INPUTS)
    found.hear("t", raw)
    [incident] = found.incidents()
    assert {clip.camera for clip in incident.clips} == inputs


# Wrappings


SAID = b'{"s":"on"}'


@pytest.mark.parametrize(
    ("packing", "raw"),
    [
        ("gzip", gzip.compress(SAID[:4], mtime=0) + gzip.compress(SAID[4:], mtime=0)),
        ("gzip", gzip.compress(SAID, mtime=0) + b"\0\0"),
        ("deflate", zlib.compress(SAID)[2:-4]),
        ("base64", b"data:application/json;base64," + base64.b64encode(SAID)),
        ("base64", json.dumps(base64.b64encode(SAID).decode()).encode()),
        ("base64", base64.urlsafe_b64encode(SAID).rstrip(b"=") + b"\r\n"),
        ("", SAID.decode().encode("utf-16")),
        ("", SAID.decode().encode("utf-16-be")),
        ("", SAID.decode().encode("utf-32")),
    ],
)
def test_a_payload_in_another_wrapping(packing: str, raw: bytes) -> None:
    assert outcomes(f'unpack = "{packing}"\n{ON}', raw) == [OPENED]


@pytest.mark.parametrize(
    "raw",
    [
        gzip.compress(b"a" * 50_000_000, mtime=0),
        gzip.compress(b"", mtime=0) * (MAX_MEMBERS + 1),
        gzip.compress(b"", mtime=0) * 90_000,
        gzip.compress(SAID, mtime=0)[:-4],
        SAID,
        b"",
    ],
    ids=["bomb", "streams", "a megabyte of streams", "cut", "not packed", "empty"],
)
def test_what_cannot_be_unpacked_is_told_at_no_cost(raw: bytes) -> None:
    started = time.process_time()
    assert outcomes(f'unpack = "gzip"\n{ON}', raw) == [INVALID]
    assert time.process_time() - started < 5
