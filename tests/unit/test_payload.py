import pytest

from evidenced.core.errors import BadInput
from evidenced.core.payload import (
    MAX_DEPTH,
    MAX_INTEGER_DIGITS,
    MAX_PAYLOAD_BYTES,
    PayloadFormat,
    keepable,
    one_line,
    parse_payload,
)

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
