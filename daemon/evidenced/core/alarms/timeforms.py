"""Times as languages and vendors write them, put as ISO 8601 has them.

    Sun Nov 29 20:00:01 2026            C; with a zone before the year: date, Ruby
    Nov 29, 2026 8:00:01 PM             America
    29 Nov 2026 20:00:01 +0100          mails; with hyphens: Oracle, IMAP
    29/Nov/2026:20:00:01 +0100          web servers
    29.11.2026, 20:00:01                Germany
    2026.11.29-20.00.01                 names of files
    2026:11:29 20:00:01                 pictures (EXIF)
    2026年11月29日 20:00:01             China, Japan
    [2026, 11, 29, 20, 0, 1]            Java's LocalDateTime, without zeros at its end
    20261129200001.250                  ASN.1, LDAP
    1795996801,5                        an epoch where a comma is the point
    /Date(1795996801500)/               Microsoft's JSON
    Nov 29 20:00:01                     syslog (RFC 3164), in the year of its receipt
    ... 20:00:01 GMT+0100 (CET)         JavaScript's toString
    ... +0000 UTC m=+0.1, ...Z[UTC]     Go's and Java's toString
    ...+00:00Z                          Python's isoformat() with a Z behind it

Only what can be read in one way: 11/12/2026 is left as it is, for `time_format`.
"""

import re
from collections.abc import Callable

_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
_MONTH = r"(?P<month>[A-Za-z]{3})(?:uary|ruary|ch|il|e|y|ust|tember|ober|ember)?\.?"
_CLOCK = r"(?P<clock>\d\d?:\d\d(?::\d\d)?(?:[.,]\d+)?)(?P<half> ?[AaPp]\.?[Mm]\.?)?"
_WEEKDAY = r"(?:[A-Za-z]{3,9}\.?,? +)?"
_ZONE = r"(?P<zone>.*)"


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


_DATES = (
    _form(
        rf"{_WEEKDAY}{_MONTH} +(?P<day>\d\d?) +{_CLOCK}"
        r"(?: (?P<zone>[A-Z]{3,4}|[+-]\d{4}))? +(?P<year>\d{4})"
    ),
    _form(
        rf"{_WEEKDAY}{_MONTH} +(?P<day>\d\d?),? +(?P<year>\d{{4}}),? +{_CLOCK}{_ZONE}"
    ),
    _form(
        rf"{_WEEKDAY}(?P<day>\d\d?)([ /-])+{_MONTH}\2+(?P<year>\d{{4}})[ :,T]+{_CLOCK}"
        rf"{_ZONE}"
    ),
    _form(
        rf"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{{4}}),?[ T]+{_CLOCK}{_ZONE}"
    ),
    _form(
        rf"(?P<year>\d{{4}})年 ?(?P<month>\d\d?)月 ?(?P<day>\d\d?)日 ?{_CLOCK}{_ZONE}"
    ),
    _form(
        rf"(?P<year>\d{{4}})([-./:])(?P<month>\d\d?)\2(?P<day>\d\d?)(?:[Tt_]|,? +)"
        rf"{_CLOCK}{_ZONE}"
    ),
)
_OF_FILES = _form(r"(\d{4})([-._])(\d\d)\2(\d\d)[Tt _-](\d\d)([-._])(\d\d)\6(\d\d)(Z?)")
_DIGITS = _form(r"((?:19|20)\d{6})(\d{6})([.,]\d+)(Z?|[+-]\d{4})")
_COMMA = _form(r"[+-]?\d{9,19},\d{1,9}")
_MICROSOFT = _form(r"/Date\((-?\d{1,19})(?:[+-]\d{4})?\)/")
_BEHIND = _form(r" m=[+-]\d+\.\d+$| \([^()]*\)$")
_TWICE_UTC = _form(r"(?<=[+-]00:00)Z$|(?<=[+-]0000)Z$|(?<=Z)\[\w+\]$")
_NAMED_OFFSET = _form(r" ?(?:UTC|GMT)([+-])(\d\d?)(?::?(\d\d))?$")


_WITHOUT_YEAR = _form(rf"{_MONTH} +\d\d? +{_CLOCK}")


_LENGTH = _form(
    r"(?P<clock>(?:\d{1,3}:)?\d\d?:\d\d(?:[.,]\d+)?)"
    r"|(?:P(?:(?P<days>\d+)D)?T?)?(?:(?P<h>\d+) ?[Hh])?(?:(?P<m>\d+) ?[Mm])?"
    r"(?:(?P<s>\d+(?:\.\d+)?) ?[Ss])?"
)
_PARTS_OF_TIME = range(5, 8)
_BELOW_SECOND = 6


def text_of_parts(parts: list[object]) -> str:
    """Year, month, day, hour, minute, second, and ms or ns; empty: it is no such.

    Source: Jackson writes Java's LocalDateTime so, and leaves zeros at its end out,
    but for hour and minute.
    """
    if len(parts) not in _PARTS_OF_TIME or any(type(each) is not int for each in parts):
        return ""
    numbers = [each for each in parts if isinstance(each, int)] + [0] * 4
    year, month, day, hour, minute, second, below = numbers[:7]
    text = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
    if len(parts) <= _BELOW_SECOND:
        return text
    return f"{text}.{below:03}" if below < 1000 else f"{text}.{below:09}"  # noqa: PLR2004


def with_year(text: str, year: int) -> str:
    """A time that says no year, in this one; empty: it says one, or is none."""
    return f"{text} {year}" if _WITHOUT_YEAR.fullmatch(text) else ""


def seconds_of(text: str) -> float | None:
    """How long something lasted: 0:41, 01:02:03, PT41S, 41s, 2m 30s."""
    found = _LENGTH.fullmatch("".join(text.split()))
    if not text or found is None:
        return None
    if found["clock"]:
        parts = [float(each) for each in found["clock"].replace(",", ".").split(":")]
        return float(sum(part * 60**n for n, part in enumerate(reversed(parts))))
    days, hours, minutes, seconds = (
        float(found[name] or 0) for name in ("days", "h", "m", "s")
    )
    return days * 86400 + hours * 3600 + minutes * 60 + seconds


def iso_of(text: str) -> str:
    """The same time as ISO 8601 or an epoch writes it; other texts are left alone."""
    for change in _CHANGES:
        text = change(text)
    return text


def _without_repetition(text: str) -> str:
    """What says once more in words, or in Z, what the offset says."""
    return _TWICE_UTC.sub("", _BEHIND.sub("", text))


def _with_offset(text: str) -> str:
    """`GMT+0100` and `UTC+1` as offsets."""
    found = _NAMED_OFFSET.search(text)
    if found is None:
        return text
    sign, hours, minutes = found.groups()
    return f"{text[: found.start()]}{sign}{hours:0>2}:{minutes or '00'}"


def _numeric(text: str) -> str:
    if found := _MICROSOFT.fullmatch(text):
        return found[1]
    if _COMMA.fullmatch(text):
        return text.replace(",", ".")
    if found := _DIGITS.fullmatch(text):
        return f"{found[1]}T{found[2]}{found[3]}{found[4]}"
    if found := _OF_FILES.fullmatch(text):
        year, _, month, day, hour, _, minute, second, zone = found.groups()
        return f"{year}-{month}-{day}T{hour}:{minute}:{second}{zone}"
    return text


def _dated(text: str) -> str:
    """A date of another order, or a clock of twice twelve hours."""
    found = next(filter(None, (form.fullmatch(text) for form in _DATES)), None)
    if found is None:
        return text
    clock, month = _clock(found["clock"], found["half"]), _month(found["month"])
    if not clock or not month:
        return text
    zone = (found["zone"] or "").strip()
    return f"{found['year']}-{month}-{found['day']} {clock}{zone and ' ' + zone}"


def _month(said: str) -> str:
    """Its number; empty: it is none."""
    if said.isdecimal():
        return said
    at, off = divmod(_MONTHS.find(said.lower()), 3)
    return "" if off else str(at + 1)


def _clock(said: str, half: str | None) -> str:
    """A time of the day of 24 hours; empty: it is none of twelve."""
    hour, rest = said.split(":", 1)
    hours = int(hour)
    if half is not None:
        if not 1 <= hours <= 12:  # noqa: PLR2004 - hours of half a day
            return ""
        hours = hours % 12 + (12 if half.strip().lower().startswith("p") else 0)
    return f"{hours:02}:{rest}"


_CHANGES: tuple[Callable[[str], str], ...] = (
    _without_repetition,
    _with_offset,
    _numeric,
    _dated,
)
