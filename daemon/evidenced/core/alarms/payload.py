"""Payloads: bytes that anybody may have sent, read within bounds or refused.

JSON is read strictly where a mistake would change the meaning (NaN, rest after the
value), and leniently where devices are known to be sloppy (duplicate keys: the last one
counts; lone surrogates: kept, and replaced when stored).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from json import JSONDecodeError, JSONDecoder
from typing import Never

from evidenced.core.errors import BadInput

MAX_PAYLOAD_BYTES = 256 * 1024
"""MQTT allows 256 MB. The largest alarms known carry an encoded snapshot of some
100 kB; more is a mistake or an attack, and would hold the loop for too long."""

MAX_DEPTH = 64
"""Levels of nesting; alarms have under ten. Bounds every recursion that comes later."""

MAX_INTEGER_DIGITS = 100
"""Ids of 128 bits have 39 digits; work on integers grows with the square of this."""

KEPT_BYTES = 4096
"""What is kept of a raw payload beside an alarm."""

BEGINNING_BYTES = KEPT_BYTES + 4
"""What is taken of a payload that is too large to be read: as much as is kept and shown
of it, and enough more to tell that it was cut, also after a character's end."""

LATER_BYTES = 8 * 1024
"""What is kept of the payload of an incident's later alarms (`kept.WHOLE_ALARMS`).
Without a picture in them the largest alarms known have 3 kB."""

_CONTINUED = 0x80
_BOM = b"\xef\xbb\xbf"
_LINE_BREAKERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_REPLACEMENT = "\ufffd"


class PayloadFormat(StrEnum):
    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a payload was as it came, where only its beginning is kept."""

    size: int
    sha256: str


def whole_of(raw: bytes, most: int) -> Whole | None:
    """What is to be remembered of a payload of which `most` bytes are kept, if cut."""
    if len(raw) <= most:
        return None
    return Whole(size=len(raw), sha256=sha256(raw).hexdigest())


def beginning(raw: bytes, most: int) -> bytes:
    """Its first bytes, up to the end of a UTF-8 character: at most three fewer."""
    end = min(most, len(raw))
    for _ in range(3):
        if end < len(raw) and end and raw[end] & 0xC0 == _CONTINUED:
            end -= 1
    return raw[:end]


def parse_payload(
    raw: bytes, payload_format: PayloadFormat, whole: Whole | None = None
) -> object:
    """The value that expressions read: parsed JSON, or `{"payload": text}`.

    Text is stripped of white space and NUL at both ends: firmware sends line ends and
    C strings, and a condition that has to name them would miss alarms. `whole` is what
    it was where `raw` is only its beginning: that is not read.

    Raises:
        BadInput: too large, cut, not UTF-8, no JSON, too deep, or an endless number.
    """
    size = len(raw) if whole is None else whole.size
    if size > MAX_PAYLOAD_BYTES:
        raise BadInput(
            f"payload has {size} bytes; at most {MAX_PAYLOAD_BYTES} are read."
        )
    if whole is not None:
        raise BadInput(
            f"only the first {len(raw)} of the payload's {size} bytes were kept: "
            "it cannot be read again."
        )
    try:
        text = (raw.removeprefix(_BOM)).decode()
    except UnicodeDecodeError as error:
        raise BadInput(
            f"payload is not UTF-8 (byte {error.start + 1}); set the source to UTF-8."
        ) from None
    if payload_format is PayloadFormat.TEXT:
        return {"payload": text.strip(" \t\r\n\0")}
    value = _parse_json(text)
    # Counting brackets is nearly free; only a message with many is walked through.
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _is_too_deep(value):
        raise _too_deep()
    return value


def keepable(raw: bytes, limit: int = KEPT_BYTES) -> str:
    """The payload as text that is safe to store and print: at most so many UTF-8 bytes.

    Bytes that are not UTF-8 and control characters other than tab and line ends (NUL,
    which databases refuse, and ESC, which terminals obey) become U+FFFD; a cut ends
    in "…".
    """
    text = _UNSAFE.sub(_REPLACEMENT, raw[: limit + 1].decode(errors="replace"))
    kept = text.encode()
    if len(kept) <= limit and len(raw) <= limit:
        return text
    return kept[: limit - len("…".encode())].decode(errors="ignore") + "…"


def one_line(text: str, limit: int) -> str:
    """At most `limit` characters on one line; control characters become U+FFFD."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    # isprintable is one pass in C and true of nearly everything.
    return text if text.isprintable() else _LINE_BREAKERS.sub(_REPLACEMENT, text)


def quoted(text: str, limit: int = 100) -> str:
    """In quotes, on one line and cut, for a sentence about it."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def _parse_json(text: str) -> object:
    if not text or text.isspace():
        raise BadInput('payload is empty; set format = "text" if that means something.')
    try:
        value: object = _DECODER.decode(text)
    except JSONDecodeError as error:
        raise BadInput(
            f"payload is not JSON ({error.msg}, line {error.lineno} column "
            f'{error.colno}); set format = "text" for plain text.'
        ) from None
    except RecursionError:
        raise _too_deep() from None
    return value


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


def _refuse_constant(word: str) -> Never:
    raise BadInput(f"payload has {word}, which is not JSON.")


def _parse_integer(digits: str) -> int:
    if len(digits) > MAX_INTEGER_DIGITS:
        raise BadInput(f"payload has an integer of over {MAX_INTEGER_DIGITS} digits.")
    return int(digits)


_DECODER = JSONDecoder(parse_constant=_refuse_constant, parse_int=_parse_integer)
