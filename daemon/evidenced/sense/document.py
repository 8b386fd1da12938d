"""Bytes of a reply to a tree of nodes, whatever the bytes are.

A strict parser goes first. What it refuses is scanned leniently, because the vendor's
own samples are not well-formed: attributes without quotes, elements never closed, stray
end tags (sense-api.md B1 1.2, B2 2.7). libxml2's recovery was tried and rejected: it
drops what follows a bare & and every child of a tag with an unquoted attribute, so an
exportid would vanish without a word.

Nothing here is recursive and each step is linear in the size of the input, so that
deep nesting and unfinished markup cost no more than their length.
"""

import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from lxml import etree

MAX_MARKUP = 500_000
"""Most tags plus attributes in one document, or in one piece of a list: about 75 MB as
nodes."""

PIECE = 50_000
"""Tags of a long list that are nodes at once, or those of one export more."""

MAX_SCANNED_TEXT = 8192
"""Pieces beyond this are dropped: joining endless ones would be quadratic."""


class Unreadable(ValueError):  # noqa: N818 - a verdict on input, like BadInput
    """The bytes are no document that we can use; the text completes a sentence."""


@dataclass(slots=True)
class Element:
    """One element; `text` is what stands before its first child.

    Names are lower-case and without namespace: the vendor's are case-insensitive (B8).
    """

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def walk(self, *, stop: Collection[str] = ()) -> Iterator["Element"]:
        """Itself and all below, in document order, not entering names in `stop`."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            for child in reversed(node.children):
                if child.name not in stop:
                    waiting.append(child)  # noqa: PERF401 - most are leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """`is_repaired`: the bytes were not well-formed and were read leniently."""

    root: Element
    is_repaired: bool


def read_document(data: bytes, *, must_close: bool = True) -> Document:
    """The document as nodes.

    With `must_close` a document whose root was never closed is refused: it was cut
    off, and half a list reads like a list of half of the exports.

    Raises:
        Unreadable: not markup at all, cut off, too large, or with a DTD.
    """
    text = _ILLEGAL.sub("\ufffd", _decode(data)).lstrip("\ufeff \t\r\n")
    if text.startswith("<?xml"):
        text = text.partition("?>")[2]  # decoded already: its encoding means nothing
    if text.count("<") + text.count("=") > MAX_MARKUP:
        raise Unreadable("has too many elements")
    if _DTD.search(text):
        raise Unreadable("has a document type, as web pages have")
    root = _parse_strictly(text)
    if root is not None:
        return Document(root=root, is_repaired=False)
    return Document(root=_Scanner().scan(text, must_close), is_repaired=True)


def pieces(data: bytes) -> Iterator[bytes]:
    """A long list of exports as several documents; anything else as it is.

    Each piece has what stands before the first export and behind the last one, so each
    is well-formed where the whole is, and cut off where it is.
    """
    starts = [found.start() for found in _EXPORT.finditer(data)]
    ends = [found.end() for found in _EXPORT_END.finditer(data)]
    if data.count(b"<") <= PIECE or not ends or ends[-1] < starts[-1]:
        yield data
        return
    head, tail, begun, tags = data[: starts[0]], data[ends[-1] :], starts[0], 0
    for start, after in itertools.pairwise([*starts, ends[-1]]):
        tags += data.count(b"<", start, after)
        if tags >= PIECE or after == ends[-1]:
            yield head + data[begun:after] + tail
            begun, tags = after, 0


_EXPORT = re.compile(rb"<(?:\w+:)?export(?=[\s>])", re.IGNORECASE)
_EXPORT_END = re.compile(rb"</(?:\w+:)?export\s*>", re.IGNORECASE)


def clean(text: str, limit: int = 300) -> str:
    """The text trimmed, without control characters, and cut to `limit` characters."""
    text = text.strip()[:limit]
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text).strip()


_DTD = re.compile(r"<!(?:doctype|entity)", re.IGNORECASE)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.-]{1,40})["']""")
_SINGLE_BYTE = re.compile(r"(us-)?ascii|iso-8859-\d{1,2}|windows-125\d", re.IGNORECASE)


def _decode(data: bytes) -> str:
    """The bytes as text; never fails.

    A declared UTF-16 is not believed: the declaration was readable as bytes. Bytes that
    are no UTF-8 after all are taken for the Western code page of Windows, where the
    recorder runs (assumed).
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    declared = _DECLARED.match(data)
    if declared and _SINGLE_BYTE.fullmatch(name := declared[1].decode("latin-1")):
        encoding = name
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return data.decode("cp1252", errors="replace")


def _parse_strictly(text: str) -> Element | None:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        element = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError):
        return None
    root = _node_of(element)
    waiting = [(element, root)]
    while waiting:
        element, node = waiting.pop()
        for child in element:
            node.children.append(_node_of(child))
            waiting.append((child, node.children[-1]))
    return root


def _node_of(element: etree._Element) -> Element:
    return Element(
        name=_local(str(element.tag)),
        attributes={_local(str(k)): str(v) for k, v in element.attrib.items()},
        text=element.text or "",
    )


def _local(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2].lower()


class _Scanner:
    """Reads markup that is not well-formed."""

    def __init__(self) -> None:
        self._root: Element | None = None
        self._open: list[Element] = []
        self._names: Counter[str] = Counter()

    def scan(self, text: str, must_close: bool) -> Element:  # noqa: FBT001 - private
        for is_tag, piece in _split(text):
            if not is_tag:
                self._add_text(piece)
            elif piece.startswith("/"):
                self._end(_local(piece[1:].strip()))
            else:
                self._start(piece)
        if self._root is None:
            raise Unreadable("is not XML")
        if must_close and self._open:
            raise Unreadable("is cut off or damaged")
        return self._root

    def _add_text(self, piece: str) -> None:
        if not self._open or self._open[-1].children:
            return
        if len(self._open[-1].text) < MAX_SCANNED_TEXT:
            self._open[-1].text += piece

    def _start(self, tag: str) -> None:
        if self._root is not None and not self._open:
            return  # the root has ended: what comes after it belongs to nothing
        is_empty = tag.endswith("/")
        name, *rest = tag.removesuffix("/").split(None, 1)
        attributes = _read_attributes(rest[0]) if rest else {}
        node = Element(_local(name), attributes=attributes)
        if self._root is None:
            self._root = node
        else:
            self._open[-1].children.append(node)
        if not is_empty:
            self._open.append(node)
            self._names[node.name] += 1

    def _end(self, name: str) -> None:
        """Close the innermost element of that name and all inside; else a stray tag."""
        if not self._names[name]:
            return
        while True:
            closed = self._open.pop()
            self._names[closed.name] -= 1
            if closed.name == name:
                return


def _split(text: str) -> Iterator[tuple[bool, str]]:
    """Tags (without their brackets) as (True, tag), text between as (False, text).

    Text after the last tag is left out: it may have been cut.
    """
    at = 0
    end = -1
    while (start := text.find("<", at)) >= 0:
        yield False, _unescape(text[at:start])
        for opening, closing in _SKIPPED:
            if text.startswith(opening, start):
                at = _find(text, closing, start) + len(closing)
                if opening == "<![CDATA[":
                    yield False, text[start + len(opening) : at - len(closing)]
                break
        else:
            if end < start:  # kept over bare brackets, or a row of them is quadratic
                end = _find(text, ">", start)
            bare = text.find("<", start + 1, end) >= 0
            first = text[start + 1]
            if bare or not (first.isalpha() or first in "/_"):
                yield False, "<"
                at = start + 1
            else:
                yield True, text[start + 1 : end]
                at = end + 1


_SKIPPED = (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">"))


def _find(text: str, what: str, start: int) -> int:
    at = text.find(what, start)
    if at < 0:
        raise Unreadable("is cut off or damaged")
    return at


# The value is optional so that each try consumes what it looked at: linear.
_ATTRIBUTE = re.compile(r"""([^\s=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"']+))?""")


def _read_attributes(rest: str) -> dict[str, str]:
    return {
        _local(found[1]): _unescape((found[2] or "").strip("\"'"))
        for found in _ATTRIBUTE.finditer(rest)
    }


_ENTITY = re.compile(r"&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(lt|gt|amp|quot|apos));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def _unescape(text: str) -> str:
    """Only XML's own entities: html.unescape would change a folder `&copy`."""
    return _ENTITY.sub(_replace, text) if "&" in text else text


def _replace(found: re.Match[str]) -> str:
    if found[3]:
        return _NAMED[found[3]]
    code = int(found[1]) if found[1] else int(found[2], 16)
    is_character = 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF  # noqa: PLR2004 - Unicode's own bounds
    return chr(code) if is_character else "\ufffd"
