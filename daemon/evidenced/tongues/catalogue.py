"""One language out of its .po file: sentences by gettext, dates by Babel."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from evidenced.core.phrase import LANGUAGES, DayForm
from evidenced.tongues.recognising import Phrasebook, Template

_SKELETONS: Mapping[DayForm, str] = {
    DayForm.DAY: "yMMMd",
    DayForm.SHORT_DAY: "MMMd",
    DayForm.WEEKDAY: "MMMEd",
    DayForm.WEEKDAY_YEAR: "yMMMEd",
}
"""Source: CLDR, Date/Time Patterns: which parts are said; each locale has its order."""
KEPT = 4096
"""Texts of the store whose template was found, and that are remembered."""


def read_tongue(code: str) -> "CatalogueTongue":
    """The language of this code.

    Raises:
        KeyError: there is no catalogue of it.
    """
    if code not in LANGUAGES:
        raise KeyError(code)
    return CatalogueTongue(_catalog(code))


def templates_of(code: str) -> list[Template]:
    """All templates that this catalogue knows."""
    return _templates(_catalog(code))


def _catalog(code: str) -> Catalog:
    with files("evidenced.tongues").joinpath(f"{code}.po").open("rb") as source:
        return read_po(source, locale=code, abort_invalid=True)


class CatalogueTongue:
    """`Tongue` by a catalogue."""

    def __init__(self, catalog: Catalog) -> None:
        compiled = BytesIO()
        write_mo(compiled, catalog)
        compiled.seek(0)
        self._translations = GNUTranslations(compiled)
        self._locale = Locale.parse(str(catalog.locale))
        full = str(self._locale.date_formats["full"])
        self._long = {
            DayForm.LONG_DAY: full,
            DayForm.LONG_DAY_OF_YEAR: full.removesuffix(" y"),
            DayForm.DAY_OF_WEEK: "EEEE",
        }
        book = Phrasebook(_templates(catalog))
        self._recognised = lru_cache(KEPT)(lambda text: book.say(text, self))

    @property
    def code(self) -> str:
        return self._locale.language

    def of(self, template: str) -> str:
        return self._translations.gettext(template) if template else ""

    def counted(self, one: str, several: str, number: int) -> str:
        return self._translations.ngettext(one, several, number)

    def date(self, day: date, form: DayForm) -> str:
        skeleton = _SKELETONS.get(form)
        if skeleton is not None:
            return format_skeleton(skeleton, day, locale=self._locale)
        return format_date(day, self._long[form], locale=self._locale)

    def number(self, value: float, digits: int) -> str:
        pattern = f"0.{'0' * digits}" if digits else "0"
        return format_decimal(value, format=pattern, locale=self._locale)

    def recognised(self, text: str) -> str:
        return self._recognised(text)


def _templates(catalog: Catalog) -> list[Template]:
    found = []
    for message in catalog:
        is_one = isinstance(message.id, str)
        ids = (str(message.id),) if is_one else tuple(map(str, message.id))
        if ids == ("",):
            continue
        found += [Template(each, ids) for each in ids]
    return found
