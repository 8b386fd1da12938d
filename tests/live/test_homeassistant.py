"""Home Assistant itself, from PyPI, at a real broker, and the shipped rules.

The newest version that this Python can have. What it published here is kept in
tests/unit/captured, for the short runs.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evidenced.core.alarms.alarm import Outcome
from fakes.mosquitto import Mosquitto
from fakes.shippedsystems import make_play
from live.followed import Followed
from live.installed import from_pypi

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]
VERSION = "2024.3.3"
PACKAGES = (f"homeassistant=={VERSION}", "paho-mqtt==1.6.1", "janus==1.0.0")
SPEAKS = Path(__file__).parent / "ha_speaks.py"
STATESTREAM = """
[[rules]]
name = "home-assistant-triggered"
topics = ["homeassistant/alarm_control_panel/{panel}/state"]
group_by = ["panel"]
"""
STREAM = "homeassistant/alarm_control_panel/house/state"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return from_pypi("homeassistant", tmp_path_factory.mktemp("pypi"), *PACKAGES)


@contextmanager
def running(python: Path, folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    folder.mkdir(exist_ok=True)
    with (
        (folder / "log").open("a") as log,
        subprocess.Popen(
            [str(python), str(SPEAKS), str(folder), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            assert "started\n" in iter(process.stdout.readline, "")
            yield process
            say(process, "stop")
            process.wait(60)
        finally:
            process.kill()


def say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


@pytest.mark.parametrize(("topic", "more"), [("home/alarm", ""), (STREAM, STATESTREAM)])
def test_an_alarm_and_its_end_are_one_incident(
    python: Path, mosquitto: Mosquitto, tmp_path: Path, topic: str, more: str
) -> None:
    """It is triggered twice; each message is a state, the attributes' too."""
    play = make_play("home-assistant", more=more)
    with (
        Followed(mosquitto.port, play, ("home/#", "homeassistant/#")) as followed,
        running(python, tmp_path / "home", mosquitto.port) as home,
    ):
        say(home, "arm_away")
        followed.until_topic(topic, "armed_away")
        say(home, "trigger")
        followed.until_topic(topic, "triggered")
        say(home, "trigger")
        say(home, "disarm")
        followed.until_topic(topic, "disarmed")
        assert followed.invalid() == []
        assert followed.outcomes.count(Outcome.OPENED) == 1
        [incident] = followed.incidents
        assert not incident.is_active
        if more:
            followed.capture(f"home-assistant-{VERSION}-statestream")
        else:
            followed.capture(f"home-assistant-{VERSION}")
    late = make_play("home-assistant", more=more)
    with Followed(mosquitto.port, late, (topic,)) as followed:
        assert followed.until_topic(topic, "disarmed").retained
        assert followed.incidents == []


def test_a_restart_in_alarm_ends_it_or_leaves_it_to_clear_within(
    python: Path, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """As the head of the file says: the manual panel forgets, statestream is silent."""
    manual, stream = (
        make_play("home-assistant"),
        make_play("home-assistant", more=STATESTREAM),
    )
    with (
        Followed(mosquitto.port, manual, ("home/#",)) as told,
        Followed(mosquitto.port, stream, ("homeassistant/#",)) as streamed,
    ):
        with running(python, tmp_path / "home", mosquitto.port) as home:
            say(home, "arm_away")
            told.until_topic("home/alarm", "armed_away")
            say(home, "trigger")
            told.until_topic("home/alarm", "triggered")
            streamed.until_topic(STREAM, "triggered")
        with running(python, tmp_path / "home", mosquitto.port):
            told.until_topic("home/alarm", "disarmed")
            streamed.until_topic("homeassistant/status", "online")
        [forgot], [stale] = told.incidents, streamed.incidents
        assert not forgot.is_active
        assert stale.is_active
