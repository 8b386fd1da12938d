"""Commands go by a socket in the state folder: who is asked, and who may ask."""

import json

import pytest

from fakes.service import CONFIG, STATE, Service

SOCKET = f"{STATE}/control.sock"
NOBODY, ROOT = "65534", "0"
ASK = """
import http.client, socket, sys
class Socket(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
asked = Socket("localhost", timeout=20)
asked.request("GET", "/api/status")
print(asked.getresponse().status)
"""
"""Ours without what its client would do about a refusal."""
HUNG_UP = ("RemoteDisconnected", "ConnectionResetError", "BrokenPipeError")


@pytest.fixture
def running(service: Service) -> Service:
    """With no page: the socket is all that there is."""
    page = 'listen = "unix:/run/evidenced/control.sock"'
    assert page in CONFIG
    service.configure(CONFIG.replace(page, 'listen = ""'))
    service.start()
    return service


def ask(service: Service, user: str) -> tuple[int, str]:
    """The exit code and what was said, as the user of that number."""
    done = service.machine.run(
        *("setpriv", "--reuid", user, "--regid", user, "--clear-groups"),
        *("/opt/evidenced/bin/python", "-c", ASK, SOCKET),
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_root_commands_by_it_and_the_history_says_so(running: Service) -> None:
    said = running.command("trigger", "--rule", "panic", "--field", "zone=a", "--json")
    incident = json.loads(said)["id"]
    shown = json.loads(running.command("incidents", "show", incident, "--json"))
    assert shown["history"][0]["detail"]["by"] == "root"


def test_it_is_there_for_its_owner_alone(running: Service) -> None:
    look = running.machine.run("stat", "-c", "%a %F", SOCKET).stdout.split()
    assert look == ["600", "socket"]
    assert running.machine.run("stat", "-c", "%a", STATE).stdout.strip() == "700"
    code, said = ask(running, NOBODY)
    assert code != 0
    assert "PermissionError" in said


def test_nobody_else_is_answered_even_where_modes_let_them_in(running: Service) -> None:
    """The kernel says who asks, by SO_PEERCRED: a mode that was changed is no door."""
    run = running.machine.run
    run("chmod", "0755", "/var/lib/private", STATE)
    run("chmod", "0666", SOCKET)
    try:
        code, said = ask(running, NOBODY)
        assert code != 0
        assert "PermissionError" not in said
        assert any(each in said for each in HUNG_UP)
        user = run("stat", "-c", "%u", f"/proc/{running.main_pid()}").stdout.strip()
        assert ask(running, user) == (0, "200\n")
        assert ask(running, ROOT) == (0, "200\n")
    finally:
        run("chmod", "0700", "/var/lib/private")
