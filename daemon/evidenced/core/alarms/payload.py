"""Payloads: bytes that anybody may have sent, read within bounds or refused.

Strict where a mistake would change the meaning, lenient where devices are known to be
sloppy: see `jsontext`. Bytes that are no character are kept as what they are; only a
rule that reads them minds.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from json import detect_encoding

from evidenced.core.alarms.functions import RawText
from evidenced.core.alarms.jsontext import read_json
from evidenced.core.alarms.unpacking import Packing, unpack
from evidenced.core.errors import BadInput
from evidenced.core.phrase import Phrase

MAX_PAYLOAD_BYTES = 2 * 1024 * 1024
"""MQTT allows 256 MB. The largest alarms known carry a picture of 4 megapixels; more is
a mistake or an attack, and would hold the loop for too long. Also of unpacked ones."""

WHOLE_BYTES = 256 * 1024
"""What is kept at most of a payload that is kept whole."""

MAX_TOPIC = 1024
"""Characters of a topic that are kept and told; brokers allow 65,535."""
KEPT_BYTES = 4096
"""What is kept of a raw payload beside an alarm."""

BEGINNING_BYTES = KEPT_BYTES + 4
"""What is taken of a payload that is too large to be read: as much as is kept and shown
of it, and enough more to tell that it was cut, also after a character's end."""

LATER_BYTES = 8 * 1024
"""What is kept of the payload of an incident's later alarms (`kept.WHOLE_ALARMS`).
Without a picture in them the largest alarms known have 3 kB."""

_CONTINUED = 0x80
_ENDS = " \t\r\n\0"
_BOM = b"\xef\xbb\xbf"
OBEYED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What no line may hold: it ends lines, or a terminal obeys it. The last but one turn
text around (UAX 9), so that it reads as what it is not."""
_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_END = re.compile(r"[\r\n]+")
_ESCAPED = re.compile("[\udc80-\udcff]")
_REPLACEMENT = "\ufffd"


class PayloadFormat(StrEnum):
    JSON = "json"
    TEXT = "text"
    LINES = "lines"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping:
    """How a rule's payloads are to be read."""

    format: PayloadFormat = PayloadFormat.JSON
    encoding: str = "utf-8"
    """JSON whose first bytes are UTF-16's or UTF-32's is that in place of UTF-8."""
    unpack: Packing = Packing.NOTHING


@dataclass(frozen=True, slots=True)
class Contents:
    """The messages in a payload, as expressions see them.

    `wrong_byte` is the first one, from 1, that is no character in the encoding: texts
    have it as a lone surrogate (Python's "surrogateescape").
    """

    messages: tuple[object, ...]
    wrong_byte: int | None = None


UTF_8 = "utf-8"
PLAIN = Wrapping()
UNREAD = Contents(({},))
"""What a rule sees that reads nothing of the payload."""


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


def read_payload(
    raw: bytes, wrapping: Wrapping, whole: Whole | None = None
) -> Contents:
    """What expressions read: parsed JSON, or `{"payload": text}`, one for each message.

    Text is stripped of white space and NUL at both ends: firmware sends line ends and
    C strings, and a condition that has to name them would miss alarms. A line that is a
    JSON object has its keys beside `payload`. `whole` is what it was where `raw` is
    only its beginning: that is not read.

    Raises:
        BadInput: too large, cut, not unpacked, no JSON, too deep.
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
    raw = unpack(raw, wrapping.unpack, MAX_PAYLOAD_BYTES)
    encoding = wrapping.encoding
    if wrapping.format is PayloadFormat.JSON and encoding == UTF_8 and b"\0" in raw[:4]:
        encoding = detect_encoding(raw)
    text, wrong_byte = _decode(raw.removeprefix(_BOM), encoding)
    match wrapping.format:
        case PayloadFormat.JSON:
            return Contents((read_json(text),), wrong_byte)
        case PayloadFormat.LINES:
            lines = (line.strip(_ENDS) for line in _LINE_END.split(text))
            return Contents(tuple(_line(line) for line in lines if line), wrong_byte)
        case _:
            return Contents(
                ({"payload": RawText.of(text.strip(_ENDS), raw)},), wrong_byte
            )


def _decode(raw: bytes, encoding: str) -> tuple[str, int | None]:
    try:
        return raw.decode(encoding), None
    except UnicodeDecodeError as error:
        wrong = error.start + 1
    try:
        return raw.decode(encoding, "surrogateescape"), wrong
    except UnicodeDecodeError:  # UTF-16 and the like, whose bytes are not ASCII's
        raise not_encoded(wrong, encoding) from None


def not_encoded(wrong_byte: int, encoding: str) -> BadInput:
    """The sentence about a byte that is no character."""
    hint = 'encoding = "latin-1"' if encoding == "utf-8" else "another encoding"
    return BadInput(
        f"payload is not {encoding.upper()} (byte {wrong_byte}); write {hint} in the "
        "rule, or set the source to UTF-8."
    )


def has_wrong_bytes(value: object) -> bool:
    """Whether a text has a byte in it that was no character."""
    if isinstance(value, str):
        return not value.isascii() and _ESCAPED.search(value) is not None
    if isinstance(value, tuple | list):
        return any(map(has_wrong_bytes, value))
    return False


def _line(text: str) -> object:
    """A line as it is; of one that is a JSON object its keys, too."""
    if text.startswith("{"):
        try:
            value = read_json(text)
        except BadInput:
            return {"payload": text}
        if isinstance(value, dict):
            return {"payload": text} | value
    return {"payload": text}


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
    """At most `limit` characters on one line, in the order in which they stand.

    Control characters, and those that turn text around, become U+FFFD.
    """
    if isinstance(text, Phrase):
        return text.then(lambda words: one_line(words, limit))
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    # isprintable is one pass in C and true of nearly everything.
    return text if text.isprintable() else OBEYED.sub(_REPLACEMENT, text)


def quoted(text: str, limit: int = 100) -> str:
    """In quotes, on one line and cut, for a sentence about it."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
