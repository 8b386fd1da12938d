"""What goes back: JSON, a refusal, and headers that every answer carries."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.log import server_logger

from evidenced.core.errors import StoreError
from evidenced.core.phrase import phrase

T = TypeVar("T")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

WORK_S = 20.0
"""What one request may take; the store waits 10 s for another process's lock."""

HTTPS_PORT = 443
STRICT_S = 31_536_000
"""A year."""

HEADERS = {
    # Nothing of ours loads anything: an injected tag would have no effect either.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "evidenced",  # aiohttp's default tells its version
}


def dump(value: object) -> str:
    """JSON in ASCII: lone surrogates of payloads stay harmless escapes."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def answer(value: object, status: int = 200) -> web.Response:
    return answer_text(dump(value), status)


def answer_text(text: str, status: int = 200) -> web.Response:
    """JSON that was rendered elsewhere, such as on a reader's thread."""
    return web.Response(text=text, status=status, content_type="application/json")


def see_other(path: str) -> web.Response:
    """Somewhere else on this page, to be asked with GET."""
    return web.Response(status=303, headers={"Location": path})


class Denied(Exception):  # noqa: N818 - an answer, not a fault of ours
    """A request that is not obeyed: what `errors` makes an answer or a page of.

    `code` is for programs, `message` for people: what and why, what to do.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


async def within(what: str, work: Awaitable[T]) -> T:
    """The work's result.

    Raises:
        StoreError: it took longer than WORK_S; whether it was done is not known.
    """
    try:
        async with asyncio.timeout(WORK_S):
            return await work
    except TimeoutError:
        raise StoreError(
            phrase(
                "{what} was not finished within {work_s} s; look before you repeat it",
                what=what,
                work_s=f"{WORK_S:.0f}",
            )
        ) from None


async def set_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Our headers, except those that the answer sets itself, as files do."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = HEADERS["Server"]


class Strict:
    """Strict-Transport-Security, where it is right: RFC 6797.

    It speaks for all of a host, whatever its port, so it is said only by a page that
    has the host's https port, to those who came by TLS and by the name it is known by.
    """

    def __init__(self, public_url: str) -> None:
        url = urlsplit(public_url)
        is_whole = url.scheme == "https" and url.port in {None, HTTPS_PORT}
        self._host = (url.hostname or "") if is_whole else ""

    async def say(self, request: web.Request, response: web.StreamResponse) -> None:
        host = request.headers.get("Host", "").removesuffix(f":{HTTPS_PORT}").lower()
        if self._host and host == self._host and request.secure:
            response.headers["Strict-Transport-Security"] = f"max-age={STRICT_S}"


def is_for_people(request: web.Request) -> bool:
    """Whether a browser wants to show the answer, rather than a program read it."""
    is_machine = request.path.startswith(("/api/", "/static/")) or request.path in {
        "/healthz",
        "/readyz",
        "/metrics",
    }
    return not is_machine and "text/html" in request.headers.get("Accept", "")


def tell_bug(fault: BaseException | None) -> None:
    """Into the log, with its traceback. Who hung up amid the answer is no bug."""
    if not isinstance(fault, ConnectionError):
        server_logger.error("a request failed", exc_info=fault)
