"""The index of a destination: what lies there, for who has the share and nothing else.

Incidents are pruned long before their footage goes. `index.json` is for programs,
`index.html` for people; both name each folder with what it is of. Pure.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape
from urllib.parse import quote

from evidenced.core.alarms.payload import one_line
from evidenced.core.instants import render_utc
from evidenced.core.keeping.evidence import PAGE
from evidenced.core.keeping.footage import FootageFolder, words
from evidenced.core.phrase import ENGLISH, Tongue, phrase, plural, said
from evidenced.core.spoken import span_words, stamp
from evidenced.core.telling.manifest import encode
from evidenced.core.telling.said import said_in

FORMAT = "evidenced-index"
VERSION = 1
MOST = 5000
"""Folders in one index, the newest: a page that a browser still opens at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One folder of the index; `way` are the names that lead there from the root."""

    footage: FootageFolder
    way: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """`is_cut` is whether older folders are left out."""

    instance: str
    site: str
    zone: tzinfo
    at: datetime
    shelves: Sequence[Shelf]
    is_cut: bool = False


def index_json(index: Index) -> bytes:
    """For programs, and for whoever writes it the next time: it says whose it is."""
    return encode(
        {
            "format": FORMAT,
            "version": VERSION,
            "instance": index.instance,
            "site": index.site,
            "written": render_utc(index.at),
            "is_cut": index.is_cut,
            "folders": [_value(each) for each in index.shelves],
        }
    )


def _value(shelf: Shelf) -> dict[str, object]:
    footage, of = shelf.footage, shelf.footage.depicted
    return {
        "folder": "/".join(shelf.way),
        "incident": footage.incident,
        "rule": of.rule,
        "label": of.label,
        "summary": of.summary,
        "cameras": list(of.cameras),
        "opened": render_utc(of.opened_at),
        "ended": render_utc(footage.ended_at),
        "files": footage.files,
        "bytes": footage.size_bytes,
        "record": footage.sha256,
        "state": footage.state,
        "became": words(footage),
    }


def instance_of(data: bytes) -> str:
    """Whose index these bytes are.

    Raises:
        BadInput: they are none.
    """
    said = said_in(data, "it is no index of evidenced")
    if said.maybe("format", str) != FORMAT:
        raise said.damaged("its `format` is another")
    return said.text("instance")


def index_page(index: Index, tongue: Tongue = ENGLISH) -> bytes:
    """For people, in this language: the newest first, without script or network."""
    return "\n".join(_page(index, tongue)).encode("utf-8", "replace")


_HEAD = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" \
content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title><style>
body{{font:16px/1.4 system-ui,sans-serif;margin:1.5rem;color:#111;background:#fff}}
table{{border-collapse:collapse;width:100%}}
th,td{{text-align:left;vertical-align:top;padding:.4rem .6rem;\
border-bottom:1px solid #ccc;overflow-wrap:anywhere}}
</style></head><body><h1>{title}</h1>"""


def _page(index: Index, tongue: Tongue) -> Iterator[str]:
    def say(text: str) -> str:
        return escape(said(text, tongue))

    title = say(phrase("Footage of {site}", site=index.site or index.instance))
    yield _HEAD.format(title=title, lang=tongue.code)
    number = plural(
        "{n} folder, as of {at}.",
        "{n} folders, the newest first, as of {at}.",
        len(index.shelves),
        at=stamp(index.at, index.zone),
    )
    search = phrase("Find a camera, a rule or a day with the search of the browser.")
    yield f"<p>{say(number)} {say(search)}</p>"
    if index.is_cut:
        older = phrase("Older ones than these {n} lie here, too.", n=MOST)
        yield f"<p>{say(older)}</p>"
    head = "".join(f"<th>{say(each)}</th>" for each in _COLUMNS)
    yield f"<table><thead><tr>{head}</tr></thead><tbody>"
    for shelf in index.shelves:
        yield _row(shelf, index.zone, say)
    yield "</tbody></table></body></html>\n"


_COLUMNS = (phrase("When"), phrase("What"), phrase("Cameras"), phrase("Folder"))


def _row(shelf: Shelf, zone: tzinfo, say: Callable[[str], str]) -> str:
    footage, of = shelf.footage, shelf.footage.depicted
    link = "/".join(quote(each, safe="", errors="replace") for each in shelf.way)
    cells = [
        say(span_words(of.opened_at, footage.ended_at, zone)),
        escape(one_line(of.summary or of.label or of.rule, 200)),
        escape(", ".join(of.cameras)),
        f'<a href="./{link}/{PAGE}">{escape(one_line("/".join(shelf.way), 300))}</a>',
    ]
    if became := words(footage):
        cells[-1] += f"<br>{say(became)}"
    return f"<tr>{''.join(f'<td>{each}</td>' for each in cells)}</tr>"
