"""Who is asking: a browser that logged in, or HTTP Basic, where users are configured.

A hash costs tens of milliseconds and megabytes on purpose, so: a credential that was
right is remembered for minutes (as a digest, never the password), at most HASHING are
computed at once, and an address that guesses wrong has to wait longer each time.
Source: RFC 7617. Basic sends the password itself: put TLS in front of it.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from aiohttp import BasicAuth, web
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from evidenced.core.account import Account, Role
from evidenced.ports import Clock
from evidenced.web.answers import Denied, Handler, is_for_people, see_other
from evidenced.web.guard import SAFE_METHODS
from evidenced.web.sessions import WebSessions, cookie_of

OPEN = frozenset({"/healthz", "/readyz", "/login"})
"""Answered to everybody, without details to those who are not logged in."""
OPEN_FOLDER = "/static/"
FREE = frozenset({"/login", "/logout"})
"""What those may send who may only look."""

REMEMBERED = 64
REMEMBER_S = timedelta(minutes=5).total_seconds()
HASHING = 2
WAITING = 16
"""Logins that wait for a hash; more are sent away, so that a flood costs no memory."""
FREE_TRIES = 5
MAX_PAUSE_S = 60.0
MAX_ADDRESS = 64
ADDRESSES = 1024
"""Addresses whose wrong guesses are counted; the one longest silent is forgotten."""

USER = web.RequestKey("user", str)
"""Who asks, as the history will say it; absent where nobody logged in."""
ROLE = web.RequestKey("role", Role)


@dataclass(slots=True)
class _Guesses:
    wrong: int = 0
    until: float = 0.0


class Throttle:
    """Wrong guesses by address; the first few are free, then the pause doubles."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._guesses: OrderedDict[str, _Guesses] = OrderedDict()

    def pause(self, address: str) -> float:
        """Seconds until this address may try again; 0 when it may now."""
        guesses = self._guesses.get(address)
        if guesses is None:
            return 0.0
        return max(0.0, guesses.until - self._clock.monotonic())

    def wrong(self, address: str) -> None:
        guesses = self._guesses.setdefault(address, _Guesses())
        self._guesses.move_to_end(address)
        guesses.wrong += 1
        over = min(guesses.wrong - FREE_TRIES, 10)
        if over >= 0:
            guesses.until = self._clock.monotonic() + min(2.0**over, MAX_PAUSE_S)
        while len(self._guesses) > ADDRESSES:
            self._guesses.popitem(last=False)

    def right(self, address: str) -> None:
        self._guesses.pop(address, None)


class Users:
    """The middleware. Without users it lets everybody in: see `guard`."""

    def __init__(
        self, accounts: Mapping[str, Account], sessions: WebSessions, clock: Clock
    ) -> None:
        self._accounts = dict(accounts)
        self._sessions = sessions
        self._clock = clock
        self._throttle = Throttle(clock)
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._hasher = PasswordHasher()
        self._hashing = asyncio.Semaphore(HASHING)
        self._waiting = 0

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._accounts:
            request[USER] = f"unnamed at {address_of(request)}"
            request[ROLE] = Role.OPERATOR
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
        request[ROLE] = self._accounts[name].role
        if not self._may(request):
            raise Denied(
                403,
                "viewer",
                f"{name} may look, but not change anything; log in as an operator",
            )
        return await handler(request)

    def _may(self, request: web.Request) -> bool:
        return (
            request.method in SAFE_METHODS
            or request.path in FREE
            or request[ROLE] is Role.OPERATOR
        )

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
            return session.name
        header = request.headers.get("Authorization", "")
        digest = hashlib.sha256(header.encode(errors="surrogateescape")).digest()
        name = self._remembered(digest)
        if name is not None:
            return name
        credentials = read_basic(header)
        if credentials is None:
            raise _login_wanted("log in with a name of web.users and its password")
        await self._try(request, *credentials)
        self._remember(digest, credentials[0])
        return credentials[0]

    async def _try(self, request: web.Request, name: str, password: str) -> None:
        """One guess.

        Raises:
            Denied: it is wrong, or one too many.
        """
        address = address_of(request)
        pause = self._throttle.pause(address)
        if pause > 0 or self._waiting >= WAITING:
            raise _too_many(pause)
        if not await self._is_right(name, password):
            self._throttle.wrong(address)
            raise _login_wanted("the name or the password is wrong")
        self._throttle.right(address)

    async def _is_right(self, name: str, password: str) -> bool:
        # An unknown name costs a hash as well: else the time would tell who exists.
        known = self._accounts.get(name)
        account = known if known is not None else next(iter(self._accounts.values()))
        self._waiting += 1
        try:
            async with self._hashing:
                matches = await asyncio.to_thread(
                    self._verify, account.password, password
                )
        finally:
            self._waiting -= 1
        return matches and known is not None

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
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


def address_of(request: web.Request) -> str:
    """Where the request comes from; a reverse proxy on this host says it for others.

    Only the last address of X-Forwarded-For is the proxy's own word.
    """
    remote = request.remote or "the local socket"
    said = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    is_proxy = remote in {"127.0.0.1", "::1", "the local socket"}
    return said if is_proxy and 0 < len(said) <= MAX_ADDRESS else remote


def _login_wanted(message: str) -> Denied:
    challenge = 'Basic realm="evidenced", charset="UTF-8"'
    return Denied(401, "login", message, {"WWW-Authenticate": challenge})


def _too_many(pause: float) -> Denied:
    wait = int(pause) + 1
    message = f"too many logins; try again in {wait} s"
    return Denied(429, "too-many-logins", message, {"Retry-After": str(wait)})
