"""The command as it is run: processes, pipes, signals, exits."""

import json
import os
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.mosquitto import Mosquitto

DEADLINE_S = 60.0
CONFIG = """
[daemon]
state_dir = '{state}'
[mqtt]
url = "mqtt://{host}:{port}"
[web]
listen = "{listen}"
{recorder}
[cameras.camera-1]
recorder = "simulated"
server = "1001"
device = "2001"
[destinations.nas]
path = 'V:\\evidence\\{{rule}}-{{id}}'
[[rules]]
name = "panic"
topics = ["panic/{{zone}}"]
cameras = ["camera-1"]
destination = "nas"
post_roll = "1h"
group_by = ["zone"]
"""

WRONG = """
[destinations.share]
path = 'V:\\evidence\\{{id}}'
mount = "{mount}"
marker = ".evidenced-share"
[recorders.annex]
url = "http://annex.example"
username = "export"
password = {{ file = "{mount}/nowhere" }}
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "evidenced", *arguments]


def execute(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        **options,
    )


@contextmanager
def process(
    *arguments: str, stream: str = "stdout"
) -> Iterator["subprocess.Popen[str]"]:
    """A running command; interrupted at the end if it still runs."""
    pipes: dict[str, Any] = {stream: subprocess.PIPE}
    with subprocess.Popen(command(*arguments), text=True, bufsize=1, **pipes) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
            child.communicate(timeout=DEADLINE_S)


def lines_until(stream: Any, is_last: Callable[[str], bool]) -> list[str]:
    """Lines as they come, up to the one that is waited for."""
    lines: list[str] = []
    while not lines or not is_last(lines[-1]):
        line = stream.readline()  # pytest's own timeout bounds it
        assert line, f"it said no more than {lines}"
        lines.append(line.rstrip("\n"))
    return lines


@pytest.fixture
def simulator() -> Iterator[list[str]]:
    """What the simulator prints when it listens."""
    with process("simulate", "--listen", "127.0.0.1:0") as child:
        yield lines_until(child.stdout, lambda line: line.startswith("nonce"))


@pytest.fixture(params=["unix", "tcp"])
def config(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    mosquitto: Mosquitto,
    simulator: list[str],
) -> Path:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    file = tmp_path / "evidenced.toml"
    text = CONFIG.format(
        state=tmp_path / "state",
        host=mosquitto.host,
        port=mosquitto.port,
        listen=f"unix:{tmp_path}/c" if request.param == "unix" else listen,
        recorder="\n".join(simulator),
    )
    file.write_text(text)
    return file


@pytest.fixture
def daemon(config: Path) -> Iterator["subprocess.Popen[str]"]:
    with process("run", "-c", str(config), stream="stderr") as child:
        lines_until(child.stderr, lambda line: "evidenced started" in line)
        yield child


def ask(config: Path, *arguments: str) -> Any:
    """The JSON that a command prints."""
    done = execute(*arguments, "-c", str(config), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def open_one(config: Path) -> str:
    """An incident by hand, listed; its id."""
    opened = ask(config, "trigger", "--rule", "panic", "--field", "zone=north")
    incident = str(opened["id"])
    listed = ask(config, "incidents", "list", "--state", "recording", "--rule", "panic")
    assert [each["id"] for each in listed["incidents"]] == [incident]
    return incident


def test_a_daemon_is_asked_wherever_its_page_is(
    config: Path, daemon: "subprocess.Popen[str]"
) -> None:
    incident = open_one(config)
    assert ask(config, "audit", "verify")["intact"] is True
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(DEADLINE_S) == 0
    stored = execute("incidents", "-c", str(config))
    assert incident in stored.stdout
    assert stored.stderr.strip().endswith("this is what the store says")
    silent = execute("silences", "-c", str(config))
    assert (silent.returncode, silent.stdout) == (0, "no silences in force\n")
    short, out = incident.rpartition("-")[2], str(config.parent / "out")
    none = execute("incidents", "export", short, out, "-c", str(config))
    assert f"incident {incident}: it has no record" in none.stderr


@pytest.mark.parametrize("config", ["unix"], indirect=True)
@pytest.mark.usefixtures("daemon")
def test_incidents_are_listed_cancelled_and_retried(config: Path) -> None:
    incident = open_one(config)
    assert ask(config, "incidents", "list", "--state", "failed")["incidents"] == []
    assert ask(config, "incidents", "show", incident)["fields"] == {"zone": "north"}
    short = incident.rpartition("-")[2]
    table = execute("incidents", "show", short, "-c", str(config), "--utc")
    assert "camera-1" in table.stdout
    assert "zone = north" in table.stdout
    cancelled = execute("incidents", "cancel", incident, "-c", str(config))
    assert cancelled.stdout == f"{incident} is cancelled\n"
    none = execute("footage", "disposed", short, "-c", str(config))
    assert f"no footage of incident {incident} lies" in none.stderr
    again = execute("incidents", "cancel", incident, "-c", str(config))
    assert again.returncode == 1
    assert again.stderr.startswith("error: ")
    assert len(again.stderr.splitlines()) == 1
    assert ask(config, "incidents", "retry", incident)["state"] == "waiting"
    table = execute("incidents", "list", "-c", str(config))
    assert incident in table.stdout


@pytest.mark.parametrize("config", ["unix"], indirect=True)
@pytest.mark.usefixtures("daemon")
def test_footage_is_saved_by_hand_and_gets_longer(config: Path) -> None:
    times = ("--from", "1m", "--to", "now", "--comment", "a drill")
    saved = ask(config, "save", "--camera", "Camera-1", *times)
    assert (saved["rule"], saved["fields"]) == ("by-hand", {"comment": "a drill"})
    end = datetime.fromisoformat(saved["clips"][0]["end"])
    later = (end + timedelta(minutes=5)).isoformat()
    more = ask(config, "incidents", "extend", saved["id"], "--until", later)
    assert [clip["start"] for clip in more["clips"][1:]] == [saved["clips"][0]["end"]]
    noted = execute("incidents", "comment", saved["id"], "a drill", "-c", str(config))
    assert noted.stdout == f"{saved['id']}: the comment is in its history\n"


@pytest.mark.parametrize("config", ["unix"], indirect=True)
@pytest.mark.usefixtures("daemon")
def test_silences_begin_and_end(config: Path) -> None:
    silent = ("--rule", "panic", "--for", "2h", "--comment", "a drill")
    silence = ask(config, "silences", "add", *silent, "--author", "ann")
    assert silence["author"].startswith("ann (")
    listed = ask(config, "silences", "list")["silences"]
    assert [each["id"] for each in listed] == [silence["id"]]
    over = execute("silences", "end", silence["id"], "-c", str(config))
    assert over.stdout == f"{silence['id']}: rule panic is no longer silent\n"
    assert execute("silences", "list", "-c", str(config)).stdout == (
        "no silences in force\n"
    )
    assert "a drill" in execute("silences", "list", "--past", "-c", str(config)).stdout


REFUSED = (
    ("incidents", "show", "nobody/..%2f"),
    ("incidents", "retry", "20261123-061530-k3f9qx2a"),
    ("incidents", "list", "--state", "sleeping"),
    ("trigger", "--rule", "nobody"),
    ("silences", "add", "--rule", "nobody", "--for", "1h", "--comment", "x"),
    ("silences", "add", "--topic", "a/#/b", "--for", "1h", "--comment", "x"),
    ("silences", "end", "nobody"),
    ("trigger", "--rule", "panic", "--at", "2100-01-01"),
)


@pytest.mark.parametrize("config", ["unix"], indirect=True)
@pytest.mark.usefixtures("daemon")
def test_what_the_daemon_refuses_is_one_line(config: Path) -> None:
    for arguments in REFUSED:
        done = execute(*arguments, "-c", str(config))
        said = (done.returncode, done.stdout, done.stderr.splitlines())
        match said:
            case (1, "", [line]) if line.startswith("error: "):
                continue
        pytest.fail(f"{' '.join(arguments)}: {said}")


@pytest.mark.parametrize(
    "arguments", [["incidents", "list"], ["trigger", "--rule", "a"]]
)
def test_without_a_daemon_it_says_so(config: Path, arguments: list[str]) -> None:
    done = execute(*arguments, "-c", str(config))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: evidenced is not running: nothing answers at ")
    assert "control.sock" in line


@pytest.mark.parametrize("config", ["unix"], indirect=True)
def test_what_is_discovered_can_be_configured(config: Path, tmp_path: Path) -> None:
    found = execute("discover", "-c", str(config), "--recorder", "simulated")
    assert found.returncode == 0, found.stderr
    assert "# configured as camera-1: Camera 1" in found.stdout
    cameras = tomllib.loads(found.stdout)["cameras"]
    assert list(cameras) == ["camera-2", "camera-3", "camera-4"]
    assert cameras["camera-2"] == {
        "recorder": "simulated",
        "server": "1001",
        "device": "2002",
        "label": "Camera 2",
    }
    whole = tmp_path / "whole.toml"
    whole.write_text(config.read_text() + found.stdout)
    assert "4 cameras" in execute("check", "-c", str(whole)).stdout


@pytest.mark.parametrize("config", ["unix"], indirect=True)
def test_what_is_named_is_tried_online(
    config: Path, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    found = execute("check", "--online", "-c", str(config))
    assert found.returncode == 0, found.stderr
    for part in (
        f"mqtt: {mosquitto.host}:{mosquitto.port}: connected, 1 filter subscribed",
        "mqtt: keeps our session for 7 d, QoS 1, retains states, takes packets of ",
        "recorders.simulated: logged in, version 2.7.3, clock offset ",
        "recorders.simulated: has the API license",
        "cameras.camera-1: is 'Camera 1' on simulated",
    ):
        assert part in found.stdout
    wrong = config.read_text().replace('"2001"', '"9"') + WRONG.format(mount=tmp_path)
    config.write_text(wrong)
    mosquitto.stop()
    found = execute("check", "--online", "-c", str(config), "--json")
    assert found.returncode == 1
    problems = json.loads(found.stdout)["problems"]
    assert [each.split(":")[0] for each in problems] == [
        "recorders.annex.password",
        "mqtt",
        "cameras.camera-1",
        "destinations.share.marker",
    ]


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        ("licensed = false", "the API license that exports need is missing"),
        ('info = { version = "2.6.9" }', "exportVideo came with 2.7.3; update it"),
    ],
)
def test_a_recorder_that_cannot_export_is_told_before_the_first_alarm(
    tmp_path: Path, mosquitto: Mosquitto, scenario: str, told: str
) -> None:
    (tmp_path / "scenario.toml").write_text(scenario)
    simulated = ("--listen", "127.0.0.1:0", "--scenario", f"{tmp_path}/scenario.toml")
    with process("simulate", *simulated) as child:
        said = lines_until(child.stdout, lambda line: line.startswith("nonce"))
        (tmp_path / "evidenced.toml").write_text(
            CONFIG.format(
                state=tmp_path / "state",
                host=mosquitto.host,
                port=mosquitto.port,
                listen="",
                recorder="\n".join(said),
            )
        )
        file = f"{tmp_path}/evidenced.toml"
        found = execute("check", "--online", "-c", file, "--json")
    assert found.returncode == 1
    (problem,) = json.loads(found.stdout)["problems"]
    assert problem.startswith("recorders.simulated: ")
    assert told in problem


def test_the_simulator_tells_each_request_and_ends_on_interrupt() -> None:
    with process("simulate", "--listen", "127.0.0.1:0") as child:
        lines = lines_until(child.stdout, lambda line: line.startswith("nonce"))
        url = tomllib.loads("\n".join(lines))["recorders"]["simulated"]["url"]
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), DEADLINE_S) as caller:
            caller.sendall(b"GET /info HTTP/1.0\r\n\r\n")
            caller.recv(1)
            told = lines_until(child.stdout, lambda line: "HTTP 200" in line)
        assert "  info  answered" in told[-1]
        child.send_signal(signal.SIGINT)
        assert child.wait(DEADLINE_S) == 0


def test_an_address_that_is_taken_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = execute("simulate", "--listen", address)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: cannot listen on {address}: ")


def test_a_closed_pipe_is_no_fault() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command("schema"),
        check=False,
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=DEADLINE_S,
    )
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 1


def test_a_narrow_terminal_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "evidenced.toml"
    file.write_text(
        CONFIG.format(
            state=tmp_path,
            host="broker.example",
            port=1883,
            listen="",
            recorder="""
[recorders.simulated]
url = "https://sense.example"
username = "export"
password = { env = "SENSE_PASSWORD" }
""",
        )
    )
    environ = os.environ | {
        "PYTHONIOENCODING": "latin-1",
        "EVIDENCED_CONFIG": str(file),
    }
    done = execute("explain", "--topic", "panic/日", "--payload", "{}", env=environ)
    assert done.returncode == 0, done.stderr
    assert r"zone = \u65e5" in done.stdout
    done = execute("explain", "--topic", "panic/a", "--payload", "\udcff", env=environ)
    assert done.returncode == 0  # the rule asks for nothing in it
    assert "panic" in done.stdout
    done = execute(
        "explain", "--topic", "panic/a", "--payload", "-", env=environ, input="{}"
    )
    assert done.returncode == 0
    assert execute("incidents", "list", env=environ).returncode == 1


def test_the_version() -> None:
    done = execute("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("evidenced ")
