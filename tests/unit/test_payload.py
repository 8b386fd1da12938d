import pytest

from evidenced.core.alarms.payload import (
    BEGINNING_BYTES,
    KEPT_BYTES,
    MAX_DEPTH,
    MAX_INTEGER_DIGITS,
    MAX_PAYLOAD_BYTES,
    PayloadFormat,
    Whole,
    beginning,
    keepable,
    one_line,
    parse_payload,
    whole_of,
)
from evidenced.core.errors import BadInput

JSON, TEXT = PayloadFormat.JSON, PayloadFormat.TEXT


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a": 1.5}', {"a": 1.5}),
        (b"true", True),
        (b'\xef\xbb\xbf {"a": "\xc3\xa4"}\r\n', {"a": "ä"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'"\\ud800"', "\ud800"),
        (b"9" * MAX_INTEGER_DIGITS, int("9" * MAX_INTEGER_DIGITS)),
        (b"1e999", float("inf")),
        (b'"' + b"[" * 200 + b'"', "[" * 200),
    ],
)
def test_json(raw: bytes, expected: object) -> None:
    assert parse_payload(raw, JSON) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"ALARM", "ALARM"),
        (b"ALARM\r\n", "ALARM"),
        (b"ALARM\0", "ALARM"),
        (b"\xef\xbb\xbfT\xc3\xbcr 1", "Tür 1"),
        (b"", ""),
    ],
)
def test_text(raw: bytes, expected: str) -> None:
    assert parse_payload(raw, TEXT) == {"payload": expected}


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"ON", 'not JSON (Expecting value, line 1 column 1); set format = "text"'),
        (b'{"a":1}x', "Extra data"),
        (b"NaN", "NaN"),
        (b'{"a":-Infinity}', "-Infinity"),
        (b"\xff{}", "not UTF-8 (byte 1)"),
        (b'{"a":"\xc3"}', "not UTF-8"),
        (b"9" * (MAX_INTEGER_DIGITS + 1), "digits"),
        (b"9" * 100_000, "digits"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 50_000, "nested deeper"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested deeper"),
        (b" " * (MAX_PAYLOAD_BYTES + 1), "at most"),
    ],
)
def test_refused_in_one_sentence(raw: bytes, complaint: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_payload(raw, JSON)
    assert complaint in str(caught.value)
    assert len(str(caught.value)) < 200


def test_as_deep_as_allowed() -> None:
    raw = b'{"a":[{}],"b":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert parse_payload(raw, JSON)


def test_text_is_bounded_and_utf8_too() -> None:
    for raw in (b"x" * (MAX_PAYLOAD_BYTES + 1), b"T\xfcr"):
        with pytest.raises(BadInput):
            parse_payload(raw, TEXT)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"plain\ttext\r\n", "plain\ttext\r\n"),
        (b"a\0b", "a\ufffdb"),
        (b"a\x1b[31mb", "a\ufffd[31mb"),
        (b"a\xc2\x9bb", "a\ufffdb"),
        (b"T\xfcr", "T\ufffdr"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
    ],
)
def test_keepable(raw: bytes, expected: str) -> None:
    assert keepable(raw) == expected


def test_keepable_is_bounded_and_says_that_it_cut() -> None:
    assert keepable(b"x" * 11, limit=10) == "x" * 7 + "…"
    assert keepable(b"x" * 10, limit=10) == "x" * 10
    assert len(keepable(b"\xff" * 1_000_000).encode()) <= 4096
    assert keepable("ü".encode() * 5, limit=10) == "ü" * 5
    assert keepable("ü".encode() * 6, limit=10) == "ü" * 3 + "…"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VÄLIKS DOOR", "VÄLIKS DOOR"),
        ("a\nb\u2028c", "a\ufffdb\ufffdc"),
        ("a\ud800", "a\ufffd"),
        ("x" * 21, "x" * 19 + "…"),
        ("no\u00a0break", "no\u00a0break"),
    ],
)
def test_one_line(text: str, expected: str) -> None:
    assert one_line(text, 20) == expected


@pytest.mark.parametrize(
    ("raw", "most", "kept"),
    [
        (b"abc", 3, b"abc"),
        (b"abcd", 3, b"abc"),
        ("aä".encode(), 2, b"a"),
        ("aä".encode(), 3, "aä".encode()),
        ("\U0001f514".encode(), 3, b""),
        (b"\x80" * 9, 6, b"\x80" * 3),
        (b"", 5, b""),
    ],
)
def test_a_beginning_ends_with_a_character(raw: bytes, most: int, kept: bytes) -> None:
    assert beginning(raw, most) == kept


def test_what_is_cut_is_told_from_what_is_whole() -> None:
    assert whole_of(b"abc", 3) is None
    digest = "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589"
    assert whole_of(b"abcd", 3) == Whole(size=4, sha256=digest)


@pytest.mark.parametrize("end", ["x", "ä", "\U0001f514"])
def test_the_beginning_is_shown_as_the_whole_would_be(end: str) -> None:
    for before in range(BEGINNING_BYTES - 4, BEGINNING_BYTES + 1):
        raw = b"a" * before + end.encode() * KEPT_BYTES
        cut = beginning(raw, BEGINNING_BYTES)
        assert keepable(cut) == keepable(raw)
        assert keepable(cut).endswith("…")


@pytest.mark.parametrize("payload_format", [JSON, TEXT])
def test_a_beginning_is_not_read_as_if_it_were_all(
    payload_format: PayloadFormat,
) -> None:
    with pytest.raises(BadInput, match=r"^only the first 2 of the payload's 9 bytes"):
        parse_payload(b"{}", payload_format, Whole(size=9, sha256=""))
    large = Whole(size=MAX_PAYLOAD_BYTES + 1, sha256="")
    with pytest.raises(BadInput, match=r"^payload has 262145 bytes; at most 262144 "):
        parse_payload(b"{}", payload_format, large)
