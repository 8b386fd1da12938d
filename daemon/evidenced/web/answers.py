"""What goes back: JSON, errors of one form, and headers that every answer carries."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web
from aiohttp.log import server_logger

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import (
    BadInput,
    EvidencedError,
    NotFound,
    Refused,
    StoreError,
)

T = TypeVar("T")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

WORK_S = 20.0
"""What one request may take; the store waits 10 s for another process's lock."""

MAX_MESSAGE = 500

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


def error(status: int, code: str, message: str) -> web.Response:
    """The message becomes one line: what libraries say may have many."""
    told = {"code": code, "message": one_line(message, MAX_MESSAGE)}
    return answer({"error": told}, status)


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
            f"{what} was not finished within {WORK_S:.0f} s; look before you repeat it"
        ) from None


async def set_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """What an answer says of itself goes first: pages load files, and files last."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = HEADERS["Server"]


def is_for_people(request: web.Request) -> bool:
    """Whether a browser wants to show the answer, rather than a program read it."""
    is_machine = request.path.startswith(("/api/", "/static/")) or request.path in {
        "/healthz",
        "/readyz",
        "/metrics",
    }
    return not is_machine and "text/html" in request.headers.get("Accept", "")


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error as `{"error": {"code", "message"}}`; nothing shows a traceback."""
    try:
        return await handler(request)
    except EvidencedError as fault:
        return _of_ours(fault)
    except web.HTTPException as fault:
        return _of_aiohttp(request, fault)
    except Exception:  # noqa: BLE001 - the boundary: a bug costs one request
        server_logger.exception("a request failed")
        return error(500, "internal", "a bug: the daemon's log has the details")


class StaleForm(EvidencedError):  # noqa: N818 - says what it is
    """A form that no page of this daemon made, or one from before its restart."""


_FAMILIES: tuple[tuple[type[EvidencedError], int, str], ...] = (
    (StaleForm, 403, "stale-form"),
    (NotFound, 404, "not-found"),
    (Refused, 409, "refused"),
    (BadInput, 400, "bad-request"),
    (StoreError, 503, "store"),
    (EvidencedError, 500, "internal"),
)
"""The first that fits: NotFound and Refused are BadInput, too."""


def _of_ours(fault: EvidencedError) -> web.Response:
    status, code = next(
        (status, code) for kind, status, code in _FAMILIES if isinstance(fault, kind)
    )
    return error(status, code, str(fault))


def _of_aiohttp(request: web.Request, fault: web.HTTPException) -> web.StreamResponse:
    match fault:
        case web.HTTPNotFound():
            return error(404, "not-found", "there is nothing at this address")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(fault.allowed_methods))
            response = error(
                405,
                "method-not-allowed",
                f"{request.method} means nothing here; use {allowed}",
            )
            response.headers["Allow"] = allowed
            return response
        case web.HTTPRequestEntityTooLarge():
            return error(413, "too-large", "the body is larger than 64 KiB")
        case _:
            return error(fault.status, "refused", fault.reason)
