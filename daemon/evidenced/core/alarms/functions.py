"""Functions of our own in expressions, beside those of JMESPath.

Panels put zones into sentences, bits and text inside JSON; the topic and what it
captures are no part of a payload. Each takes its subject first. null gives null, so
that a key that is not there is no fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jmespath.functions import Functions, signature

from evidenced.core.alarms.jsontext import read_json
from evidenced.core.errors import BadInput

MAX_BITS = 64 * 1024
"""Bytes whose bits are looked at: half a million inputs."""

MAX_TEXT = 8 * 1024 * 1024
"""Characters of a text that functions make; each payload is shorter."""

_TEXT = {"types": ["string", "null"]}


class FunctionFault(Exception):  # noqa: N818 - it is one
    """A function has a sentence of its own about what it was given."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression can ask for beside the payload."""

    topic: str = ""
    captured: Mapping[str, str] = field(default_factory=dict)


NOWHERE = Context()


class RawText(str):
    """The text of a payload without white space at its ends, and its bytes with it.

    Only `bits` looks at those: a byte of zeros at an end is a NUL to everybody else.
    """

    __slots__ = ("raw",)

    raw: bytes


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

    @signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_from_json(self, text: object) -> object:
        if not isinstance(text, str):
            return text  # what a device wrapped only sometimes
        try:
            return read_json(text)
        except BadInput:
            raise FunctionFault("from_json() was given text that is no JSON") from None

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
            raise FunctionFault("replace() would give a text beyond all bounds")
        return text.replace(old, new)

    @signature(_TEXT, {"types": ["number"]}, {"types": ["number"]})  # type: ignore[untyped-decorator]
    def _func_substr(self, text: str | None, first: float, count: float) -> str | None:
        if text is None:
            return None
        start = max(int(first) if first >= 0 else len(text) + int(first), 0)
        return text[start : start + max(int(count), 0)]

    @signature({"types": ["string", "number", "null"]})  # type: ignore[untyped-decorator]
    def _func_bits(self, value: object) -> list[int] | None:
        if value is None:
            return None
        if isinstance(value, str):
            return _bits_of(_bytes_of(value))
        if not isinstance(value, int) or value < 0:
            raise FunctionFault("bits() takes a whole number that is not negative")
        return _bits_of(value.to_bytes((value.bit_length() + 7) // 8, "little"))


def _bytes_of(text: str) -> bytes:
    """The bytes that hex digits say, blanks between them or not; else the text's own.

    "80 04" and "0900" are two bytes each. Text that is none was read from bytes.
    """
    try:
        return bytes.fromhex(text.strip(" \t\r\n\0"))
    except ValueError:
        return (
            text.raw if isinstance(text, RawText) else text.encode("latin-1", "replace")
        )


def _bits_of(raw: bytes) -> list[int]:
    """The numbers of the bits that are set, from 1: the lowest of the first byte."""
    if len(raw) > MAX_BITS:
        raise FunctionFault(f"bits() takes at most {MAX_BITS} bytes")
    return [
        n * 8 + bit + 1
        for n, byte in enumerate(raw)
        if byte
        for bit in range(8)
        if byte >> bit & 1
    ]
