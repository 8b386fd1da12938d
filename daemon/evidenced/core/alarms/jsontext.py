"""JSON as devices write it: read strictly first, else mended where that is sure.

What changes no meaning is let through: NaN, infinities and endless numbers are no value
(null), control characters in texts, wrong escapes, NUL and white space behind it. Of
duplicate keys the last one counts; lone surrogates are kept, and replaced when stored.
"""

import re
from json import JSONDecodeError, JSONDecoder

from evidenced.core.errors import BadInput

MAX_DEPTH = 64
"""Levels of nesting; alarms have under ten. Bounds every recursion that comes later."""

MAX_INTEGER_DIGITS = 100
"""Ids of 128 bits have 39 digits; work on integers grows with the square of this."""

_BLANK = " \t\r\n\0\ufeff"
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|[+-]?\b(?:nan|inf|infinity)\b|[^"a-zA-Z+-]+|.',
    re.IGNORECASE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?![\"\\/bfnrt]|u[0-9a-fA-F]{4})|\\[\"\\/bfnrtu]", re.DOTALL)


def read_json(text: str) -> object:
    """The value that a text says.

    Raises:
        BadInput: it is none even so, too deep, or has an integer beyond all bounds.
    """
    before = len(text) - len(text.lstrip(_BLANK))
    text = text.strip(_BLANK)
    if not text:
        raise BadInput('payload is empty; set format = "text" if that means something.')
    try:
        value = _decode(text)
    except JSONDecodeError as error:
        try:
            value = _decode(_mended(text))
        except JSONDecodeError:
            read = text[: error.pos].encode(errors="surrogatepass")
            raise BadInput(
                f"payload is not JSON at byte {before + len(read) + 1} ({error.msg}); "
                'set format = "text" for plain text.'
            ) from None
    # Counting brackets is nearly free; only a message with many is walked through.
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_too_deep(value):
        raise _too_deep()
    return value


def _decode(text: str) -> object:
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise _too_deep() from None


def _mended(text: str) -> str:
    return "".join(map(_mended_token, _TOKEN.findall(text)))


def _mended_token(token: str) -> str:
    if token[0] == '"':
        return _ESCAPE.sub(lambda found: found[0] if found[0][1:] else "\\\\", token)
    return "null" if len(token) > 1 and token[-1].isalpha() else token


def _too_deep() -> BadInput:
    return BadInput(f"payload is nested deeper than {MAX_DEPTH} levels.")


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _containers_in(parent)]
        if not level:
            return False
    return True


def _containers_in(value: object) -> list[object]:
    if isinstance(value, dict):
        return [child for child in value.values() if isinstance(child, dict | list)]
    if isinstance(value, list):
        return [child for child in value if isinstance(child, dict | list)]
    return []


def _parse_integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_INTEGER_DIGITS else None


_DECODER = JSONDecoder(
    parse_constant=lambda _word: None, parse_int=_parse_integer, strict=False
)
