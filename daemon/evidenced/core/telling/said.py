"""What JSON says that anybody may have written, by the shape it must have. Pure.

Whoever can write a share can write anything there. What is not of the shape that we
write is damaged, and the sentence says where.
"""

import json
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import TypeVar

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput
from evidenced.core.instants import check_aware, is_datable

T = TypeVar("T")
MOST_VALUES = 8_000_000
"""Of one text: each takes some ten times its room in memory, and somebody may have
written nothing but brackets. Commas within texts count, too: messages are full of them.
"""
_BETWEEN = (b",", b"[", b"{")
_HEX = frozenset("0123456789abcdef")
_DIGITS = 64
"""Of a SHA-256, in hex."""
_LONGEST = 2**53
"""Beyond it a number is not the same for all who read JSON."""


def said_in(data: bytes, what: str) -> "Said":
    """The object that these bytes are; `what` begins the sentence where they are none.

    Raises:
        BadInput: they are no JSON, or no object.
    """
    if sum(map(data.count, _BETWEEN)) > MOST_VALUES:
        raise _damaged(what, "it has more values than evidenced writes")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise _damaged(what, "it is no JSON") from None
    return Said(value, "", what)


def _damaged(what: str, why: str) -> BadInput:
    return BadInput(f"{what}, or it is damaged{f': {why}' if why else ''}")


class Said:
    """A JSON object whose values are taken out by the shape that they must have."""

    def __init__(self, value: object, where: str, what: str) -> None:
        self._where, self._what = where, what
        if not isinstance(value, dict):
            raise self.damaged(
                f"its `{where.rstrip('.')}` is no object" if where else ""
            )
        self._value: dict[str, object] = value

    def damaged(self, why: str) -> BadInput:
        """To be raised: it is not what it should be."""
        return _damaged(self._what, why)

    def of(self, value: object, key: str) -> "Said":
        """The same of a value below this one."""
        return Said(value, f"{self._where}{key}.", self._what)

    def maybe(self, key: str, kind: type[T]) -> T | None:
        """The value; None where it is null or absent."""
        value = self._value.get(key)
        if value is None:
            return None
        if type(value) is not kind:
            raise self._wrong(key)
        return value

    def text(self, key: str) -> str:
        return self._must(key, str)

    def line(self, key: str, most: int = 500) -> str:
        """A text that is safe to show, on one line."""
        return one_line(self.text(key), most)

    def number(self, key: str) -> int:
        """From 0 on, and what every reader of JSON takes for the same."""
        value = self._must(key, int)
        if not 0 <= value <= _LONGEST:
            raise self._wrong(key)
        return value

    def digest(self, key: str) -> str:
        value = self._must(key, str)
        if len(value) != _DIGITS or not _HEX.issuperset(value):
            raise self._wrong(key)
        return value

    def instant(self, key: str) -> datetime:
        try:
            at = check_aware(datetime.fromisoformat(self.text(key)))
        except ValueError:
            raise self._wrong(key) from None
        if not is_datable(at):
            raise self._wrong(key)
        return at

    def within(self, key: str) -> "Said":
        return self.of(self._must(key, dict), key)

    def each(self, key: str) -> Iterator["Said"]:
        for n, value in enumerate(self._must(key, list)):
            yield self.of(value, f"{key}[{n}]")

    def some(self, key: str) -> Iterator["Said"]:
        """As `each`, of what earlier versions did not write."""
        return self.each(key) if key in self._value else iter(())

    def others(self, known: Collection[str]) -> Iterator[tuple[str, object]]:
        """What it says under other names than these."""
        yield from (each for each in self._value.items() if each[0] not in known)

    def texts(self, key: str) -> Iterator[str]:
        for value in self._must(key, list):
            if not isinstance(value, str):
                raise self._wrong(key)
            yield value

    def _must(self, key: str, kind: type[T]) -> T:
        value = self.maybe(key, kind)
        if value is None:
            raise self._wrong(key)
        return value

    def _wrong(self, key: str) -> BadInput:
        return self.damaged(f"its `{self._where}{key}` is not as evidenced writes it")
