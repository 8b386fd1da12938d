import gzip
import re
import zlib
from typing import Any

import pytest

from evidenced.core.alarms.jsontext import MAX_DEPTH, MAX_INTEGER_DIGITS
from evidenced.core.alarms.payload import (
    BEGINNING_BYTES,
    KEPT_BYTES,
    MAX_PAYLOAD_BYTES,
    PayloadFormat,
    Whole,
    Wrapping,
    beginning,
    keepable,
    one_line,
    read_payload,
    whole_of,
)
from evidenced.core.alarms.unpacking import Packing
from evidenced.core.errors import BadInput

JSON, TEXT = PayloadFormat.JSON, PayloadFormat.TEXT


def messages(
    raw: bytes, payload_format: PayloadFormat, **keys: Any
) -> tuple[object, ...]:
    return read_payload(raw, Wrapping(format=payload_format, **keys)).messages


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
        (b"9" * (MAX_INTEGER_DIGITS + 1), None),
        (b"9" * 100_000, None),
        (b"NaN", None),
        (b'[-Infinity, nan, -inf, "nan"]', [None, None, None, "nan"]),
        (b'{"a":1}\0\r\n', {"a": 1}),
        (b'{"a":"x\x01\ny"}', {"a": "x\x01\ny"}),
        (b'{"a":"C:\\q\\dir","b":"\\u12"}', {"a": "C:\\q\\dir", "b": "\\u12"}),
        (b'"' + b"[" * 200 + b'"', "[" * 200),
    ],
)
def test_json(raw: bytes, expected: object) -> None:
    assert messages(raw, JSON) == (expected,)


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
    assert messages(raw, TEXT) == ({"payload": expected},)


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"ON", 'not JSON at byte 1 (Expecting value); set format = "text"'),
        (b'{"a":1}x', "Extra data"),
        (b"\xff{}", "not JSON"),
        (b"{nan: 1}", "not JSON"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 50_000, "nested deeper"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested deeper"),
        (b" " * (MAX_PAYLOAD_BYTES + 1), "at most"),
    ],
)
def test_refused_in_one_sentence(raw: bytes, complaint: str) -> None:
    with pytest.raises(BadInput) as caught:
        messages(raw, JSON)
    assert complaint in str(caught.value)
    assert len(str(caught.value)) < 200


def test_as_deep_as_allowed() -> None:
    raw = b'{"a":[{}],"b":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert messages(raw, JSON)


def test_text_is_bounded_too() -> None:
    with pytest.raises(BadInput):
        messages(b"x" * (MAX_PAYLOAD_BYTES + 1), TEXT)


def test_a_byte_that_is_no_character_is_kept_and_named() -> None:
    found = read_payload(b"T\xfcr", Wrapping(format=TEXT))
    assert found.messages == ({"payload": "T\udcfcr"},)
    assert found.wrong_byte == 2
    assert messages(b"T\xfcr", TEXT, encoding="latin-1") == ({"payload": "Tür"},)
    utf16 = "T\u00fcr".encode("utf-16-le")
    assert messages(utf16, TEXT, encoding="utf-16-le") == ({"payload": "Tür"},)


def test_lines_are_messages_of_their_own() -> None:
    raw = b'zone 1\r\n\n{"a": 1}\n{"payload": 2}\n{no'
    assert messages(raw, PayloadFormat.LINES) == (
        {"payload": "zone 1"},
        {"payload": '{"a": 1}', "a": 1},
        {"payload": 2},
        {"payload": "{no"},
    )


@pytest.mark.parametrize(
    ("packing", "packed"),
    [
        (Packing.GZIP, gzip.compress(b'{"a":1}', mtime=0)),
        (Packing.DEFLATE, zlib.compress(b'{"a":1}')),
        (Packing.DEFLATE, zlib.compress(b'{"a":1}')[2:-4]),
        (Packing.BASE64, b"eyJhIjoxfQ=="),
        (Packing.BASE64, b"eyJh\r\nIjoxfQ\0"),
    ],
)
def test_what_it_is_wrapped_in_is_taken_off(packing: Packing, packed: bytes) -> None:
    assert messages(packed, JSON, unpack=packing) == ({"a": 1},)


@pytest.mark.parametrize(
    ("packing", "packed", "said"),
    [
        (
            Packing.GZIP,
            b'{"a":1}',
            "gzip stream (of 7 bytes, the first is 7b)",
        ),
        (Packing.GZIP, gzip.compress(b"{}", mtime=0)[:-9], "no whole gzip stream"),
        (Packing.DEFLATE, b"", "the first is missing"),
        (Packing.BASE64, b"eyJ*", "not base64 (byte 4)"),
        (Packing.BASE64, b"eyJhI", "not base64 (byte 5)"),
        (
            Packing.GZIP,
            gzip.compress(b" " * 3_000_000, mtime=0),
            "unpacks to more than",
        ),
    ],
)
def test_what_is_not_wrapped_so_is_refused(
    packing: Packing, packed: bytes, said: str
) -> None:
    with pytest.raises(BadInput, match=re.escape(said)):
        messages(packed, JSON, unpack=packing)


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
        ("a\u202eb\u2066c", "a\ufffdb\ufffdc"),
        ("\u05d0\u200f!", "\u05d0\u200f!"),
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
    wrapping = Wrapping(format=payload_format)
    with pytest.raises(BadInput, match=r"^only the first 2 of the payload's 9 bytes"):
        read_payload(b"{}", wrapping, Whole(size=9, sha256=""))
    large = Whole(size=MAX_PAYLOAD_BYTES + 1, sha256="")
    with pytest.raises(BadInput, match=r"^payload has 2097153 bytes; at most 2097152 "):
        read_payload(b"{}", wrapping, large)
