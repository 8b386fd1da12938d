"""Browsers that are logged in.

One is known by a random cookie that scripts cannot read and that no other site's
request carries. Each login gives a new one, so one that somebody planted is worth
nothing.

Sessions live in memory: a restart of the daemon asks everybody to log in again.
"""

import hashlib
import secrets
from collections import Counter, OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from evidenced.ports import Clock

COOKIE = "evidenced"
MAX_COOKIE = 100
IDLE_S = timedelta(hours=12).total_seconds()
"""A shift; a wall screen that shows the page keeps its session by looking."""
LONGEST_S = timedelta(days=7).total_seconds()
SESSIONS = 500
"""At once. Beyond, the one longest unused goes of the account that has most of them:
whoever logs in again and again logs nobody else out."""


@dataclass(slots=True)
class WebSession:
    """Who logged in at a browser; seconds are the monotonic clock's."""

    name: str
    began: float
    used: float


class WebSessions:
    """Those who are logged in."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: OrderedDict[bytes, WebSession] = OrderedDict()

    def begin(self, name: str) -> str:
        """The cookie of a browser that has just logged in."""
        cookie = secrets.token_urlsafe(32)
        now = self._clock.monotonic()
        self._open[_digest(cookie)] = WebSession(name, now, now)
        while len(self._open) > SESSIONS:
            del self._open[self._to_go()]
        return cookie

    def _to_go(self) -> bytes:
        counts = Counter(session.name for session in self._open.values())
        ((most, _),) = counts.most_common(1)
        return next(key for key, each in self._open.items() if each.name == most)

    def find(self, cookie: str) -> WebSession | None:
        """Who is logged in there; looking keeps the session."""
        if not self.holds(cookie):
            return None
        key = _digest(cookie)
        session = self._open[key]
        session.used = self._clock.monotonic()
        self._open.move_to_end(key)
        return session

    def holds(self, cookie: str) -> bool:
        """Whether somebody is logged in there; to ask does not keep it."""
        key = _digest(cookie)
        session = self._open.get(key)
        if session is None:
            return False
        now = self._clock.monotonic()
        if now - session.used > IDLE_S or now - session.began > LONGEST_S:
            del self._open[key]
            return False
        return True

    def keep(self, names: Collection[str]) -> None:
        """Log out everybody but these."""
        for key, session in list(self._open.items()):
            if session.name not in names:
                del self._open[key]

    def end(self, cookie: str) -> None:
        self._open.pop(_digest(cookie), None)


def cookie_of(request: web.Request) -> str:
    """What the browser sent; empty where it is none of ours."""
    found = request.cookies.get(COOKIE, "")
    return found if 0 < len(found) <= MAX_COOKIE and found.isascii() else ""


def set_cookie(response: web.StreamResponse, cookie: str, *, is_tls: bool) -> None:
    """Kept until the browser is closed; over TLS it never leaves TLS."""
    response.set_cookie(
        COOKIE, cookie, httponly=True, samesite="Strict", secure=is_tls, path="/"
    )


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()
