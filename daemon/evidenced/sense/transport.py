"""One HTTP exchange with the recorder: bounded in time and size, tried once."""

import ssl
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Final

import aiohttp
from yarl import URL

from evidenced.core.errors import Reason, RecorderError
from evidenced.core.phrase import phrase
from evidenced.host.filestamp import FileStamp, file_stamp
from evidenced.ports.recorder import MAY_ACT, NOT_OURS
from evidenced.sense.faults import Exchange, explain
from evidenced.sense.resolver import Resolver
from evidenced.sense.settings import SenseSettings
from evidenced.sense.tls import tls_context

RESULT_LIMIT: Final = 1 << 20
PICTURE_LIMIT: Final = 4 << 20
LIST_LIMIT: Final = 16 << 20
"""Bytes: some 60,000 exports; a result is a few hundred bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `target` is path and query, percent-encoded.

    `acts`: the recorder does something when it gets it, so a lost answer leaves the
    outcome unknown.
    """

    what: str
    target: str
    method: str = "GET"
    body: bytes | None = field(default=None, repr=False)
    limit: int = RESULT_LIMIT
    acts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`body` is read for 2xx only. `cookies` are Set-Cookie headers as they came."""

    status: int
    body: bytes = field(default=b"", repr=False)
    cookies: tuple[str, ...] = field(default=(), repr=False)


@dataclass(slots=True)
class _Track:
    is_connected: bool = False


class Transport:
    """Every exchange has a connection of its own.

    A kept-alive connection that the server closed meanwhile fails the next request in
    doubt, and one poll in seconds saves nothing by keeping it.
    """

    def __init__(self, settings: SenseSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._resolver = Resolver(settings.timeout)
        self._trusted: FileStamp = None
        self._base = settings.url.rstrip("/")
        self._place = _place_of(settings.url)
        seconds = settings.timeout.total_seconds()
        self._deadline = phrase(
            "{seconds} s (recorders.{name}.timeout)",
            seconds=f"{seconds:g}",
            name=settings.name,
        )

    @property
    def place(self) -> str:
        """Host and port, for messages; never credentials."""
        return self._place

    async def send(self, call: Call, key: str | None = None) -> Reply:
        """The reply, of whatever status; no redirect is followed.

        Raises:
            RecorderError: UNREACHABLE, TIMEOUT, or GARBAGE when it is no HTTP, cut off,
                too long or compressed.
        """
        track = _Track()
        try:
            return await self._exchange(call, key, track)
        except RecorderError:
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            exchange = Exchange(
                what=call.what,
                place=self._place,
                deadline=self._deadline,
                is_connected=track.is_connected,
                acts=call.acts,
            )
            raise explain(error, exchange) from None  # it may hold the Cookie header

    def _look_at_lease(self, call: Call) -> None:
        """The last thing before it goes out: a node may have stood still until now."""
        if call.acts and not MAY_ACT.get()():
            raise RecorderError(Reason.UNREACHABLE, NOT_OURS, is_sent=False)

    async def _look_at_trust(self) -> None:
        """A `ca_file` that was replaced counts from the next connection on."""
        found = file_stamp(self._settings.ca_file)
        if found != self._trusted:
            await self.close()
            self._trusted = found

    async def close(self) -> None:
        """Let go of connections; a later call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(self, call: Call, key: str | None, track: _Track) -> Reply:
        headers = {"Accept-Encoding": "identity"}
        if call.body is not None:
            headers["Content-Type"] = "text/xml"
        if key is not None:
            headers["Cookie"] = f"sessionkey={key}"
        await self._look_at_trust()
        self._look_at_lease(call)
        async with self._open().request(
            call.method,
            URL(self._base + call.target, encoded=True),
            data=call.body,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=track,
        ) as response:
            is_success = 200 <= response.status < 300  # noqa: PLR2004 - HTTP's own
            return Reply(
                status=response.status,
                body=await self._read(response, call) if is_success else b"",
                cookies=tuple(response.headers.getall("Set-Cookie", ())),
            )

    async def _read(self, response: aiohttp.ClientResponse, call: Call) -> bytes:
        """The body, never more of it in memory than the limit and one chunk."""
        coding = response.headers.get("Content-Encoding", "").strip().lower()
        if coding not in {"", "identity"}:
            raise self._garbage(call, "is compressed, which was not asked for")
        body = bytearray()
        async for chunk in response.content.iter_chunked(1 << 16):
            body += chunk
            if len(body) > call.limit:
                raise self._garbage(
                    call, phrase("is longer than {mib} MiB", mib=call.limit >> 20)
                )
        return bytes(body)

    def _garbage(self, call: Call, text: str) -> RecorderError:
        text = phrase(
            "the answer of {place} to {what} {text}",
            place=self._place,
            what=call.what,
            text=text,
        )
        return RecorderError(Reason.GARBAGE, text, is_sent=call.acts)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            seconds = self._settings.timeout.total_seconds()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    force_close=True, ssl=self._tls(), resolver=self._resolver
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=seconds, sock_connect=seconds, sock_read=seconds
                ),
                auto_decompress=False,
                trace_configs=[_tracing()],
            )
        return self._session

    def _tls(self) -> ssl.SSLContext | bool:
        """The system's authorities, or only those of `ca_file`; none without TLS."""
        if self._base.lower().startswith("http:"):
            return True  # aiohttp's own, which is never used
        try:
            return tls_context(self._settings.ca_file)
        except OSError:
            key = f"recorders.{self._settings.name}.ca_file"
            text = phrase(
                "{key} cannot be read as PEM certificates; check the file", key=key
            )
            raise RecorderError(Reason.UNREACHABLE, text, is_sent=False) from None


def _place_of(url: str) -> str:
    try:
        parsed = URL(url)
    except ValueError:
        return "the recorder"
    return f"{parsed.host}:{parsed.port}"


def _tracing() -> aiohttp.TraceConfig:
    """Notes when the connection is there, and forbids a second one.

    aiohttp repeats GET and DELETE by itself when a connection breaks; only the caller
    retries here.
    """
    tracing = aiohttp.TraceConfig()
    tracing.on_connection_create_start.append(_forbid_second)
    tracing.on_connection_create_end.append(_note_connected)
    return tracing


async def _forbid_second(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _params: object
) -> None:
    if context.trace_request_ctx.is_connected:
        raise aiohttp.ServerDisconnectedError


async def _note_connected(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _params: object
) -> None:
    context.trace_request_ctx.is_connected = True
