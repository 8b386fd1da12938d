"""Instants and durations as people read them, in the zone that they live in. Pure."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from evidenced.core.instants import MILLISECOND, ZERO, render_utc
from evidenced.core.phrase import (
    DayForm,
    Phrase,
    Tongue,
    dated,
    decimal,
    glued,
    joined,
    kept,
    mark,
    phrase,
    said,
)

_FINE_MS = 10_000
_THOUSAND = 1000
_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
"""As `render_utc` writes one into a text that is stored."""
_UNNAMED = re.compile(r"(.* \()?unnamed at ([^()]+)(\)?)")
"""Who is stored where nobody has to log in, alone or behind the name they gave."""
_UNITS = (
    (mark("{n} d"), 86_400_000),
    (mark("{n} h"), 3_600_000),
    (mark("{n} min"), 60_000),
    (mark("{n} s"), 1000),
)


def spoken(length: timedelta) -> str:
    """`2 min 30 s`, `1 h`, `3 d 4 h`: its two largest units; fractions only below 10 s.

    A negative one is spoken with a minus sign.
    """
    if length < ZERO:
        return glued("-", spoken(-length))
    left = length // MILLISECOND
    if left < _FINE_MS and left % 1000:
        return phrase("{n} s", n=decimal(left / 1000))
    parts: list[str] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(phrase(unit, n=count) if count else "")
        if len(parts) == 2:  # noqa: PLR2004 - the two largest
            break
    return joined(" ", filter(None, parts)) if any(parts) else phrase("{n} s", n=0)


def size_words(size: int) -> str:
    """`12.3 MB`: for people, by thousands as disks are sold."""
    value, units = float(size), ["bytes", "kB", "MB", "GB", "TB"]
    while value >= _THOUSAND and len(units) > 1:
        value /= _THOUSAND
        units.pop(0)
    if units[0] == "bytes":
        return phrase("{n} bytes", n=size)
    return glued(decimal(value), f" {units[0]}")


def clock(at: datetime, zone: tzinfo) -> str:
    """`06:15:30`: the time of day, cut to seconds."""
    return f"{at.astimezone(zone):%H:%M:%S}"


def day(at: datetime, zone: tzinfo) -> str:
    """`23 Nov 2026`."""
    return dated(at.astimezone(zone), DayForm.DAY)


def long_day(at: datetime, zone: tzinfo) -> str:
    """`Monday 23 November 2026`."""
    return dated(at.astimezone(zone), DayForm.LONG_DAY)


def day_and_clock(at: datetime, zone: tzinfo) -> str:
    """`23 Nov 2026 06:15:30`."""
    return glued(day(at, zone), " ", clock(at, zone))


def stamp(at: datetime, zone: tzinfo) -> str:
    """`2026-11-23 06:15:30`, as mails have it."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def to_the_minute(at: datetime, zone: tzinfo) -> str:
    """`2026-11-23 06:15`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def utc_and_local(at: datetime, zone: tzinfo) -> str:
    """An instant in UTC, and as the clock on the wall shows it."""
    return f"{render_utc(at)} (local {at.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z})"


def zone_words(at: datetime, zone: tzinfo) -> str:
    """`CET, UTC+01:00`, or `UTC`."""
    local = at.astimezone(zone)
    if not local.utcoffset():
        return "UTC"
    plain = f"{local:%z}"
    offset = f"UTC{plain[:3]}:{plain[3:5]}"
    word = zone_word(at, zone)
    return offset if word.startswith("UTC") else f"{word}, {offset}"


def span_words(start: datetime, end: datetime, zone: tzinfo) -> str:
    """`Mon 23 Nov 2026 07:15:30 to 07:18:00 CET (06:15:30 to 06:18:00 UTC)`.

    Days are said where they differ from what was said before, UTC where it is another
    time; zones at both ends where clocks change between them.
    """
    words: str = _span(start, end, zone, None)
    if not any(_zones(start, end, zone)):
        words = glued(words, " ", zone_word(start, zone))
    if not start.astimezone(zone).utcoffset() and not end.astimezone(zone).utcoffset():
        return words
    utc = _span(start, end, UTC, day(start, zone))
    return glued(words, " (", utc, " UTC)")


def _span(start: datetime, end: datetime, zone: tzinfo, said: str | None) -> str:
    first, last = day(start, zone), day(end, zone)
    weekday = dated(start.astimezone(zone), DayForm.WEEKDAY_YEAR) + " "
    begin = glued(weekday if first != said else "", clock(start, zone))
    until = glued(last, " ", clock(end, zone)) if last != first else clock(end, zone)
    before, after = _zones(start, end, zone)
    return phrase(
        "{start} to {end}", start=glued(begin, before), end=glued(until, after)
    )


def _zones(start: datetime, end: datetime, zone: tzinfo) -> tuple[str, str]:
    """What stands behind each end where clocks change between them: else nothing."""
    if start.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset():
        return "", ""
    return f" {zone_word(start, zone)}", f" {zone_word(end, zone)}"


def zone_word(at: datetime, zone: tzinfo) -> str:
    """`CET`, or `+05:30` where the zone has no short name."""
    local = at.astimezone(zone)
    name = local.tzname() or ""
    return name if name.isalpha() else f"UTC{local:%z}"


def moment(at: datetime, now: datetime, zone: tzinfo) -> str:
    """`06:15:30` of today, `Mon 23 Nov 06:15:30` of another day of about this year."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return clock(at, zone)
    is_near = abs(at - now) < timedelta(days=300)
    return glued(
        dated(local, DayForm.WEEKDAY if is_near else DayForm.DAY), " ", clock(at, zone)
    )


def localised(text: str, shown: Callable[[datetime], str]) -> str:
    """A text that was stored, its instants as people read them."""

    def say(tongue: Tongue) -> str:
        def local(found: re.Match[str]) -> str:
            try:
                at = datetime.fromisoformat(found[0])
            except ValueError:  # somebody else's text
                return found[0]
            return said(shown(at), tongue)

        return _INSTANT.sub(local, said(text, tongue))

    return Phrase(say)


def span(start: datetime, end: datetime, now: datetime, zone: tzinfo) -> str:
    """`06:15:30 to 06:20:00`, with days where they are not today's."""
    is_one = start.astimezone(zone).date() == end.astimezone(zone).date()
    until = clock(end, zone) if is_one else moment(end, now, zone)
    before, after = _zones(start, end, zone)
    begin = glued(moment(start, now, zone), before)
    return phrase("{start} to {end}", start=begin, end=glued(until, after))


def unnamed(address: str) -> str:
    """Whoever has no name, by where they ask from."""
    return phrase("unnamed at {address}", address=kept(address))


def person(who: str) -> str:
    """Who asked for something, as it is stored: names are said in no language."""
    found = _UNNAMED.fullmatch(who)
    if found is None:
        return who
    before, address, after = found.groups("")
    return glued(before, unnamed(address), after)
