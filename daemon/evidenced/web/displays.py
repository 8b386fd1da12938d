"""Screens on a wall: each has a token of its own, and sees the wall and nothing else.

Its browser is given the token as a cookie, so that it stands in no address for longer
than one request. Nothing is kept here: a restart logs no screen out.
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping

from aiohttp import web

from evidenced.core.errors import BadInput
from evidenced.core.phrase import phrase
from evidenced.ports import Clock
from evidenced.web.answers import Denied, see_other

COOKIE = "evidenced-display"
WALL = "/wall"
SEEN = frozenset({WALL, "/api/events"})
"""What a screen may ask for, beside style, script and pictures."""
PICTURE = re.compile(r"/api/incidents/[^/]+/stills/[0-9]+\.jpg")
"""A row on the wall shows it; refused, each would count as a failed log-in."""
SHORTEST = 20
"""Characters of a token; a shorter one could be guessed, so it lets nobody in."""
YEAR_S = 365 * 24 * 3600
READ_AGAIN_S = 30.0
"""Tokens are read again, for they may be changed without a reload."""

Tokens = Mapping[str, Callable[[], str]]


class Displays:
    """The screens of the configuration, by their tokens."""

    def __init__(self, tokens: Tokens, clock: Clock) -> None:
        self._tokens = dict(tokens)
        self._clock = clock
        self._known: dict[str, bytes] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def name_of(self, request: web.Request) -> str | None:
        """The screen that asks for what it may see; None for everything else."""
        is_shown = request.path in SEEN or PICTURE.fullmatch(request.path)
        if not self._tokens or not is_shown or request.method != "GET":
            return None
        return await self._find(request.cookies.get(COOKIE, ""))

    async def admit(self, request: web.Request, *, is_tls: bool) -> web.StreamResponse:
        """The wall for whoever brings its token in the address.

        Raises:
            Denied: it is no screen's.
        """
        token = request.query.get("token", "")
        if await self._find(token) is None:
            raise Denied(403, "no-display", phrase("no display has this token"))
        response = see_other(WALL)
        response.set_cookie(
            COOKIE,
            token,
            max_age=YEAR_S,
            httponly=True,
            samesite="Strict",
            secure=is_tls,
            path="/",
        )
        return response

    async def _find(self, token: str) -> str | None:
        if not token:
            return None
        async with self._reading:  # nobody is told of a list that is half read
            await self._read()
        said = _digest(token)
        found = [
            name
            for name, known in self._known.items()
            if hmac.compare_digest(said, known)
        ]
        return found[0] if found else None

    async def _read(self) -> None:
        now = self._clock.monotonic()
        if now - self._read_at < READ_AGAIN_S:
            return
        self._read_at = now
        known: dict[str, bytes] = {}
        for name, reveal in self._tokens.items():
            try:
                token = await asyncio.to_thread(reveal)
            except BadInput:  # check says why; the screen is asked for its token
                continue
            if len(token) >= SHORTEST:
                known[name] = _digest(token)
        self._known = known


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()
