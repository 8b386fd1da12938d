"""Names in braces, as topics, patterns and templates of cameras have them: `{zone}`."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NAMED = re.compile(rf"\{{({NAME.pattern})\}}")
"""One name in braces; `split` gives literal, name, literal, ..., literal."""


_ANY = re.compile(r"\{([^{}]*)\}")


def could_be(template: str, text: str) -> bool:
    """Whether some captured values could turn the template into this text."""
    return between(_ANY.split(template)[::2], text) is not None


class SortedNames:
    """Many names, and which of them a template could become.

    Sorted, so that only those are looked at that begin as the template does: a large
    site has thousands of both.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._sorted = sorted(names)

    def like(self, template: str) -> Iterator[str]:
        """The names that some captured values could turn the template into, sorted."""
        literals = _ANY.split(template)[::2]
        at = bisect_left(self._sorted, literals[0])
        while at < len(self._sorted) and self._sorted[at].startswith(literals[0]):
            if between(literals, self._sorted[at]) is not None:
                yield self._sorted[at]
            at += 1


def between(literals: Sequence[str], text: str) -> list[str] | None:
    """What stands between the literals, where the text begins and ends with them.

    Each part ends where the literal after it first appears. Linear in the text, which
    anybody may have sent: that is why this is no regex.
    """
    first, *others = literals
    if not others:
        return [] if text == first else None
    if not text.startswith(first):
        return None
    parts, at = [], len(first)
    for literal in others[:-1]:
        end = text.find(literal, at)
        if end < 0:
            return None
        parts.append(text[at:end])
        at = end + len(literal)
    end = len(text) - len(others[-1])
    if end < at or not text.endswith(others[-1]):
        return None
    return [*parts, text[at:end]]
