"""Sentences that can be said again in another language. Pure.

A `Phrase` is a text, in English, that remembers what it is made of. For logs, JSON, the
store and whoever else wants text it is a plain string. A door to people (the page,
messages) has it said in the reader's language: `said(text, tongue)`.

English is the key: templates are looked up in the catalogue as they stand here, so they
are written as one literal, `phrase("{camera} is missing", camera=name)`. Values that
are phrases are said in the same language; other values stay as they are.

What was stored comes back as plain English. `kept` makes a phrase of it that the door
recognises by the templates of the catalogue (see `tongues`).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Protocol, Self

from typing_extensions import override

LANGUAGES = ("en", "nl", "de")
"""Those that there is a catalogue of, the language of the templates first."""

_HOLE = re.compile(r"\{(\w+)\}")

Value = object
"""What a template is filled with; what is no phrase, as `str` has it."""


class DayForm(StrEnum):
    """How a day or an instant is written; the word is English's own pattern."""

    DAY = "{day} {mon} {year}"
    SHORT_DAY = "{day} {mon}"
    WEEKDAY = "{wd} {day} {mon}"
    WEEKDAY_YEAR = "{wd} {day} {mon} {year}"
    LONG_DAY = "{weekday} {day} {month} {year}"
    LONG_DAY_OF_YEAR = "{weekday} {day} {month}"
    DAY_OF_WEEK = "{weekday}"


class Tongue(Protocol):
    """A language: what a door has phrases said in. There is one of each."""

    @override
    def __hash__(self) -> int: ...

    @property
    def code(self) -> str:
        """`nl`: for the attribute `lang`."""

    def of(self, template: str) -> str:
        """The template in this language; as it is where there is none."""

    def counted(self, one: str, several: str, number: int) -> str:
        """The one of two templates that goes with this number, in this language."""

    def date(self, day: date, form: DayForm) -> str:
        """A day, with the names of weekdays and months."""

    def number(self, value: float, digits: int) -> str:
        """With this language's decimal sign."""

    def recognised(self, text: str) -> str:
        """A text that was stored in English; as it is where no template fits."""


class _English:
    code = "en"

    def of(self, template: str) -> str:
        return template

    def counted(self, one: str, several: str, number: int) -> str:
        return one if number == 1 else several

    def date(self, day: date, form: DayForm) -> str:
        return form.format(
            day=day.day,
            year=f"{day:%Y}",
            mon=f"{day:%b}",
            month=f"{day:%B}",
            wd=f"{day:%a}",
            weekday=f"{day:%A}",
        )

    def number(self, value: float, digits: int) -> str:
        return f"{value:.{digits}f}"

    def recognised(self, text: str) -> str:
        return text


ENGLISH: Tongue = _English()


class Phrase(str):
    """See above: its text is English."""

    __slots__ = ("_say",)
    _say: Callable[[Tongue], str]

    def __new__(cls, say: Callable[[Tongue], str]) -> Self:
        made = super().__new__(cls, say(ENGLISH))
        made._say = say
        return made

    def said(self, tongue: Tongue) -> str:
        return str(self) if tongue is ENGLISH else self._say(tongue)

    def then(self, change: Callable[[str], str]) -> "Phrase":
        """The same, changed after it was said: cut, with a capital."""
        return Phrase(lambda tongue: change(self.said(tongue)))

    @override
    def __add__(self, other: str) -> "Phrase":
        return glued(self, other)

    def __radd__(self, other: str) -> "Phrase":
        return glued(other, self)

    @override
    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def said(value: Value, tongue: Tongue) -> str:
    """A value in this language, if it is a phrase or a state's word; else as it is."""
    if isinstance(value, Phrase):
        return value.said(tongue)
    return tongue.of(str(value)) if isinstance(value, StrEnum) else str(value)


def phrase(template: str, /, **values: Value) -> Phrase:
    """A sentence, or a part of one that can be told apart from its neighbours."""
    return Phrase(lambda tongue: filled(tongue.of(template), values, tongue))


def plural(one: str, several: str, n: int, /, **values: Value) -> Phrase:
    """As `phrase`, by a number, which is `{n}`."""
    known = {"n": n, **values}
    return Phrase(lambda tongue: filled(tongue.counted(one, several, n), known, tongue))


def glued(*parts: str) -> Phrase:
    """One after the other: for parts that any language says in this order."""
    return joined("", parts)


def joined(between: str, parts: Iterable[str]) -> Phrase:
    """As `str.join`."""
    kept_parts = tuple(parts)
    return Phrase(
        lambda tongue: between.join(said(each, tongue) for each in kept_parts)
    )


def dated(day: date, form: DayForm) -> Phrase:
    """A day; an instant is given in the zone in which it is told."""
    return Phrase(lambda tongue: tongue.date(day, form))


def decimal(value: float, digits: int = 1) -> Phrase:
    return Phrase(lambda tongue: tongue.number(value, digits))


def word(state: str) -> Phrase:
    """The word of a state, of a role and the like: its template is the word itself."""
    return Phrase(lambda tongue: tongue.of(str(state)))


def kept(text: str) -> str:
    """What comes from the store, or was said by another part of the program."""
    if isinstance(text, Phrase) or not text:
        return text
    return Phrase(lambda tongue: tongue.recognised(text))


def mark(template: str) -> str:
    """Nothing: puts a template of a table into the catalogue, for a `phrase` of it."""
    return template


def marks(one: str, several: str) -> tuple[str, str]:
    """As `mark`, for two that a number chooses from."""
    return one, several


def capital(text: str) -> str:
    """With a capital letter."""
    return _then(text, lambda words: words[:1].upper() + words[1:])


def sentence_of(text: str) -> str:
    """With a capital letter and a full stop, unless it ends as a sentence does."""
    return _then(
        capital(text), lambda words: words if words[-1:] in {*".?!…"} else f"{words}."
    )


def bare(text: str) -> str:
    """Without its full stop, to go on behind it."""
    return _then(text, lambda words: words.rstrip("."))


def first_line(text: str) -> str:
    """Without the lines that follow."""
    return _then(text, lambda words: words.partition("\n")[0])


def _then(text: str, change: Callable[[str], str]) -> str:
    return text.then(change) if isinstance(text, Phrase) else change(text)


def filled(template: str, values: Mapping[str, Value], tongue: Tongue) -> str:
    """The template with values in its holes; braces of others stay as they are."""

    def value_of(hole: re.Match[str]) -> str:
        name = hole[1]
        return said(values[name], tongue) if name in values else hole[0]

    return _HOLE.sub(value_of, template)
