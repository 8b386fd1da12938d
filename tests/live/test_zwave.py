"""zwave-js itself, from npm, with its mock nodes, and the shipped rules.

The topics are laid out as Z-Wave JS UI says (it is on no registry); values, their
times and what is told again after a restart are the driver's. What was published is
kept in tests/unit/captured, for the short runs.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from evidenced.core.alarms.alarm import Outcome
from fakes.mosquitto import Mosquitto
from fakes.shippedsystems import make_play
from live.followed import Followed
from live.installed import from_npm

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]
VERSION = "15.29.0"
SPEAKS = Path(__file__).parent / "zwave_speaks.mjs"
LAYOUTS = ["named", "named:ground floor", "valueid", "valueid:ground floor"]
DOOR, HALL = 2, 3
ACCESS, SECURITY = 6, 7
OPEN, CLOSED, MOTION, COVER, IDLE = 22, 23, 8, 3, 0
ALARM_RULE = """
[[rules]]
name = "zwave-alarm"
enabled = true
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("npm")
    return from_npm("zwave-js", made, f"zwave-js@{VERSION}", "mqtt@5")


@dataclass
class Stick:
    """The driver, its nodes, and the folder that it keeps."""

    program: Path
    folder: Path
    port: int
    layout: str
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        words = ["node", str(SPEAKS), str(self.port), str(self.folder), self.layout]
        with subprocess.Popen(
            words,
            cwd=self.program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            self._running.append(process)
            try:
                assert process.stdout is not None
                assert "started\n" in iter(process.stdout.readline, "")
                yield
                self._say("stop")
                process.wait(60)
            finally:
                self._running.pop()
                process.kill()

    def say(self, node: int, kind: int, event: int) -> None:
        self._say(f"{node} {kind} {event}")

    def _say(self, line: str) -> None:
        stdin = self._running[-1].stdin
        assert stdin is not None
        stdin.write(f"{line}\n")
        stdin.flush()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_door_and_a_motion_are_one_incident_each(
    program: Path, mosquitto: Mosquitto, tmp_path: Path, layout: str
) -> None:
    stick = Stick(program, tmp_path / "cache", mosquitto.port, layout)
    play = make_play("zwave-js-ui", more=ALARM_RULE)
    with Followed(mosquitto.port, play, ("zwave/#",)) as followed:

        def until(name: str, value: int) -> None:
            followed.until(
                lambda s: s.topic.endswith(name) and f'"value":{value}}}' in s.payload
            )

        with stick.running():
            stick.say(DOOR, ACCESS, CLOSED)
            until("/Door_state", CLOSED)
            assert followed.incidents == [], "the interview opens nothing"
            stick.say(DOOR, ACCESS, OPEN)
            until("/Door_state", OPEN)
            stick.say(HALL, SECURITY, MOTION)
            until("/Motion_sensor_status", MOTION)
            stick.say(HALL, SECURITY, COVER)
            until("/Cover_status", COVER)
        assert len(followed.incidents) == 3
        told = len(followed.said)
        with stick.running():
            until("/Door_state", OPEN)
            again = [each.outcome for each in followed.said[told:]]
            assert Outcome.OPENED not in again
            assert Outcome.EXTENDED not in again, "the same state, with its old time"
            stick.say(DOOR, ACCESS, CLOSED)
            until("/Door_state", CLOSED)
            stick.say(HALL, SECURITY, IDLE)
            until("/Motion_sensor_status", IDLE)
        assert followed.invalid() == []
        assert len(followed.incidents) == 3
        assert not any(each.is_active for each in followed.incidents)
        if layout == LAYOUTS[-1]:
            followed.capture(f"zwave-js-{VERSION}")
    late = make_play("zwave-js-ui", more=ALARM_RULE)
    with Followed(mosquitto.port, late, ("zwave/#",)) as followed:
        until("/Motion_sensor_status", IDLE)
        assert all(each.retained for each in followed.said)
        assert followed.incidents == []
