"""The running daemon's HTTP API, as its commands use it: one request, one answer.

They go through the daemon's control socket: whoever may open it owns the store anyway,
so no password is asked for, and nobody else can answer in the daemon's place. Another
machine's daemon is asked at its page, where --url names it; a password goes there only
when it is asked for, and only over TLS or to this host.

The standard library's client: a command must start at once, and aiohttp takes longer
to load than the request to run.
"""

import base64
import getpass
import json
import os
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from evidenced.cli.terminal import Failed
from evidenced.config import Config
from evidenced.config.compile import control_file
from evidenced.config.special import is_loopback
from evidenced.core.errors import STANDBY
from evidenced.host.socketfile import short

TIMEOUT = timedelta(seconds=30)
MAX_ANSWER = 64 << 20
"""Bytes: 500 incidents with a thousand clips each are less."""
REFUSED = 1
BAD_INPUT = 2
UNAUTHORIZED = 401
OK = range(200, 300)

Ask = Callable[[str], str]
"""Asks whoever runs the command for a password, and shows nothing of it."""


@dataclass(slots=True)
class RunningDaemon:
    """Where the running daemon's API is: its control socket, or a page's address."""

    file: Path | None = None
    url: str = ""
    user: str = ""
    timeout: timedelta = TIMEOUT
    ask: Ask = getpass.getpass
    _login: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        return self.url or f"unix:{self.file}"

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """What the API says.

        Raises:
            Failed: exit 1, nobody answers, or the answer is a refusal.
        """
        said = {key: value for key, value in (query or {}).items() if value}
        return self._ask("GET", f"{path}?{urlencode(said)}" if said else path, None)

    def post(self, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
        """What the API says to an order. Raises as `get`."""
        return self._ask("POST", path, json.dumps(body).encode())

    def _ask(self, method: str, target: str, body: bytes | None) -> Any:  # noqa: ANN401
        status, raw = self._exchange(method, target, body)
        if status == UNAUTHORIZED and self.url and not self._login:
            self._login = self._credentials()
            status, raw = self._exchange(method, target, body)
        return self._read(status, raw)

    def _exchange(
        self, method: str, target: str, body: bytes | None
    ) -> tuple[int, bytes]:
        try:
            connection = self._connection()
            try:
                connection.request(method, target, body, self._headers(body))
                response = connection.getresponse()
                return response.status, response.read(MAX_ANSWER + 1)
            finally:
                connection.close()
        except TimeoutError:
            seconds = self.timeout.total_seconds()
            raise Failed(
                f"{self.address} did not answer within {seconds:g} s", code=REFUSED
            ) from None
        except (OSError, HTTPException) as error:
            raise self._nobody(error) from None

    def _connection(self) -> HTTPConnection:
        timeout = self.timeout.total_seconds()
        if self.file is not None:
            return UnixConnection(self.file, timeout)
        place = urlsplit(self.url)
        host = place.hostname or ""
        if place.scheme == "https":
            tls = ssl.create_default_context()
            return HTTPSConnection(host, place.port, timeout=timeout, context=tls)
        return HTTPConnection(host, place.port, timeout=timeout)

    def _headers(self, body: bytes | None) -> dict[str, str]:
        """An order is JSON, which a browser's foreign page cannot send."""
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.file is not None:
            headers["X-Evidenced-For"] = shell_user()
        if self._login:
            headers["Authorization"] = self._login
        return headers

    def _credentials(self) -> str:
        """What HTTP Basic sends, now that it was asked for."""
        if not self.user:
            raise Failed(
                f"{self.address} asks who you are: add --user NAME, one of its users",
                code=REFUSED,
            )
        place = urlsplit(self.url)
        is_tls = place.scheme == "https"
        if not is_tls and not is_loopback(place.hostname or ""):
            raise Failed(
                f"{self.address} asks for a password, which would cross the network "
                "unencrypted; use its https:// address",
                code=REFUSED,
            )
        kept = os.environ.get("EVIDENCED_PASSWORD", "") if is_tls else ""
        password = kept or self.ask(f"Password of {self.user} at {self.address}: ")
        account = base64.b64encode(f"{self.user}:{password}".encode()).decode()
        return f"Basic {account}"

    def _read(self, status: int, raw: bytes) -> Any:  # noqa: ANN401 - JSON
        try:
            answer = json.loads(raw) if len(raw) <= MAX_ANSWER else None
        except (ValueError, RecursionError):
            answer = None
        if status in OK and isinstance(answer, dict):
            return answer
        code, message = _refusal(answer)
        kind = NotRunning if code == STANDBY else Failed
        raise kind(message or self._strange(status), code=REFUSED)

    def _strange(self, status: int) -> str:
        return (
            f"{self.address} answered with HTTP {status} and nothing that evidenced "
            "would say: is something else listening there?"
        )

    def _nobody(self, error: Exception) -> Failed:
        why = getattr(error, "strerror", None) or type(error).__name__
        if self.file is None:
            text = f"nothing answers at {self.address}: {why}"
            return NotRunning(text, code=REFUSED)
        is_shut = isinstance(error, ConnectionError | HTTPException)
        is_dead = isinstance(error, ConnectionRefusedError)
        if isinstance(error, PermissionError) or (is_shut and not is_dead):
            return Failed(
                f"{self.file} is for root and for the account that evidenced runs as: "
                "use sudo, or --url and --user with one of [web] users",
                code=REFUSED,
            )
        return NotRunning(
            f"evidenced is not running: nothing answers at {self.file} ({why}). Start "
            "it with systemctl start evidenced, or evidenced run; [daemon] state_dir "
            "says where it is",
            code=REFUSED,
        )


class NotRunning(Failed):
    """No daemon answers for the store: one that refuses us is there.

    One that stands by is none either: what it would say is in the store.
    """


class UnixConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    # typing.override is there from 3.12 on
    def connect(self) -> None:  # type: ignore[explicit-override]
        with short(self._path) as name:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            self.sock.connect(name)


def find_daemon(config: Config) -> RunningDaemon:
    """The daemon of this configuration, on this host."""
    return RunningDaemon(control_file(config, os.environ))


def shell_user() -> str:
    """Who typed the command: behind sudo not root, but who asked for it."""
    try:
        return os.environ.get("SUDO_USER", "") or getpass.getuser()
    except (OSError, KeyError):  # a user id without a name
        return ""


def incident_path(incident: str, action: str = "") -> str:
    """The API's path of one incident, whatever the operator typed as its id."""
    path = f"/api/incidents/{quote(incident, safe='')}"
    return f"{path}/{action}" if action else path


def _refusal(answer: object) -> tuple[object, str | None]:
    """Code and sentence of `{"error": {"code", "message"}}`."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return None, None
    message = error.get("message")
    return error.get("code"), message if isinstance(message, str) else None
