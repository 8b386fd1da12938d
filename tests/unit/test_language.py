"""What real systems publish, and the rule that handles each: one test a case.

The messages are in other words and with other names than where they were reported; what
is kept is what made each of them hard.
"""

import base64
import gzip
import json

import pytest

from evidenced.core.alarms.alarm import Outcome
from fakes.listening import Listener, listener

OPENED, EXTENDED, CLEARED = Outcome.OPENED, Outcome.EXTENDED, Outcome.CLEARED
UNCHANGED, UNMATCHED, INVALID = Outcome.UNCHANGED, Outcome.UNMATCHED, Outcome.INVALID


SWITCH = 'when = "on == `1`"\nclear = "on == `0`"'


def rules(*tables: str) -> str:
    return "".join(f"[[rules]]\n{table}\n" for table in tables)


def one(keys: str, name: str = "r") -> str:
    cameras = "" if "cameras =" in keys else 'cameras = ["lobby"]\n'
    return rules(f'name = "{name}"\n{cameras}{keys}')


def outcome(heard: Listener, topic: str, payload: object, **keys: float) -> Outcome:
    [(_, found)] = heard.outcomes(topic, payload, **keys)
    return found


# Messages whose payload says nothing, or is for somebody else


def test_an_empty_message_whose_topic_says_all() -> None:
    heard = listener(
        one('topics = ["bridge/{camera}"]\nformat = "text"\ncameras = ["{camera}"]')
    )
    assert outcome(heard, "bridge/lobby", b"") is OPENED
    [incident] = heard.incidents()
    dossier = heard.tx.dossier(incident.id)
    assert dossier is not None
    assert [alarm.payload for alarm in dossier.alarms] == [b""]


@pytest.mark.parametrize("form", ["json", "text", "lines", "any"])
def test_a_picture_that_nobody_reads(form: str) -> None:
    heard = listener(
        one(
            f'topics = ["home/{{cam}}/snapshot"]\nformat = "{form}"\n'
            "when = \"captured('cam') == 'gate'\""
        )
    )
    picture = bytes.fromhex("ffd8ffe000104a46494600")
    assert outcome(heard, "home/gate/snapshot", picture) is OPENED
    assert outcome(heard, "home/shed/snapshot", picture) is UNMATCHED


def test_a_picture_and_a_megabyte_beside_what_is_read() -> None:
    heard = listener(one('topics = ["t"]\nwhen = "event == \'motion\'"'))
    for size in (300_000, 1_500_000):
        message = {"event": "motion", "image": "A" * size}
        assert outcome(heard, "t", message, after=600) is OPENED


@pytest.mark.parametrize("word", ["nan", "NaN", "-Infinity", "inf", "1e999"])
def test_another_sensor_in_the_message_is_broken(word: str) -> None:
    heard = listener(one('topics = ["t"]\nwhen = "state == \'open\'"\ntime = "ts"'))
    message = f'{{"state":"open","lux":{word},"ts":1795996800}}\0'
    assert outcome(heard, "t", message) is OPENED


def test_devices_that_are_not_ours() -> None:
    heard = listener(
        one(
            'topics = ["rtl_433/{rx}/events"]\nfields = { sensor = "id" }\n'
            'cameras = ["s{sensor}"]\nunknown = "ignore"'
        ),
        cameras=["s17"],
    )
    assert outcome(heard, "rtl_433/a/events", {"id": 99000, "closed": 0}) is UNMATCHED
    assert "no camera of ours: s99000" in heard.refused()[0].detail
    assert outcome(heard, "rtl_433/a/events", {"id": 17, "closed": 0}) is OPENED


# Which rule reads what


def test_every_rule_reads_a_message_with_several_inputs() -> None:
    heard = listener(
        one(
            'topics = ["tele/{device}/SENSOR"]\nwhen = "Switch1 == \'ON\'"\n'
            'clear = "Switch1 == \'OFF\'"\ngroup_by = ["device"]',
            "input1",
        )
        + one(
            'topics = ["tele/{device}/SENSOR"]\nwhen = "Switch2 == \'ON\'"\n'
            'clear = "Switch2 == \'OFF\'"\ngroup_by = ["device"]\n'
            'cameras = ["yard"]',
            "input2",
        )
    )
    said = heard.outcomes("tele/io/SENSOR", {"Switch1": "OFF", "Switch2": "ON"})
    assert said == [("input1", CLEARED), ("input2", OPENED)]
    said = heard.outcomes("tele/io/SENSOR", {"Switch1": "ON", "Switch2": "ON"})
    assert said == [("input1", OPENED), ("input2", EXTENDED)]


def test_what_a_final_rule_takes_later_rules_do_not_see() -> None:
    heard = listener(
        one('topics = ["t"]\nwhen = "a"\nfinal = true', "first")
        + one('topics = ["t"]', "second")
    )
    assert heard.outcomes("t", {"a": True}) == [
        ("first", OPENED),
        ("second", Outcome.PASSED),
    ]
    assert heard.outcomes("t", {"b": True}) == [("second", OPENED)]


def test_topics_are_left_out_again_and_levels_take_some_values() -> None:
    heard = listener(
        one('topics = ["zigbee2mqtt/+"]\nexcept = ["zigbee2mqtt/bridge"]', "all")
        + one('topics = ["a/{site:hq|annex}/{x}"]', "some")
    )
    assert outcome(heard, "zigbee2mqtt/door", {}) is OPENED
    assert outcome(heard, "zigbee2mqtt/bridge", {}) is Outcome.EXCEPTED
    assert outcome(heard, "a/annex/1", {}) is OPENED
    assert outcome(heard, "a/depot/1", {}) is UNMATCHED


def test_the_same_event_number_of_two_devices_is_two_events() -> None:
    heard = listener(
        one(
            'topics = ["acc/{panel}/event"]\nwhen = "type == \'forced\'"\nid = "seq"\n'
            'time = "ts"\ngroup_by = ["panel"]'
        )
    )
    event = {"type": "forced", "seq": 17, "ts": "2026-11-30T12:00:00Z"}
    assert outcome(heard, "acc/east/event", event) is OPENED
    assert outcome(heard, "acc/west/event", event) is OPENED
    assert outcome(heard, "acc/west/event", event) is Outcome.DUPLICATE
    anew = event | {"ts": "2026-11-30T12:00:01Z"}  # counters start anew
    assert outcome(heard, "acc/west/event", anew) is EXTENDED


# Ends


def test_the_end_comes_on_another_topic() -> None:
    heard = listener(
        one(
            'topics = ["bridge/motion", "bridge/motion/{what}"]\nformat = "text"\n'
            'pattern = "{camera}/"\nwhen = "topic() == \'bridge/motion\'"\n'
            "clear = \"captured('what') == 'reset'\"\nfields = { door = \"payload\" }\n"
            'group_by = ["door"]'
        )
    )
    assert outcome(heard, "bridge/motion", "Front_Door") is OPENED
    assert outcome(heard, "bridge/motion", "Back_Door") is OPENED
    assert outcome(heard, "bridge/motion/reset", "Front_Door", after=10) is CLEARED
    assert [each.is_active for each in heard.incidents()] == [False, True]


def test_disarming_ends_what_the_zones_began() -> None:
    heard = listener(
        one(
            'topics = ["evl/zone/{n}", "evl/part/+"]\nwhen = "state == \'alarm\'"\n'
            'clear = "state == \'disarmed\'"\ngroup_by = ["n"]'
        )
    )
    for zone in (3, 4):
        assert outcome(heard, f"evl/zone/{zone}", {"state": "alarm"}) is OPENED
    assert outcome(heard, "evl/part/1", {"state": "disarmed"}) is CLEARED
    assert not any(each.is_active for each in heard.incidents())


def test_a_clear_of_one_group_leaves_the_others() -> None:
    heard = listener(one(f'topics = ["z/{{n}}"]\n{SWITCH}\ngroup_by = ["n"]'))
    heard.hear("z/1", {"on": 1})
    heard.hear("z/2", {"on": 1})
    assert outcome(heard, "z/1", {"on": 0}) is CLEARED
    assert [each.is_active for each in heard.incidents()] == [False, True]


def test_one_message_tells_begin_and_end() -> None:
    heard = listener(
        one('topics = ["t"]\ntime = "start"\nuntil = "end"\nmax_length = "15m"')
    )
    whole = {"start": "2026-11-30T11:20:00+00:00", "end": "2026-11-30T11:40:57+00:00"}
    assert outcome(heard, "t", whole) is OPENED
    assert heard.windows() == [
        ("r", "11:19:30", "11:35:00"),
        ("r", "11:35:00", "11:42:57"),
    ]
    other = {"start": "2026-11-30T11:50:00+00:00", "end": None}
    assert outcome(heard, "t", other) is OPENED


def test_an_end_that_cannot_be_is_told_and_post_roll_ends_it() -> None:
    heard = listener(one('topics = ["t"]\ntime = "start"\nuntil = "end"'))
    heard.hear("t", {"start": "2026-11-30T11:20:00Z", "end": "1970-01-01T00:00:00Z"})
    assert heard.windows() == [("r", "11:19:30", "11:22:00")]


def test_an_alarm_that_nothing_clears_has_an_end() -> None:
    heard = listener(
        one(
            'topics = ["t"]\nwhen = "on == `1`"\nclear = "on == `0`"\nmax_length = "1h"'
        )
    )
    heard.hear("t", {"on": 1})
    heard.wait(3 * 86400)
    assert not any(each.is_active for each in heard.incidents())
    assert len(heard.incidents()) == 24


# State that a rule remembers


def test_a_contact_repeats_that_it_is_open() -> None:
    heard = listener(
        one(
            'topics = ["t/{door}"]\nwhen = "contact == `false`"\n'
            'clear = "contact == `true`"\nonce = true\ngroup_by = ["door"]'
        )
    )
    opened, closed = {"contact": False, "battery": 90}, {"contact": True}
    assert outcome(heard, "t/a", opened) is OPENED
    for _ in range(3):
        assert outcome(heard, "t/a", opened, after=3000) is UNCHANGED
        heard.restart()
    assert heard.windows() == [("r", "11:59:31", "12:02:01")]
    assert outcome(heard, "t/b", opened) is OPENED  # another door
    assert outcome(heard, "t/a", closed) is CLEARED
    assert outcome(heard, "t/a", opened) is OPENED


def test_a_bridge_publishes_all_states_when_it_starts() -> None:
    heard = listener(
        one(
            'topics = ["z/{name}"]\nwhen = "contact == `false`"\n'
            'clear = "contact == `true`"\nonly_changes = true\nclear_within = "1h"\n'
            'max_length = "1h"\ngroup_by = ["name"]'
        )
    )
    opened = {"contact": False, "battery": 88}
    assert outcome(heard, "z/door", opened) is OPENED
    heard.wait(2 * 3600)
    [incident] = heard.incidents()
    assert not incident.is_active  # clear_within has ended it, and is no clear
    assert outcome(heard, "z/door", opened) is UNCHANGED
    assert heard.refused()[-1].outcome is UNCHANGED
    assert outcome(heard, "z/door", {"contact": True}) is CLEARED
    assert outcome(heard, "z/door", opened) is OPENED


def test_a_retained_state_says_what_was_before_the_next_change() -> None:
    """At each subscribe the broker tells it, so no change is missed while away."""
    heard = listener(
        one(
            'topics = ["panel/{area}"]\nformat = "text"\n'
            "when = \"payload == 'triggered'\"\nclear = \"payload != 'triggered'\"\n"
            'only_changes = true\ngroup_by = ["area"]'
        )
    )

    def retained(state: str, area: str = "a") -> Outcome:
        return heard.hear(f"panel/{area}", state, retained=True)[0].outcome

    assert retained("triggered") is Outcome.RETAINED
    assert outcome(heard, "panel/a", "triggered") is UNCHANGED  # published at a start
    assert outcome(heard, "panel/b", "triggered") is OPENED  # nobody has told b's
    assert retained("armed_away", "b") is Outcome.RETAINED  # disarmed, armed meanwhile
    heard.restart()
    assert outcome(heard, "panel/b", "triggered") is EXTENDED
    [incident] = heard.incidents()
    assert incident.is_active  # a retained clear ends nothing
    assert "state before the next change" in heard.refused()[-1].detail


ARMED = """
[conditions.armed]
topic = "house/alarm"
format = "text"
when = "payload != 'disarmed'"
"""


def test_sensors_count_only_while_armed() -> None:
    heard = listener(
        ARMED
        + one(
            'topics = ["zone/{n}"]\nwhen = "state == \'open\'"\ngroup_by = ["n"]\n'
            'only_while = ["armed"]'
        )
    )
    opened = {"state": "open"}
    assert outcome(heard, "zone/1", opened) is OPENED  # not told yet: it counts
    [entry] = heard.tx.history.of(heard.incidents()[0].id)
    assert entry.detail["conditions_unseen"] == ["armed"]
    assert heard.hear("house/alarm", "disarmed", retained=True)[0].outcome is (
        Outcome.NOTED
    )
    assert outcome(heard, "zone/2", opened) is Outcome.UNMET
    heard.restart()
    assert outcome(heard, "zone/2", opened) is Outcome.UNMET
    assert "house/alarm: disarmed" in heard.refused()[-1].detail
    heard.hear("house/alarm", "armed_away")
    assert outcome(heard, "zone/2", opened) is OPENED


def test_a_condition_that_is_read_otherwise_now_is_not_known() -> None:
    keys = one('topics = ["z"]\nonly_while = ["armed"]')
    heard = listener(ARMED + keys)
    heard.hear("house/alarm", "disarmed")
    assert outcome(heard, "z", {}) is Outcome.UNMET
    heard.site = listener(ARMED.replace("disarmed", "off") + keys).site
    assert outcome(heard, "z", {}) is OPENED


def test_a_condition_that_cannot_be_read_stays_as_it_was() -> None:
    heard = listener(ARMED.replace('"text"', '"json"') + one('topics = ["z"]'))
    assert outcome(heard, "house/alarm", "disarmed") is INVALID
    assert heard.tx.memories.condition_states() == {}


LASTING = one(
    'topics = ["gate/{n}"]\nwhen = "state == \'open\'"\n'
    'clear = "state == \'closed\'"\nafter = "5m"\ngroup_by = ["n"]'
)


def test_an_alarm_only_if_it_lasts() -> None:
    heard = listener(LASTING)
    assert outcome(heard, "gate/1", {"state": "open"}) is Outcome.WAITING
    assert outcome(heard, "gate/1", {"state": "open"}, after=60) is Outcome.WAITING
    assert outcome(heard, "gate/1", {"state": "closed"}, after=60) is CLEARED
    heard.wait(600)
    assert heard.incidents() == []
    assert [each.outcome for each in heard.refused()] == [
        Outcome.WAITING,
        Outcome.WAITING,
        CLEARED,
    ]


def test_one_that_has_lasted_begins_with_its_first_message() -> None:
    heard = listener(LASTING)
    heard.hear("gate/1", {"state": "open"})
    heard.wait(299)
    assert heard.incidents() == []
    heard.restart()
    heard.wait(1)
    [incident] = heard.incidents()
    assert incident.is_active
    assert incident.opened_at.strftime("%H:%M:%S") == "12:00:01"
    assert outcome(heard, "gate/1", {"state": "open"}) is EXTENDED
    assert outcome(heard, "gate/1", {"state": "closed"}) is CLEARED
    assert heard.windows() == [("r", "11:59:31", "12:07:03")]
    assert outcome(heard, "gate/1", {"state": "open"}) is Outcome.WAITING


def test_one_that_lasted_while_we_were_away_is_an_alarm() -> None:
    """Both messages come together; their own times say how long it was."""
    heard = listener(LASTING + 'time = "ts"\n')
    began, ended = "2026-11-30T11:00:00Z", "2026-11-30T11:06:00Z"
    heard.hear("gate/1", {"state": "open", "ts": began})
    assert outcome(heard, "gate/1", {"state": "closed", "ts": ended}) is CLEARED
    assert heard.windows() == [("r", "10:59:30", "11:08:00")]


# What is inside a message


def test_a_batch_of_events_each_with_its_own_time() -> None:
    heard = listener(
        one(
            'topics = ["tb/alarms"]\neach = "@"\nwhen = "status == \'ACTIVE\'"\n'
            'clear = "status == \'CLEAR\'"\ntime = "ts"\n'
            'fields = { door = "door" }\ngroup_by = ["door"]\ncameras = ["{door}"]'
        ),
        cameras=["north", "south", "east"],
    )
    noon = 1_796_040_000_000
    heard.hear(
        "tb/alarms", [{"door": "east", "status": "ACTIVE", "ts": noon - 9_000_000}]
    )
    events = [
        {"door": "north", "status": "ACTIVE", "ts": noon - 7_000_000},
        {"door": "south", "status": "ACTIVE", "ts": noon - 200_000},
        {"door": "east", "status": "CLEAR", "ts": noon - 100_000},
    ]
    assert [found for _, found in heard.outcomes("tb/alarms", events)] == [
        OPENED,
        OPENED,
        CLEARED,
    ]
    again = heard.outcomes("tb/alarms", events[:2])
    assert [found for _, found in again] == [Outcome.DUPLICATE] * 2
    opened = {
        each.key: f"{each.opened_at:%H:%M:%S}"
        for each in heard.incidents()
        if not each.continues
    }
    assert opened["north"] == "10:03:20"
    assert opened["south"] == "11:56:40"


def test_a_line_is_a_message_of_its_own() -> None:
    heard = listener(
        one(
            'topics = ["log"]\nformat = "lines"\npattern = "zone {zone} {state}"\n'
            'when = "state == \'open\' || s == `1`"\ngroup_by = ["zone"]'
        )
    )
    said = heard.hear("log", 'zone hall open\nzone attic closed\n\n{"s": 1}\n')
    assert [each.outcome for each in said] == [OPENED, OPENED]
    assert [each.key for each in heard.incidents()] == ["hall", ""]


def test_json_in_a_string_inside_json() -> None:
    heard = listener(
        one(
            'topics = ["gw"]\nwhen = "from_json(message).state == \'opened\'"\n'
            'fields = { unit = "from_json(message).unitcode" }\ngroup_by = ["unit"]'
        )
    )
    inner = json.dumps({"unitcode": 4711, "state": "opened"})
    assert outcome(heard, "gw", {"message": inner, "protocol": "kerui"}) is OPENED
    assert heard.incidents()[0].key == "4711"


@pytest.mark.parametrize(
    ("keys", "payload", "cameras"),
    [
        ('format = "text"\nencoding = "latin-1"', b"\x80\x04", ["in8", "in11"]),
        ('format = "text"\nencoding = "latin-1"', b"\x00\x04", ["in11"]),
        ('format = "text"', b"\x80\x04", ["in8", "in11"]),
        ('format = "text"', b"80 04", ["in8", "in11"]),
        ("", b'{"b":"0900"}', ["in1", "in4"]),
        ("", b'{"b":9}', ["in1", "in4"]),
    ],
)
def test_inputs_as_bits(keys: str, payload: bytes, cameras: list[str]) -> None:
    asked = "payload" if "text" in keys else "b"
    heard = listener(
        one(
            f'topics = ["b1"]\n{keys}\nfields = {{ n = "bits({asked})" }}\n'
            'when = "bits(' + asked + ')"\ncameras = ["in{n}"]'
        ),
        cameras=["in1", "in4", "in8", "in11"],
    )
    found = outcome(heard, "b1", payload)
    assert found is OPENED
    clips = [clip.camera for each in heard.incidents() for clip in each.clips]
    assert clips == cameras


def test_zones_in_the_middle_of_a_raw_line() -> None:
    heard = listener(
        one(
            'topics = ["evl/bitmap"]\nformat = "text"\npattern = "%01,{map}$"\n'
            'when = "map"\nfields = { zone = "bits(map)" }\ncameras = ["z{zone}"]'
        ),
        cameras=["z1", "z4"],
    )
    heard.hear("evl/bitmap", "%01,0900000000000000$")
    assert [clip.camera for clip in heard.incidents()[0].clips] == ["z1", "z4"]


def test_another_character_set() -> None:
    keys = 'topics = ["p"]\nformat = "text"\npattern = "Zone: {zone}"\nwhen = "zone"'
    said = "Zone: Tür Süd".encode("latin-1")
    heard = listener(one(keys + '\nencoding = "latin-1"\ngroup_by = ["zone"]'))
    assert outcome(heard, "p", said) is OPENED
    assert heard.incidents()[0].key == "Tür Süd"
    heard = listener(one(keys))
    assert outcome(heard, "p", said) is INVALID
    assert heard.refused()[0].detail == (
        'payload is not UTF-8 (byte 8); write encoding = "latin-1" in the rule, or set '
        "the source to UTF-8."
    )


def test_a_wrong_byte_where_nobody_reads_costs_nothing() -> None:
    heard = listener(one('topics = ["p"]\nwhen = "state == \'on\'"'))
    assert outcome(heard, "p", b'{"state":"on","label":"T\xfcr"}') is OPENED
    # what does not hold might have, had it been read
    assert outcome(heard, "p", b'{"state":"of","label":"T\xfcr"}') is INVALID


@pytest.mark.parametrize(
    ("packing", "wrap"),
    [("gzip", gzip.compress), ("base64", base64.b64encode)],
)
def test_a_payload_that_is_packed(packing: str, wrap: object) -> None:
    heard = listener(
        one(f'topics = ["p"]\nunpack = "{packing}"\nwhen = "state == \'on\'"')
    )
    assert outcome(heard, "p", wrap(b'{"state":"on"}')) is OPENED  # type: ignore[operator]
    assert outcome(heard, "p", b'{"state":"on"}') is INVALID
    assert f'leave unpack = "{packing}" out' in heard.refused()[0].detail


# Times


def test_local_time_is_the_daemons_where_the_rule_says_nothing() -> None:
    heard = listener(
        one('topics = ["t"]\nwhen = "Switch1 == \'ON\'"\ntime = "Time"'),
        timezone="America/Los_Angeles",
    )
    heard.hear("t", {"Time": "2026-11-30T04:00:00", "Switch1": "ON"})
    assert heard.windows() == [("r", "11:59:30", "12:02:00")]


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ("2026-11-30T03:58-0800", ""),
        ("30.11.2026 11:58:00", ""),
        ("Mon Nov 30 11:58:00 2026", ""),
        ("2026-11-30 11:58:00 +0000 UTC", ""),
        ("2026-11-30T12:58:00+01:00[Europe/Paris]", ""),
        ("DT#2026-11-30-11:58:00", ""),
        ("1.79603988e9", ""),
        ("11/30/2026 11:58:00 AM", 'time_format = "%m/%d/%Y %I:%M:%S %p"'),
        ("11:58:00,11-30-2026", 'time_format = "%H:%M:%S,%m-%d-%Y"'),
        (
            "11:58:00,11-30-2026",
            'time_format = "%H:%M:%S,%m-%d-%Y"\ntimezone = "Etc/UTC"',
        ),
    ],
)
def test_times_of_other_forms(said: str, keys: str) -> None:
    heard = listener(one(f'topics = ["t"]\ntime = "ts"\n{keys}'))
    heard.hear("t", {"ts": said})
    assert heard.windows() == [("r", "11:57:30", "12:00:00")]


# Bounds


def test_an_alarm_may_name_forty_cameras() -> None:
    names = [f"cam{n:02}" for n in range(40)]
    heard = listener(
        one('topics = ["a"]\nfields = { cams = "c" }\ncameras = ["{cams}"]'),
        cameras=names,
    )
    heard.hear("a", {"c": names})
    assert sorted(clip.camera for clip in heard.incidents()[0].clips) == names


def test_names_beyond_a_thousand_are_told_in_the_history() -> None:
    heard = listener(one('topics = ["a"]\nfields = { c = "c" }\ncameras = ["x{c}"]'))
    heard.hear("a", {"c": list(range(1100))})
    [entry] = heard.tx.history.of(heard.incidents()[0].id)
    assert "x999" in entry.detail["unknown_cameras"]


def test_what_people_read_of_an_incident() -> None:
    heard = listener(
        one(
            'label = "Door forced"\nsummary = "{door} forced at {site}"\n'
            'topics = ["acc/{site}/{door}"]'
        )
    )
    heard.hear("acc/hq/north", {})
    [incident] = heard.incidents()
    assert (incident.label, incident.summary) == ("Door forced", "north forced at hq")
