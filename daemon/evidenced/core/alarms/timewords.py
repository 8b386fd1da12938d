"""Which `time_format` reads a time that nothing else does: for `explain` to say.

Day and month are told apart where one of them is more than 12; else both are told.
"""

import re
from collections.abc import Iterator, Sequence

_CLOCK = re.compile(
    r"(?<!\d)(?P<hour>\d\d?)(?P<sign>[:.h])\d\d(?:(?P=sign)\d\d(?P<below>[.,]\d{1,9})?)?"
    r"(?![\d.:-])(?P<half> ?[AaPp][Mm]\b)?"
)
_DATE = re.compile(
    r"(?<!\d)(?P<one>\d{4}|\d\d?)(?P<sign>[-/. ]|\. )(?P<two>\d\d?|[A-Za-z]{3,9})"
    r"(?P<sign2>[-/. ]|\. )(?P<three>\d{4}|\d\d)(?!\d)"
)
_DIGITS = re.compile(r"\d{12}(?:\d\d)?")
_WEEKDAY = re.compile(r"[A-Za-z]{3,9}")
_OFFSET = re.compile(r"[+-]\d\d:?\d\d$")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
_SHORT, _YEAR, _MOST_MONTHS, _MOST_DAYS, _HALF_DAY, _MICROSECONDS = 3, 4, 12, 31, 12, 7


def time_formats(text: str) -> dict[str, str]:
    """Formats that may read it, each with which part stands first; none: unknown.

    In the words of strptime, which has no names of months but English ones.
    """
    if _DIGITS.fullmatch(text):
        rest = "%H%M%S" if len(text) > 12 else "%H%M"  # noqa: PLR2004 - YYYYMMDDhhmm
        parts = text[:2], text[2:4], text[4:8]
        return {form + rest: first for form, first in _orders(parts, ("", ""))}
    found = dict[str, str]()
    for clock in _CLOCK.finditer(text):
        found |= _around(text, clock)
    return found


def _around(text: str, clock: re.Match[str]) -> dict[str, str]:
    """The formats of a text with a date before or behind its clock."""
    before, after = text[: clock.start()], text[clock.end() :]
    in_front = _DATE.search(before)
    date = in_front or _DATE.search(after)
    if date is None:
        return {}
    side = before if in_front else after
    head, tail = _literal(side[: date.start()]), _literal(side[date.end() :])
    parts, signs = date.group("one", "two", "three"), date.group("sign", "sign2")
    found = {}
    for form, first in _orders(parts, signs):
        dated = f"{head}{form}{tail}"
        one, other = (dated, _literal(after)) if in_front else (_literal(before), dated)
        found[f"{one}{_clock_form(clock)}{other}"] = first
    return found


def _orders(parts: Sequence[str], signs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The dates that three parts may be, each with what stands first in it."""
    one, two, three = parts
    sign, other = signs
    if two.isalpha():
        word = _of_month(two)
        year = "%Y" if len(three) == _YEAR else "%y"
        if word and _is_day(one):
            yield f"%d{sign}{word}{other}{year}", "the day"
        return
    if len(one) == _YEAR:
        if _is_month(two) and _is_day(three):
            yield f"%Y{sign}%m{other}%d", "the year, then the month"
        if _is_day(two) and _is_month(three):
            yield f"%Y{sign}%d{other}%m", "the year, then the day"
        return
    year = "%Y" if len(three) == _YEAR else "%y"
    if _is_day(one) and _is_month(two):
        yield f"%d{sign}%m{other}{year}", "the day"
    if _is_month(one) and _is_day(two):
        yield f"%m{sign}%d{other}{year}", "the month"
    if year == "%y" and _is_month(two) and _is_day(three):
        yield f"%y{sign}%m{other}%d", "the year"


def _is_day(text: str) -> bool:
    return text.isdecimal() and 1 <= int(text) <= _MOST_DAYS


def _is_month(text: str) -> bool:
    return text.isdecimal() and 1 <= int(text) <= _MOST_MONTHS


def _of_month(word: str) -> str:
    said = word.lower()
    if said in _MONTHS:
        return "%b" if len(said) == _SHORT else "%B"
    is_short = len(said) == _SHORT and any(each.startswith(said) for each in _MONTHS)
    return "%b" if is_short else ""


def _clock_form(clock: re.Match[str]) -> str:
    sign, half = clock["sign"], clock["half"] or ""
    hour = "%I" if half else "%H"
    has_seconds = clock[0].count(sign) > 1
    seconds = f"{sign}%S" if has_seconds else ""
    below = f"{clock['below'][0]}%f" if clock["below"] else ""
    return f"{hour}{sign}%M{seconds}{below}" + (half[:-2] + "%p" if half else "")


def _literal(text: str) -> str:
    """What stands around date and clock, as it is; days of the week and offsets."""
    text = text.replace("%", "%%")
    if found := _OFFSET.search(text):
        return _literal(text[: found.start()]) + "%z"
    return _WEEKDAY.sub(_day_form, text)


def _day_form(found: re.Match[str]) -> str:
    said = found[0].lower()
    if said in _DAYS:
        return "%A"
    is_short = len(said) == _SHORT and any(each.startswith(said) for each in _DAYS)
    return "%a" if is_short else found[0]
