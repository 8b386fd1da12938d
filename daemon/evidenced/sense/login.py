"""The API session: measured clock, login, and one login for all who need it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from evidenced.core.errors import EvidencedError, Reason, RecorderError
from evidenced.core.ids import SessionId
from evidenced.core.instants import ZERO, floor_ms
from evidenced.core.phrase import glued, phrase
from evidenced.core.recorder import ClockOffset, SessionInfo
from evidenced.ports import Clock
from evidenced.sense.digest import compute_digest
from evidenced.sense.document import Unreadable
from evidenced.sense.settings import Auth, SenseSettings
from evidenced.sense.transport import Call, Reply, Transport
from evidenced.sense.welcome import LoginReply, read_info, read_login
from evidenced.sense.wire import render_digest_login, render_plain_login, render_seconds


@dataclass(slots=True)
class ApiSession:
    """An open session; `is_doubtful` asks for a look before the next export."""

    key: str = field(repr=False)
    info: SessionInfo
    is_doubtful: bool = False


class Login:
    """Keeps the one session of a recorder."""

    def __init__(
        self,
        settings: SenseSettings,
        transport: Transport,
        clock: Clock,
        new_session: Callable[[], SessionId],
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._new_session = new_session
        self._lock = asyncio.Lock()
        self._session: ApiSession | None = None
        self._tries = 0
        self._failure: RecorderError | None = None

    @property
    def opened(self) -> ApiSession | None:
        """The session as it is: looks, never logs in."""
        return self._session

    async def measured(self) -> ApiSession:
        """The session with its clock measured just now; logs in if there is none."""
        async with self._lock:
            session = self._session
            if session is None:
                return await self._open()
            offset, version = await self._measure()
            if self._session is not session:  # another call found meanwhile: it is over
                return await self._open()
            session.info = replace(session.info, offset=offset, version=version)
            return session

    async def current(self) -> ApiSession:
        """The session, opened if there is none."""
        return self._session or await self.renewed(None)

    async def renewed(self, ended: ApiSession | None) -> ApiSession:
        """A session other than `ended`; callers who come together share one login.

        They share its failure too: each trying in turn would make the last one wait
        for the sum of all deadlines.
        """
        tries = self._tries
        async with self._lock:
            if self._session is not None and self._session is not ended:
                return self._session
            if self._tries != tries and self._failure is not None:
                failure = self._failure
                raise RecorderError(failure.reason, str(failure), is_sent=False)
            return await self._open()

    def forget(self, ended: ApiSession) -> None:
        """Let the next call log in, unless somebody has meanwhile."""
        if self._session is ended:
            self._session = None

    async def _open(self) -> ApiSession:
        self._session = None
        self._failure = None
        try:
            offset, version = await self._measure()
            key = await self._log_in(offset)
        except RecorderError as failure:
            self._failure = failure
            raise
        finally:
            self._tries += 1
        info = SessionInfo(session=self._new_session(), offset=offset, version=version)
        self._session = ApiSession(key=key, info=info)
        return self._session

    async def _measure(self) -> tuple[ClockOffset | None, str]:
        """The clock offset and the API's version; none where /info does not exist.

        An answer that was too slow to tell anything is asked for once more.
        """
        first, version = await self._ask_info()
        if first is None or first.is_sharp:
            return first, version
        again, version = await self._ask_info()
        if again is None or again.highest - again.lowest > first.highest - first.lowest:
            return first, version
        return again, version

    async def _ask_info(self) -> tuple[ClockOffset | None, str]:
        began = self._clock.monotonic()
        reply = await self._transport.send(_INFO)
        # Not two readings of the wall clock: it may have been set in between.
        ended = self._clock.monotonic()
        lasted = timedelta(seconds=ended - began)
        received = self._clock.now()
        if reply.status in _NO_INFO:
            return None, ""
        _check_status(reply, "/info", self._transport.place, Reason.GARBAGE)
        try:
            info = read_info(reply.body)
        except Unreadable as fault:
            text = phrase(
                "the answer of {place} to /info {fault}",
                place=self._transport.place,
                fault=fault,
            )
            raise RecorderError(Reason.GARBAGE, text, is_sent=False) from None
        sent = floor_ms(received - max(lasted, ZERO))
        offset = ClockOffset(
            lowest=info.utc - received,
            highest=info.utc + info.precision - sent,
            measured_at=received,
            skew_s=received.timestamp() - ended,
        )
        return offset, info.version

    async def _log_in(self, offset: ClockOffset | None) -> str:
        """The session key."""
        place = self._transport.place
        body, secrets = self._credentials(offset)
        call = Call(what="login", target="/webservice", method="POST", body=body)
        reply = await self._transport.send(call)
        _check_status(reply, "the login", place, Reason.LOGIN_REFUSED, CHECK)
        try:
            said = read_login(reply.body, reply.cookies)
        except Unreadable as fault:
            text = phrase(
                "the answer of {place} to the login {fault}", place=place, fault=fault
            )
            raise RecorderError(Reason.GARBAGE, text, is_sent=False) from None
        if said.key is not None and (said.code is None or said.code >= 0):
            return said.key
        text = phrase(
            "{place} refused the login: {said}; {hint}",
            place=place,
            said=_verdict(said, secrets),
            hint=CHECK,
        )
        raise RecorderError(Reason.LOGIN_REFUSED, text, is_sent=False)

    def _credentials(self, offset: ClockOffset | None) -> tuple[bytes, tuple[str, ...]]:
        """The body of the login, and what of it no message may repeat."""
        settings = self._settings
        try:
            password = settings.password()
            if settings.auth is Auth.PLAIN:
                return render_plain_login(settings.username, password), (password,)
            at = self._clock.now() + (offset.estimate if offset else ZERO)
            stamp = render_seconds(at)
            digest = compute_digest(
                username=settings.username,
                password=password,
                nonce=settings.nonce,
                timestamp=stamp,
            )
            body = render_digest_login(
                username=settings.username,
                nonce=settings.nonce,
                timestamp=stamp,
                digest=digest,
            )
        except (OSError, ValueError, OverflowError, EvidencedError):
            # The words of these may hold the secret; none of them came from outside.
            key = f"recorders.{settings.name}"
            text = phrase(
                "username, password or nonce of {key} cannot be read or sent", key=key
            )
            raise RecorderError(Reason.LOGIN_REFUSED, text, is_sent=False) from None
        return body, (password, digest, settings.nonce)


_INFO = Call(what="/info", target="/info")
_NO_INFO = frozenset({404, 405, 410, 501})
"""404 is how an older server is known (B1 1.2); the others say the same."""


CHECK = phrase(
    "check username, password, auth and nonce, and whether another program is logged "
    "in with this account: some recorders allow one at a time"
)


def _check_status(
    reply: Reply, what: str, place: str, otherwise: Reason, hint: str = ""
) -> None:
    """Raise unless the status is a success: SERVER_ERROR for 5xx, else `otherwise`."""
    status = reply.status
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own
        return
    reason = Reason.SERVER_ERROR if status >= 500 else otherwise  # noqa: PLR2004
    text = phrase(
        "{place} answered {what} with HTTP {status}",
        place=place,
        what=what,
        status=status,
    )
    if hint and reason is otherwise:
        text = glued(text, "; ", hint)
    raise RecorderError(reason, text, is_sent=False)


def _verdict(said: LoginReply, secrets: tuple[str, ...]) -> str:
    if said.code is None or said.code >= 0:
        return "its answer holds no session key"
    text = said.text
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return phrase("errorcode {code} {text}", code=said.code, text=text).strip()
