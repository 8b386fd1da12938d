"""A language in which every sentence of the catalogue stands in brackets.

So what is said past the catalogue stands outside of them. Values stand outside, too:
they are names and what others wrote, and `outside` is told which words those are.
"""

import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser

from typing_extensions import override

from evidenced.core.phrase import ENGLISH, DayForm
from evidenced.tongues.catalogue import templates_of
from evidenced.tongues.recognising import Phrasebook

_APART = re.compile(r"(\{\w+(?::\w+)?\}|<[^>]*>)")
_BRACKETED = re.compile(r"⟦[^⟦⟧]*⟧")
_WORD = re.compile(r"[^\W\d_]{2,}")
SHOWN = ("alt", "title", "aria-label", "placeholder", "data-is", "data-says")
SCRIPTED = ("data-live-now", "data-live-lost", "data-live-unknown", "data-copied")
SILENT = frozenset({"script", "style", "code", "pre", "time"})
"""Elements whose text is no sentence: commands, payloads, instants."""
EMPTY = frozenset({"input", "img", "meta", "link", "br", "path", "rect", "circle"})


class Bracketed:
    """`Tongue`; `[]` is for what an instant or a number is."""

    code = "x-test"

    def __init__(self) -> None:
        self._book = Phrasebook(templates_of("nl"))

    def of(self, template: str) -> str:
        parts = _APART.split(template)
        return "".join(
            part if n % 2 or not _WORD.search(part) else f"⟦{part}⟧"
            for n, part in enumerate(parts)
        )

    def counted(self, one: str, several: str, number: int) -> str:
        return self.of(one if number == 1 else several)

    def date(self, day: date, form: DayForm) -> str:
        return f"⟦{ENGLISH.date(day, form)}⟧"

    def number(self, value: float, digits: int) -> str:
        return f"{value:.{digits}f}"

    def recognised(self, text: str) -> str:
        return self._book.say(text, self)


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def outside(text: str, known: frozenset[str]) -> list[str]:
    """Words outside brackets that are not known, as they come, with their line."""
    left = _BRACKETED.sub(" ", text)
    return [word for word in _WORD.findall(left) if word not in known]


class _Texts(HTMLParser):
    """What a page says, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[bool] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        is_data = "raw" in (said.get("class") or "").split()
        is_silent = tag in SILENT or is_data or any(self._open)
        if tag not in EMPTY:
            self._open.append(is_silent)
        if tag != "time" and not is_data:
            names = (*SHOWN, *SCRIPTED)
            self.found += [said[name] or "" for name in names if name in said]

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY and self._open:
            self._open.pop()

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return

    @override
    def handle_data(self, data: str) -> None:
        if not any(self._open):
            self.found.append(data)


def said_in(page: str) -> Iterator[str]:
    """The texts of a page, and of what its elements say to people."""
    texts = _Texts()
    texts.feed(page)
    left = ""
    for each in texts.found:  # a label of the picture is broken into lines
        left = f"{left} {each}".strip()
        if left and left.count("⟦") <= left.count("⟧"):
            yield left
            left = ""


def bypassing(page: str, known: frozenset[str]) -> list[str]:
    """Texts of a page with a word that is neither of the catalogue nor known."""
    return [each for each in said_in(page) if outside(each, known)]
