"""What a client asks for, read within bounds: each fault names its parameter."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Never, TypeVar

from evidenced.core.alarms.fields import MAX_VALUE
from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput
from evidenced.core.ids import IncidentId, RuleName
from evidenced.core.incidents.states import IncidentState
from evidenced.core.instants import floor_ms, from_ms, to_ms
from evidenced.core.keeping.records import IncidentFilter

T = TypeVar("T")

MAX_LIMIT = 500
DEFAULT_LIMIT = 50
MAX_TEXT = 200
MAX_TIME = 64
"""Longer than any time in ISO 8601; what is matched against it stays short."""
MAX_FIELDS = 32
"""Named values of a trigger; rules have a handful."""

PARAMETERS = ("state", "rule", "camera", "since", "until", "q", "limit", "cursor")
TRIGGER_KEYS = ("rule", "fields", "at")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ZONE_AFTER_SPACE = re.compile(r"(T.*) (\d\d:?\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """An incident to be opened by hand; `at` None is now."""

    rule: RuleName
    fields: Mapping[str, str]
    at: datetime | None


def _wrong(name: str, value: object, allowed: str) -> BadInput:
    return BadInput(f"{name} is {one_line(repr(value), 80)}; {allowed}")


def read_filter(pairs: Iterable[tuple[str, str]]) -> IncidentFilter:
    """Which incidents a query asks for.

    Raises:
        BadInput: a parameter is unknown, given twice or wrong: which, and what it may
            be.
    """
    given = _grouped(pairs)
    return IncidentFilter(
        states=_states(given.get("state", ())),
        rule=_one(given, "rule", _text),
        camera=_one(given, "camera", _text),
        since=_one(given, "since", read_time),
        until=_one(given, "until", read_time),
        text=_one(given, "q", _text),
        limit=_one(given, "limit", _limit) or DEFAULT_LIMIT,
        after=_one(given, "cursor", _cursor),
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in PARAMETERS:
            raise _wrong("a parameter", name, f"there are {', '.join(PARAMETERS)}")
        given.setdefault(name, []).append(value)
    return given


def _one(
    given: Mapping[str, Sequence[str]], name: str, read: Callable[[str, str], T]
) -> T | None:
    """The one value of a parameter; empty is as good as absent, as forms send it."""
    values = [value for value in given.get(name, ()) if value]
    if len(values) > 1:
        raise BadInput(f"{name} is given {len(values)} times; give it once")
    return read(name, values[0]) if values else None


def _states(values: Iterable[str]) -> tuple[IncidentState, ...]:
    words = [word.strip() for value in values for word in value.split(",")]
    states: dict[IncidentState, None] = {}
    for word in filter(None, words):
        try:
            states[IncidentState(word)] = None
        except ValueError:
            allowed = ", ".join(IncidentState)
            raise _wrong("state", word, f"there are {allowed}") from None
    return tuple(states)


def _text(name: str, value: str) -> str:
    if one_line(value, MAX_TEXT) != value:
        raise _wrong(
            name,
            value,
            f"write at most {MAX_TEXT} characters, and no control characters",
        )
    return value


def _limit(name: str, value: str) -> int:
    if re.fullmatch(r"[0-9]{1,3}", value) and 1 <= int(value) <= MAX_LIMIT:
        return int(value)
    raise _wrong(name, value, f"write a number from 1 to {MAX_LIMIT}")


def read_time(name: str, value: str) -> datetime:
    """The instant that an ISO 8601 text with a zone means, cut to milliseconds.

    Raises:
        BadInput: it is none, or lacks its zone.
    """
    # A "+" that the client did not escape has become a space on the way.
    text = _ZONE_AFTER_SPACE.sub(r"\1+\2", value[: MAX_TIME + 1])
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None and len(value) <= MAX_TIME:
            return floor_ms(at)
    except (ValueError, OverflowError):  # OverflowError: year 1 minus its offset
        pass
    raise _wrong(name, value, "write a time with its zone, as 2026-11-23T06:15:30Z")


def render_cursor(opened_at: datetime, last: IncidentId) -> str:
    """Where the next page begins: after this incident. Opaque to clients."""
    text = f"{to_ms(opened_at)} {last}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _cursor(name: str, value: str) -> tuple[datetime, IncidentId]:
    try:
        padded = value.encode("ascii") + b"=" * (-len(value) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        at, _, last = text.partition(" ")
        if re.fullmatch(r"-?[0-9]{1,15}", at) and _ID.fullmatch(last):
            return from_ms(int(at)), IncidentId(last)
    except (ValueError, OverflowError, binascii.Error):
        pass
    raise _wrong(name, value, "take `next` of an answer as it stands, or leave it out")


def read_id(text: str) -> IncidentId | None:
    """The id; None when no incident can have it."""
    return IncidentId(text) if _ID.fullmatch(text) else None


def read_trigger(raw: bytes) -> Trigger:
    """What a POST of an incident says.

    Raises:
        BadInput: no JSON object, or a key that is unknown, missing or wrong.
    """
    value = _parse(raw)
    if not isinstance(value, dict):
        raise BadInput('the body must be a JSON object such as {"rule": "door-forced"}')
    for key in value:
        if key not in TRIGGER_KEYS:
            raise _wrong("a key", key, f"there are {', '.join(TRIGGER_KEYS)}")
    rule = value.get("rule")
    if not isinstance(rule, str) or not rule:
        raise _wrong("rule", rule, "write a rule's name")
    at = value.get("at")
    if at is not None and not isinstance(at, str):
        raise _wrong("at", at, "write a text such as 2026-11-23T06:15:30Z, or null")
    return Trigger(
        rule=RuleName(_text("rule", rule)),
        fields=_fields(value.get("fields")),
        at=None if at is None else read_time("at", at),
    )


def _parse(raw: bytes) -> object:
    try:
        return json.loads(raw.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as fault:  # UnicodeDecodeError is a ValueError
        why = one_line(str(fault), 100)
        raise BadInput(f"the body is not JSON in UTF-8 ({why})") from None


def _refuse(word: str) -> Never:
    raise ValueError(f"{word} is not JSON")


def _fields(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MAX_FIELDS:
        raise _wrong(
            "fields", value, f"write an object of at most {MAX_FIELDS} named texts"
        )
    for name, text in value.items():
        if not _NAME.fullmatch(name):
            raise _wrong("a name in fields", name, "use letters, digits and _")
        if not isinstance(text, str) or one_line(text, MAX_VALUE) != text:
            raise _wrong(
                f"fields.{name}",
                text,
                f"write a text of at most {MAX_VALUE} characters on one line",
            )
    return value
