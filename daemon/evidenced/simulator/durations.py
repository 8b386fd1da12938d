"""Durations as people write them in a scenario: "250ms", "30s", "1h30m", "-5s"."""

import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {
    "d": "days",
    "h": "hours",
    "m": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
}
_PIECE = re.compile(r"([0-9]{1,6})(ms|[dhms])")
_WHOLE = re.compile(rf"-?({_PIECE.pattern})+")


def parse_duration(value: object) -> object:
    """A timedelta for a text in our form; a timedelta stays what it is.

    Raises:
        ValueError: anything else; the text says what to write instead.
    """
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _WHOLE.fullmatch(value):
        raise ValueError('write a duration like "250ms", "30s" or "1h30m"')
    parts = {
        _UNITS[piece[2]]: int(piece[1]) for piece in _PIECE.finditer(value.lstrip("-"))
    }
    length = timedelta(**parts)
    return -length if value.startswith("-") else length


def parse_moment(value: object) -> object:
    """An instant with its zone, or a duration counted from the simulator's start.

    Raises:
        ValueError: it is neither; the text says what to write instead.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("an instant needs its zone: 2026-01-31T12:00:00Z")
        return value
    return parse_duration(value)


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Moment = Annotated[datetime | timedelta, BeforeValidator(parse_moment)]
