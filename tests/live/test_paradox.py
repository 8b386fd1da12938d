"""Paradox Alarm Interface itself, from PyPI, at a real broker, and the shipped rule.

What it published here is kept in tests/unit/captured, for the short runs.
"""

import subprocess
import sys
import venv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidenced.core.alarms.alarm import Outcome
from fakes.mosquitto import Mosquitto, Peer
from fakes.playedrules import Message
from fakes.shippedsystems import make_play

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]
VERSION = "3.8.1"
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has it."""
    folder = tmp_path_factory.mktemp("pai")
    venv.create(folder, with_pip=True)
    wanted = f"paradox-alarm-interface=={VERSION}"
    pip = [str(folder / "bin" / "pip"), "install", "-q", wanted]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{wanted} cannot be installed: {done.stderr[-200:]}")
    return folder / "bin" / "python"


def test_one_zone_alarm_is_one_incident(python: Path, mosquitto: Mosquitto) -> None:
    with Peer(mosquitto.port) as peer:
        peer.subscribe("paradox/events/raw")
        subprocess.run(
            [str(python), str(HERE / "pai_speaks.py"), str(mosquitto.port)],
            check=True,
            stderr=sys.stderr,
            timeout=120,
        )
        heard = [peer.next() for _ in range(5)]
    play = make_play("paradox-pai")
    outcomes = []
    for message in heard:
        said = Message(message.topic, message.payload.decode(), Outcome.UNMATCHED)
        outcomes.append(play.hear(said, datetime.now(UTC)).outcome)
    assert outcomes.count(Outcome.OPENED) == 1
    assert outcomes.count(Outcome.CLEARED) == 1
    assert len(play.incidents) == 1
