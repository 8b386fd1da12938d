"""Cases that people reported of other systems: the rule for each, and what it does.

One row a case: what is hard about it, the rule as an integrator writes it, the messages
in their order, each a second after the one before, and what becomes of them. Ready-made
rules have cases of their own, in the heads of config/systems.
"""

import base64
from dataclasses import dataclass

import pytest

from evidenced.core.alarms.alarm import Outcome
from fakes.listening import listener

OPENED, EXTENDED, CLEARED = Outcome.OPENED, Outcome.EXTENDED, Outcome.CLEARED
UNCHANGED, UNMATCHED, UNMET = Outcome.UNCHANGED, Outcome.UNMATCHED, Outcome.UNMET
DUPLICATE, WAITING, NOTED = Outcome.DUPLICATE, Outcome.WAITING, Outcome.NOTED
Heard = tuple[str, object, list[Outcome]]


@dataclass(frozen=True)
class Case:
    """`heard` are messages with what each rule made of them."""

    hard: str
    rules: str
    heard: tuple[Heard, ...]
    timezone: str = "UTC"
    cameras: tuple[str, ...] = ()


CASES = [
    Case(
        "an empty message is the alarm, the camera stands in the topic",
        """[[rules]]
        name = "bell"
        topics = ["homebridge/motion/{camera}"]
        format = "text"
        cameras = ["{camera}"]""",
        (("homebridge/motion/lobby", b"", [OPENED]),),
    ),
    Case(
        "two devices count their events by themselves",
        """[[rules]]
        name = "forced"
        topics = ["acc/{panel}/event"]
        when = "type == 'forced'"
        id = "seq"
        time = "ts"
        group_by = ["panel"]
        cameras = ["lobby"]""",
        (
            (
                "acc/east/event",
                {"type": "forced", "seq": 17, "ts": "2026-11-30T12:00:00Z"},
                [OPENED],
            ),
            (
                "acc/west/event",
                {"type": "forced", "seq": 17, "ts": "2026-11-30T12:00:01Z"},
                [OPENED],
            ),
            (
                "acc/west/event",
                {"type": "forced", "seq": 17, "ts": "2026-11-30T12:00:01Z"},
                [DUPLICATE],
            ),
        ),
    ),
    Case(
        "an id with the device in it",
        """[[rules]]
        name = "forced"
        topics = ["acc/{panel}/event"]
        id = "join('/', [captured('panel'), to_string(seq)])"
        cameras = ["lobby"]""",
        (("acc/east/event", {"seq": 17}, [OPENED]),),
    ),
    Case(
        "several inputs in one message",
        """[[rules]]
        name = "input1"
        topics = ["tele/{device}/SENSOR"]
        when = "Switch1 == 'ON'"
        clear = "Switch1 == 'OFF'"
        group_by = ["device"]
        cameras = ["lobby"]
        [[rules]]
        name = "input2"
        topics = ["tele/{device}/SENSOR"]
        when = "Switch2 == 'ON'"
        clear = "Switch2 == 'OFF'"
        group_by = ["device"]
        cameras = ["yard"]""",
        (
            ("tele/io/SENSOR", {"Switch1": "OFF", "Switch2": "ON"}, [CLEARED, OPENED]),
            ("tele/io/SENSOR", {"Switch1": "ON", "Switch2": "ON"}, [OPENED, EXTENDED]),
        ),
    ),
    Case(
        "a batch of events, each with its own time and end",
        """[[rules]]
        name = "door"
        topics = ["tb/alarms"]
        each = "@"
        when = "status == 'ACTIVE'"
        clear = "status == 'CLEARED'"
        time = "ts"
        fields = { door = "door" }
        group_by = ["door"]
        cameras = ["lobby"]""",
        (
            (
                "tb/alarms",
                [
                    {"door": "north", "status": "ACTIVE", "ts": 1796040001000},
                    {"door": "south", "status": "ACTIVE", "ts": 1796039701000},
                    {"door": "east", "status": "CLEARED", "ts": 1796040001000},
                ],
                [OPENED, OPENED, CLEARED],
            ),
        ),
    ),
    Case(
        "the end comes on another topic, with the same payload",
        """[[rules]]
        name = "motion"
        topics = ["homebridge/motion", "homebridge/motion/reset"]
        format = "text"
        pattern = "{camera}"
        when = "!ends_with(topic(), '/reset')"
        clear = "ends_with(topic(), '/reset')"
        group_by = ["camera"]
        cameras = ["lobby"]""",
        (
            ("homebridge/motion", "Front_Door", [OPENED]),
            ("homebridge/motion/reset", "Front_Door", [CLEARED]),
        ),
    ),
    Case(
        "local time west of Greenwich",
        """[[rules]]
        name = "switch"
        topics = ["tele/x/SENSOR"]
        when = "Switch1 == 'ON'"
        time = "Time"
        cameras = ["lobby"]""",
        (
            (
                "tele/x/SENSOR",
                {"Time": "2026-11-30T04:00:01", "Switch1": "ON"},
                [OPENED],
            ),
        ),
        timezone="America/Los_Angeles",
    ),
    Case(
        "the payload is a picture that nobody reads",
        """[[rules]]
        name = "snapshot"
        topics = ["home/{cam}/motion/snapshot"]
        format = "any"
        cameras = ["lobby"]""",
        (("home/gate/motion/snapshot", bytes.fromhex("ffd8ffe000104a46"), [OPENED]),),
    ),
    Case(
        "a picture of a megabyte stands beside what is read",
        """[[rules]]
        name = "event"
        topics = ["cam"]
        when = "event == 'motion'"
        cameras = ["lobby"]""",
        (
            (
                "cam",
                {"camera": "gate", "event": "motion", "image": "A" * 300_000},
                [OPENED],
            ),
        ),
    ),
    Case(
        "another sensor in the message is broken",
        """[[rules]]
        name = "open"
        topics = ["t"]
        when = "state == 'open'"
        cameras = ["lobby"]""",
        (
            ("t", '{"state":"open","lux":nan}', [OPENED]),
            ("t", '{"state":"open","lux":NaN}', [EXTENDED]),
        ),
    ),
    Case(
        "another character set",
        """[[rules]]
        name = "zone"
        topics = ["panel"]
        format = "text"
        encoding = "latin-1"
        pattern = "Zone in Alarm: {zone}"
        when = "zone == 'Tür Süd'"
        cameras = ["lobby"]""",
        (("panel", "Zone in Alarm: Tür Süd".encode("latin-1"), [OPENED]),),
    ),
    Case(
        "JSON in a string inside JSON",
        """[[rules]]
        name = "pilight"
        topics = ["home/gw/PilighttoMQTT"]
        when = "from_json(message).state == 'opened'"
        fields = { unit = "from_json(message).unitcode" }
        group_by = ["unit"]
        cameras = ["lobby"]""",
        (
            (
                "home/gw/PilighttoMQTT",
                {"message": '{"unitcode":4711,"state":"opened"}'},
                [OPENED],
            ),
        ),
    ),
    Case(
        "inputs as bits",
        """[[rules]]
        name = "inputs"
        topics = ["NetworkModule/b1/state"]
        format = "text"
        encoding = "latin-1"
        when = "bits(payload)"
        fields = { input = "bits(payload)" }
        cameras = ["in{input}"]
        unknown = "ignore\"""",
        (("NetworkModule/b1/state", bytes.fromhex("8004"), [OPENED]),),
        cameras=("in7", "in8", "in10", "in11"),
    ),
    Case(
        "a table of more than 32 zones",
        """[[rules]]
        name = "zones"
        topics = ["panel/zones"]
        each = "zones"
        when = "open == `true`"
        fields = { zone = "n" }
        group_by = ["zone"]
        cameras = ["lobby"]""",
        (
            (
                "panel/zones",
                {"zones": [{"n": n, "open": True} for n in range(40)]},
                [OPENED] * 40,
            ),
        ),
    ),
    Case(
        "a contact repeats that it is open",
        """[[rules]]
        name = "door"
        topics = ["z/{name}"]
        when = "contact == `false`"
        clear = "contact == `true`"
        once = true
        group_by = ["name"]
        cameras = ["lobby"]""",
        (
            ("z/door", {"contact": False, "battery": 90}, [OPENED]),
            ("z/door", {"contact": False, "battery": 89}, [UNCHANGED]),
            ("z/door", {"contact": True}, [CLEARED]),
            ("z/door", {"contact": False}, [EXTENDED]),  # the next opening
        ),
    ),
    Case(
        "sensors count only while armed",
        """[conditions.armed]
        topic = "house/alarm"
        format = "text"
        when = "payload == 'armed'"
        [[rules]]
        name = "zone"
        topics = ["zone/{n}"]
        when = "state == 'open'"
        only_while = ["armed"]
        group_by = ["n"]
        cameras = ["lobby"]""",
        (
            ("house/alarm", "disarmed", [NOTED]),
            ("zone/3", {"state": "open"}, [UNMET]),
            ("house/alarm", "armed", [NOTED]),
            ("zone/3", {"state": "open"}, [OPENED]),
        ),
    ),
    Case(
        "an alarm only if it lasts",
        """[[rules]]
        name = "gate"
        topics = ["gate/{n}"]
        when = "state == 'open'"
        clear = "state == 'closed'"
        after = "5m"
        group_by = ["n"]
        cameras = ["lobby"]""",
        (
            ("gate/1", {"state": "open"}, [WAITING]),
            ("gate/1", {"state": "closed"}, [CLEARED]),
        ),
    ),
    Case(
        "disarming ends what the zones began",
        """[[rules]]
        name = "panel"
        topics = ["evl/zone/{n}", "evl/partition/+"]
        when = "state == 'alarm'"
        clear = "state == 'disarmed'"
        group_by = ["n"]
        cameras = ["lobby"]""",
        (
            ("evl/zone/3", {"state": "alarm"}, [OPENED]),
            ("evl/zone/4", {"state": "alarm"}, [OPENED]),
            ("evl/partition/1", {"state": "disarmed"}, [CLEARED]),
        ),
    ),
    Case(
        "one message after the event, with start and end",
        """[[rules]]
        name = "clip"
        topics = ["cam/files"]
        time = "start"
        until = "end"
        cameras = ["lobby"]""",
        (
            (
                "cam/files",
                {
                    "start": "2026-11-30T11:20:00+00:00",
                    "end": "2026-11-30T11:40:57+00:00",
                },
                [OPENED],
            ),
        ),
    ),
    *(
        Case(
            f"a time of another form: {text}",
            f"""[[rules]]
        name = "r"
        topics = ["t"]
        time = "ts"
        time_format = "{form}"
        cameras = ["lobby"]""",
            (("t", {"ts": text}, [OPENED]), ("t", {"ts": text}, [DUPLICATE])),
        )
        for text, form in (
            ("11/30/2026 11:59:01 AM", "%m/%d/%Y %I:%M:%S %p"),
            ("30.11.2026 11:59:01", "%d.%m.%Y %H:%M:%S"),
            ("Mon Nov 30 11:59:01 2026", "%a %b %d %H:%M:%S %Y"),
            ("2026-11-30 11:59:01 +0000 UTC", "%Y-%m-%d %H:%M:%S %z UTC"),
            ("DT#2026-11-30-11:59:01", "DT#%Y-%m-%d-%H:%M:%S"),
        )
    ),
    Case(
        "devices that are somebody else's",
        """[[rules]]
        name = "sensor"
        topics = ["rtl_433/{rx}/events"]
        fields = { sensor = "id" }
        cameras = ["s{sensor}"]
        unknown = "ignore\"""",
        (
            ("rtl_433/a/events", {"id": 99000, "closed": 0}, [UNMATCHED]),
            ("rtl_433/a/events", {"id": 17, "closed": 0}, [OPENED]),
        ),
        cameras=("s17",),
    ),
    Case(
        "numbers as text, in a key with a slash",
        """[[rules]]
        name = "relay"
        topics = ["espurna"]
        when = '"relay/0" == `"1"`'
        cameras = ["lobby"]""",
        (
            ("espurna", {"relay/0": "1"}, [OPENED]),
            ("espurna", {"relay/0": "0"}, [UNMATCHED]),
        ),
    ),
    Case(
        "two names in one level, and names with slashes",
        """[[rules]]
        name = "state"
        topics = ["alarm/{site}-{door}/state", "deep/#"]
        except = ["deep/bridge/#"]
        when = "on"
        cameras = ["lobby"]""",
        (
            ("alarm/hq-north/state", {"on": True}, [OPENED]),
            ("deep/hall/door/1", {"on": True}, [EXTENDED]),
            ("deep/bridge/logging", {"on": True}, [Outcome.EXCEPTED]),
        ),
    ),
    Case(
        "a payload that is wrapped",
        """[[rules]]
        name = "wrapped"
        topics = ["w"]
        unpack = "base64"
        when = "state == 'on'"
        cameras = ["lobby"]""",
        (("w", base64.b64encode(b'{"state": "on"}'), [OPENED]),),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.hard)
def test_a_rule_handles_it(case: Case) -> None:
    heard = listener(case.rules, timezone=case.timezone, cameras=case.cameras)
    for topic, payload, wanted in case.heard:
        taken = heard.hear(topic, payload)
        told = [(each.rule, each.outcome, each.detail) for each in taken]
        assert [each.outcome for each in taken] == wanted, told
    for incident in heard.incidents():
        assert incident.clips, "its cameras are known"
