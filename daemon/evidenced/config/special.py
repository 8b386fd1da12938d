"""Forms with a syntax of their own: addresses, times, secrets, patterns, templates."""

import ipaddress
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, ClassVar
from urllib.parse import urlsplit

from typing_extensions import override

from evidenced.config.forms import MAX_TEXT, Form, text_of
from evidenced.config.secret import Origin, Secret
from evidenced.core.errors import BadInput
from evidenced.core.wording import nearest, one_of, quote

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_PORT = 65535
_LISTEN = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})")


@dataclass(frozen=True, kw_only=True)
class Url(Form):
    """An address of a server: scheme, host, maybe a port; no account, no query."""

    schemes: tuple[str, ...]
    such_as: str
    may_have_path: bool = False
    wrong: ClassVar[object] = "ftp://host.example"

    @property
    @override
    def must_be(self) -> str:
        schemes = one_of(f"{scheme}://" for scheme in self.schemes)
        return f"an address that begins with {schemes}, such as {quote(self.such_as)}"

    @override
    def parse(self, value: object) -> str:
        text = text_of(value)
        if not re.fullmatch(r"[!-~]+", text):
            raise ValueError
        url = urlsplit(text)
        if "@" in url.netloc:
            raise BadInput(
                "must not contain an account; use the keys username and password"
            )
        is_plain = not url.query and not url.fragment
        if url.scheme not in self.schemes or not url.hostname or not is_plain:
            raise ValueError
        if url.path not in {"", "/"} and not self.may_have_path:
            raise ValueError
        if url.port == 0:  # reading the port raises ValueError by itself beyond 65535
            raise ValueError
        return text.rstrip("/")


@dataclass(frozen=True, kw_only=True)
class Listen(Form):
    """Where the page listens: host:port, unix:/path, or nowhere."""

    wrong: ClassVar[object] = "8470"

    @property
    @override
    def must_be(self) -> str:
        return (
            'an address and port such as "127.0.0.1:8470" or "[::1]:8470", '
            '"unix:/path" or "" for no page'
        )

    @override
    def parse(self, value: object) -> str:
        text = text_of(value, most=300)
        if text and not text.startswith("unix:"):
            split_listen(text)
        elif text and not re.fullmatch(r"unix:/[!-~]{1,106}", text):
            raise ValueError  # sun_path holds 108 bytes. Source: unix(7)
        return text


def split_listen(text: str) -> tuple[str, int]:
    """Host and port of "127.0.0.1:8470" or "[::1]:8470".

    Raises:
        ValueError: it is no such address.
    """
    match = _LISTEN.fullmatch(text)
    if match is None or int(match[3]) > MAX_PORT:
        raise ValueError
    if match[1] is not None:
        ipaddress.IPv6Address(match[1])
    return match[1] or match[2], int(match[3])


def is_loopback(host: str) -> bool:
    """Whether only this host can reach it; a name other than localhost may be any."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, kw_only=True)
class Zone(Form):
    """A time zone of the tz database, or "" where the host's own is meant."""

    may_be_empty: bool = False
    whose: str = "the host's own"
    wrong: ClassVar[object] = "Europe/Amsterdm"

    @property
    @override
    def must_be(self) -> str:
        host = f', or "" for {self.whose}' if self.may_be_empty else ""
        return f'a time zone such as "Europe/Amsterdam" or "UTC"{host}'

    @override
    def parse(self, value: object) -> str:
        text = text_of(value, most=100)
        if not text and self.may_be_empty:
            return text
        try:
            zoneinfo.ZoneInfo(text)
        except (KeyError, ValueError, OSError):  # also a folder of zones, "Europe"
            near = nearest(text, zoneinfo.available_timezones()) or "Europe/Amsterdam"
            fault = f"there is no time zone {quote(text)}; write for example"
            raise BadInput(f"{fault} {quote(near)}") from None
        return text


@dataclass(frozen=True, kw_only=True)
class Days(Form):
    """Days of the week, 0 = Monday."""

    wrong: ClassVar[object] = "weekdays"

    @property
    @override
    def must_be(self) -> str:
        return 'days such as "mon-fri" or "sat,sun"'

    @override
    def parse(self, value: object) -> frozenset[int]:
        days: set[int] = set()
        for part in text_of(value, most=100).lower().split(","):
            first, dash, last = part.strip().partition("-")
            start = DAYS.index(first.strip())
            end = DAYS.index(last.strip()) if dash else start
            days.update((start + n) % 7 for n in range((end - start) % 7 + 1))
        return frozenset(days)

    @override
    def render(self, value: Any) -> object:
        if value == frozenset(range(7)):
            return "mon-sun"
        return ",".join(DAYS[day] for day in sorted(value))


@dataclass(frozen=True, kw_only=True)
class Syntax(Form):
    """Text that something else parses: a topic pattern, an expression, a path.

    The value is what the parser gives; it has the text as `text`.
    """

    what: str
    parser: Callable[[str], object]
    most: int = MAX_TEXT
    wrong: ClassVar[object] = 7

    @property
    @override
    def must_be(self) -> str:
        return self.what

    @override
    def parse(self, value: object) -> object:
        return self.parser(text_of(value, most=self.most))

    @override
    def render(self, value: Any) -> object:
        return value.text


@dataclass(frozen=True, kw_only=True)
class TimeOfDay(Form):
    wrong: ClassVar[object] = "8 o'clock"

    @property
    @override
    def must_be(self) -> str:
        return 'a time of day such as "08:00", from "00:00" to "23:59"'

    @override
    def parse(self, value: object) -> time:
        match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text_of(value))
        if match is None:
            raise ValueError
        return time(int(match[1]), int(match[2]))

    @property
    @override
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}

    @override
    def render(self, value: Any) -> object:
        return f"{value:%H:%M}"


@dataclass(frozen=True, kw_only=True)
class SecretForm(Form):
    """Where a secret comes from; what was found is never repeated."""

    wrong: ClassVar[object] = 12345

    @property
    @override
    def is_secret(self) -> bool:
        return True

    @property
    @override
    def must_be(self) -> str:
        return (
            'one of { file = "/path" }, { credential = "name" } or { env = "NAME" } '
            "(or the secret as text, with a warning)"
        )

    @override
    def parse(self, value: object) -> Secret:
        if isinstance(value, str) and 0 < len(value) <= MAX_TEXT:
            return Secret(Origin.LITERAL, value)
        if not isinstance(value, Mapping) or len(value) != 1:
            raise ValueError
        ((origin, where),) = value.items()
        pattern = _SECRET_NAMES.get(origin)
        if pattern is None or not isinstance(where, str):
            raise ValueError
        if not re.fullmatch(pattern, where):
            raise ValueError
        return Secret(Origin(origin), where)

    @property
    @override
    def schema(self) -> dict[str, Any]:
        origins = [
            {
                "type": "object",
                "properties": {origin: {"type": "string", "minLength": 1}},
                "required": [origin],
                "additionalProperties": False,
            }
            for origin in _SECRET_NAMES
        ]
        return {"anyOf": [*origins, {"type": "string", "minLength": 1}]}

    @override
    def render(self, value: Any) -> object:
        if value.origin is Origin.LITERAL:
            return "***"
        return {str(value.origin): value.where}


_SECRET_NAMES = {
    "file": r"/[^\x00-\x1f]{1,4000}",
    "credential": r"[A-Za-z0-9._-]{1,255}",
    "env": r"[A-Za-z_][A-Za-z0-9_]{0,255}",
}
