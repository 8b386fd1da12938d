"""Functions of our own in expressions, beside those of JMESPath.

Panels put zones into sentences, bits and text inside JSON; the topic, what it captures
and what stands around an item are no part of what an expression looks at. Each takes
its subject first. null gives null, so that a key that is not there is no fault.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from jmespath.functions import Functions, signature

from evidenced.core.alarms.jsontext import read_json
from evidenced.core.alarms.unpacking import from_base64
from evidenced.core.errors import BadInput
from evidenced.core.phrase import phrase

MAX_BITS = 64 * 1024
"""Bytes whose bits are looked at: half a million inputs."""

MAX_TEXT = 8 * 1024 * 1024
"""Characters of a text that functions make; each payload is shorter."""

MAX_PAIRS = 100_000
"""Many more than are read as messages; each is two references."""

_TEXT = {"types": ["string", "null"]}
_BETWEEN_BYTES = re.compile(r"(?:0[xX])|[\s:,;-]+(?:0[xX])?")
_HEX = re.compile(r"[0-9a-fA-F]+")
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f\udc80-\udcff]")
"""What a device's text has none of: characters are not what is counted in it."""
_BINARY = re.compile(r"0[bB][01]{1,512}")


class FunctionFault(Exception):  # noqa: N818 - it is one
    """A function has a sentence of its own about what it was given."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression can ask for beside the payload."""

    topic: str = ""
    captured: Mapping[str, str] = field(default_factory=dict)
    whole: object = None
    """What `each` has taken the message out of; else the message itself."""


NOWHERE = Context()


class _Reference(Protocol):
    """`&expression`, as jmespath hands it to a function."""

    expression: object

    def visit(self, expression: object, value: object) -> object: ...


class RawText(str):
    """Text that was read from bytes, and those with it.

    Only `bits` looks at them: to everybody else a byte of zeros at an end is a NUL, and
    left out. `is_bytes`: hex digits in it are none.
    """

    __slots__ = ("is_bytes", "raw")

    is_bytes: bool
    raw: bytes

    @classmethod
    def of(cls, text: str, raw: bytes, *, is_bytes: bool = False) -> "RawText":
        """The text with its bytes."""
        made = cls(text)
        made.raw, made.is_bytes = raw, is_bytes
        return made

    @classmethod
    def packed(cls, raw: bytes) -> "RawText":
        """What was packed as bytes, and may be no text."""
        return cls.of(raw.decode(errors="surrogateescape"), raw, is_bytes=True)

    def part(self, first: int, end: int) -> "RawText":
        """Some of its characters, or of its bytes where it is no text."""
        if _NO_TEXT.search(self):
            return RawText.packed(self.raw[first:end])
        text = self[first:end]
        try:
            return RawText.of(text, text.encode("latin-1"))
        except UnicodeEncodeError:  # what is no character stands for its byte
            return RawText.of(text, text.encode(errors="surrogateescape"))


RawText.__name__ = "str"
"""jmespath tells types by the names of their classes."""


class OwnFunctions(Functions):  # type: ignore[misc]  # jmespath has no types
    """One for each expression. `context` is set for each evaluation: one at a time."""

    def __init__(self) -> None:
        self.context = NOWHERE

    @signature({"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_captured(self, name: str) -> str | None:
        return self.context.captured.get(name)

    @signature()  # type: ignore[untyped-decorator]
    def _func_topic(self) -> str:
        return self.context.topic

    @signature()  # type: ignore[untyped-decorator]
    def _func_whole(self) -> object:
        return self.context.whole

    @signature({"types": ["object", "array", "null"]})  # type: ignore[untyped-decorator]
    def _func_items(
        self, value: dict[str, object] | list[object] | None
    ) -> list[list[object]] | None:
        if isinstance(value, list):
            return [[position, each] for position, each in enumerate(value)]
        return None if value is None else [[name, each] for name, each in value.items()]

    @signature({"types": ["array", "null"]}, {"types": ["array", "null"]})  # type: ignore[untyped-decorator]
    def _func_zip(
        self, one: list[object] | None, other: list[object] | None
    ) -> list[list[object]] | None:
        if one is None or other is None:
            return None
        return [list(pair) for pair in zip(one, other, strict=False)]

    @signature({"types": ["array", "null"]}, {"types": ["expref"]})  # type: ignore[untyped-decorator]
    def _func_pairs(
        self, outer: list[object] | None, inner: _Reference
    ) -> list[list[object]] | None:
        """Each of a list with each of what stands in it."""
        if outer is None:
            return None
        found = list[list[object]]()
        for each in outer:
            below = inner.visit(inner.expression, each)
            within = below if isinstance(below, list) else [below]
            found += [[each, one] for one in within if one is not None]
            if len(found) > MAX_PAIRS:
                raise FunctionFault(
                    phrase("pairs() gives at most {n} of them", n=MAX_PAIRS)
                )
        return found

    @signature(_TEXT)  # type: ignore[untyped-decorator]
    def _func_from_base64(self, text: str | None) -> str | None:
        if text is None:
            return None
        try:
            raw = from_base64(text.encode(errors="replace"))
        except BadInput:
            raise FunctionFault(
                phrase("from_base64() was given text that is none")
            ) from None
        return RawText.packed(raw)

    @signature({"types": ["array", "null"]})  # type: ignore[untyped-decorator]
    def _func_from_bytes(self, values: list[object] | None) -> str | None:
        if values is None:
            return None
        try:
            raw = bytes(_byte_of(each) for each in values)
        except ValueError:
            raise FunctionFault(
                phrase("from_bytes() takes a list of numbers from 0 to 255")
            ) from None
        return RawText.packed(raw)

    @signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_from_json(self, text: object) -> object:
        if not isinstance(text, str):
            return text  # what a device wrapped only sometimes
        if not text.strip(" \t\r\n\0"):
            return None  # what is taken away at a broker is an empty message
        try:
            return read_json(text)
        except BadInput:
            raise FunctionFault(
                phrase("from_json() was given text that is no JSON")
            ) from None

    @signature(_TEXT, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_split(self, text: str | None, separator: str) -> list[str] | None:
        if text is None:
            return None
        return text.split(separator) if separator else list(text)

    @signature(_TEXT)  # type: ignore[untyped-decorator]
    def _func_trim(self, text: str | None) -> str | None:
        return None if text is None else text.strip(" \t\r\n\0")

    @signature(_TEXT)  # type: ignore[untyped-decorator]
    def _func_lower(self, text: str | None) -> str | None:
        return None if text is None else text.lower()

    @signature(_TEXT)  # type: ignore[untyped-decorator]
    def _func_upper(self, text: str | None) -> str | None:
        return None if text is None else text.upper()

    @signature(_TEXT, {"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_replace(self, text: str | None, old: str, new: str) -> str | None:
        if text is None or not old:
            return text
        if len(text) + text.count(old) * len(new) > MAX_TEXT:
            raise FunctionFault(phrase("replace() would give a text beyond all bounds"))
        return text.replace(old, new)

    @signature(_TEXT, {"types": ["number"]}, {"types": ["number"]})  # type: ignore[untyped-decorator]
    def _func_substr(self, text: str | None, first: float, count: float) -> str | None:
        if text is None:
            return None
        start = max(int(first) if first >= 0 else len(text) + int(first), 0)
        end = start + max(int(count), 0)
        return text.part(start, end) if isinstance(text, RawText) else text[start:end]

    @signature(_TEXT)  # type: ignore[untyped-decorator]
    def _func_hex(self, text: str | None) -> str | None:
        if text is None:
            return None
        raw = text.raw if isinstance(text, RawText) else text.encode(errors="replace")
        return raw.hex()

    @signature({"types": ["number", "null"]}, {"types": ["number"]})  # type: ignore[untyped-decorator]
    def _func_divide(self, number: float | None, by: float) -> float | None:
        return None if number is None or not by else number / by

    @signature({"types": ["string", "number", "array", "null"]})  # type: ignore[untyped-decorator]
    def _func_bits(self, value: object) -> list[int] | None:
        if value is None:
            return None
        if isinstance(value, str):
            return _bits_of(_bytes_of(value))
        if isinstance(value, list):
            return _bits_of(_bytes_in(value))
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or value < 0:
            raise FunctionFault(
                phrase("bits() takes a whole number that is not negative")
            )
        return _bits_of(value.to_bytes((value.bit_length() + 7) // 8, "little"))


def _byte_of(value: object) -> int:
    """As Java writes it, too: 128 to 255 as -128 to -1."""
    if type(value) is not int:
        raise ValueError
    return value + 256 if -128 <= value < 0 else value  # noqa: PLR2004 - of a byte


def _bytes_of(text: str) -> bytes:
    """The bytes that hex digits say, however they are set apart; else the text's own.

    "80 04", "0x80,0x04" and "8004" are two bytes each; "9" and "0b1001" are one. Other
    text says none, unless it was read from bytes.
    """
    if isinstance(text, RawText) and text.is_bytes:
        return text.raw
    said = text.strip(" \t\r\n\0")
    if _BINARY.fullmatch(said):
        number = int(said, 2)
        return number.to_bytes((number.bit_length() + 7) // 8, "little")
    digits = _BETWEEN_BYTES.sub("", said)
    if _HEX.fullmatch(digits):
        return bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)
    if isinstance(text, RawText):
        return text.raw
    if text and text.isprintable() and text.isascii():
        raise FunctionFault(
            phrase("bits() was given text that is neither hex nor bytes")
        )
    return text.encode("latin-1", "replace")


def _bytes_in(values: list[object]) -> bytes:
    try:
        return bytes(each if type(each) is int else -1 for each in values)
    except ValueError:
        raise FunctionFault(
            phrase(
                "bits() takes a list of numbers from 0 to 255; of larger ones it takes "
                "one at a time"
            )
        ) from None


def _bits_of(raw: bytes) -> list[int]:
    """The numbers of the bits that are set, from 1: the lowest of the first byte."""
    if len(raw) > MAX_BITS:
        raise FunctionFault(phrase("bits() takes at most {n} bytes", n=MAX_BITS))
    return [
        n * 8 + bit + 1
        for n, byte in enumerate(raw)
        if byte
        for bit in range(8)
        if byte >> bit & 1
    ]
