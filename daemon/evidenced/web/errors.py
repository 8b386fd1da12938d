"""Whatever goes wrong with a request, as one answer: JSON, or a page for people.

The outermost middleware. Everything below raises: `Denied`, an error of the core, or
one of aiohttp's; what is none of these is a bug, which costs this one request.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import (
    BadInput,
    EvidencedError,
    NotFound,
    Refused,
    StoreError,
)
from evidenced.core.phrase import Phrase, phrase
from evidenced.web.answers import (
    Denied,
    Handler,
    answer,
    is_for_people,
    tell_bug,
)
from evidenced.web.frame import Frame

MAX_MESSAGE = 500
TITLES = {
    400: phrase("That cannot be read"),
    401: phrase("Who are you?"),
    403: phrase("Not allowed"),
    404: phrase("Nothing is here"),
    405: phrase("That means nothing here"),
    409: phrase("Not possible now"),
    413: phrase("Too large"),
    421: phrase("Not by this name"),
    429: phrase("Too many tries"),
    500: phrase("A fault of ours"),
    503: phrase("Not now"),
}
FOR_PEOPLE = frozenset({"Allow", "Retry-After"})
"""Headers that a page keeps: a browser that is asked for Basic would open a window."""

_FAMILIES: tuple[tuple[type[EvidencedError], int, str], ...] = (
    (NotFound, 404, "not-found"),
    (Refused, 409, "refused"),
    (BadInput, 400, "bad-request"),
    (StoreError, 503, "store"),
    (EvidencedError, 500, "internal"),
)
"""The first that fits: NotFound and Refused are BadInput, too."""

_SAID: Mapping[int, tuple[str, str]] = {
    404: ("not-found", phrase("there is nothing at this address")),
    413: ("too-large", phrase("the body is larger than 64 KiB")),
}
"""Code and message for what aiohttp refuses."""


@dataclass(frozen=True, slots=True)
class Errors:
    frame: Frame

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Exception as fault:  # noqa: BLE001 - the boundary
            return self._answer(request, denied_by(request, fault))

    def _answer(self, request: web.Request, denied: Denied) -> web.Response:
        message = one_line(denied.message, MAX_MESSAGE)  # libraries write many
        if not is_for_people(request):
            told = {"error": {"code": denied.code, "message": message}}
            response = answer(told, denied.status)
            response.headers.update(denied.headers)
            return response
        response = self.frame.page(
            request,
            "error.html",
            denied.status,
            title=TITLES.get(denied.status, phrase("Not possible")),
            message=message,
        )
        for name in FOR_PEOPLE & denied.headers.keys():
            response.headers[name] = denied.headers[name]
        return response


def denied_by(request: web.Request, fault: Exception) -> Denied:
    """What an exception means for who asked; a bug goes to the log."""
    match fault:
        case Denied():
            return fault
        case EvidencedError():
            status, code = next(
                (status, code)
                for kind, status, code in _FAMILIES
                if isinstance(fault, kind)
            )
            return Denied(status, code, _words(fault))
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(fault.allowed_methods))
            why = phrase(
                "{method} means nothing here; use {allowed}",
                method=request.method,
                allowed=allowed,
            )
            return Denied(405, "method-not-allowed", why, {"Allow": allowed})
        case web.HTTPException():
            code, message = _SAID.get(fault.status, ("refused", fault.reason))
            return Denied(fault.status, code, message)
        case _:
            tell_bug(fault)
            return Denied(
                500, "internal", phrase("a bug: the daemon's log has the details")
            )


def _words(fault: EvidencedError) -> str:
    """What it says; the phrase that it was raised with says it in any language."""
    first = fault.args[0] if fault.args else ""
    return first if isinstance(first, Phrase) else str(fault)
