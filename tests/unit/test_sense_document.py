import time

import pytest

from evidenced.sense.document import MAX_MARKUP, Unreadable, clean, read_document

WELL = (
    '<?xml version="1.0" encoding="{}"?>'
    '<Result ErrorCode="0"><path>Vidéo</path></Result>'
)


@pytest.mark.parametrize(
    "data",
    [
        WELL.format("UTF-8").encode(),
        WELL.format("utf-8").encode("utf-8-sig"),
        WELL.format("ISO-8859-1").encode("latin-1"),
        WELL.format("windows-1252").encode("cp1252"),
        WELL.format("UTF-16").encode("utf-16"),
        WELL.format("UTF-16").encode("utf-16-le"),
        WELL.format("UTF-16").encode("utf-16-be"),
        WELL.format("UTF-16").encode(),  # declares what it is not
        WELL.format("no-such-code").encode(),
        WELL.format("UTF-8").encode("cp1252"),  # declares what it is not
        b"\r\n  " + WELL.format("UTF-8").encode() + b"\r\n",
    ],
)
def test_encodings(data: bytes) -> None:
    document = read_document(data)
    assert document.root.name == "result"
    assert document.root.attributes == {"errorcode": "0"}
    assert document.root.children[0].text == "Vidéo"
    assert not document.is_repaired


def test_namespaces_and_prefixes_are_dropped() -> None:
    root = read_document(b'<x:A xmlns:x="urn:y"><x:B>1</x:B></x:A>').root
    assert (root.name, root.children[0].name) == ("a", "b")


def test_repair_keeps_everything_around_unquoted_attributes_and_bare_ampersands() -> (
    None
):
    data = (
        rb"<result errorcode=0><a n='1' flag m = 2/><path>V:\a&copy&amp;&#233;</path>"
    )
    document = read_document(data + b"<!-- <b> --><c>1<d>2</c></stray></result><late>")
    assert document.is_repaired
    result = document.root
    assert result.attributes == {"errorcode": "0"}
    a, path, c = result.children
    assert a.attributes == {"n": "1", "flag": "", "m": "2"}
    assert path.text == r"V:\a&copy&é"
    assert (c.text, c.children[0].name, c.children[0].text) == ("1", "d", "2")


def test_repair_reads_cdata_and_bare_brackets_as_text() -> None:
    root = read_document(b"<a n=1><p><![CDATA[x<y>&amp;]]></p><q>1 < 2</q></a>").root
    assert [child.text for child in root.children] == ["x<y>&amp;", "1 < 2"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"OK",
        b"\0\0\0\0",
        b'{"result": 0}',
        b"\xff\xd8\xff\xe0JFIF",
        b"<result errorcode='0'><export><exportid>1",
        b"<result errorcode='0'><export><exportid>1</exportid>",
        b"<result errorcode='0'><!-- ",
        b"<result errorcode='0",
        b"<!DOCTYPE html><html><body>Log in</body></html>",
    ],
)
def test_what_is_no_document(data: bytes) -> None:
    with pytest.raises(Unreadable) as raised:
        read_document(data)
    assert str(raised.value)


def test_an_open_root_is_taken_when_told_so_but_no_text_that_may_be_cut() -> None:
    root = read_document(b"<apiinfo><utc>12</utc><version>2.7", must_close=False).root
    assert [child.text for child in root.children] == ["12", ""]


BOMB = b"<!DOCTYPE a [<!ENTITY b 'b'>" + b"".join(
    b"<!ENTITY b%d '%s'>" % (n, b"&b%d;" % (n - 1) * 10) for n in range(1, 10)
)


@pytest.mark.parametrize(
    "data",
    [
        BOMB + b"]><a>&b9;</a>",
        (BOMB + b"]><a>&b9;</a>").decode().encode("utf-16"),
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!doctype a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b"<a>" * (MAX_MARKUP + 1),
        b"<a " + b"b=1 " * (MAX_MARKUP + 1) + b"/>",
    ],
)
def test_bombs_are_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_document(data)


MEBI = 1 << 20


@pytest.mark.parametrize(
    "data",
    [
        b"<a>" * 10_000 + b"</a>" * 10_000,
        b"<r x=1>" + b"<a>" * 100_000 + b"</b>" * 100_000 + b"</r>",
        b"<r x=1>" + b"< " * 200_000 + b">" + b"</r>",
        b"<r x=1>" + b"<" * 200_000 + b"x" * (8 * MEBI) + b"</r>",
        b"<r x=1>" + b"&" * (8 * MEBI) + b"</r>",
        b"<r x=1>" + b"<a " + b"b" * (8 * MEBI) + b"></a></r>",
        b"<r x=1>" + b"<a b=" + b"\"'" * (4 * MEBI) + b"></a></r>",
        b"<r x=1>" + b"<a b" + b" " * (8 * MEBI) + b"></a></r>",
        b"<r x=1>" + b"<!-- -->" * 60_000 + b"</r>",
        b"<r x=1>" + b"\0" * (8 * MEBI) + b"</r>",
    ],
    ids=[
        "deep",
        "deep-broken",
        "bare",
        "bare-long",
        "ampersands",
        "long-name",
        "quotes",
        "blanks",
        "comments",
        "nuls",
    ],
)
def test_hostile_shapes_cost_no_more_than_their_length(data: bytes) -> None:
    began = time.process_time()
    root = read_document(data).root
    assert root.name in {"a", "r"}
    # Linear ones take well under 2 s of processor; quadratic ones take hours.
    assert time.process_time() - began < 30


def test_clean() -> None:
    assert clean(" a\x1b[31m\nb \u202e") == "a [31m b"
    assert clean("x" * 1000, 10) == "x" * 10
