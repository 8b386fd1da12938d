"""Whether bytes are a JPEG that browsers show, and how large its picture is. Pure.

They come from a recorder, or from whoever answers in its place, and are shown to people
and attached to messages: so nothing is believed of them. No pixel is decoded.
"""

from typing import Final

MOST_PIXELS: Final = 16_000_000
"""Twice a 4K camera's. A picture of few bytes may be of any size once decoded."""
_START, _END = b"\xff\xd8", b"\xff\xd9"
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive: what browsers decode. Source: ITU-T T.81, B.1."""
_OTHER_FRAMES = frozenset(
    {0xC3, 0xC5, 0xC6, 0xC7, *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
)
_SCAN = 0xDA
_LONE = frozenset({0x01, *range(0xD0, 0xDA)})
"""Markers without a length: none of them is between the start and the first scan."""
_MOST_SEGMENTS = 1000
_EIGHT_BITS = 8


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height of the picture.

    Raises:
        ValueError: it is no such JPEG; the text says why, to follow "the picture".
    """
    if not data.startswith(_START) or not data.rstrip(b"\0\r\n").endswith(_END):
        raise ValueError("is no whole JPEG")
    at, size = len(_START), None
    for _ in range(_MOST_SEGMENTS):
        marker, start, end = _segment(data, at)
        if marker in _OTHER_FRAMES:
            raise ValueError("is of a kind of JPEG that browsers do not show")
        if marker in _FRAMES:
            size = _size_of(data[start:end])
        if marker == _SCAN:
            if size is None:
                raise ValueError("is a JPEG without a frame")
            return size
        at = end
    raise ValueError("is a JPEG of too many parts")


def _segment(data: bytes, at: int) -> tuple[int, int, int]:
    """The marker there, and where what belongs to it begins and ends."""
    while data[at : at + 2] == b"\xff\xff":
        at += 1
    if data[at : at + 1] != b"\xff" or at + 4 > len(data):
        raise ValueError("is a broken JPEG")
    marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
    end = at + 2 + length
    if marker in _LONE or length < 2 or end > len(data):  # noqa: PLR2004 - its own two
        raise ValueError("is a broken JPEG")
    return marker, at + 4, end


def _size_of(frame: bytes) -> tuple[int, int]:
    if len(frame) < 6 or frame[0] != _EIGHT_BITS:  # noqa: PLR2004 - bits, sizes, count
        raise ValueError("is of a kind of JPEG that browsers do not show")
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    if not width or not height or width * height > MOST_PIXELS:
        raise ValueError(f"is {width} x {height} pixels, more than is kept")
    return width, height
