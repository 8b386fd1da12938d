"""What a client asks for, read within bounds: each fault names its parameter."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput
from evidenced.core.ids import IncidentId, is_id
from evidenced.core.incidents.coverage import CoverageState
from evidenced.core.incidents.states import IncidentState
from evidenced.core.instants import floor_ms, from_ms, render_utc, to_ms
from evidenced.core.keeping.kept import IncidentFilter
from evidenced.core.phrase import phrase

T = TypeVar("T")

MAX_LIMIT = 500
DEFAULT_LIMIT = 50
MAX_TEXT = 200
MAX_TIME = 64
"""Longer than any time in ISO 8601; what is matched against it stays short."""

PARAMETERS = (
    *("state", "rule", "camera", "since", "until", "coverage"),
    *("q", "id", "held", "limit", "cursor"),
)
ALARM_PARAMETERS = ("outcome", "limit", "cursor")
MAX_DIGITS = 18

_OF_AN_ANSWER = "take `next` of an answer as it stands, or leave it out"
_ZONE_AFTER_SPACE = re.compile(r"(T.*) (\d\d:?\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFilter:
    """Which alarms that opened nothing to list: from below this number on."""

    outcome: Outcome | None
    limit: int
    before: int | None


def _wrong(name: str, value: object, allowed: str) -> BadInput:
    return BadInput(
        phrase(
            "{name} is {value}; {allowed}",
            name=name,
            value=one_line(repr(value), 80),
            allowed=allowed,
        )
    )


def read_filter(
    pairs: Iterable[tuple[str, str]], known: Sequence[str] = PARAMETERS
) -> IncidentFilter:
    """Which incidents a query asks for; `known` are the parameters that it may have.

    Raises:
        BadInput: a parameter is unknown, given twice or wrong: which, and what it may
            be.
    """
    given = _grouped(pairs, known)
    return IncidentFilter(
        states=_states(given.get("state", ())),
        rule=_one(given, "rule", _text),
        camera=_one(given, "camera", _text),
        since=_one(given, "since", read_time),
        until=_one(given, "until", read_time),
        text=_one(given, "q", _text),
        called=_one(given, "id", _part),
        is_held=_one(given, "held", _only) is not None,
        limit=_one(given, "limit", _limit) or DEFAULT_LIMIT,
        gapped=_one(given, "coverage", _coverage) or False,
        after=_one(given, "cursor", _cursor),
    )


def read_alarm_filter(pairs: Iterable[tuple[str, str]]) -> AlarmFilter:
    """Which alarms that opened nothing a query asks for.

    Raises:
        BadInput: a parameter is unknown, given twice or wrong.
    """
    given = _grouped(pairs, ALARM_PARAMETERS)
    return AlarmFilter(
        outcome=_one(given, "outcome", _outcome),
        limit=_one(given, "limit", _limit) or DEFAULT_LIMIT,
        before=_one(given, "cursor", _before),
    )


def _grouped(
    pairs: Iterable[tuple[str, str]], known: Sequence[str]
) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in known:
            raise _wrong(
                "a parameter", name, phrase("there is {known}", known=", ".join(known))
            )
        given.setdefault(name, []).append(value)
    return given


def _one(
    given: Mapping[str, Sequence[str]], name: str, read: Callable[[str, str], T]
) -> T | None:
    """The one value of a parameter; empty is as good as absent, as forms send it."""
    values = [value for value in given.get(name, ()) if value]
    if len(values) > 1:
        raise BadInput(
            phrase(
                "{name} is given {values} times; give it once",
                name=name,
                values=len(values),
            )
        )
    return read(name, values[0]) if values else None


def _states(values: Iterable[str]) -> tuple[IncidentState, ...]:
    words = [word.strip() for value in values for word in value.split(",")]
    states: dict[IncidentState, None] = {}
    for word in filter(None, words):
        try:
            states[IncidentState(word)] = None
        except ValueError:
            allowed = ", ".join(IncidentState)
            raise _wrong(
                "state", word, phrase("there are {allowed}", allowed=allowed)
            ) from None
    return tuple(states)


def _coverage(name: str, value: str) -> bool:
    """Only gaps can be looked for; the others are nearly all there is."""
    if value != CoverageState.GAPS:
        raise _wrong(name, value, f"there is {CoverageState.GAPS}")
    return True


def _outcome(name: str, value: str) -> Outcome:
    try:
        return Outcome(value)
    except ValueError:
        raise _wrong(
            name, value, phrase("there are {outcome}", outcome=", ".join(Outcome))
        ) from None


def read_number(text: str) -> int | None:
    """The number of a kept alarm; None when none can have it."""
    is_one = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    return int(text) if is_one else None


def _before(name: str, value: str) -> int:
    number = read_number(value)
    if number is None:
        raise _wrong(name, value, _OF_AN_ANSWER)
    return number


def _only(name: str, value: str) -> bool:
    if value != "true":
        raise _wrong(name, value, "there is true, or leave it out")
    return True


def _text(name: str, value: str) -> str:
    if one_line(value, MAX_TEXT) != value:
        raise _wrong(
            name,
            value,
            phrase(
                "write at most {max_text} characters, and no control characters",
                max_text=MAX_TEXT,
            ),
        )
    return value


def _part(name: str, value: str) -> str:
    if read_id(value) is None:
        raise _wrong(name, value, "write the beginning or the end of an id")
    return value


def _limit(name: str, value: str) -> int:
    if re.fullmatch(r"[0-9]{1,3}", value) and 1 <= int(value) <= MAX_LIMIT:
        return int(value)
    raise _wrong(
        name, value, phrase("write a number from 1 to {max_limit}", max_limit=MAX_LIMIT)
    )


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


def read_cursor(value: str) -> tuple[datetime, IncidentId]:
    """The place that `render_cursor` told.

    Raises:
        BadInput: it is none.
    """
    return _cursor("cursor", value)


def _cursor(name: str, value: str) -> tuple[datetime, IncidentId]:
    try:
        padded = value.encode("ascii") + b"=" * (-len(value) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        at, _, last = text.partition(" ")
        if re.fullmatch(r"-?[0-9]{1,15}", at) and is_id(last):
            return from_ms(int(at)), IncidentId(last)
    except (ValueError, OverflowError, binascii.Error):
        pass
    raise _wrong(name, value, _OF_AN_ANSWER)


def read_id(text: str) -> IncidentId | None:
    """The id; None when no incident can have it."""
    return IncidentId(text) if is_id(text) else None


def csv_address(wanted: IncidentFilter) -> str:
    """Where the same incidents are as a table for other programs."""
    said = {
        "state": ",".join(wanted.states),
        "rule": wanted.rule,
        "camera": wanted.camera,
        "since": wanted.since and render_utc(wanted.since),
        "until": wanted.until and render_utc(wanted.until),
        "q": wanted.text,
        "held": "true" if wanted.is_held else "",
        "coverage": CoverageState.GAPS if wanted.gapped else None,
    }
    query = urlencode({name: text for name, text in said.items() if text})
    return f"/api/incidents.csv?{query}" if query else "/api/incidents.csv"


def address(path: str, asked: Mapping[str, str], changes: Mapping[str, str]) -> str:
    """The address of the same list with something changed; empty takes away."""
    kept = {name: text for name, text in {**asked, **changes}.items() if text}
    kept.pop("done", None)
    if "cursor" not in changes:
        kept.pop("cursor", None)
    return f"{path}?{urlencode(kept)}" if kept else path
