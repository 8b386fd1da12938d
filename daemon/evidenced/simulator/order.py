"""exportVideo's body, strictly read after part A of the interface.

Element names are compared without case and their order is free (sense-api.md B8); an
element or attribute that part A does not have is refused with -18, although a real
recorder may ignore it: a double is there to find the client's mistakes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape

from lxml import etree

from evidenced.core.window import Window
from evidenced.simulator.asked import AskedExport, AskedWindow
from evidenced.simulator.codes import Code, CommandDenied

PROLOG = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass(frozen=True, slots=True)
class Node:
    """`ready`: it is rendered already; a long list's entries mostly do not change."""

    name: str
    text: str = ""
    children: tuple["Node", ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    ready: str = ""


class BadXml(ValueError):  # noqa: N818 - said of input, not of us
    """A body that is no plain XML document; the text says why."""


def parse(body: bytes) -> Node:
    """The document of a request.

    Raises:
        BadXml: not well-formed, or with a document type (entities).
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadXml(f"not well-formed: {error}") from error
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise BadXml("a document type is not accepted")
    return _node(root)


def _node(element: etree._Element) -> Node:
    """Recursion ends: without huge_tree libxml2 stops at a depth of 256."""
    return Node(
        name=str(element.tag),
        text=(element.text or "").strip(),
        children=tuple(_node(child) for child in element),
        attributes={str(key): str(value) for key, value in element.attrib.items()},
    )


def render(node: Node) -> str:
    if node.ready:
        return node.ready
    attributes = "".join(
        f' {name}="{escape(value)}"' for name, value in node.attributes.items()
    )
    inner = escape(node.text, quote=False) + "".join(map(render, node.children))
    if not inner:
        return f"<{node.name}{attributes}/>"
    return f"<{node.name}{attributes}>{inner}</{node.name}>"


BODY_LIMIT = 1 << 20
_STRICT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", re.ASCII)
_LENIENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3})?", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}")


def read_document(body: bytes, root: str) -> Node:
    """The document of a request, whose root has this name.

    Raises:
        Denied: -18, with what is wrong as its text.
    """
    if len(body) > BODY_LIMIT:
        raise CommandDenied(Code.GENERAL, "body too large")
    try:
        node = parse(body)
    except BadXml as error:
        raise CommandDenied(Code.GENERAL, str(error)) from error
    if node.name.lower() != root.lower():
        raise CommandDenied(Code.GENERAL, f"root is {node.name}, not {root}")
    return node


def read_order(body: bytes) -> AskedExport:
    """What an exportVideo asks for.

    The first fault found counts, in this order: the document's form, then each device
    (-33, -34, -4, -37), then bandwidth (-22) and path (-58).

    Raises:
        Denied: the code of that fault.
    """
    export = children(read_document(body, "export"), {"devices", "path", "bandwidth"})
    listed = _devices(export.get("devices"))
    return AskedExport(
        devices=tuple(_device(node) for node in listed),
        bandwidth=_bandwidth(export.get("bandwidth")),
        path=_path(export.get("path")),
    )


def children(node: Node, known: set[str]) -> Mapping[str, Node]:
    """A node's children by lower-case name.

    Raises:
        Denied: -18: one is unknown or there twice, or there is an attribute.
    """
    found: dict[str, Node] = {}
    if node.attributes:
        raise CommandDenied(Code.GENERAL, f"{node.name}: unknown attribute")
    for child in node.children:
        name = child.name.lower()
        if name not in known:
            raise CommandDenied(
                Code.GENERAL, f"{node.name}: unknown element {child.name}"
            )
        if name in found:
            raise CommandDenied(Code.GENERAL, f"{node.name}: {name} is there twice")
        found[name] = child
    return found


def leaf(found: Mapping[str, Node], name: str) -> str:
    """The trimmed text of a child, empty where there is none.

    Raises:
        Denied: -18: there are elements or attributes where a text belongs.
    """
    node = found.get(name)
    if node is None:
        return ""
    if node.children or node.attributes:
        raise CommandDenied(Code.GENERAL, f"{name}: a text was expected")
    return node.text


def read_time(text: str, *, is_strict: bool = True) -> datetime:
    """`yyyy-mm-dd hh:nn:ss.zzz` as a UTC instant; lenient: without .zzz as well.

    Raises:
        Denied: -4.
    """
    form = _STRICT if is_strict else _LENIENT
    if not form.fullmatch(text):
        raise CommandDenied(Code.BAD_TIME, f"timestamp {text[:40]!r}")
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise CommandDenied(Code.BAD_TIME, f"timestamp {text!r}") from error


def _devices(node: Node | None) -> tuple[Node, ...]:
    listed = node.children if node else ()
    if not listed:
        raise CommandDenied(Code.TOO_FEW, "no devices")
    strays = [child.name for child in listed if child.name.lower() != "device"]
    if strays:
        raise CommandDenied(Code.GENERAL, f"devices: unknown element {strays[0]}")
    return listed


def _device(node: Node) -> AskedWindow:
    found = children(node, {"serverid", "deviceid", "starttime", "endtime"})
    server, device = leaf(found, "serverid"), leaf(found, "deviceid")
    if not server:
        raise CommandDenied(Code.NO_SERVER_ID)
    if not device:
        raise CommandDenied(Code.NO_DEVICE_ID)
    start = read_time(leaf(found, "starttime"))
    end = read_time(leaf(found, "endtime"))
    if end < start:
        raise CommandDenied(Code.END_BEFORE_START)
    return AskedWindow(
        server=server,
        device=device,
        window=Window(start=start, end=end),
    )


def _bandwidth(node: Node | None) -> int:
    """Optional; an element without a number is no number."""
    if node is None:
        return 0
    text = leaf({"bandwidth": node}, "bandwidth")
    if not _NUMBER.fullmatch(text):
        raise CommandDenied(Code.OUT_OF_RANGE, f"bandwidth {text[:40]!r}")
    return int(text)


def _path(node: Node | None) -> str:
    text = leaf({"path": node}, "path") if node else ""
    if not text:
        raise CommandDenied(Code.BAD_PATH, "no path")
    return text
