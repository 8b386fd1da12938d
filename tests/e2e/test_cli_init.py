"""`evidenced init`, asked at a terminal and told by options; then what it wrote works.

Nobody has read a document here: what the questions propose is taken.
"""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import MosquittoFactory
from evidenced.config import load
from fakes.brokercertificates import BrokerCertificates
from fakes.mosquitto import Mosquitto, Peer
from fakes.terminal import DEADLINE_S, Terminal

NONCE = "AR5chsWVZagPfMpB"
PASSWORD = "secret"  # of the simulated recorder
DOOR = "zigbee2mqtt/Back door"


@contextmanager
def simulated(*options: str) -> Iterator[str]:
    """A recorder as `evidenced simulate` offers it; its address."""
    command = [sys.executable, "-m", "evidenced", "simulate", "--listen", "127.0.0.1:0"]
    command += options
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield child.stdout.readline().split()[3].rstrip(",")
        finally:
            child.terminate()


@pytest.fixture(scope="module")
def recorder() -> Iterator[str]:
    with simulated() as url:
        yield url


def execute(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "evidenced", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=DEADLINE_S,
        check=False,
    )


def is_private(file: Path) -> bool:
    return stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_newcomer_answers_questions(
    tmp_path: Path, mosquitto: Mosquitto, recorder: str
) -> None:
    folder = tmp_path / "site"
    terminal = Terminal("init", str(folder), "--listen", "5m")
    terminal.answer("Address of the broker", "mqtt://127.0.0.1:1")
    terminal.answer("Account there", "")
    terminal.until("refuses connections")
    terminal.until("asked again; Ctrl-C leaves")
    terminal.until("[mqtt://127.0.0.1:1]")  # what was typed needs no typing again
    terminal.answer("Address of the broker", f"127.0.0.1:{mosquitto.port}")
    terminal.answer("Account there", "")
    terminal.until("listening for 5 min")
    with Peer(mosquitto.port) as peer:
        peer.publish("zigbee2mqtt/Lamp", '{"state": "ON"}')
        peer.publish(DOOR, '{"contact": false, "linkquality": 80}')
        terminal.until("heard zigbee2mqtt")
        terminal.interrupt()
    terminal.until("zigbee2mqtt: Zigbee contacts and motion sensors: 1 alarms")
    terminal.answer("Address of the recorder", recorder)
    terminal.answer("Account there", "export")
    terminal.answer("Password of export: ", "wrong", is_secret=True)
    terminal.answer("Nonce", NONCE)
    terminal.until("recorder: ")
    terminal.answer("Address of the recorder", "")  # as it was typed
    terminal.answer("Account there", "")
    terminal.answer("Password of export: ", PASSWORD, is_secret=True)
    terminal.until(f"[{NONCE}]")
    terminal.answer("Nonce", "")
    terminal.answer("Which to use", "zigbee2mqqt")
    terminal.answer("Which to use", "")
    terminal.answer("Cameras that alarms of zigbee2mqtt export", "camera-1")
    terminal.answer("Where footage goes", "")
    terminal.answer("That share on this host", "")
    terminal.answer("Time zone of the site", "Mars/Base")
    terminal.until("'Mars/Base' is none")
    terminal.answer("Time zone of the site", "Europe/Amsterdam")
    code, said = terminal.end()
    assert code == 0, terminal.said + said
    assert "it works" in said
    file = folder / "evidenced.toml"
    config = load(file).config
    assert config.groups == {"zigbee2mqtt": ("camera-1",)}
    assert "zigbee2mqtt-sensor" in [rule.name for rule in config.rules]
    assert is_private(folder / "recorder-password")
    assert PASSWORD not in file.read_text()
    assert PASSWORD not in terminal.said
    checked = execute("check", "--online", "-c", str(file))
    assert checked.returncode == 0, checked.stderr
    assert execute("init", str(folder)).returncode == 2  # what is there stays


def test_every_answer_can_be_an_option(
    tmp_path: Path, mosquitto: Mosquitto, recorder: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSWORD}\n")
    given = {
        "--broker": f"mqtt://127.0.0.1:{mosquitto.port}",
        "--recorder": recorder,
        "--recorder-user": "export",
        "--recorder-password-file": str(secret),
        "--recorder-key": f"nonce={NONCE}",
        "--listen": "1s",
        "--system": "frigate=camera-1,camera-2",
        "--topic": "panic/{zone}",
        "--destination": "V:\\evidence\\{rule}-{id}",
        "--timezone": "Europe/Amsterdam",
    }
    folder = tmp_path / "site"
    arguments = [word for pair in given.items() for word in pair]
    done = execute("init", str(folder), *arguments)
    assert done.returncode == 0, done.stderr
    config = load(folder / "evidenced.toml").config
    alert = next(rule for rule in config.rules if rule.name == "frigate-alert")
    assert alert.cameras == ("@frigate",)
    assert config.groups == {"frigate": ("camera-1", "camera-2")}
    assert "alarm" in [rule.name for rule in config.rules]
    assert config.recorders["main"].password.where == str(secret)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--listen", "soon"], 2, "--listen 'soon' is no duration"),
        (["--timezone", "Mars/Base"], 2, "--timezone 'Mars/Base' is none"),
        (["--broker", "mqtt://127.0.0.1:1"], 1, "mqtt: "),
        (["--broker", "localhost"], 1, "mqtt.url: must be an address"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path, arguments: list[str], code: int, sentence: str
) -> None:
    done = execute("init", str(tmp_path / "site"), *arguments)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "site" / "evidenced.toml").exists()


def test_without_a_terminal_what_is_missing_is_named(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    url = f"mqtt://127.0.0.1:{mosquitto.port}"
    done = execute("init", str(tmp_path), "--broker", url, "--listen", "1s")
    assert done.returncode == 2
    assert "--recorder is missing" in done.stderr


@pytest.mark.parametrize(
    ("ends", "exits"),
    [
        (b"\x03", 130),
        (b"\x04", 130),
        (signal.SIGTERM, 128 + signal.SIGTERM),
        (signal.SIGHUP, 128 + signal.SIGHUP),
    ],
)
def test_who_goes_away_in_the_midst_leaves_nothing_behind(
    tmp_path: Path, mosquitto: Mosquitto, ends: bytes | signal.Signals, exits: int
) -> None:
    folder = tmp_path / "new" / "site"
    terminal = Terminal("init", str(folder), "--listen", "1s")
    terminal.answer("Address of the broker", f"127.0.0.1:{mosquitto.port}")
    terminal.answer("Account there", "anna")
    terminal.answer("Password of anna: ", "hers", is_secret=True)
    terminal.until("Address of the recorder")
    assert is_private(folder / "mqtt-password")
    if isinstance(ends, bytes):
        os.write(terminal.ours, ends)
    else:
        terminal.kill(ends)
    code, _ = terminal.end()
    assert code == exits
    assert "nothing is written" in terminal.said
    assert not folder.parent.exists()


def test_what_fails_leaves_what_was_there_before(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    (tmp_path / "mine").write_text("kept")
    url = f"mqtt://127.0.0.1:{mosquitto.port}"
    done = execute("init", str(tmp_path), "--broker", url, "--listen", "1s")
    assert done.returncode == 2
    assert (tmp_path / "mine").read_text() == "kept"


def test_a_folder_that_cannot_be_is_told_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    for folder in ("file", "file/below"):
        terminal = Terminal("init", str(tmp_path / folder))
        code, _ = terminal.end()
        assert code == 2
        assert "is a file, or below one: name a folder" in terminal.said
        assert "Address of the broker" not in terminal.said


def test_a_broker_with_a_ca_of_its_own(
    tmp_path: Path, mosquitto_factory: MosquittoFactory, recorder: str
) -> None:
    made = BrokerCertificates(tmp_path)
    mosquitto = mosquitto_factory(tls=made.server(demands_client=True))
    certificate, key = made.issue("evidenced")
    key.chmod(0o600)
    folder = tmp_path / "site"
    terminal = Terminal(
        *("init", str(folder), "--listen", "1s"),
        *("--mqtt-client-cert", str(certificate), "--mqtt-client-key", str(key)),
        *("--recorder", recorder, "--recorder-user", "export", "--topic", "panic/+"),
    )
    terminal.answer("Address of the broker", f"mqtts://127.0.0.1:{mosquitto.port}")
    terminal.answer("File of the CA", "")
    terminal.answer("Account there", "")
    terminal.until("ca_file")  # asked again, with what is to be done
    terminal.answer("Address of the broker", "")
    terminal.answer("File of the CA", str(made.ca_file))
    terminal.answer("Account there", "")
    terminal.answer("Password of export: ", PASSWORD, is_secret=True)
    terminal.answer("Nonce", NONCE)
    terminal.answer("Where footage goes", "")
    terminal.answer("That share on this host", "")
    terminal.answer("Time zone of the site", "UTC")
    code, said = terminal.end()
    assert code == 0, terminal.said + said
    assert r"whether the recorder can write to V:\evidence" in said
    config = load(folder / "evidenced.toml").config
    assert config.mqtt.ca_file == made.ca_file
    assert config.mqtt.client_key == key


def test_the_next_steps_of_a_newcomer_lead_to_an_acceptance(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """status and commission say at each step what is next."""
    secret, mount = tmp_path / "secret", tmp_path / "disk" / "V" / "evidence"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    mount.mkdir(parents=True)
    file = tmp_path / "site" / "evidenced.toml"
    with simulated("--dir", str(tmp_path / "disk")) as url:
        done = execute(
            *("init", str(file.parent), "--listen", "1s", "--topic", "panic/{zone}"),
            *("--broker", f"mqtt://127.0.0.1:{mosquitto.port}", "--recorder", url),
            *("--recorder-user", "export", "--recorder-password-file", str(secret)),
            *("--recorder-key", f"nonce={NONCE}", "--mount", str(mount)),
        )
        assert done.returncode == 1  # written, and what does not work is told
        assert "name a `marker` that lies on it" in done.stderr
        (mount / ".share").touch()
        text = file.read_text()
        for said, instead in {
            '"30s"': '"1s"',
            '"2m"': '"1s"',
            "# state_dir": f'state_dir = "{tmp_path}/state" #',
            "bandwidth = 0": 'settle = "2s"\nretry.first = "1s"',
            "mount =": 'marker = ".share"\nmount =',
        }.items():
            text = text.replace(said, instead)
        file.write_text(text + '[evidence]\nstable = "1s"\n[web]\nlisten = ""\n')
        early = execute("commission", "-c", str(file))
        assert early.returncode == 2
        assert "start evidenced run, trigger each sensor" in early.stderr
        with running(file) as told:
            told("alarms are subscribed")
            with Peer(mosquitto.port) as peer:
                peer.publish("panic/hall", "")
            told("evidence record written")
            whole = execute("commission", "-c", str(file))
            assert whole.returncode == 0, whole.stdout
            good = execute("status", "-c", str(file))
            assert good.returncode == 0, good.stdout


@contextmanager
def running(file: Path) -> Iterator[Callable[[str], None]]:
    """The daemon; what waits until its log says something."""
    command = [sys.executable, "-m", "evidenced", "run", "-c", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        log = child.stderr
        assert log is not None

        def told(event: str) -> None:
            seen = []
            for line in log:
                seen.append(line)
                if event in line:
                    return
            raise AssertionError("".join(seen))

        try:
            yield told
        finally:
            child.terminate()
            log.read()
