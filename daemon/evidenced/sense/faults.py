"""Exceptions of an HTTP exchange to RecorderError: one bounded sentence each.

No text carries an exception's own words: aiohttp puts URLs and headers into them, and
the session key is a header.
"""

import os
import ssl
from dataclasses import dataclass

import aiohttp

from evidenced.core.errors import Reason, RecorderError
from evidenced.core.phrase import phrase
from evidenced.host.trusting import why_not_trusted


class SessionEnded(RecorderError):  # noqa: N818 - a condition, told by its name
    """The recorder no longer knows our session, or answers as if it did not.

    `is_clear` is a plain 401 or 403: then it has certainly not acted.
    """

    def __init__(
        self, reason: Reason, text: str, *, is_sent: bool, is_clear: bool = False
    ) -> None:
        super().__init__(reason, text, is_sent=is_sent)
        self.is_clear = is_clear


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What was being done when it failed.

    `what` is the command, `place` host and port, `deadline` how long and which key
    says so. `is_connected` is whether a connection had come about, and `acts` whether
    the recorder does something when it gets the request.
    """

    what: str
    place: str
    deadline: str
    is_connected: bool
    acts: bool


def explain(error: Exception, exchange: Exchange) -> RecorderError:
    """The error in our own words."""
    is_sent = exchange.is_connected and exchange.acts
    what, place = exchange.what, exchange.place
    if isinstance(error, TimeoutError):
        text = phrase(
            "no answer to {what} from {place} within {deadline}",
            what=what,
            place=place,
            deadline=exchange.deadline,
        )
        if not exchange.is_connected:
            text = phrase(
                "no connection to {place} for {what} within {deadline}",
                place=place,
                what=what,
                deadline=exchange.deadline,
            )
        return RecorderError(Reason.TIMEOUT, text, is_sent=is_sent)
    if not exchange.is_connected:
        text = phrase(
            "{place} cannot be reached for {what}: {error}",
            place=place,
            what=what,
            error=_cause(error),
        )
        return RecorderError(Reason.UNREACHABLE, text, is_sent=False)
    if isinstance(error, (aiohttp.ClientPayloadError, aiohttp.ClientResponseError)):
        text = phrase(
            "the answer of {place} to {what} is cut off or no HTTP",
            place=place,
            what=what,
        )
        return RecorderError(Reason.GARBAGE, text, is_sent=is_sent)
    text = phrase(
        "{place} cut the connection before its answer to {what}", place=place, what=what
    )
    return RecorderError(Reason.UNREACHABLE, text, is_sent=is_sent)


def _cause(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        wrong = error.certificate_error
        if isinstance(wrong, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: it {why_not_trusted(wrong)}"
        return "its certificate is not trusted"
    for kind, text in _CAUSES:
        if isinstance(error, kind):
            return text
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    if isinstance(error, ConnectionResetError):
        return "it cut the connection while it was set up, as for a TLS it dislikes"
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number else "the connection failed"


_CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "its name cannot be resolved"),
    (aiohttp.ClientSSLError, "the TLS handshake failed"),
    (aiohttp.InvalidURL, "its url is not usable"),
    (aiohttp.ServerDisconnectedError, "it cut the connection"),
)
