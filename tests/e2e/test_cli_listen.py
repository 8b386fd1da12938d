"""`evidenced listen` at a real broker, beside a daemon or without one."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.mosquitto import Mosquitto, Peer, free_port

DEADLINE_S = 60
CONFIG = """
[mqtt]
url = "mqtt://127.0.0.1:{port}"
protocol = "{protocol}"
[recorders.main]
url = "http://127.0.0.1:1"
username = "export"
password = {{ env = "NOT_NEEDED" }}
nonce = "AR5chsWVZagPfMpB"
[cameras.lobby]
server = "1001"
device = "2001"
[destinations.nas]
path = 'V:\\evidence\\{{rule}}-{{id}}'
[[rules]]
name = "panic"
topics = ["panic/{{zone}}"]
when = "state == 'on'"
cameras = ["lobby"]
"""


def write_config(folder: Path, port: int, protocol: str = "5") -> Path:
    file = folder / "evidenced.toml"
    file.write_text(CONFIG.format(port=port, protocol=protocol))
    return file


@contextmanager
def listening(file: Path, *args: str) -> Iterator["subprocess.Popen[str]"]:
    """A listener whose subscription is granted."""
    command = [sys.executable, "-m", "evidenced", "listen", "-c", str(file), *args]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdout=pipe, stderr=pipe) as child:
        try:
            assert child.stderr is not None
            assert child.stderr.readline().startswith("listening to ")
            yield child
        finally:
            if child.poll() is None:
                child.kill()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_arrives_is_shown_with_the_rule_that_takes_it(
    tmp_path: Path, mosquitto: Mosquitto, protocol: str
) -> None:
    file = write_config(tmp_path, mosquitto.port, protocol)
    with Peer(mosquitto.port) as peer:
        peer.publish("panic/old", '{"state": "on"}', retain=True)
        with listening(file, "panic/#", "--json", "--count", "3") as child:
            peer.publish("panic/a", '{"state": "on"}')
            peer.publish("panic/a", "odd \x1b[31m")
            out, _ = child.communicate(timeout=DEADLINE_S)
    assert child.returncode == 0
    found = sorted(map(json.loads, out.splitlines()), key=lambda each: each["topic"])
    assert [(each["topic"], each["retained"]) for each in found] == [
        ("panic/a", False),
        ("panic/a", False),
        ("panic/old", True),
    ]
    assert [each.get("outcome") for each in found] == [None, "invalid", "retained"]
    assert found[0]["clips"][0]["camera"] == "lobby"
    assert "\x1b" not in out


def test_it_ends_well_when_it_is_interrupted(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    file = write_config(tmp_path, mosquitto.port)
    with Peer(mosquitto.port) as peer, listening(file) as child:
        peer.publish("panic/a", '{"state": "on"}')
        assert child.stdout is not None
        assert "panic/a" in child.stdout.readline()
        assert "-> panic: lobby" in child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait(DEADLINE_S) == 0


def test_a_broker_that_is_away_is_told_in_one_line(tmp_path: Path) -> None:
    file = write_config(tmp_path, free_port())
    done = subprocess.run(
        [sys.executable, "-m", "evidenced", "listen", "-c", str(file)],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "mqtt:" in line
    assert "refuses connections" in line
