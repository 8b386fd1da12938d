"""Patterns over plain text payloads: parts with names, as topics have levels.

`Event:{event};SubEvent:{zone}` names what stands between the fixed texts. JMESPath has
no way to take a text apart, and panels put the zone into a sentence.
"""

import re
from dataclasses import dataclass, field
from typing import Self

from evidenced.core.alarms.braces import NAMED, between
from evidenced.core.alarms.payload import quoted
from evidenced.core.errors import BadInput

_REGEX = re.compile(r"\\[dwsDWS]|\.[*+]|\(\?|\[\^?\w-\w")
PAYLOAD = "payload"
"""What the whole text is called in expressions; no part can have that name."""


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A pattern as written. Two are equal when their texts are. Build with `parse`."""

    text: str
    names: tuple[str, ...] = field(compare=False, repr=False)
    _literals: tuple[str, ...] = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The pattern that `text` says.

        Raises:
            BadInput: it is none; one sentence says why.
        """
        literals, names = NAMED.split(text)[::2], NAMED.findall(text)
        if not names:
            what = "names no part"
            if _REGEX.search(text):
                what = "is a regular expression, which it must not be"
            raise _wrong(text, f"{what}; write for example 'zone {{zone}} open'")
        if any("{" in literal or "}" in literal for literal in literals):
            raise _wrong(text, "has braces that are not one {name}")
        if "" in literals[1:-1]:
            raise _wrong(text, "has two names with nothing between them")
        for name in names:
            if names.count(name) > 1 or name == PAYLOAD:
                raise _wrong(text, f"cannot use {{{name}}} here; choose another name")
        return cls(text, tuple(names), tuple(literals))

    def match(self, text: str) -> dict[str, str]:
        """The named parts of a text that fits, else none: see `between`."""
        parts = between(self._literals, text)
        return {} if parts is None else dict(zip(self.names, parts, strict=True))


def _wrong(text: str, why: str) -> BadInput:
    return BadInput(f"pattern {quoted(text)} {why}.")
