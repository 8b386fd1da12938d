"""Draws what daemon/README.md shows of the code: `python tests/fakes/drawing.py`."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidenced.core.exports.line import LINES
from evidenced.core.incidents.states import CLIPS, EXPORTS, INCIDENTS
from evidenced.core.keeping.evidence import RECORDS
from evidenced.core.keeping.footage import FOOTAGE
from evidenced.core.keeping.still import STILLS
from evidenced.core.keeping.tag import TAGS
from evidenced.core.machine import Machine

ROOT = Path(__file__).parents[2]
README = ROOT / "daemon" / "README.md"
MACHINES: tuple[tuple[Machine[Any], str], ...] = (
    (CLIPS, "recording"),
    (EXPORTS, "requested"),
    (TAGS, "wanted"),
    (STILLS, "wanted"),
    (RECORDS, "wanted"),
    (FOOTAGE, "kept"),
    (LINES, "up"),
)
"""Each with the state that it begins in."""


def parts() -> dict[str, str]:
    """By the name of its place in the document, what stands there."""
    return {"layers": "\n".join(_layers()), "machines": "\n".join(_machines())}


def filled(text: str) -> str:
    """The document with each part in its place."""
    for name, part in parts().items():
        place = rf"(<!-- {name} -->\n).*(<!-- end of {name} -->)"
        drawn = f"\\g<1>{part.replace(chr(92), chr(92) * 2)}\n\\g<2>"
        text, count = re.subn(place, drawn, text, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"the document has {count} places for {name}")
    return text


def _layers() -> Iterator[str]:
    """The import contracts of pyproject.toml, what may import others first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for contract in project["tool"]["importlinter"]["contracts"]:
        if contract["type"] != "layers":
            continue
        inside = contract.get("containers", [""])[0].removeprefix("evidenced.")
        yield "```text"
        for layer in contract["layers"]:
            names = layer.replace("evidenced.", "").split(" | ")
            where = f"{inside}." if inside else ""
            yield "  ".join(f"{where}{name}" for name in names)
        yield "```"


def _machines() -> Iterator[str]:
    for machine, start in MACHINES:
        yield f"### {machine.name.capitalize()}\n"
        yield "```mermaid"
        yield "stateDiagram-v2"
        yield f"    [*] --> {start}"
        for state, facts in machine.table.items():
            following = [after for after in machine.table if after in facts.to]
            yield from (f"    {state} --> {after}" for after in following or ["[*]"])
        yield "```\n"
        yield from _facts(machine)
        yield ""
    yield "### Incident\n"
    yield from _facts(INCIDENTS)


def _facts(machine: Machine[Any]) -> Iterator[str]:
    """Who moves each state on and what a crash in it means, as a table."""
    yield "| state | moved on by | a crash here |"
    yield "|---|---|---|"
    for state, facts in machine.table.items():
        yield f"| `{state}` | {facts.by} | {facts.crash} |"


if __name__ == "__main__":
    README.write_text(filled(README.read_text()))
