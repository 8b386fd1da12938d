"""What a payload is wrapped in, taken off: compressed or written as text."""

import binascii
import re
import zlib
from enum import StrEnum

from evidenced.core.errors import BadInput

_GZIP = 31
_ZLIB = 15
_RAW = -15
"""Forms of a stream. Source: zlib's manual, inflateInit2, windowBits."""
MAX_MEMBERS = 100
"""Streams of gzip one behind the other: what is behind one is copied for the next."""
_MEMBER = b"\x1f\x8b"
_DATA_URL = re.compile(rb"data:[^,]{0,200};base64,")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


class Packing(StrEnum):
    """The words of the key `unpack`; "" is a payload as it is."""

    NOTHING = ""
    GZIP = "gzip"
    DEFLATE = "deflate"
    BASE64 = "base64"
    HEX = "hex"
    BASE64_GZIP = "base64+gzip"
    BASE64_DEFLATE = "base64+deflate"


_WITHIN_BASE64 = {
    Packing.BASE64: Packing.NOTHING,
    Packing.BASE64_GZIP: Packing.GZIP,
    Packing.BASE64_DEFLATE: Packing.DEFLATE,
}


def unpack(raw: bytes, packing: Packing, most: int) -> bytes:
    """The bytes inside, at most so many.

    Raises:
        BadInput: it is not packed so, or holds more.
    """
    if packing in _WITHIN_BASE64:
        return unpack(from_base64(raw), _WITHIN_BASE64[packing], most)
    match packing:
        case Packing.HEX:
            return _from_hex(raw)
        case Packing.GZIP:
            return _inflate(raw, (_GZIP,), packing, most)
        case Packing.DEFLATE:
            return _inflate(raw, (_ZLIB, _RAW), packing, most)
        case _:
            return raw


def _from_hex(raw: bytes) -> bytes:
    digits = raw.strip(b" \t\r\n\0").removeprefix(b"0x")
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        raise BadInput(
            'payload is no text of hex digits; leave unpack = "hex" out, or mend the '
            "source."
        ) from None


def _inflate(raw: bytes, forms: tuple[int, ...], packing: Packing, most: int) -> bytes:
    for form in forms:
        inside = _whole_stream(raw, form, most)
        if inside is not None:
            return inside
    raise BadInput(
        f"payload is no whole {packing} stream (of {len(raw)} bytes, the first is "
        f'{raw[:1].hex() or "missing"}); leave unpack = "{packing}" out, or mend the '
        "source."
    )


def _whole_stream(raw: bytes, form: int, most: int) -> bytes | None:
    """What is inside; None: it is no stream of this form, or not all of one.

    Several one behind the other are one. Source: RFC 1952, 2.2 (members).
    """
    inside = b""
    for _ in range(MAX_MEMBERS):
        stream = zlib.decompressobj(form)
        try:
            inside += stream.decompress(raw, most + 1 - len(inside))
        except zlib.error:
            return None
        if len(inside) > most:
            raise BadInput(f"payload unpacks to more than {most} bytes.")
        if not stream.eof:
            return None
        raw = stream.unused_data
        if form != _GZIP or not raw.startswith(_MEMBER):
            return inside
    raise BadInput(f"payload has more than {MAX_MEMBERS} gzip streams.")


def from_base64(raw: bytes) -> bytes:
    """Also of the alphabet for addresses, with line ends, and without padding.

    In quotes it is a text of JSON, and behind "data:...;base64," part of a page.

    Raises:
        BadInput: it is none.
    """
    raw = _DATA_URL.sub(b"", raw.strip().strip(b'"'))
    text = b"".join(raw.split()).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=\0")
    wrong = _NOT_BASE64.search(text)
    if wrong is not None or len(text) % 4 == 1:
        at = wrong.start() + 1 if wrong else len(text)
        raise BadInput(
            f'payload is not base64 (byte {at}); leave unpack = "base64" out, or mend '
            "the source."
        )
    return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
