"""How this recorder spells its XML: the variants that the vendor's text leaves open."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from evidenced.simulator.asked import JobState
from evidenced.simulator.codes import TEXTS
from evidenced.simulator.export import Export, ExportPart
from evidenced.simulator.order import PROLOG, Node, render
from evidenced.simulator.scenario import InfoScenario, WordsScenario, Xml

COMMENT_PROLOG = '<!--?xml version="1.0" encoding="UTF-8"?-->'
_CASES: Mapping[str, Callable[[str], str]] = {
    "lower": str,
    "upper": str.upper,
    "title": str.title,
}


class Dialect:
    def __init__(self, xml: Xml, words: WordsScenario) -> None:
        self._xml = xml
        self._words: Mapping[JobState, str] = {
            JobState.PENDING: words.pending,
            JobState.RUNNING: words.running,
            JobState.DONE: words.done,
            JobState.FAILED: words.failed,
            JobState.CANCELLED: words.cancelled,
        }
        self._zone = ZoneInfo(xml.zone)

    @property
    def success(self) -> int:
        return self._xml.success_code

    def result(
        self,
        code: int,
        *children: Node,
        text: str = "",
        attributes: Mapping[str, str] | None = None,
    ) -> bytes:
        """A result document."""
        text = text or TEXTS.get(code, "")
        described = (
            (Node("description", text),) if text and self._xml.descriptions else ()
        )
        return self.document(
            Node(
                "result",
                children=(*described, *children),
                attributes={"errorcode": str(code), **(attributes or {})},
            )
        )

    def listing(self, exports: list[Export]) -> bytes:
        """The status list; malformed as the vendor's sample is, if so wanted."""
        nodes = tuple(self._entry(export) for export in exports)
        count = {"count": str(len(nodes))}
        body = self.result(
            self.success, Node("exports", children=nodes, attributes=count)
        )
        return _malformed(body) if self._xml.malformed_list else body

    def document(self, root: Node) -> bytes:
        return (PROLOG + render(self._styled(root))).encode("utf-8")

    def time(self, at: datetime) -> str:
        """An instant as the replies write it."""
        local = at.astimezone(self._zone).replace(tzinfo=None)
        return local.isoformat(
            sep=" ", timespec="seconds" if self._xml.times == "s" else "milliseconds"
        )

    def image(self, at: datetime) -> Node:
        """One entry of getImageSequence."""
        name, time = self._xml.image_entry, self.time(at)
        if self._xml.image_time == "attribute":
            return Node(name, attributes={"time": time})
        return Node(name, children=(Node("time", time),))

    def blanks(self, text: str) -> str:
        return text + "  " if self._xml.trailing_blanks else text

    def _entry(self, export: Export) -> Node:
        if export.is_live or export.word is not None:
            return self._export(export)
        if export.listed_as is None:
            export.listed_as = render(self._styled(self._export(export)))
        return Node("export", ready=export.listed_as)

    def _export(self, export: Export) -> Node:
        devices = tuple(self._part(export, part) for part in export.parts)
        return Node(
            "export",
            children=(
                Node("exportid", str(export.exportid)),
                Node("path", export.path),
                self._status(export.word, export.state),
                Node("bandwidth", str(export.bandwidth)),
                Node("devices", children=devices),
            ),
        )

    def _part(self, export: Export, part: ExportPart) -> Node:
        percent = self._percent(part)
        return Node(
            "device",
            children=(
                Node("serverid", part.asked.server),
                Node("deviceid", part.asked.device),
                Node("starttime", self.time(part.asked.window.start)),
                Node("endtime", self.time(part.asked.window.end)),
                *(() if percent is None else (Node("progress", percent),)),
                self._status(export.word, part.state),
            ),
        )

    def _status(self, word: str | None, state: JobState) -> Node:
        text = self._words[state] if word is None else word
        if self._xml.status_as == "description":
            return Node("status", attributes={"description": text})
        return Node("status", text)

    def _percent(self, part: ExportPart) -> str | None:
        match self._xml.progress:
            case "percent":
                return str(int(part.percent))
            case "decimal":
                return f"{part.percent:.2f}"
            case "sign":
                return f"{int(part.percent)}%"
            case "zero":
                return "0"
            case "absent":
                return None

    def _styled(self, node: Node) -> Node:
        if node.ready:
            return node
        case = _CASES[self._xml.tag_case]
        extra: tuple[Node, ...] = ()
        attributes = {case(name): value for name, value in node.attributes.items()}
        if self._xml.extra_nodes and not node.text:
            extra = (Node("futureTag", children=(Node("futureSubTag", "17"),)),)
            attributes["futureAttribute"] = "1"
        return Node(
            case(node.name),
            node.text,
            (*extra, *map(self._styled, node.children)),
            attributes,
        )


def info(settings: InfoScenario, own_now: datetime) -> bytes:
    """/info; malformed as the vendor's sample: utc is never closed, stray end tags."""
    utc = f"{own_now:%Y-%m-%d %H:%M:%S}"
    if settings.form == "malformed":
        text = (
            f"{COMMENT_PROLOG}<apiinfo><utc>{utc}"
            f"<version>{settings.version}</version></info></apiinfo></utc>"
        )
        return text.encode("utf-8")
    root = Node(
        "apiinfo", children=(Node("utc", utc), Node("version", settings.version))
    )
    return (PROLOG + render(root)).encode("utf-8")


def _malformed(body: bytes) -> bytes:
    """The vendor's sample: count unquoted, device not closed, prolog a comment."""
    text = body.decode("utf-8").replace(PROLOG, COMMENT_PROLOG)
    text = re.sub(r'(count)="(\d+)"', r"\1=\2", text, flags=re.IGNORECASE)
    return re.sub("</device>", "", text, flags=re.IGNORECASE).encode("utf-8")
