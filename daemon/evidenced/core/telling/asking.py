"""What people type into the one field of the list, and as times: words to a filter.

    kelder tuesday       incidents of a camera, of the last Tuesday
    failed 7d            of a state, since seven days ago
    gaps yesterday       with gaps in their footage
    door-forced 4711     of a rule, with a text in them

Whatever is not understood is looked for as it stands. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

from evidenced.core.incidents.coverage import CoverageState
from evidenced.core.incidents.states import IncidentState
from evidenced.core.instants import DAY, HOUR, MINUTE, SECOND, floor_ms, is_datable
from evidenced.core.keeping.kept import IncidentFilter

LONGEST = 4
"""Words of one name or time."""
FEWEST = 3
"""Letters of a name that its beginning must have to be taken for it."""
_DAYS = [f"{date(2024, 1, n):%A}".lower() for n in range(1, 8)]
_OTHER_DAYS = (
    ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"],
    ["montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"],
)
"""In the other languages that the page speaks; of these no beginning is enough."""
_NEAR = {
    0: frozenset({"today", "vandaag", "heute"}),
    1: frozenset({"yesterday", "gisteren", "gestern"}),
    2: frozenset({"eergisteren", "vorgestern"}),
}
_LAST = ("last ", "vorige ", "afgelopen ", "letzten ", "letzter ", "letzte ")
_MONTHS = [
    f"{date(2024, n, 1):%B} {others}".lower().split()
    for n, others in enumerate(
        (
            "januari januar",
            "februari februar",
            "maart märz mrt",
            "",
            "mei mai",
            "juni",
            "juli",
            "augustus",
            "",
            "oktober",
            "",
            "dezember",
        ),
        1,
    )
]
_DURATION = re.compile(r"([0-9]{1,4}) ?(w|d|h|m|min|s)")
_UNITS = {
    "w": 7 * DAY,
    "d": DAY,
    "h": HOUR,
    "m": MINUTE,
    "min": MINUTE,
    "s": SECOND,
}
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `start` (included) to `end` (not)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What can be meant: names and labels of cameras and rules, by name."""

    cameras: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)


def read_period(text: str, now: datetime, zone: tzinfo) -> Period | None:
    """The time that is meant: `today`, `tuesday`, `tuesday 14:00`, `7d`, `23 nov`, ISO.

    A weekday is the last one that has begun, a duration ends now, a time of day is the
    hour from then on. Local times are of `zone`. None where it is none that can be.
    """
    try:
        period = _period(text, now, zone)
    except OverflowError:
        return None
    return period if period and is_datable(period.start) else None


def _period(text: str, now: datetime, zone: tzinfo) -> Period | None:
    words = text.strip().lower()
    if found := _DURATION.fullmatch(words):
        return Period(start=now - int(found[1]) * _UNITS[found[2]], end=now)
    day_words, _, clock_words = words.rpartition(" ")
    found = _CLOCK.fullmatch(clock_words)
    local = now.astimezone(zone)
    if found is None:
        day = _day_of(words, local.date())
        return None if day is None else _whole(day, zone)
    day = _day_of(day_words or "today", local.date())
    try:
        hour, minute, second = (int(part or 0) for part in found.groups())
        clock = time(hour, minute, second)
    except ValueError:
        return None
    if day is None:
        return _instant(text)
    at = datetime.combine(day, clock, zone)
    return Period(start=floor_ms(at), end=floor_ms(at) + HOUR)


def read_instant(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    """The instant that is meant: `now`, ISO 8601, or where `read_period` begins.

    Without a zone of its own it is local time. None where it is none.
    """
    text = text.strip()
    if text.lower() == "now":
        return floor_ms(now)
    try:
        at = datetime.fromisoformat(text)
        at = floor_ms(at.replace(tzinfo=zone) if at.tzinfo is None else at)
        return at if is_datable(at) else None
    except OverflowError:
        return None
    except ValueError:
        pass
    period = read_period(text, now, zone)
    return None if period is None else floor_ms(period.start)


def _instant(text: str) -> Period | None:
    """An ISO time with its zone, and the hour from it on."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return Period(start=floor_ms(at), end=floor_ms(at) + HOUR)


def _whole(day: date, zone: tzinfo) -> Period:
    """From midnight to midnight on the wall clock."""
    start = datetime.combine(day, time(), zone)
    end = datetime.combine(day + DAY, time(), zone)
    return Period(start=floor_ms(start), end=floor_ms(end))


def _day_of(words: str, today: date) -> date | None:
    for back, named in _NEAR.items():
        if words in named:
            return today - timedelta(days=back)
    last = next((each for each in _LAST if words.startswith(each)), "")
    number = _weekday(words.removeprefix(last))
    if number is None:
        return _date_of(words, today)
    back = (today.weekday() - number) % 7
    return today - timedelta(days=7 if last and not back else back)


def _weekday(said: str) -> int | None:
    for number, name in enumerate(_DAYS):
        if len(said) >= FEWEST and name.startswith(said):
            return number
    for days in _OTHER_DAYS:
        if said in days:
            return days.index(said)
    return None


def _date_of(words: str, today: date) -> date | None:
    try:
        return date.fromisoformat(words)
    except ValueError:
        pass
    number, _, rest = words.partition(" ")
    number = number.removesuffix(".")  # as Germans write it
    said, _, year = rest.partition(" ")
    months = [
        month
        for month, names in enumerate(_MONTHS, 1)
        if len(said) >= FEWEST and any(each.startswith(said) for each in names)
    ]
    if not number.isdecimal() or len(months) != 1:
        return None
    try:
        wanted = int(year) if year else today.year
        found = date(wanted, months[0], int(number))
        return found if year or found <= today else found.replace(year=wanted - 1)
    except ValueError:
        return None


def ask(text: str, names: Names, now: datetime, zone: tzinfo) -> IncidentFilter:
    """The incidents that are meant; of two cameras, rules or times the first counts."""
    rule = camera = period = None
    states: list[IncidentState] = []
    rest: list[str] = []
    gapped = False
    for phrase in _phrases(text.split(), names, now, zone):
        said = phrase.lower()
        if camera is None and (found := _named(said, names.cameras, names.rules)):
            camera = found
        elif rule is None and (found := _named(said, names.rules, names.cameras)):
            rule = found
        elif said in set(IncidentState):
            states.append(IncidentState(said))
        elif said == CoverageState.GAPS:
            gapped = True
        elif period is None and (meant := read_period(phrase, now, zone)):
            period = meant
        else:
            rest.append(phrase)
    return IncidentFilter(
        states=tuple(dict.fromkeys(states)),
        rule=rule,
        camera=camera,
        since=None if period is None else period.start,
        until=None if period is None else period.end,
        text=" ".join(rest) or None,
        gapped=gapped,
    )


def _phrases(
    words: list[str], names: Names, now: datetime, zone: tzinfo
) -> Iterator[str]:
    """The longest phrases that mean something; a word by itself where none does."""
    at = 0
    while at < len(words):
        for count in range(min(LONGEST, len(words) - at), 0, -1):
            phrase = " ".join(words[at : at + count])
            if count == 1 or _is_known(phrase, names, now, zone):
                yield phrase
                at += count
                break


def _is_known(phrase: str, names: Names, now: datetime, zone: tzinfo) -> bool:
    said = phrase.lower()
    return (
        _named(said, names.cameras, {}) is not None
        or _named(said, names.rules, {}) is not None
        or read_period(phrase, now, zone) is not None
    )


def _named(
    said: str, known: Mapping[str, str], others: Mapping[str, str]
) -> str | None:
    """The one that is called so, or the only one whose name or label begins so."""
    for name, label in known.items():
        if said in {name.lower(), label.lower()}:
            return name
    if len(said) < FEWEST or any(_begins(said, *each) for each in others.items()):
        return None
    found = [name for name, label in known.items() if _begins(said, name, label)]
    return found[0] if len(found) == 1 else None


def _begins(said: str, name: str, label: str) -> bool:
    return name.lower().startswith(said) or label.lower().startswith(said)


def name_meant(said: str, labels: Mapping[str, str]) -> str:
    """The name of the camera or rule of this name or label; else as it was said."""
    if said in labels:
        return said
    wanted = said.strip().lower()
    found = (n for n, label in labels.items() if wanted in {n.lower(), label.lower()})
    return next(found, said)
