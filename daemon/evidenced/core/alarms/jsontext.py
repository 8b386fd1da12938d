"""JSON as devices write it: read strictly first, else mended where that is sure.

What changes no meaning is let through: NaN, infinities and endless numbers are no value
(null), control characters in texts and around the whole, and what `mending` mends. Of
duplicate keys the last one counts; lone surrogates are kept, and replaced when stored.
"""

import re
from contextlib import suppress
from json import JSONDecodeError, JSONDecoder

from evidenced.core.alarms.mending import mended
from evidenced.core.alarms.unpacking import from_base64
from evidenced.core.errors import BadInput

MAX_DEPTH = 64
"""Levels of nesting; alarms have under ten. Bounds every recursion that comes later."""

MAX_INTEGER_DIGITS = 100
"""Ids of 128 bits have 39 digits; work on integers grows with the square of this."""

_BLANK = "".join(map(chr, range(33))) + "\x7f\ufeff"
_TEXTS = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_LETTERS = re.compile(r"[\w+/=-]+", re.ASCII)
_LEAST_PACKED = 8
_JSON_BEGINS = frozenset({b'{"', b"[{", b'["', b"{}", b"{ "})
_OPENING = ("{", "[")
_NO_NUMBERS = frozenset({"nan", "inf", "infinity"})


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
            value = _decode_mended(text, error)
        except JSONDecodeError:
            raise _no_json(text, before, error) from None
    # Counting brackets is nearly free; only a message with many is walked through.
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_too_deep(value):
        raise _too_deep()
    return value


def _decode(text: str) -> object:
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise _too_deep() from None


def _decode_mended(text: str, error: JSONDecodeError) -> object:
    """What was surely meant; a text that is no object and no list is just no JSON."""
    repaired = mended(text) if text.startswith(_OPENING) else _without_names(text)
    if repaired is None:
        raise error
    return _decode(repaired)


def _without_names(text: str) -> str | None:
    """A number by itself that is none."""
    return "null" if text.lstrip("+-").lower() in _NO_NUMBERS else None


_NO_TEXT = frozenset(map(chr, range(32))) - set("\t\r\n")
"""What no text has in it: of packed messages such as Sparkplug B."""


def _no_json(text: str, before: int, error: JSONDecodeError) -> BadInput:
    read = text[: error.pos].encode(errors="surrogatepass")
    hint = 'set format = "text" for plain text'
    if text.startswith(_OPENING) and _is_cut_off(text):
        hint = "it is cut off: look for what bounds its length where it is made"
    elif packing := _packing_of(text):
        hint = f'set unpack = "{packing}"'
        if packing in {"gzip", "deflate"}:
            hint += f', of what came as base64 "base64+{packing}"'
    elif text.lstrip()[:1] == "<":
        hint = 'it is XML: set format = "text", then contains() or `pattern` read it'
    elif not _NO_TEXT.isdisjoint(text):
        hint = 'these bytes are no text: set format = "any" if each message is an alarm'
    elif error.msg == "Extra data" and "\n" in text:
        hint = 'set format = "lines" if each line is a message of its own'
    return BadInput(
        f"payload is not JSON at byte {before + len(read) + 1} ({error.msg}); {hint}."
    )


def _packing_of(text: str) -> str:
    """What JSON is surely wrapped in here; empty: that is not known.

    Source: RFC 1952, 2.3.1, and RFC 1950, 2.2: how packed bytes begin. The first byte
    of the former is a control character, and left out.
    """
    if text.startswith("\udc8b\x08"):
        return "gzip"
    if text.startswith(("x\udc9c", "x\udcda")):
        return "deflate"
    short = "".join(text[:4096].split())[: 4096 // 8 * 8]
    if len(short) < _LEAST_PACKED or not _LETTERS.fullmatch(short):
        return ""
    with suppress(ValueError):
        if bytes.fromhex(short).lstrip()[:2] in _JSON_BEGINS:
            return "hex"
    with suppress(BadInput):
        if from_base64(short.encode()).lstrip()[:2] in _JSON_BEGINS:
            return "base64"
    return ""


def _is_cut_off(text: str) -> bool:
    """Whether it ends within a text, or before all that was opened is closed."""
    outside = _TEXTS.sub("", text)
    return outside.count("{") > outside.count("}")


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
