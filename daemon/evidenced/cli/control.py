"""The running daemon's HTTP API, as its commands use it: one request, one answer.

The standard library's client: a command must start at once, and aiohttp takes longer
to load than the request to run.
"""

import base64
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlencode

from evidenced.cli.terminal import Failed
from evidenced.config import Config
from evidenced.config.special import split_listen

TIMEOUT = timedelta(seconds=30)
MAX_ANSWER = 64 << 20
"""Bytes: 500 incidents with a thousand clips each are less."""
REFUSED = 1
BAD_INPUT = 2
UNAUTHORIZED = 401
OK = range(200, 300)
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound here
"""Who listens everywhere is reached on this host."""


@dataclass(frozen=True, slots=True)
class RunningDaemon:
    """Where the running daemon's API is; `socket_path` for a unix socket, else ""."""

    host: str
    port: int
    socket_path: str = ""
    timeout: timedelta = TIMEOUT

    @property
    def address(self) -> str:
        if self.socket_path:
            return f"unix:{self.socket_path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

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
        connection = self._connection()
        try:
            connection.request(method, target, body, _headers(body))
            response = connection.getresponse()
            raw = response.read(MAX_ANSWER + 1)
        except TimeoutError:
            seconds = self.timeout.total_seconds()
            raise Failed(
                f"{self.address} did not answer within {seconds:g} s", code=REFUSED
            ) from None
        except (OSError, HTTPException) as error:
            raise self._nobody(error) from None
        finally:
            connection.close()
        return self._read(response.status, raw)

    def _connection(self) -> HTTPConnection:
        timeout = self.timeout.total_seconds()
        if self.socket_path:
            return UnixConnection(self.socket_path, timeout)
        return HTTPConnection(self.host, self.port, timeout=timeout)

    def _read(self, status: int, raw: bytes) -> Any:  # noqa: ANN401 - JSON
        if status == UNAUTHORIZED:
            raise Failed(
                f"{self.address} asks who you are: set EVIDENCED_USER and "
                "EVIDENCED_PASSWORD to one of [web] users",
                code=REFUSED,
            )
        try:
            answer = json.loads(raw) if len(raw) <= MAX_ANSWER else None
        except (ValueError, RecursionError):
            answer = None
        if status in OK and isinstance(answer, dict):
            return answer
        raise Failed(_refusal(answer) or self._strange(status), code=REFUSED)

    def _strange(self, status: int) -> str:
        return (
            f"{self.address} answered with HTTP {status} and nothing that evidenced "
            "would say: is something else listening there?"
        )

    def _nobody(self, error: Exception) -> Failed:
        why = getattr(error, "strerror", None) or type(error).__name__
        return Failed(
            f"nothing answers at {self.address}: is evidenced running? "
            f"([web] listen names the address; {why})",
            code=REFUSED,
        )


class UnixConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    # typing.override is there from 3.12 on
    def connect(self) -> None:  # type: ignore[explicit-override]
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def find_daemon(config: Config) -> RunningDaemon:
    """Where this configuration's daemon listens.

    Raises:
        Failed: exit 2, it does not listen at all.
    """
    listen = config.web.listen
    if not listen:
        raise Failed(
            '[web] listen is "": the daemon takes no commands; give it an address '
            "such as unix:/run/evidenced/control.sock",
            code=BAD_INPUT,
        )
    if listen.startswith("unix:"):
        return RunningDaemon("localhost", 0, listen.removeprefix("unix:"))
    host, port = split_listen(listen)
    return RunningDaemon(ANY_ADDRESS.get(host, host), port)


def incident_path(incident: str, action: str = "") -> str:
    """The API's path of one incident, whatever the operator typed as its id."""
    path = f"/api/incidents/{quote(incident, safe='')}"
    return f"{path}/{action}" if action else path


def _headers(body: bytes | None) -> dict[str, str]:
    """An order is JSON, which a browser's foreign page cannot send."""
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    user, password = (
        os.environ.get("EVIDENCED_USER"),
        os.environ.get("EVIDENCED_PASSWORD"),
    )
    if user and password:
        account = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {account}"
    return headers


def _refusal(answer: object) -> str | None:
    """The sentence of `{"error": {"code", "message"}}`."""
    error = answer.get("error") if isinstance(answer, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else None
