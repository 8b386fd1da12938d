"""Texts that were stored in English, recognised by the catalogue's templates. Pure.

History, troubles and what waits to be told are rows in English, whatever is read from
them later, and by whom. Of such a text the template is found that says the most of it;
its values are recognised likewise. What fits none stays as it is: it was said by a
recorder, an operator or an earlier version.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from evidenced.core.phrase import Tongue, filled

LONGEST = 1000
"""Characters of a text that is looked at."""
LEAST_LETTERS = 6
"""Of a template beside its values: with fewer it would fit nearly everything."""
DEEPEST = 4
"""Values of values, and so on, that are looked at."""
LEAST_VALUE = 8
"""Characters of a value that may be a sentence, and no name."""
PARTS = "; "
"""Between sentences that were put together."""

_HOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """One text of a catalogue; `ids` is it alone, or the one and several of it."""

    text: str
    ids: tuple[str, ...]
    literals: tuple[str, ...] = field(init=False)
    holes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        parts = _HOLE.split(self.text)
        object.__setattr__(self, "literals", tuple(parts[::2]))
        object.__setattr__(self, "holes", tuple(parts[1::2]))

    @property
    def letters(self) -> int:
        return sum(c.isalpha() for literal in self.literals for c in literal)

    def values_in(self, text: str) -> Mapping[str, str] | None:
        """What stands in its holes, each as short as can be; None: it does not fit."""
        first, *others = self.literals
        if not text.startswith(first):
            return None
        at, values = len(first), dict[str, str]()
        for n, (hole, literal) in enumerate(zip(self.holes, others, strict=True), 1):
            end = _end(text, literal, at, is_last=n == len(self.holes))
            if end <= at or values.setdefault(hole, text[at:end]) != text[at:end]:
                return None
            at = end + len(literal)
        return values if at == len(text) else None


def _end(text: str, literal: str, at: int, *, is_last: bool) -> int:
    """Where the value ends that begins here: before the literal that follows."""
    if is_last:
        return len(text) - len(literal) if text.endswith(literal) else -1
    return text.find(literal, at + 1)


class Phrasebook:
    """The templates of a language, ready to be looked for."""

    def __init__(self, templates: Iterable[Template]) -> None:
        known = list(templates)
        self._whole = {each.text: each for each in known if not each.holes}
        usable = [e for e in known if e.holes and e.letters >= LEAST_LETTERS]
        in_order = sorted(usable, key=lambda each: -each.letters)
        self._open = [(max(each.literals, key=len), each) for each in in_order]

    def say(self, text: str, tongue: Tongue, depth: int = 0) -> str:
        """The text in this language, as far as it is recognised."""
        if not text or depth > DEEPEST or len(text) > LONGEST:
            return text
        found = self._said(text, tongue, depth)
        if found is None and text[:1].isupper():
            plain = self._said(text[:1].lower() + text[1:], tongue, depth)
            found = plain and plain[:1].upper() + plain[1:]
        if found is None and text.endswith("."):
            bare = self.say(text[:-1], tongue, depth + 1)
            found = f"{bare}." if bare != text[:-1] else None
        if found is None:
            found = self._in_parts(text, tongue, depth + 1)
        return text if found is None else found

    def _in_parts(self, text: str, tongue: Tongue, depth: int) -> str | None:
        """Sentences that were put together: `one; another`, `what: why (how)`."""
        for between, end in ((PARTS, ""), (" (", ")"), (": ", "")):
            first, joint, rest = text.removesuffix(end).partition(between)
            if joint and first and text.endswith(end):
                said = [self._value(each, tongue, depth) for each in (first, rest)]
                return f"{said[0]}{joint}{said[1]}{end}"
        return None

    def _said(self, text: str, tongue: Tongue, depth: int) -> str | None:
        whole = self._whole.get(text)
        if whole is not None:
            return _template(whole, {}, tongue)
        for literal, template in self._open:
            if literal not in text:
                continue
            values = template.values_in(text)
            if values is not None:
                inner = {
                    name: self._value(value, tongue, depth)
                    for name, value in values.items()
                }
                return filled(_template(template, values, tongue), inner, tongue)
        return None

    def _value(self, value: str, tongue: Tongue, depth: int) -> str:
        if len(value) < LEAST_VALUE or " " not in value:
            return value
        return self.say(value, tongue, depth + 1)


def _template(template: Template, values: Mapping[str, str], tongue: Tongue) -> str:
    if len(template.ids) == 1:
        return tongue.of(template.text)
    one, several = template.ids
    said = values.get("n", "")
    number = int(said) if said.isascii() and said.isdigit() else 1
    if template.text == several and number == 1:
        number = 2
    return tongue.counted(one, several, number)
