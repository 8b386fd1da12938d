"""Who is asking: a browser that logged in, or HTTP Basic, where users are configured.

A hash costs tens of milliseconds and megabytes on purpose, so: a credential that was
right is remembered for minutes (as a digest, never the password), few are computed at
once (`turns`), and who guesses wrong has to wait longer each time (`throttle`).
Source: RFC 7617. Basic sends the password itself: put TLS in front of it.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote

from aiohttp import BasicAuth, web
from aiohttp.log import server_logger
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from evidenced.core.account import Account, Role
from evidenced.core.errors import BadInput
from evidenced.core.phrase import phrase
from evidenced.core.spoken import unnamed
from evidenced.ports import Clock
from evidenced.web.answers import Denied, Handler, is_for_people, see_other
from evidenced.web.displays import WALL, Displays
from evidenced.web.doors import visit_of
from evidenced.web.guard import SAFE_METHODS
from evidenced.web.peers import LOCAL, Peers
from evidenced.web.sessions import WebSessions, cookie_of
from evidenced.web.throttle import Throttle
from evidenced.web.turns import Turns, TurnsFull

OPEN = frozenset({"/healthz", "/readyz", "/login"})
"""Answered to everybody, without details to those who are not logged in."""
OPEN_FOLDER = "/static/"
FREE = frozenset({"/login", "/logout"})
"""What those may send who may only look."""

REMEMBERED = 64
REMEMBER_S = timedelta(minutes=5).total_seconds()

USER = web.RequestKey("user", str)
"""Who asks, as the history will say it; absent where nobody logged in."""
ROLE = web.RequestKey("role", Role)
ACCOUNT = web.RequestKey("account", Account)
"""Whose they are; absent where nobody logged in, or nobody has to."""
DISPLAY = web.RequestKey("display", str)
"""The screen on a wall that asks."""
COOKIE_LOGIN = web.RequestKey("cookie-login", bool)
"""Set where the cookie of a session said who asks, and not HTTP Basic."""


class Users:
    """The middleware. Without users it lets everybody in: see `guard`."""

    def __init__(
        self,
        accounts: Mapping[str, Account],
        sessions: WebSessions,
        clock: Clock,
        peers: Peers,
        displays: Displays | None = None,
    ) -> None:
        self._displays = displays or Displays({}, clock)
        self._accounts = dict(accounts)
        self._sessions = sessions
        self._clock = clock
        self._peers = peers
        self._throttle = Throttle(clock, self._accounts)
        self._turns = Turns()
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._hasher = PasswordHasher()

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if LOCAL in request or not self._accounts:
            address = self._peers.address_of(request)
            request[USER] = request.get(LOCAL, str(unnamed(address)))
            request[ROLE] = Role.OPERATOR
            return await handler(request)
        if request.path == WALL and "token" in request.query:
            is_tls = self._peers.is_tls(request)
            return await self._displays.admit(request, is_tls=is_tls)
        display = await self._displays.name_of(request)
        if display is not None:
            request[DISPLAY] = request[USER] = f"display {display}"
            request[ROLE] = Role.VIEWER
            return await handler(request)
        try:
            name = await self._identify(request)
        except Denied:
            if request.path in OPEN or request.path.startswith(OPEN_FOLDER):
                return await handler(request)
            if is_for_people(request) and "Authorization" not in request.headers:
                return see_other(f"/login?next={quote(request.path_qs, safe='')}")
            raise
        request[USER] = name
        request[ACCOUNT] = account = self._accounts[name]
        request[ROLE] = account.role
        visit = visit_of(request)
        if visit is not None and not visit.is_of(name):
            raise Denied(
                429,
                "too-many-requests",
                phrase(
                    "{name} has too many requests under way; wait for their answers",
                    name=name,
                ),
            )
        if not self._may(request):
            raise Denied(
                403,
                "viewer",
                phrase(
                    "{name} may look, but not change anything; log in as an operator",
                    name=name,
                ),
            )
        return await handler(request)

    def _may(self, request: web.Request) -> bool:
        return (
            request.method in SAFE_METHODS
            or request.path in FREE
            or request[ROLE] is Role.OPERATOR
        )

    def is_in(self, request: web.Request) -> bool:
        """Whether who asked is let in still: what lasts, such as a stream, looks."""
        if ACCOUNT not in request:
            return LOCAL in request or DISPLAY in request or not self._accounts
        if self._accounts.get(request[USER]) is not request[ACCOUNT]:
            return False
        cookie = cookie_of(request)
        return COOKIE_LOGIN not in request or self._sessions.holds(cookie)

    @property
    def is_needed(self) -> bool:
        """Whether anybody has to log in."""
        return bool(self._accounts)

    async def log_in(self, request: web.Request, name: str, password: str) -> str:
        """The cookie of the session.

        Raises:
            Denied: the guess was wrong, or one too many.
        """
        await self._try(request, name, password)
        return self._sessions.begin(name)

    def log_out(self, request: web.Request) -> None:
        self._sessions.end(cookie_of(request))

    async def _identify(self, request: web.Request) -> str:
        """The user's name.

        Raises:
            Denied: they have none, or a wrong password.
        """
        session = self._sessions.find(cookie_of(request))
        if session is not None and session.name in self._accounts:
            request[COOKIE_LOGIN] = True
            return session.name
        header = request.headers.get("Authorization", "")
        digest = hashlib.sha256(header.encode(errors="surrogateescape")).digest()
        name = self._remembered(digest)
        if name is not None:
            return name
        credentials = read_basic(header)
        if credentials is None:
            raise _login_wanted(
                phrase("log in with a name of web.users and its password")
            )
        await self._try(request, *credentials, digest)
        self._remember(digest, credentials[0])
        return credentials[0]

    async def _try(
        self, request: web.Request, name: str, password: str, digest: bytes = b""
    ) -> None:
        """One guess; an address has one under way, so that a burst is no way round.

        Raises:
            Denied: it is wrong, or one too many.
        """
        address = self._peers.address_of(request)
        home = name if self._throttle.is_home(name, address) else ""
        try:
            async with self._turns.turn(address, home):
                if self._remembered(digest) is None:  # by one that went before
                    await self._guess(address, name, password)
        except TurnsFull:
            raise _too_many(0.0) from None

    async def _guess(self, address: str, name: str, password: str) -> None:
        pause = self._throttle.pause(name, address)
        if pause > 0:
            raise _too_many(pause)
        if not await self._is_right(name, password):
            self._throttle.wrong(name, address)
            raise _login_wanted(phrase("the name or the password is wrong"))
        self._throttle.right(name, address)

    async def _is_right(self, name: str, password: str) -> bool:
        # An unknown name costs a hash as well: else the time would tell who exists.
        known = self._accounts.get(name)
        account = known if known is not None else next(iter(self._accounts.values()))
        matches = await asyncio.to_thread(self._verify, account, password)
        return matches and known is not None

    def _verify(self, account: Account, password: str) -> bool:
        try:
            return self._hasher.verify(account.hashed(), password)
        except (VerificationError, InvalidHashError):
            return False
        except BadInput as error:
            server_logger.warning("a user's hash cannot be read: %s", error)
            return False

    def _remembered(self, digest: bytes) -> str | None:
        name, until = self._known.get(digest, ("", 0.0))
        return name if until > self._clock.monotonic() else None

    def _remember(self, digest: bytes, name: str) -> None:
        self._known[digest] = (name, self._clock.monotonic() + REMEMBER_S)
        self._known.move_to_end(digest)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def read_basic(header: str) -> tuple[str, str] | None:
    """Name and password of an Authorization header; None when it holds none."""
    try:
        found = BasicAuth.decode(header, encoding="utf-8")
    except ValueError:
        return None
    return found.login, found.password


def _login_wanted(message: str) -> Denied:
    challenge = 'Basic realm="evidenced", charset="UTF-8"'
    return Denied(401, "login", message, {"WWW-Authenticate": challenge})


def _too_many(pause: float) -> Denied:
    wait = int(pause) + 1
    message = phrase("too many logins; try again in {wait} s", wait=wait)
    return Denied(429, "too-many-logins", message, {"Retry-After": str(wait)})
