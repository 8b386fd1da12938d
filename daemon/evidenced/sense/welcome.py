"""What the recorder says before it takes commands: /info and /webservice. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from evidenced.core.instants import MILLISECOND, SECOND
from evidenced.sense.document import Element, Unreadable, clean, read_document
from evidenced.sense.fields import ID_LENGTH, fields_of, int_of
from evidenced.sense.wire import parse_timestamp

_KEY_LENGTH = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoReply:
    """What /info tells. The clock showed `utc`, or at most `precision` later."""

    utc: datetime
    precision: timedelta
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginReply:
    """`key` is None when the reply holds none; `code` when it has no errorcode."""

    code: int | None
    text: str
    key: str | None


def read_info(data: bytes) -> InfoReply:
    """The reply of /info; the vendor's own sample, never closed, is read too.

    Raises:
        Unreadable: no time can be found in it.
    """
    fields = fields_of(read_document(data, must_close=False).root)
    text = fields.get("utc", "")
    utc = parse_timestamp(text)
    if utc is None or not _EARLIEST <= utc.year < _LATEST:
        raise Unreadable("holds no readable utc")
    has_decimals = "." in text or "," in text
    return InfoReply(
        utc=utc,
        precision=MILLISECOND if has_decimals else SECOND,
        version=clean(fields.get("version", ""), ID_LENGTH),
    )


_EARLIEST, _LATEST = 1970, 3000
"""Years of a clock that can be reckoned with; a flat battery shows the first."""


def read_login(data: bytes, cookies: tuple[str, ...]) -> LoginReply:
    """The reply of /webservice. Where the key stands is unknown, so it is searched.

    Source: sense-api.md B1 1.10 and "Tolerant handling". `cookies` are the Set-Cookie
    headers as they came.

    Raises:
        Unreadable: neither a cookie nor XML.
    """
    key = next(filter(None, map(_key_of_cookie, cookies)), None)
    try:
        root = read_document(data).root
    except Unreadable:
        if key is None:
            raise
        return LoginReply(code=None, text="", key=key)
    fields = fields_of(root)
    return LoginReply(
        code=int_of(fields.get("errorcode", "")),
        text=clean(fields.get("description", "")),
        key=key or _find_key(root),
    )


def _key_of_cookie(header: str) -> str | None:
    name, _, value = header.partition(";")[0].partition("=")
    return _usable_key(value) if name.strip().lower() == "sessionkey" else None


def _find_key(root: Element) -> str | None:
    """The best named of all elements and attributes that could be the key."""
    found: dict[int, str] = {}
    for node in root.walk():
        for name, value in ((node.name, node.text), *node.attributes.items()):
            rank = next((i for i, fits in enumerate(_RANKS) if fits(name)), None)
            key = _usable_key(value)
            if rank is not None and key is not None:
                found.setdefault(rank, key)
    return found[min(found)] if found else None


# An exact name before one that merely contains it: <sessiontimeout> is no key.
_RANKS: tuple[Callable[[str], bool], ...] = (
    lambda name: "sessionkey" in name,
    lambda name: name in {"session", "sessionid"},
    lambda name: name == "key",
    lambda name: "session" in name and "time" not in name,
    lambda name: "key" in name,
)


def _usable_key(text: str) -> str | None:
    """The key as the Cookie header can carry it."""
    text = text.strip().strip('"')
    is_token = text.isascii() and text.isprintable() and not set(text) & set(' ;,"')
    return text if is_token and 0 < len(text) <= _KEY_LENGTH else None
