"""In which line of a TOML file a key stands: editors and people go there.

The parser tells no positions, so the text is looked through once more. It is only read
for that: what is not found has no line, and nothing else depends on it.
"""

import re
from collections.abc import Iterator

_KEY = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_KEYS = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_ARRAY = re.compile(rf"\[\[\s*({_KEYS})\s*\]\]")
_TABLE = re.compile(rf"\[\s*({_KEYS})\s*\]")
_PAIR = re.compile(rf"({_KEYS})\s*=(.*)", re.DOTALL)
_TEXT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*")
_LAST = re.compile(r"(?:\[\d+\]|\.[^.\[]+|^[^.\[]+)$")


def line_of(text: str, place: str) -> int | None:
    """The line of a place such as `rules[2].when`, else of what it stands in."""
    found = dict(reversed(list(_places(text))))
    while place:
        if place in found:
            return found[place]
        place = _LAST.sub("", place)
    return None


def _places(text: str) -> Iterator[tuple[str, int]]:
    """Each table and key with its line; of what is written twice both."""
    arrays: dict[str, int] = {}
    table, ends, depth = "", "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        if ends:
            ends = "" if ends in line else ends
        elif depth > 0:
            depth += _depth(line)
        elif found := _ARRAY.match(line.strip()):
            name = _inside(found[1], arrays)
            arrays[name] = arrays.get(name, -1) + 1
            table = f"{name}[{arrays[name]}]"
            yield table, number
        elif found := _TABLE.match(line.strip()):
            table = _inside(found[1], arrays)
            yield table, number
        elif found := _PAIR.match(line.strip()):
            key = ".".join(_names(found[1]))
            yield f"{table}.{key}" if table else key, number
            value = found[2]
            ends = next((q for q in ('"""', "'''") if value.count(q) == 1), "")
            depth = 0 if ends else _depth(value)


def _names(keys: str) -> list[str]:
    return [name.strip("\"'") for name in re.findall(_KEY, keys)]


def _inside(keys: str, arrays: dict[str, int]) -> str:
    """The path of a table, with the number of the array's item that it is in."""
    path = ""
    names = _names(keys)
    for n, name in enumerate(names):
        path = f"{path}.{name}" if path else name
        if path in arrays and n < len(names) - 1:
            path = f"{path}[{arrays[path]}]"
    return path


def _depth(text: str) -> int:
    """Brackets that stay open behind it."""
    bare = _TEXT.sub("", text)
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")
