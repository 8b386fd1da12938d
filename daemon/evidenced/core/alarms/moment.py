"""When an alarm happened: its own time where that makes sense, else its receipt.

Devices say the time in a dozen forms, and many say one that is wrong: a clock never
set, a counter since boot, a local time without zone. What cannot be right is replaced
by the time of receipt, and the source of the moment says why. See `TimeSource`.
"""

import math
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

from evidenced.core.alarms.alarm import Moment, TimeSource
from evidenced.core.alarms.timeforms import iso_of, seconds_of, text_of_parts, with_year
from evidenced.core.instants import (
    ANCIENT,
    MINUTE,
    SECOND,
    ZERO,
    floor_ms,
    from_ms,
    render_utc,
)

TOLERANCE = MINUTE
"""How far a device's clock may be ahead of ours before its time is not believed."""

LONGEST_ABSENCE = timedelta(days=366)
"""No broker keeps a queue longer; the window is bounded by `max_length` anyway."""

LONGEST_LENGTH = timedelta(days=7)
"""An end that is a number up to this many seconds is how long the alarm lasted: as an
instant it would lie in 1970."""

_MAX_TEXT = 100
"""Characters: JavaScript writes the zone's name out, too."""

# Epoch units by size: seconds reach 1e11 in the year 5138, milliseconds were there in
# 1973, so that within 1973..5138 no two units overlap. (upper end, decimal digits)
_UNITS = ((10**11, 0), (10**14, 3), (10**17, 6), (10**20, 9))

# Nine decimals count; a whole number of 20 digits is an id, and no time.
_NUMBER = re.compile(r"([+-]?\d{1,19}(?:\.\d{1,9})?)(?:(?<=\.\d{9})\d*)?", re.ASCII)
_SCIENTIFIC = re.compile(r"\d\.\d{1,18}[eE]\+?\d\d?", re.ASCII)
_ISO = re.compile(
    r"(?:DT#)?(\d{4})(?:([-/])(\d\d?)\2(\d\d?)|(\d\d)(\d\d))(?:[Tt_-]| *)"
    r"(\d\d)(:?)(\d\d)(?:\8(\d\d)(?:[.,](\d+))?)?"
    r" *(Z|z|[+-]\d\d(?::?\d\d)?(?= ?(?:\[[\w/+-]*\]|[A-Z]{2,5})?$)|[A-Za-z]{2,5})?"
    r"(?:(?<=\d) ?(?:\[[\w/+-]*\]|[A-Z]{2,5}))?",
    re.ASCII,
)
"""Also as PLCs begin it (DT#), and with a zone's name behind the offset (Go, Java)."""
_COMPACT = re.compile(r"(?:19|20)\d{12}(?:[.,]\d+)?", re.ASCII)

_Readings = tuple[tuple[datetime, ...], TimeSource]
_UNREADABLE: _Readings = ((), TimeSource.UNREADABLE)


def moment_of_receipt(
    received_at: datetime, absence: timedelta, source: TimeSource = TimeSource.RECEIVED
) -> Moment:
    """The moment of a message whose receipt has to serve as its time.

    It may have waited at the broker for as long as the daemon was away, so `earliest`
    is that much before. Whole milliseconds, UTC. Pure, never raises.
    """
    at = floor_ms(received_at)
    absence = min(max(absence, ZERO), LONGEST_ABSENCE)
    return Moment(at=at, earliest=floor_ms(at - absence), latest=at, source=source)


def read_moment(
    value: object,
    *,
    received_at: datetime,
    absence: timedelta,
    zone: tzinfo,
    time_format: str = "",
) -> Moment:
    """The moment that a payload's time says, or the receipt with the reason why not.

    Read are `time_format` (as strptime has it), epoch seconds, milliseconds,
    microseconds and nanoseconds (number or text, told apart by size), ISO 8601
    date-times (extended or basic, any offset, any decimals) and what `timeforms` knows.
    A text without zone is local time of `zone`; an
    abbreviation after it counts where it is the one that `zone` itself uses then.
    A local time that exists twice spans both; `at` is the later, since a message that
    was not delayed can only be that one: had it come in the first hour, the second
    would lie in the future and be ruled out. Pure, never raises.
    """
    try:
        instants, source = _read(
            _with_year(value, received_at, zone), zone, time_format
        )
    except (ValueError, OverflowError):  # month 13; year 1 minus an offset
        instants, source = _UNREADABLE
    if not instants:
        return moment_of_receipt(received_at, absence, source)
    possible = [at for at in instants if at <= received_at + TOLERANCE]
    if not possible:
        return moment_of_receipt(received_at, absence, TimeSource.FUTURE)
    if possible[0] < ANCIENT:
        return moment_of_receipt(received_at, absence, TimeSource.ANCIENT)
    if len(possible) < len(instants):
        source = TimeSource.PAYLOAD
    latest = possible[-1]
    return Moment(at=latest, earliest=possible[0], latest=latest, source=source)


def read_end(
    value: object,
    begin: Moment,
    received_at: datetime,
    zone: tzinfo,
    time_format: str = "",
) -> Moment | None:
    """When an alarm ended that began then; None: it tells none that can be.

    `value` is an instant, or how many seconds it lasted. The end is not before the
    begin, and not later than the receipt, as `read_moment` has it.
    """
    if (lasted := _length(value)) is not None:
        value = render_utc(begin.latest + lasted)
    end = read_moment(
        value,
        received_at=received_at,
        absence=ZERO,
        zone=zone,
        time_format=time_format,
    )
    return None if end.is_from_receipt or end.latest < begin.at else end


def _with_year(value: object, received_at: datetime, zone: tzinfo) -> object:
    """A time without year gets the one that brings it nearest to its receipt."""
    # Nearly all begin with a digit: those cost nothing here.
    if not isinstance(value, str) or not value.lstrip()[:1].isalpha():
        return value
    if len(value) > _MAX_TEXT or not with_year(value.strip(), received_at.year):
        return value
    near = received_at.year
    read = []
    for year in (near - 1, near, near + 1):
        text = with_year(value.strip(), year)
        with suppress(ValueError, OverflowError):  # 29 February
            read += [(text, at) for at in _read_text(text, zone)[0] if text]
    if not read:
        return value
    return min(read, key=lambda each: abs(each[1] - received_at))[0]


def _length(value: object) -> timedelta | None:
    """How long an alarm lasted that says so in seconds."""
    if isinstance(value, str) and len(value) <= _MAX_TEXT:
        number = _NUMBER.fullmatch(value.strip())
        value = float(number[1]) if number else seconds_of(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    is_length = 0 < value <= LONGEST_LENGTH.total_seconds()
    return timedelta(seconds=value) if is_length else None


def _read(value: object, zone: tzinfo, form: str) -> _Readings:
    """The instants that it may mean, in order, whole milliseconds; else none."""
    if form and isinstance(value, str | int) and not isinstance(value, bool):
        try:
            return _read_form(str(value).strip(), zone, form)
        except (ValueError, OverflowError):
            pass  # else as anybody writes it
    if isinstance(value, str):
        return _read_text(value, zone)
    if isinstance(value, list):
        return _read_text(text_of_parts(value), zone)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _UNREADABLE
    if not abs(value) < _UNITS[-1][0]:  # NaN compares false, so it is out as well
        return _UNREADABLE
    return _read_number(Decimal(repr(value)))


def _read_number(number: Decimal) -> _Readings:
    """An epoch time; `number` is within the largest unit."""
    # Through Decimal, since 1678882095.02 * 1000 in floats may be a millisecond less.
    digits = next(digits for end, digits in _UNITS if abs(number) < end)
    at_ms = math.floor(number.scaleb(3 - digits))
    # Whatever is before 1970 is as ancient as 1970 and has no year 0 to fear.
    return (from_ms(max(at_ms, 0)),), TimeSource.PAYLOAD


def _read_form(text: str, zone: tzinfo, form: str) -> _Readings:
    """A text as the rule says its times are written."""
    if len(text) > _MAX_TEXT:
        return _UNREADABLE
    found = datetime.strptime(text, form)  # noqa: DTZ007 - gets its zone below
    if found.tzinfo is not None:
        return (floor_ms(found),), TimeSource.PAYLOAD
    naive = found.replace(microsecond=found.microsecond // 1000 * 1000)
    return _read_zone(naive, "", zone)


def _read_text(text: str, zone: tzinfo) -> _Readings:
    if len(text) > _MAX_TEXT:
        return _UNREADABLE
    text = text.strip()
    readings = _read_iso(text, zone)
    if not readings[0] and (other := iso_of(text)) != text:
        return _read_iso(other, zone)
    return readings


def _read_iso(text: str, zone: tzinfo) -> _Readings:
    """ISO 8601, or an epoch as text."""
    # 20260131235959 would be the year 2612 in milliseconds: it is a date and a time.
    if not _COMPACT.fullmatch(text):
        number = _NUMBER.fullmatch(text)
        if number:
            return _read_number(Decimal(number[1]))
    if _SCIENTIFIC.fullmatch(text):
        return _read(int(Decimal(text)), zone, "")
    found = _ISO.fullmatch(text)
    if not found:
        return _UNREADABLE
    year, _, month, day, *compact, hour, _, minute, second, decimals, suffix = (
        found.groups()
    )
    date = datetime(  # noqa: DTZ001 - gets its zone below
        int(year), int(month or compact[0]), int(day or compact[1])
    )
    # Whole milliseconds from here on: later digits are cut, never rounded up.
    past = timedelta(milliseconds=int(decimals[:3].ljust(3, "0")) if decimals else 0)
    naive = date + _clock(int(hour), int(minute), int(second or 0)) + past
    return _read_zone(naive, suffix or "", zone)


def _clock(hour: int, minute: int, second: int) -> timedelta:
    """Of a day's begin; 24:00:00 is the next one's, and :60 a leap second's end.

    Source: ISO 8601, 4.2.3, and RFC 3339, 5.7.
    """
    is_end = (hour, minute, second) == (24, 0, 0)
    if not is_end and (hour > 23 or minute > 59 or second > 60):  # noqa: PLR2004
        raise ValueError
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _read_zone(naive: datetime, suffix: str, zone: tzinfo) -> _Readings:
    if suffix[:1] in {"+", "-"} and suffix:
        return (naive.replace(tzinfo=_offset(suffix)).astimezone(UTC),), (
            TimeSource.PAYLOAD
        )
    if suffix.upper() in {"Z", "UTC", "GMT"} or (zone is UTC and not suffix):
        return (naive.replace(tzinfo=UTC),), TimeSource.PAYLOAD
    return _read_local(naive, suffix.upper(), zone)


def _offset(suffix: str) -> timezone:
    hours, minutes = int(suffix[1:3]), int(suffix[3:].lstrip(":") or 0)
    if minutes > 59:  # noqa: PLR2004 - minutes of an hour
        raise ValueError(suffix)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if suffix[0] == "-" else offset)


def _read_local(naive: datetime, abbreviation: str, zone: tzinfo) -> _Readings:
    """Local time: once, twice (autumn), or never (spring).

    Source: PEP 495: `fold` 0 and 1 give different offsets exactly then, and the first
    is the larger one when the time exists twice.
    """
    folds = [naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    if abbreviation:
        folds = [at for at in folds if (at.tzname() or "").upper() == abbreviation]
        if not folds:
            return _UNREADABLE
    first, second = folds[0], folds[-1]
    before, after = first.utcoffset() or ZERO, second.utcoffset() or ZERO
    if before == after:
        return (first.astimezone(UTC),), TimeSource.PAYLOAD
    if before > after:
        return (
            (first.astimezone(UTC), second.astimezone(UTC)),
            TimeSource.AMBIGUOUS,
        )
    gap_end = _find_change(second.astimezone(UTC), first.astimezone(UTC), zone)
    return (gap_end,), TimeSource.GAP


def _find_change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The first instant, `before` excluded, `after` included, with the new offset."""
    new = after.astimezone(zone).utcoffset()
    low, high = 0, math.ceil((after - before) / SECOND)
    start = before.replace(microsecond=0)
    while high - low > 1:  # offsets change at whole seconds
        middle = (low + high) // 2
        at = start + timedelta(seconds=middle)
        if at.astimezone(zone).utcoffset() == new:
            high = middle
        else:
            low = middle
    return start + timedelta(seconds=high)
