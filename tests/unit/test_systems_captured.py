"""What programs published when they were run (tests/live), and the shipped rules."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from evidenced.core.alarms.alarm import Outcome
from fakes.playedrules import Message
from fakes.shippedsystems import make_play

CAPTURED = Path(__file__).parent / "captured"


@dataclass(frozen=True)
class Expected:
    """What its messages come to.

    `rules` are those that are turned on, `config` is what else is changed.
    """

    system: str
    begin: str
    incidents: int = 1
    ends: int = 1
    rules: tuple[str, ...] = ()
    config: str = ""

    @property
    def more(self) -> str:
        return self.config + "".join(
            f'[[rules]]\nname = "{name}"\nenabled = true\n' for name in self.rules
        )


STATESTREAM = """
[[rules]]
name = "home-assistant-triggered"
topics = ["homeassistant/alarm_control_panel/{panel}/state"]
group_by = ["panel"]
"""
FILES = {
    "home-assistant-2024.3.3": Expected("home-assistant", "19:35:00"),
    "home-assistant-2024.3.3-statestream": Expected(
        "home-assistant", "19:35:00", config=STATESTREAM
    ),
    "modbus2mqtt-0.73": Expected("modbus", "17:05:00"),
    "paradox-pai-3.8.1": Expected("paradox-pai", "10:07:47"),
    "zigbee2mqtt-2.14.1": Expected(
        "zigbee2mqtt",
        "19:15:00",
        incidents=7,
        ends=5,
        rules=("zigbee2mqtt-in-place", "zigbee2mqtt-alarm", "zigbee2mqtt-button"),
    ),
    "zwave-js-15.29.0": Expected(
        "zwave-js-ui", "19:28:00", incidents=3, ends=3, rules=("zwave-alarm",)
    ),
}


@pytest.mark.parametrize("file", FILES)
def test_what_was_published_is_taken_as_it_was_meant(file: str) -> None:
    expected = FILES[file]
    play = make_play(expected.system, expected.more)
    begin = datetime.fromisoformat(f"2026-11-30T{expected.begin}Z")
    opened = ended = 0
    lines = (CAPTURED / f"{file}.jsonl").read_text().splitlines()
    for n, line in enumerate(lines):
        said = json.loads(line)
        message = Message(
            said["topic"],
            said["payload"],
            Outcome.UNMATCHED,
            retained=said.get("retained", False),
        )
        heard = play.hear(message, begin + timedelta(milliseconds=100 * n))
        assert heard.outcome is not Outcome.INVALID, said
        opened += heard.outcome is Outcome.OPENED
        ended += heard.outcome is Outcome.CLEARED and heard.incident is not None
    assert (opened, ended) == (expected.incidents, expected.ends)
    assert len(play.incidents) == expected.incidents
    assert all(incident.clips for incident in play.incidents.values())


def test_every_capture_is_read() -> None:
    assert {file.stem for file in CAPTURED.glob("*.jsonl")} == set(FILES)
