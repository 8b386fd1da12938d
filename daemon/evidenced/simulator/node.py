"""XML as plain values: what came in, strictly read, and what goes out.

Written apart from the daemon's own client on purpose: a mistake in one of the two
must show as a disagreement, not be mirrored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from lxml import etree

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
