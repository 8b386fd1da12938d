"""Logins and API sessions."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from evidenced.simulator.node import Node
from evidenced.simulator.order import children, leaf
from evidenced.simulator.scenario import Login, Session

_DIGEST_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


@dataclass(slots=True)
class _Open:
    since: float
    used: float


class Sessions:
    """The keys that are open. Times are seconds since the simulator's start."""

    def __init__(self, settings: Session, seed: int) -> None:
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


def is_login(root: Node, settings: Login, own_now: datetime) -> bool:
    """Whether this document is a login that this recorder accepts."""
    if root.name.lower() == "authenticateuser":
        return "plain" in settings.kinds and _is_plain(root, settings)
    if root.name.lower() == "authenticateuserdigest":
        return "digest" in settings.kinds and _is_digest(root, settings, own_now)
    return False


def _is_plain(root: Node, settings: Login) -> bool:
    found = children(root, {"username", "password"})
    expected = settings.users.get(leaf(found, "username"))
    given = leaf(found, "password")
    return expected is not None and hmac.compare_digest(
        expected.encode(), given.encode()
    )


def _is_digest(root: Node, settings: Login, own_now: datetime) -> bool:
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


def _is_fresh(text: str, settings: Login, own_now: datetime) -> bool:
    """Seconds, no milliseconds (sense-api.md 1.5); the tolerance is our guess (1.6)."""
    if not _DIGEST_TIME.fullmatch(text):
        return False
    try:
        at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(at - own_now) <= settings.digest_tolerance
