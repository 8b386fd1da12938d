"""Where commands find the daemon, what they send it, and what they say of it."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evidenced.cli import control
from evidenced.cli.control import RunningDaemon, find_daemon
from evidenced.cli.main import run
from evidenced.cli.terminal import Failed
from evidenced.config import load_text
from evidenced.web.doors import local_name

CHALLENGE = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@contextmanager
def stranger(*answers: bytes) -> Iterator[tuple[str, list[str]]]:
    """Who listens at an address gives these answers; what was sent to them."""
    heard: list[str] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve() -> None:
            for each in answers:
                connection, _ = listener.accept()
                with connection:
                    heard.append(connection.recv(65536).decode())
                    connection.sendall(each)

        serving = threading.Thread(target=serve)
        serving.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
        serving.join()


def asked(prompt: str) -> str:
    assert "Password of anna at http://127.0.0.1:" in prompt
    return "pässword"


def test_it_is_in_the_state_folder_whatever_the_page_is(tmp_path: Path) -> None:
    text = (
        f'[daemon]\nstate_dir = "{tmp_path}"\n[mqtt]\nurl = "mqtts://b.example"\n'
        '[web]\nlisten = "{}"\n'
    )
    for listen in ("", "127.0.0.1:8470", "unix:/run/x"):
        config = load_text(text.replace("{}", listen)).config
        assert find_daemon(config).file == tmp_path / "control.sock"


def test_a_password_is_never_sent_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVIDENCED_PASSWORD", "secret")
    monkeypatch.setenv("EVIDENCED_USER", "anna")
    with stranger(FINE) as (url, heard):
        assert RunningDaemon(url=url, user="anna", ask=asked).get("/api/x") == {}
    assert "Authorization" not in heard[0]


def test_a_password_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVIDENCED_PASSWORD", "for https only")
    with stranger(CHALLENGE, FINE, FINE) as (url, heard):
        daemon = RunningDaemon(url=url, user="anna", ask=asked)
        daemon.post("/api/x", {})
        daemon.ask = lambda _: pytest.fail("asked twice")
        daemon.get("/api/y")
    said = base64.b64encode("anna:pässword".encode()).decode()
    assert "Authorization" not in heard[0]
    assert all(f"Authorization: Basic {said}" in each for each in heard[1:])
    assert said not in repr(daemon)


def test_a_wrong_password_is_not_asked_for_for_ever() -> None:
    with stranger(CHALLENGE, CHALLENGE) as (url, _), pytest.raises(Failed):
        RunningDaemon(url=url, user="anna", ask=asked).get("/api/x")


def test_without_a_user_there_is_nothing_to_ask() -> None:
    with stranger(CHALLENGE) as (url, _), pytest.raises(Failed, match="--user NAME"):
        RunningDaemon(url=url, ask=asked).get("/api/x")


def test_no_password_crosses_the_network_unencrypted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    daemon = RunningDaemon(url="http://evidence.example", user="anna", ask=asked)
    monkeypatch.setattr(
        RunningDaemon, "_exchange", lambda *_: (control.UNAUTHORIZED, b"")
    )
    with pytest.raises(Failed, match="its https:// address"):
        daemon.get("/api/x")


def test_no_daemon_is_one_helpful_sentence(tmp_path: Path) -> None:
    file = tmp_path / "control.sock"
    for is_dead in (False, True):
        if is_dead:
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(file))
        with pytest.raises(Failed) as caught:
            RunningDaemon(file).get("/api/x")
        [line] = caught.value.lines
        assert line.startswith(f"evidenced is not running: nothing answers at {file} (")
        assert "systemctl start evidenced" in line
        assert caught.value.code == 1


def test_whom_the_daemon_turns_away_hears_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(file))
        listener.listen()

        def turn_away() -> None:
            connection, _ = listener.accept()
            connection.close()

        turning = threading.Thread(target=turn_away)
        turning.start()
        with pytest.raises(Failed, match="use sudo, or --url and --user"):
            RunningDaemon(file).get("/api/x")
        turning.join()


@pytest.mark.parametrize("url", ["evidence.example", "ftp://a.example", "https://"])
def test_an_address_that_is_none(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--url", url, "incidents", "list"]) == 2
    assert "is no address" in capsys.readouterr().err


def test_another_hosts_daemon_needs_no_configuration() -> None:
    listed = json.dumps({"incidents": [], "next": None}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(listed)}\r\n\r\n".encode()
    with stranger(head + listed) as (url, heard):
        assert run(["--url", url, "incidents", "list", "-c", "/nowhere"]) == 0
    assert heard[0].startswith("GET /api/incidents")
    assert "X-Evidenced-For" not in heard[0]


@pytest.mark.parametrize(
    ("account", "behind", "name"),
    [
        ("root", "anna", "anna (root)"),
        ("root", "root", "root"),
        ("root", "", "root"),
        ("root", "a\u202eb", "root"),
        ("root", "a" * 65, "root"),
        ("uid 7", "anna@corp.example", "anna@corp.example (uid 7)"),
    ],
)
def test_the_history_says_who_is_behind_sudo(
    account: str, behind: str, name: str
) -> None:
    assert local_name(account, behind) == name
