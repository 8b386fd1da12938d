"""Zigbee2MQTT itself, from npm, with a stick that is played, and the shipped rules.

The frames are what such devices send; herdsman, the converters, the states that it
remembers, availability and Home Assistant's part are the real ones. What it published
here is kept in tests/unit/captured, for the short runs.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from evidenced.core.alarms.alarm import Outcome
from fakes.mosquitto import Mosquitto, Peer
from fakes.shippedsystems import make_play
from live.followed import Followed
from live.installed import from_npm

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]
VERSION = "2.14.1"
SPEAKS = Path(__file__).parent / "zigbee2mqtt_speaks.cjs"
IAS, ON_OFF, POWER, LOCK = 0x0500, 0x0006, 0x0001, 0x0101
DEVICES = {
    2: ("Back door", "eWeLink", "DS01", [0, 1, 3, IAS]),
    3: ("Hall", "eWeLink", "MS01", [0, 1, 3, IAS]),
    4: ("attic/door", "LUMI", "lumi.sensor_magnet.aq2", [0, 3, ON_OFF]),
    5: ("Window", "LUMI", "lumi.vibration.aq1", [0, 3, LOCK]),
    6: ("Smoke", "HEIMAN", "SmokeSensor-EM", [0, 1, 3, IAS]),
    7: ("Cellar", "LUMI", "lumi.sensor_wleak.aq1", [0, 1, 3, IAS]),
    8: ("Button", "eWeLink", "WB01", [0, 1, 3]),
    9: ("Siren", "HEIMAN", "WarningDevice", [0, 1, 3, IAS, 0x0502]),
}
STICK = (1, ("", "", "", [0]))
DOOR, HALL, ATTIC, WINDOW, SMOKE, CELLAR, BUTTON, SIREN = DEVICES
CONFIGURATION = """version: 5
mqtt:
  server: mqtt://127.0.0.1:{port}
serial:
  port: /dev/null
  adapter: zstack
advanced:
  log_output: [console]
  network_key: [1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13]
  pan_id: 6754
  ext_pan_id: [221, 221, 221, 221, 221, 221, 221, 221]
  channel: 11
  {advanced}
frontend:
  enabled: false
availability:
  enabled: true
homeassistant:
  enabled: {is_home_assistant}
devices:
{devices}
"""


def alarm(status: int) -> str:
    """IAS zone status change. Source: ZCL 8, 8.2.2.4.1."""
    return f"09TT00{status:02x}000000000000"


def attribute(number: int, kind: int, value: str) -> str:
    """Report of one attribute. Source: ZCL 8, 2.5.11."""
    return f"18TT0a{number.to_bytes(2, 'little').hex()}{kind:02x}{value}"


OPEN, CLOSED = alarm(1), alarm(0)
LUMI_OPEN, LUMI_CLOSED = attribute(0, 0x10, "01"), attribute(0, 0x10, "00")
BATTERY = attribute(0x21, 0x20, "90")
VIBRATION = attribute(0x55, 0x21, "0100")
PUSH = "01TT02"


@dataclass
class Bridge:
    """Zigbee2MQTT and its folder."""

    program: Path
    folder: Path
    port: int
    advanced: str = ""
    more: str = ""
    is_home_assistant: bool = True
    _sent: int = 0
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / "database.db").write_text("\n".join(database()))
        named = (
            f"  '{address(n)}':\n    friendly_name: {name}\n{self.more}"
            for n, (name, *_) in DEVICES.items()
        )
        text = CONFIGURATION.format(
            port=self.port,
            advanced=self.advanced,
            devices="".join(named),
            is_home_assistant=str(self.is_home_assistant).lower(),
        )
        (self.folder / "configuration.yaml").write_text(text)

    @contextmanager
    def running(self) -> Iterator[None]:
        data = {"ZIGBEE2MQTT_DATA": str(self.folder)}
        with (
            (self.folder / "log").open("a") as log,
            subprocess.Popen(
                ["node", str(SPEAKS)],
                cwd=self.program,
                env={**os.environ, **data},
                stdin=subprocess.PIPE,
                stdout=log,
                text=True,
            ) as process,
        ):
            self._running.append(process)
            try:
                yield
                self._say("stop")
                process.wait(60)
            finally:
                self._running.pop()
                process.kill()

    def say(self, device: int, cluster: int, frame: str) -> None:
        self._sent += 1
        numbered = frame.replace("TT", f"{self._sent % 256:02x}")
        self._say(f"{device} {cluster} {numbered}")

    def _say(self, line: str) -> None:
        stdin = self._running[-1].stdin
        assert stdin is not None
        stdin.write(f"{line}\n")
        stdin.flush()


def address(device: int) -> str:
    return f"0x00158d00000000{device:02x}"


def database() -> Iterator[str]:
    """Devices that have joined already, as herdsman keeps them."""
    for number, (_, maker, model, clusters) in [STICK, *DEVICES.items()]:
        is_stick = number == 1
        endpoint = {
            "profId": 260,
            "epId": 1,
            "devId": 1026,
            "inClusterList": clusters,
            "outClusterList": [],
            "clusters": {},
            "binds": [],
            "configuredReportings": [],
            "meta": {},
        }
        yield json.dumps(
            {
                "id": number,
                "type": "Coordinator" if is_stick else "EndDevice",
                "ieeeAddr": "0x00124b00120144ae" if is_stick else address(number),
                "nwkAddr": 0 if is_stick else number,
                "manufId": 0,
                "manufName": maker,
                "powerSource": "Battery",
                "modelId": model,
                "epList": [1],
                "endpoints": {"1": endpoint},
                "interviewCompleted": True,
                "interviewState": "SUCCESSFUL",
                "meta": {"configured": 0},
                "lastSeen": 0,
            }
        )


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return from_npm(
        "zigbee2mqtt", tmp_path_factory.mktemp("npm"), f"zigbee2mqtt@{VERSION}"
    )


EVERY_RULE = """
[[rules]]
name = "zigbee2mqtt-in-place"
enabled = true
[[rules]]
name = "zigbee2mqtt-alarm"
enabled = true
[[rules]]
name = "zigbee2mqtt-button"
enabled = true
"""


def test_every_sensor_is_one_incident_whatever_restarts(
    program: Path, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """With availability and Home Assistant, which repeats what Zigbee2MQTT knows."""
    bridge = Bridge(program, tmp_path / "data", mosquitto.port)
    play = make_play("zigbee2mqtt", more=EVERY_RULE)
    with Followed(mosquitto.port, play, ("zigbee2mqtt/#",)) as followed:
        with bridge.running():
            followed.until_topic("zigbee2mqtt/bridge/logging", "started")
            for frame in (CLOSED, OPEN):
                bridge.say(DOOR, IAS, frame)
            for device, cluster, frame in (
                (HALL, IAS, OPEN),
                (ATTIC, ON_OFF, LUMI_OPEN),
                (WINDOW, LOCK, VIBRATION),
                (SMOKE, IAS, OPEN),
                (CELLAR, IAS, OPEN),
                (BUTTON, ON_OFF, PUSH),
                (DOOR, POWER, BATTERY),
            ):
                bridge.say(device, cluster, frame)
            followed.until_topic("zigbee2mqtt/Back door", '"battery":72')
            followed.until_topic("zigbee2mqtt/Button/action")
        assert sorted(str(each.rule) for each in followed.incidents) == [
            "zigbee2mqtt-alarm",
            "zigbee2mqtt-alarm",
            "zigbee2mqtt-alarm",
            "zigbee2mqtt-button",
            "zigbee2mqtt-in-place",
            "zigbee2mqtt-sensor",
            "zigbee2mqtt-sensor",
        ]
        with bridge.running():
            followed.until_topic("zigbee2mqtt/bridge/logging", "started")
            for device, cluster, frame in (
                (DOOR, IAS, CLOSED),
                (HALL, IAS, CLOSED),
                (ATTIC, ON_OFF, LUMI_CLOSED),
                (SMOKE, IAS, CLOSED),
                (CELLAR, IAS, CLOSED),
            ):
                bridge.say(device, cluster, frame)
            followed.until_topic("zigbee2mqtt/Cellar", '"water_leak":false')
        assert followed.invalid() == []
        assert len(followed.incidents) == 7
        assert followed.outcomes.count(Outcome.OPENED) == 7
        ended = [s for s in followed.said if s.outcome is Outcome.CLEARED]
        assert sum(each.heard.incident is not None for each in ended) == 5
        still_open = {each.key for each in followed.incidents if each.is_active}
        assert still_open == {"Window"}, "its vibration ends a minute later"
        followed.capture(f"zigbee2mqtt-{VERSION}")


def test_what_the_head_advises_for_its_configuration_is_so(
    program: Path, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """qos: 1; and no linkquality, with cache_state_send_on_startup: false."""
    bridge = Bridge(
        program,
        tmp_path / "data",
        mosquitto.port,
        advanced="cache_state_send_on_startup: false",
        more="    qos: 1\n    retain: true\n    filtered_attributes: [linkquality]\n",
        is_home_assistant=False,
    )
    more = """
[[rules]]
name = "zigbee2mqtt-sensor"
when = "contact == `false` || occupancy == `true`"
"""
    play = make_play("zigbee2mqtt", more=more)
    with Followed(mosquitto.port, play, ("zigbee2mqtt/#",)) as followed:
        with bridge.running():
            followed.until_topic("zigbee2mqtt/bridge/logging", "started")
            bridge.say(DOOR, IAS, OPEN)
            assert followed.until_topic("zigbee2mqtt/Back door").qos == 1
        with bridge.running():
            followed.until_topic("zigbee2mqtt/bridge/logging", "started")
            bridge.say(DOOR, IAS, CLOSED)
            followed.until_topic("zigbee2mqtt/Back door", '"contact":true')
            bridge.say(DOOR, IAS, OPEN)
            followed.until_topic("zigbee2mqtt/Back door", '"contact":false')
        taken = [Outcome.OPENED, Outcome.CLEARED, Outcome.EXTENDED]
        assert [each for each in followed.outcomes if each in taken] == taken
    again = make_play("zigbee2mqtt", more=more)
    with Followed(mosquitto.port, again, ("zigbee2mqtt/#",)) as followed:
        replayed = followed.until_topic("zigbee2mqtt/Back door")
        assert replayed.retained
        assert replayed.outcome is Outcome.RETAINED
        assert followed.incidents == []


def test_home_assistant_that_comes_back_opens_nothing(
    program: Path, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """Half a minute after its "online" Zigbee2MQTT publishes all states again."""
    bridge = Bridge(program, tmp_path / "data", mosquitto.port)
    play = make_play("zigbee2mqtt")
    with Followed(mosquitto.port, play, ("zigbee2mqtt/#",)) as followed:
        with bridge.running():
            followed.until_topic("zigbee2mqtt/bridge/logging", "started")
            bridge.say(DOOR, IAS, OPEN)
            followed.until_topic("zigbee2mqtt/Back door")
            with Peer(mosquitto.port) as peer:
                peer.publish("homeassistant/status", "online")
            again = followed.until_topic("zigbee2mqtt/Back door")
            assert json.loads(again.payload)["linkquality"] == 120, "it remembers that"
        assert again.outcome is Outcome.UNCHANGED
        assert followed.outcomes.count(Outcome.OPENED) == 1
