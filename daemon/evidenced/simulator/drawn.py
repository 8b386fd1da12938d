"""Pictures of simulated cameras: their name, the time, and a mark that moves.

A JPEG of 80 x 45 squares, each of one colour: such a square is one number in the file,
so no transform has to be computed and no library is needed. Source: ITU-T T.81.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

COLUMNS: Final = 80
ROWS: Final = 45
SQUARE: Final = 8
Colour = tuple[int, int, int]
"""Brightness and two of colour, each -128 to 127, as JPEG has them."""
_WHITE: Final[Colour] = (120, 0, 0)
_MARK: Final[Colour] = (60, -60, 80)
_GROUNDS: Final[tuple[Colour, ...]] = (
    (-80, 20, -10),
    (-70, -15, -15),
    (-85, 10, 15),
    (-60, 0, 0),
    (-75, -20, 10),
)
_MARK_SIZE: Final = 7
_FLOOR: Final = 34
"""The row below which the ground is lighter."""
_LINE: Final = COLUMNS // 4
"""Characters of one line: each is three squares wide, and one apart."""
_GLYPHS: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ:-./_",
        [
            "75557",
            "26227",
            "71747",
            "71717",
            "55711",
            "74717",
            "74757",
            "71111",
            "75757",
            "75717",
            "25755",
            "65656",
            "34443",
            "65556",
            "74647",
            "74644",
            "34553",
            "55755",
            "72227",
            "11152",
            "55655",
            "44447",
            "57755",
            "65555",
            "25552",
            "65644",
            "25563",
            "65655",
            "34216",
            "72222",
            "55557",
            "55552",
            "55775",
            "55255",
            "55222",
            "71247",
            "02020",
            "00700",
            "00002",
            "11244",
            "00007",
        ],
        strict=True,
    )
)
"""Five rows of three squares each."""
_DC_SIZES: Final = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0))
_DC_CODES: Final = (
    *("00", "010", "011", "100", "101", "110"),
    *("1110", "11110", "111110", "1111110", "11111110", "111111110"),
)
"""The standard's table K.3: a code for each number of bits."""
_END_OF_SQUARE: Final = "0"
"""Of a table that has this one code: nothing differs within a square."""


def draw(name: str, at: datetime, seed: int = 0) -> bytes:
    """The picture of a camera at an instant."""
    ground = _GROUNDS[seed % len(_GROUNDS)]
    lighter = (ground[0] + 25, ground[1], ground[2])
    squares = [[ground if y < _FLOOR else lighter] * COLUMNS for y in range(ROWS)]
    _write(squares, 3, name)
    _write(squares, 10, f"{at:%Y-%m-%d %H:%M:%S}")
    _write(squares, 17, f".{at.microsecond // 1000:03}")
    left = (at.second * 8 + at.microsecond // 125_000) % (COLUMNS - _MARK_SIZE)
    for y in range(_FLOOR - _MARK_SIZE, _FLOOR):
        squares[y][left : left + _MARK_SIZE] = [_MARK] * _MARK_SIZE
    return _jpeg(square for row in squares for square in row)


def _write(squares: list[list[Colour]], top: int, text: str) -> None:
    for n, character in enumerate(text.upper()[:_LINE]):
        for y, bits in enumerate(_GLYPHS.get(character, "00000")):
            for x in range(3):
                if int(bits) & (4 >> x):
                    squares[top + y][4 * n + x] = _WHITE


def _jpeg(squares: Iterable[Colour]) -> bytes:
    size = ROWS * SQUARE, COLUMNS * SQUARE
    parts = "".join(f"{n:02x}1100" for n in (1, 2, 3))
    scan = "".join(f"{n:02x}00" for n in (1, 2, 3))
    tables = bytes(1) + _DC_SIZES + bytes(range(12)) + b"\x10\x01" + bytes(16)
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xDB, bytes(1) + bytes([SQUARE] * 64)),
            _segment(0xC0, bytes.fromhex(f"08{size[0]:04x}{size[1]:04x}03{parts}")),
            _segment(0xC4, tables),
            _segment(0xDA, bytes.fromhex(f"03{scan}003f00")),
            _packed("".join(_bits(squares))),
            b"\xff\xd9",
        )
    )


def _segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(data) + 2).to_bytes(2) + data


def _bits(squares: Iterable[Colour]) -> Iterator[str]:
    """Each value as its difference from the one before, in as few bits as it takes."""
    before: Colour = (0, 0, 0)
    for square in squares:
        for value, last in zip(square, before, strict=True):
            difference = value - last
            length = abs(difference).bit_length()
            yield _DC_CODES[length]
            if length:
                lowest = 0 if difference > 0 else (1 << length) - 1
                yield f"{difference + lowest:0{length}b}"
            yield _END_OF_SQUARE
        before = square


def _packed(bits: str) -> bytes:
    """Whole bytes; one that looks like a marker is followed by a zero."""
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8)
    return data.replace(b"\xff", b"\xff\0")
