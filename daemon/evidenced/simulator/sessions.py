"""Logins and API sessions: who gets in, in the scenario's manner."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from evidenced.simulator.codes import Code, CommandDenied
from evidenced.simulator.dialect import Dialect
from evidenced.simulator.exchange import XML, HeardCall, Request, SentReply, page
from evidenced.simulator.order import BODY_LIMIT, BadXml, Node, children, leaf, parse
from evidenced.simulator.scenario import LoginScenario, Scenario, SessionScenario

_DIGEST_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


@dataclass(slots=True)
class _Open:
    since: float
    used: float


class Sessions:
    """The keys that are open. Times are seconds since the simulator's start."""

    def __init__(self, settings: SessionScenario, seed: int) -> None:
        self._settings = settings
        self._seed = seed
        self._opened = 0
        self._open: dict[str, _Open] = {}

    def open(self, elapsed: float) -> str | None:
        """A new session's key; None when there are as many as may be."""
        self._drop_ended(elapsed)
        limit = self._settings.limit
        if limit and len(self._open) >= limit:
            if self._settings.past_limit == "refuse":
                return None
            del self._open[next(iter(self._open))]
        self._opened += 1
        key = self._key()
        self._open[key] = _Open(since=elapsed, used=elapsed)
        return key

    def use(self, key: str | None, elapsed: float) -> bool:
        """Whether the key is of an open session, which is then in use."""
        self._drop_ended(elapsed)
        found = self._open.get(key) if key else None
        if found is None:
            return False
        found.used = elapsed
        return True

    def end_all(self) -> None:
        self._open.clear()

    def _drop_ended(self, elapsed: float) -> None:
        lifetime = self._settings.lifetime.total_seconds()
        idle = self._settings.idle.total_seconds()
        self._open = {
            key: found
            for key, found in self._open.items()
            if not (lifetime and elapsed >= found.since + lifetime)
            and not (idle and elapsed >= found.used + idle)
        }

    def _key(self) -> str:
        """Decimal and below 2^31, as the one that was seen (sense-api.md 1.9)."""
        raw = hashlib.sha256(f"{self._seed}/{self._opened}".encode()).digest()
        return str(int.from_bytes(raw[:4], "big") >> 1)


def is_login(root: Node, settings: LoginScenario, own_now: datetime) -> bool:
    """Whether this document is a login that this recorder accepts."""
    if root.name.lower() == "authenticateuser":
        return "plain" in settings.kinds and _is_plain(root, settings)
    if root.name.lower() == "authenticateuserdigest":
        return "digest" in settings.kinds and _is_digest(root, settings, own_now)
    return False


def _is_plain(root: Node, settings: LoginScenario) -> bool:
    found = children(root, {"username", "password"})
    expected = settings.users.get(leaf(found, "username"))
    given = leaf(found, "password")
    return expected is not None and hmac.compare_digest(
        expected.encode(), given.encode()
    )


def _is_digest(root: Node, settings: LoginScenario, own_now: datetime) -> bool:
    found = children(root, {"username", "nonce", "timestamp", "digest"})
    username, timestamp = leaf(found, "username"), leaf(found, "timestamp")
    if not _is_fresh(timestamp, settings, own_now):
        return False
    password = settings.users.get(username)
    if password is None or leaf(found, "nonce") != settings.nonce:
        return False
    expected = digest(timestamp, username, password, settings.nonce)
    return hmac.compare_digest(expected.encode(), leaf(found, "digest").encode())


def digest(timestamp: str, username: str, password: str, nonce: str) -> str:
    """The digest of a login. Source: sense-api.md 1.3; old hashes are the vendor's."""
    inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    twice = hashlib.sha1(inner, usedforsecurity=False).hexdigest()
    stamp = hashlib.md5(timestamp.encode(), usedforsecurity=False).hexdigest()
    key = (stamp + username + twice).encode()
    return hmac.new(key, nonce.encode(), hashlib.sha1).hexdigest()


def _is_fresh(text: str, settings: LoginScenario, own_now: datetime) -> bool:
    """Seconds, no milliseconds (sense-api.md 1.5); the tolerance is our guess (1.6)."""
    if not _DIGEST_TIME.fullmatch(text):
        return False
    try:
        at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(at - own_now) <= settings.digest_tolerance


class Gate:
    def __init__(
        self, scenario: Scenario, dialect: Dialect, sessions: Sessions
    ) -> None:
        self._login = scenario.login
        self._session = scenario.session
        self._dialect = dialect
        self._sessions = sessions

    @staticmethod
    def is_xml(request: Request) -> bool:
        """Strict: a body is text/xml or application/xml, and says so."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        return kind.lower() in {"text/xml", "application/xml"}

    def login(self, call: HeardCall) -> SentReply:
        """A session for who may have one, else a refusal.

        Raises:
            Denied: -18: no login document.
        """
        if call.request.method != "POST":
            return page(405, "Method Not Allowed")
        if not self.is_xml(call.request):
            return page(415, "Unsupported Media Type")
        if not is_login(_document(call.request.body), self._login, call.own_now):
            return self._failed(call)
        key = self._sessions.open(call.elapsed)
        if key is None:
            return self._failed(call)
        call.session, call.code = key, self._dialect.success
        return self._opened(key)

    def refuse(self, call: HeardCall) -> SentReply:
        """What a request without a valid session gets."""
        match self._session.expiry:
            case "401":
                return page(401, "Unauthorized")
            case "403":
                return page(403, "Forbidden")
            case "302":
                moved = page(302, "Found")
                location = ("Location", "/login.html")
                return SentReply(
                    status=302, headers=(*moved.headers, location), body=moved.body
                )
            case "html":
                return page(200, "Please log in")
            case "code":
                return self._coded(call, self._session.expiry_code)

    def _failed(self, call: HeardCall) -> SentReply:
        match self._login.failure:
            case "401":
                return page(401, "Unauthorized")
            case "403":
                return page(403, "Forbidden")
            case "html":
                return page(200, "Login failed")
            case "no-key":
                return self._coded(call, self._dialect.success)
            case "code":
                return self._coded(call, self._login.failure_code)

    def _coded(self, call: HeardCall, code: int) -> SentReply:
        call.code = code
        return SentReply(body=self._dialect.result(code))

    def _opened(self, key: str) -> SentReply:
        """The key, where this scenario puts it (sense-api.md 1.10: unknown)."""
        success, result = self._dialect.success, self._dialect.result
        match self._login.key_in:
            case "element":
                return SentReply(body=result(success, Node("sessionkey", key)))
            case "nested-element":
                inner = Node("authentication", children=(Node("sessionkey", key),))
                return SentReply(body=result(success, inner))
            case "session-element":
                return SentReply(body=result(success, Node("session", key)))
            case "attribute":
                return SentReply(body=result(success, attributes={"sessionkey": key}))
            case "key-attribute":
                node = Node("session", attributes={"key": key})
                return SentReply(body=result(success, node))
            case "cookie":
                cookie = ("Set-Cookie", f"sessionkey={key}; Path=/; HttpOnly")
                return SentReply(
                    headers=(("Content-Type", XML), cookie), body=result(success)
                )


def _document(body: bytes) -> Node:
    if len(body) > BODY_LIMIT:
        raise CommandDenied(Code.GENERAL, "body too large")
    try:
        return parse(body)
    except BadXml as error:
        raise CommandDenied(Code.GENERAL, str(error)) from error
