r"""JSON that is none, as firmware and scripts write it, mended where that is sure.

    NaN, -inf, 1.#QNAN, undefined, None, nothing at all    no value (null)
    True, +5, .5, 5., 007, 21,5 in an object               what they are in JSON
    'text', any other word without quotes                  that text
    2026-11-30T12:00, aa:bb:cc, Front Door, of an object   that text
    a comma too many, \q                                   left out; two backslashes
    what stands behind a NUL                               a buffer's remains: left out

A word becomes a text and never nothing: it may be the state that a rule asks for. What
is cut off or has more behind its end is not mended: it may have said anything.
"""

import re
from collections.abc import Iterator
from json import dumps
from typing import Final

MAX_PARTS = 100_000
"""Of a text that is mended: a tenth of a second. A picture is one."""

_PART = re.compile(
    r"""\[\s*(?:0|[1-9]\d*)(?:\s*,\s*(?:0|[1-9]\d*))*+\s*\]"""  # a picture's bytes
    r"""|"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?"""
    r"""|[\[\]{},:]|[^\s"'\[\]{},:\0]+|\s+|.""",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?![\"\\/bfnrt]|u[0-9a-fA-F]{4})|\\[\"\\/bfnrtu]", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_ODD_NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?", re.ASCII)
_NO_NUMBER = re.compile(
    r"[+-]?(?:(?:nan|inf|infinity)(?:\(.*)?|\d+\.#(?:[qs]nan|ind|inf)\d*)",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+", re.ASCII)
_WORDS: Final = {"true": "true", "false": "false", "null": "null"} | dict.fromkeys(
    ("none", "nil", "undefined"), "null"
)
_ONE_VALUE = re.compile(
    r"[^\s:]+(?:\s+[^\s:]+)+"  # words
    r"|(?:\d{4}-\d\d-\d\d\s+)?[\w.+-]+(?::[\w.+-]+)+"  # a time, an address
)
_WHOLE = re.compile(r"-?\d+", re.ASCII)
_OPENING, _CLOSING = ("{", "["), ("}", "]")
_MARKS = frozenset("{}[],:")
_VALUE_MISSING = {(":", ","), (":", "}"), ("[", ","), (",", ",")}


def mended(text: str) -> str | None:
    """The JSON that was surely meant; None: too long to be looked at."""
    parts = list[str]()
    for found in _PART.finditer(text):
        part = found[0]
        if part == "\0":
            break
        parts.append(part)
        if len(parts) > MAX_PARTS:
            return None
    return "".join(_repaired(list(_joined(parts))))


def _joined(parts: list[str]) -> Iterator[str]:
    """The same without blanks; words and colons that are one value are one text."""
    before, n = "", 0
    while n < len(parts):
        part, end = parts[n], n + 1
        if before == ":" and _is_word(part):
            while end < len(parts) and _is_in_value(parts[end]):
                end += 1
            value = "".join(parts[n:end]).strip()
            if end > n + 1 and _ONE_VALUE.fullmatch(value):
                part = dumps(value)
            else:
                end = n + 1
        if not part.isspace():
            before = part
            yield part
        n = end


def _is_word(part: str) -> bool:
    return part not in _MARKS and not part.isspace() and part[0] not in "\"'["


def _is_in_value(part: str) -> bool:
    return part == ":" or part.isspace() or _is_word(part)


def _repaired(parts: list[str]) -> list[str]:
    """The same with its words spelt, its commas in order, no value left out."""
    made, inside = list[str](), list[str]()
    for before, part, after in zip(["", *parts], parts, [*parts[1:], ""], strict=False):
        if part in _OPENING:
            inside.append(part)
        elif part in _CLOSING and inside:
            inside.pop()
        if part == "," and inside[-1:] != ["["] and before in {",", "{"}:
            continue  # in an object nothing is missing between two commas
        if (before, part) in _VALUE_MISSING:
            made.append("null")
        if part == "," and (after in _CLOSING or not (after or inside)):
            continue
        if inside[-1:] == ["{"] and _is_decimals(made, part, after):
            made[-1] = "."
        made.append(part if part in _MARKS else _spelt(part))
    return made


def _is_decimals(made: list[str], part: str, after: str) -> bool:
    """Whether these digits, in an object, are no key: the comma stands for a point."""
    return (
        after in {",", "}"}
        and _DIGITS.fullmatch(part) is not None
        and made[-1:] == [","]
        and _WHOLE.fullmatch(made[-2]) is not None
    )


def _spelt(part: str) -> str:
    """A text or a word as JSON spells it."""
    if part[0] == '"' and part[-1:] == '"' and len(part) > 1:
        return _ESCAPE.sub(lambda found: found[0] if found[0][1:] else "\\\\", part)
    if part[0] == "'" and part[-1:] == "'" and len(part) > 1:
        inside = re.sub(r'\\\'|(?<!\\)"', _requoted, part[1:-1])
        return _spelt(f'"{inside}"')
    if part in {'"', "'"} or part[0] == "[":
        return part  # a text without an end: no JSON
    if _NUMBER.fullmatch(part):
        return part
    return _word(part)


def _requoted(found: re.Match[str]) -> str:
    return "'" if found[0] == "\\'" else '\\"'


def _word(part: str) -> str:
    """What a word without quotes says: a value that has a name, a number, a text."""
    if known := _WORDS.get(part.lower()):
        return known
    if _NO_NUMBER.fullmatch(part):
        return "null"
    number = _ODD_NUMBER.fullmatch(part)
    if number and (number[2] or number[3]):
        sign = "-" if number[1] == "-" else ""
        decimals = f".{number[3]}" if number[3] else ""
        return f"{sign}{(number[2] or '0').lstrip('0') or '0'}{decimals}"
    return dumps(part)
