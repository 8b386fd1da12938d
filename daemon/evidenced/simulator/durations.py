"""Durations as people write them in a scenario: "250ms", "30s", "1h30m", "-5s"."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator

from evidenced.config.units import parse_duration

LONGEST = timedelta(days=999_999)
"""So that no sum of an instant and a duration leaves the calendar."""


def read_duration(value: object) -> object:
    """A timedelta for a text in our form; a timedelta stays what it is.

    Raises:
        ValueError: anything else; the text says what to write instead.
    """
    if isinstance(value, timedelta):
        return value
    try:
        length = parse_duration(str(value).removeprefix("-"))
    except (ValueError, OverflowError):
        length = None
    if not isinstance(value, str) or length is None or length > LONGEST:
        raise ValueError('write a duration like "250ms", "30s" or "1h30m"')
    return -length if value.startswith("-") else length


def read_moment(value: object) -> object:
    """An instant with its zone, or a duration counted from the simulator's start.

    Raises:
        ValueError: it is neither; the text says what to write instead.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("an instant needs its zone: 2026-01-31T12:00:00Z")
        return value
    return read_duration(value)


ScenarioDuration = Annotated[timedelta, BeforeValidator(read_duration)]
ScenarioMoment = Annotated[datetime | timedelta, BeforeValidator(read_moment)]
