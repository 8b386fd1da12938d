"""Forms with a syntax of their own: addresses, times, secrets, patterns, templates."""

import ipaddress
import re
import zoneinfo
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, time
from urllib.parse import urlsplit

from evidenced.config.forms import MAX_TEXT, Form, text_of
from evidenced.config.secret import Origin, Secret
from evidenced.core.account import Account, Role
from evidenced.core.errors import BadInput
from evidenced.core.wording import nearest, one_of, quote

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_PORT = 65535
_HASH = r"\$argon2id\$[!-~]{20,400}"
_LISTEN = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})")
_SECRET_NAMES = {
    "file": r"/[^\x00-\x1f]{1,4000}",
    "credential": r"[A-Za-z0-9._-]{1,255}",
    "env": r"[A-Za-z_][A-Za-z0-9_]{0,255}",
}
_ORIGINS = [
    {
        "type": "object",
        "properties": {origin: {"type": "string", "minLength": 1}},
        "required": [origin],
        "additionalProperties": False,
    }
    for origin in _SECRET_NAMES
]


_ACCOUNT = "must not contain an account; use the keys username and password"


def address(
    *schemes: str, such_as: str, with_path: Collection[str] = frozenset()
) -> Form:
    """An address of a server: scheme, host, maybe a port; no account, no query.

    Those of the schemes `with_path` may have a path. What may be a password or a token
    is not repeated, however it is written.
    """

    def parse(value: object) -> str:
        text = text_of(value)
        try:
            return _parsed(text)
        except ValueError:
            if "@" in text:
                raise BadInput(_ACCOUNT) from None
            if "?" in text or "#" in text:
                raise BadInput("must end before its ? or #") from None
            raise

    def _parsed(text: str) -> str:
        found = urlsplit(text)
        if "@" in found.netloc:
            raise BadInput(_ACCOUNT)
        is_plain = re.fullmatch(r"[!-~]+", text) and not found.query + found.fragment
        if found.scheme not in schemes or not found.hostname or not is_plain:
            raise ValueError
        if found.path not in {"", "/"} and found.scheme not in with_path:
            raise ValueError
        if found.port == 0:  # reading the port raises ValueError beyond 65535
            raise ValueError
        return text.rstrip("/")

    listed = one_of(f"{scheme}://" for scheme in schemes)
    return Form(
        must_be=f"an address that begins with {listed}, such as {quote(such_as)}",
        parse=parse,
        wrong="ftp://host.example",
    )


EMBEDDED = "sqlite"
"""The store that needs nothing: a file in the state folder."""
_IN_POSTGRES = "postgresql://"


def _parse_store(value: object) -> str:
    text = text_of(value)
    if text == EMBEDDED:
        return text
    account, at, rest = text.removeprefix(_IN_POSTGRES).rpartition("@")
    if (at and ":" in account) or "password=" in rest:
        raise BadInput(
            "must not contain a password; use the key store_password, or ~/.pgpass"
        )
    if not text.startswith(_IN_POSTGRES) or not re.fullmatch(r"[!-~]+", text):
        raise ValueError
    _check_address(text)
    return text


def _check_address(url: str) -> None:
    """As libpq reads it, where the driver is installed; the daemon asks for it."""
    try:
        from psycopg import ProgrammingError  # noqa: PLC0415 - an extra, and slow
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415
    except ImportError:
        return
    try:
        conninfo_to_dict(url)
    except ProgrammingError as error:
        raise BadInput(str(error).strip()) from None


def store_in() -> Form:
    """Where the store is: embedded, or a PostgreSQL database as libpq writes it."""
    return Form(
        must_be='"sqlite", or the address of a PostgreSQL database such as '
        '"postgresql://evidenced@db.example/evidenced?sslmode=verify-full"',
        parse=_parse_store,
        wrong="mysql://db.example/evidenced",
    )


def _parse_listen(value: object) -> str:
    text = text_of(value, most=300)
    if text and not text.startswith("unix:"):
        split_listen(text)
    elif text and not re.fullmatch(r"unix:/[!-~]{1,106}", text):
        raise ValueError  # sun_path holds 108 bytes. Source: unix(7)
    return text


def listen_at() -> Form:
    """Where the page listens: host:port, unix:/path, or nowhere."""
    return Form(
        must_be='an address and port such as "127.0.0.1:8470" or "[::1]:8470", '
        '"unix:/path" or "" for no page',
        parse=_parse_listen,
        wrong="8470",
    )


def _parse_proxy(value: object) -> str:
    text = text_of(value, most=60)
    return text if text == "unix" else str(ipaddress.ip_network(text))


def proxy() -> Form:
    """Where a reverse proxy asks from: an address, a network, or the socket file."""
    return Form(
        must_be='an address or a network such as "127.0.0.1" or "10.0.0.0/8", '
        'or "unix"',
        parse=_parse_proxy,
        wrong="proxy.example",
    )


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


def zone(*, may_be_empty: bool = False, whose: str = "the host's own") -> Form:
    """A time zone of the tz database, or "" where `whose` is meant."""

    def parse(value: object) -> str:
        text = text_of(value, most=100)
        if not text and may_be_empty:
            return text
        try:
            zoneinfo.ZoneInfo(text)
        except (KeyError, ValueError, OSError):  # also a folder of zones, "Europe"
            near = nearest(text, zoneinfo.available_timezones()) or "Europe/Amsterdam"
            fault = f"there is no time zone {quote(text)}; write for example"
            raise BadInput(f"{fault} {quote(near)}") from None
        return text

    empty = f', or "" for {whose}' if may_be_empty else ""
    return Form(
        must_be=f'a time zone such as "Europe/Amsterdam" or "UTC"{empty}',
        parse=parse,
        wrong="Europe/Amsterdm",
    )


def _parse_encoding(value: object) -> str:
    text = text_of(value, most=40)
    try:
        b"a".decode(text)  # not only a codec, but one that gives text
    except LookupError:
        raise ValueError from None
    except UnicodeError:
        return text  # of two bytes a character
    return text


def encoding_name() -> Form:
    """A character set, by any of the names that Python has for it."""
    return Form(
        must_be='a character set such as "utf-8", "latin-1" or "cp1252"',
        parse=_parse_encoding,
        wrong="latin-99",
    )


def _parse_time_form(value: object) -> str:
    text = text_of(value, most=64)
    sample = datetime(2026, 11, 23, 6, 15, 30, tzinfo=UTC)
    if text and datetime.strptime(sample.strftime(text), text).year != sample.year:  # noqa: DTZ007
        raise ValueError
    return text


def time_form() -> Form:
    """How a date and time is written, in the words of strptime; "" is no form."""
    return Form(
        must_be='a form of date and time such as "%d.%m.%Y %H:%M:%S", with its year',
        parse=_parse_time_form,
        wrong="%H:%M",
    )


def _parse_days(value: object) -> frozenset[int]:
    found: set[int] = set()
    for part in text_of(value, most=100).lower().split(","):
        first, dash, last = part.strip().partition("-")
        start = DAYS.index(first.strip())
        end = DAYS.index(last.strip()) if dash else start
        found.update((start + n) % 7 for n in range((end - start) % 7 + 1))
    return frozenset(found)


def _render_days(value: frozenset[int]) -> str:
    if value == frozenset(range(7)):
        return "mon-sun"
    return ",".join(DAYS[day] for day in sorted(value))


def weekdays() -> Form:
    """Days of the week, 0 = Monday."""
    return Form(
        must_be='days such as "mon-fri" or "sat,sun"',
        parse=_parse_days,
        render=_render_days,
        wrong="weekdays",
    )


def syntax(what: str, parser: Callable[[str], object], most: int = MAX_TEXT) -> Form:
    """Text that something else parses: a topic pattern, an expression, a path.

    The value is what the parser gives; it has the text as `text`.
    """
    return Form(
        must_be=what,
        parse=lambda value: parser(text_of(value, most=most)),
        render=lambda value: value.text,
        wrong=7,
    )


def _parse_time(value: object) -> time:
    match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text_of(value))
    if match is None:
        raise ValueError
    return time(int(match[1]), int(match[2]))


def time_of_day() -> Form:
    """Hours and minutes, local time."""
    return Form(
        must_be='a time of day such as "08:00", from "00:00" to "23:59"',
        parse=_parse_time,
        schema={"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
        render=lambda value: f"{value:%H:%M}",
        wrong="8 o'clock",
    )


def _parse_secret(value: object) -> Secret:
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


def secret() -> Form:
    """Where a secret comes from; what was found is never repeated."""
    return Form(
        must_be='one of { file = "/path" }, { credential = "name" } or '
        '{ env = "NAME" } (or the secret as text, with a warning)',
        parse=_parse_secret,
        schema={"anyOf": [*_ORIGINS, {"type": "string", "minLength": 1}]},
        render=lambda value: (
            "***"
            if value.origin is Origin.LITERAL
            else {str(value.origin): value.where}
        ),
        wrong=12345,
        is_secret=True,
    )


def _parse_account(value: object) -> Account:
    role: object = Role.OPERATOR.value
    if isinstance(value, Mapping) and "password" in value:
        if not value.keys() <= {"password", "role"}:
            raise ValueError
        role, value = value.get("role", role), value["password"]
    if isinstance(value, Mapping):
        return Account(password=_parse_secret(value), role=Role(text_of(role)))
    if not isinstance(value, str) or not re.fullmatch(_HASH, value):
        raise ValueError
    return Account(password=value, role=Role(text_of(role)))


def _render_account(value: Account) -> object:
    shown: object = value.password
    if isinstance(shown, Secret):
        shown = {str(shown.origin): shown.where}
    if value.role is Role.OPERATOR:
        return shown
    return {"password": shown, "role": value.role.value}


def account() -> Form:
    """A user of the page: a hash or where it stands, alone or with a role."""
    hashed = [{"type": "string", "pattern": f"^{_HASH}$"}, *_ORIGINS]
    table = {
        "type": "object",
        "properties": {
            "password": {"anyOf": hashed},
            "role": {"enum": [role.value for role in Role]},
        },
        "required": ["password"],
        "additionalProperties": False,
    }
    return Form(
        must_be='an argon2id hash that begins with "$argon2id$", a secret such as '
        '{ credential = "name" } that holds one, or '
        '{ password = "$argon2id$...", role = "viewer" } (or "operator")',
        parse=_parse_account,
        schema={"anyOf": [*hashed, table]},
        render=_render_account,
        wrong=12345,
        is_secret=True,
    )
