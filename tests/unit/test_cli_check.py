"""`check`, `schema` and the shell around every command."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidenced.cli import main
from evidenced.cli.main import COMMANDS, run
from evidenced.cli.online import OnlineVerdict, _secrets
from evidenced.config.load import load_text
from evidenced.config.schema import render_schema
from fakes.certificates import Certificates

CONFIG = r"""
[mqtt]
url = "mqtts://broker.example"
[recorders.main]
url = "https://sense.example"
username = "export"
password = { env = "SENSE_PASSWORD" }
[cameras.lobby]
server = "1001"
device = "2001"
[destinations.nas]
path = 'V:\evidence\{rule}-{id}'
[[rules]]
name = "panic-button"
topics = ["panic/{zone}"]
cameras = ["lobby"]
"""


WEB_TLS = """
[web]
public_url = "https://evidence.example"
tls = {{ certificate = "{0.certificate}", key = {{ file = "{0.key}" }} }}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "evidenced.toml"
    file.write_text(CONFIG)
    return file


def test_a_good_file_is_counted(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "-c", str(config)]) == 0
    said = capsys.readouterr()
    summary = "1 rule, 1 camera, 1 recorder, 1 destination"
    assert said.out == f"{config}: fine: {summary}\n"
    assert said.err == ""


def test_the_environment_names_the_file(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVIDENCED_CONFIG", str(config))
    assert run(["check"]) == 0
    assert str(config) in capsys.readouterr().out


def test_warnings_are_told_and_no_fault(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(CONFIG.replace('{ env = "SENSE_PASSWORD" }', '"hunter2"'))
    assert run(["check", "-c", str(config)]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("warning: ")
    assert "recorders.main.password" in said.err
    assert "hunter2" not in said.err + said.out


def test_every_fault_is_a_line(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(CONFIG.replace("mqtts:", "tcp:").replace('"2001"', "2001"))
    assert run(["check", "-c", str(config)]) == 1
    lines = capsys.readouterr().err.splitlines()
    text = config.read_text().split("\n")
    url = next(n for n, line in enumerate(text, 1) if line.startswith('url = "tcp'))
    device = next(n for n, line in enumerate(text, 1) if line.startswith("device"))
    assert [line.split(": ")[:3] for line in lines] == [
        ["error", f"{config}:{url}", "mqtt.url"],
        ["error", f"{config}:{device}", "cameras.lobby.device"],
    ]


def test_faults_as_json(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(CONFIG.replace("mqtts:", "tcp:"))
    assert run(["check", "-c", str(config), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert len(found["problems"]) == 1
    assert found["warnings"] == []


def test_a_file_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "-c", str(tmp_path / "none.toml")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "none.toml cannot be read: No such file" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "--topic", "a", "--payload", "b"],
        ["incidents", "list"],
        ["trigger", "--rule", "panic-button"],
        ["audit", "verify"],
        ["discover", "--recorder", "main"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_others_refuse_a_bad_file_with_exit_2(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    config.write_text(CONFIG.replace("mqtts:", "tcp:").replace('"2001"', "2001"))
    assert run([*arguments, "-c", str(config)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_the_schema_is_the_one_that_is_shipped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["schema"]) == 0
    assert capsys.readouterr().out == render_schema()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, "--help"]) == 0
    assert "Example: evidenced" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", [("incidents", each) for each in ("list", "show", "retry", "cancel")]
)
def test_help_of_a_family_teaches_too(
    command: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "--help"]) == 0
    assert "Example: evidenced incidents" in capsys.readouterr().out


def test_the_first_help_lists_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    out = capsys.readouterr().out
    assert not [command for command in COMMANDS if f"│ {command} " not in out]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["chek"], "error: No such command 'chek'. Did you mean 'check'"),
        (["check", "--fast"], "No such option: --fast; see evidenced check --help"),
        (["alarms", "--outcome", "no"], "'--outcome': 'no' is not one of 'opened'"),
        (["audit"], "Missing command; see evidenced audit --help"),
        (["incidents", "show"], "see evidenced incidents show --help"),
        (["simulate", "--listen", "8480"], "write for example 127.0.0.1:8480"),
        (["simulate", "--scenario", "none.toml"], "none.toml: cannot be read"),
        (["trigger", "--rule", "a", "--field", "b"], "write for example door=north"),
        (["audit", "verify", "--head", "12"], "--head '12' is no head"),
        (["discover", "--recorder", "attic"], "no recorder 'attic'; there is main"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    fault: str,
) -> None:
    monkeypatch.setenv("EVIDENCED_CONFIG", str(config))
    assert run(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert fault in line


def test_a_fault_of_ours_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("what\never")

    monkeypatch.setattr(main, "make_app", broken)
    assert run(["check"]) == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert "a fault in evidenced: ZeroDivisionError" in line


def test_a_secret_file_that_is_not_there_is_told(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "password"
    named = f'{{ file = "{secret}" }}'
    config.write_text(CONFIG.replace('{ env = "SENSE_PASSWORD" }', named))
    assert run(["check", "-c", str(config)]) == 0
    told = f"recorders.main.password: the secret file {secret} is not there"
    assert told in capsys.readouterr().err
    secret.write_text("x")
    secret.chmod(0o600)
    assert run(["check", "-c", str(config)]) == 0
    assert capsys.readouterr().err == ""


def test_the_pages_certificate_is_judged(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = Certificates(config.parent)
    files.issue("evidence.example")
    files.key.chmod(0o600)
    config.write_text(CONFIG + WEB_TLS.format(files))

    def said() -> str:
        assert run(["check", "-c", str(config)]) == 0  # it keeps no rule out
        return capsys.readouterr().err

    assert said() == ""
    files.issue("other.example")
    assert "page.pem is for other.example and not for evidence.example" in said()
    files.issue("evidence.example", until=datetime(2020, 1, 1, tzinfo=UTC))
    assert "page.pem ended on 2020-01-01" in said()
    files.key.write_text("x")
    assert "web.tls: the key is no private key in PEM" in said()
    files.key.unlink()
    assert "web.tls.key: the secret file" in said()


SECRETS = """
[daemon]
store = "postgresql://evidenced@db.example/evidenced"
store_password = {{ file = "{0}/store" }}
[web]
tls = {{ certificate = "{0}/page.pem", key = {{ file = "{0}/page-key" }} }}
users = {{ anna = {{ file = "{0}/anna" }} }}
displays = {{ wall = {{ file = "{0}/wall" }} }}
[evidence]
key = {{ file = "{0}/evidence-key" }}
[notify.duty]
url = {{ file = "{0}/duty" }}
"""
IN_FILES = {
    "daemon.store_password": "store",
    "mqtt.password": "mqtt",
    "mqtt.client_key": "client-key",
    "evidence.key": "evidence-key",
    "web.tls.key": "page-key",
    "web.displays.wall": "wall",
    "web.users.anna": "anna",
    "recorders.main.password": "sense",
    "notify.duty.url": "duty",
}


def test_every_secret_that_others_can_read_is_named(tmp_path: Path) -> None:
    text = CONFIG.replace(
        '{ env = "SENSE_PASSWORD" }', f'{{ file = "{tmp_path}/sense" }}'
    )
    broker = f"""
username = "me"
password = {{ file = "{tmp_path}/mqtt" }}
client_cert = "{tmp_path}/client.pem"
client_key = "{tmp_path}/client-key"
"""
    text = text.replace(
        'url = "mqtts://broker.example"\n', f'url = "mqtts://b"{broker}'
    )
    config = load_text(text + SECRETS.format(tmp_path)).config
    for name in IN_FILES.values():
        (tmp_path / name).write_text("secret")
        (tmp_path / name).chmod(0o640)
    assert _secrets(config) == []
    for place, name in IN_FILES.items():
        (tmp_path / name).chmod(0o644)
        (found,) = _secrets(config)
        assert (found.place, found.verdict) == (place, OnlineVerdict.WARNING)
        assert "can be read by everybody (mode 0644): chmod 600 it" in found.text
        (tmp_path / name).chmod(0o600)
