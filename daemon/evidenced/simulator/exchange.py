"""One HTTP exchange as values: what was asked, what it is, and what goes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from evidenced.core.instants import ZERO
from evidenced.simulator.asked import AskedExport

XML = "text/xml; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
JPEG = "image/jpeg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it arrived. Header names are lower case, the query is decoded."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def to(
        cls,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Self:
        """The request that a client makes for this URL (its host does not matter)."""
        parts = urlsplit(url)
        return cls(
            method=method,
            path=parts.path or "/",
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in (headers or {}).items()},
            body=body,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SentReply:
    """Answer after `delay`; `padding` blanks follow the body, unless it is cut.

    `cut_after`: only so many bytes of the body go out, then the connection ends.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", XML),)
    body: bytes = b""
    delay: timedelta = ZERO
    padding: int = 0
    cut_after: int | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks without a byte of an answer."""


@dataclass(frozen=True, slots=True)
class Hang:
    """The connection stays open and no answer comes until the client gives up."""


@dataclass(frozen=True, slots=True)
class NoConnection:
    """The request never arrived: nobody listens."""


Ending = SentReply | Cut | Hang | NoConnection


def page(status: int, text: str) -> SentReply:
    """A web page, as servers and proxies answer when something is wrong."""
    body = f"<!DOCTYPE html><html><body><h1>{text}</h1><br></body></html>"
    return SentReply(
        status=status, headers=(("Content-Type", HTML),), body=body.encode("utf-8")
    )


NAME_LIMIT = 64
_KNOWN = {
    "exportvideo": "exportVideo",
    "getexportvideostatus": "getExportVideoStatus",
    "getdevicelist": "getDeviceList",
    "getsystemstatus": "getSystemStatus",
    "getimagesequence": "getImageSequence",
    "gethistoricalimage": "getHistoricalImage",
    "executeaction": "executeAction",
    "getvideotaglist": "getVideoTagList",
}


@dataclass(slots=True, kw_only=True)
class HeardCall:
    """`query` has lower-case names; the last four are what handling it found out."""

    request: Request
    command: str
    query: dict[str, str]
    elapsed: float
    own_now: datetime
    session: str | None = None
    order: AskedExport | None = None
    exportid: int | None = None
    code: int | None = field(default=None)


def command_of(request: Request) -> str:
    """The request's name for journal and faults; DELETE has a name of its own."""
    path = request.path.lower().rstrip("/")
    if path == "/info":
        return "info"
    if path == "/webservice":
        return "login"
    if path != "/command":
        return "unknown"
    given = query_of(request).get("command", "")
    name = _KNOWN.get(given.lower(), given[:NAME_LIMIT])
    if name == "exportVideo" and request.method == "DELETE":
        return "deleteExportVideo"
    return name


def query_of(request: Request) -> dict[str, str]:
    """Parameter names are compared without case (sense-api.md B8)."""
    return {name.lower(): value for name, value in request.query.items()}


def session_of(request: Request) -> str | None:
    """The key of `Cookie: sessionkey=KEY` (sense-api.md 1.9)."""
    for pair in request.headers.get("cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == "sessionkey":
            return value
    return None
