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
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


class Packing(StrEnum):
    """The words of the key `unpack`; "" is a payload as it is."""

    NOTHING = ""
    GZIP = "gzip"
    DEFLATE = "deflate"
    BASE64 = "base64"


def unpack(raw: bytes, packing: Packing, most: int) -> bytes:
    """The bytes inside, at most so many.

    Raises:
        BadInput: it is not packed so, or holds more.
    """
    match packing:
        case Packing.NOTHING:
            return raw
        case Packing.BASE64:
            return _from_base64(raw)
        case Packing.GZIP:
            return _inflate(raw, (_GZIP,), packing, most)
        case Packing.DEFLATE:
            return _inflate(raw, (_ZLIB, _RAW), packing, most)


def _inflate(raw: bytes, forms: tuple[int, ...], packing: Packing, most: int) -> bytes:
    for form in forms:
        stream = zlib.decompressobj(form)
        try:
            inside = stream.decompress(raw, most + 1)
        except zlib.error:
            continue
        if len(inside) > most:
            raise BadInput(f"payload unpacks to more than {most} bytes.")
        if stream.eof:
            return inside
    raise BadInput(
        f"payload is no whole {packing} stream (of {len(raw)} bytes, the first is "
        f'{raw[:1].hex() or "missing"}); leave unpack = "{packing}" out, or mend the '
        "source."
    )


def _from_base64(raw: bytes) -> bytes:
    """Also of the alphabet for addresses, with line ends, and without padding."""
    text = b"".join(raw.split()).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=\0")
    wrong = _NOT_BASE64.search(text)
    if wrong is not None or len(text) % 4 == 1:
        at = wrong.start() + 1 if wrong else len(text)
        raise BadInput(
            f'payload is not base64 (byte {at}); leave unpack = "base64" out, or mend '
            "the source."
        )
    return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
