"""The ready-made rules that come with evidenced, one file for each alarm system."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

_TITLE = re.compile(r"# (.*)\n")
_PART = re.compile(r"^# ([A-Z][a-z]+): +(.*(?:\n#  +.*)*)", re.MULTILINE)


def shipped_folder() -> Path | None:
    """The folder that has `systems/`: in the package, or in a checkout `config/`."""
    package = Path(__file__).parents[1]
    for folder in (package, package.parents[1] / "config"):
        if (folder / "systems").is_dir():
            return folder
    return None


def shipped_names() -> tuple[str, ...]:
    """What can be included without having it: "systems/axis.toml" and so on."""
    folder = shipped_folder()
    found = folder.glob("systems/*.toml") if folder else ()
    return tuple(sorted(f"systems/{file.name}" for file in found))


def render_systems() -> str:
    """A table of them in Markdown, from the comments that they begin with."""
    folder = shipped_folder()
    rows = (
        " | ".join(("", f"`{name}`", *_cells((folder / name).read_text()), "")).strip()
        for name in shipped_names()
        if folder is not None
    )
    columns = "| file | system | through | an alarm is | cameras: rules |"
    head = (columns, "|---|---|---|---|---|")
    return "\n".join((*head, *rows)) + "\n"


def _cells(text: str) -> Iterator[str]:
    """The system, its bridge, what an alarm is, cameras and rules."""
    title = _TITLE.match(text)
    yield title[1] if title else ""
    parts = dict(_PART.findall(text))
    yield from (re.sub(r"\n# +", " ", parts[name]) for name in ("Bridge", "Alarm"))
    rules = tomllib.loads(text)["rules"]
    names = (
        f"`{rule['name']}`" if rule.get("enabled", True) else f"(`{rule['name']}`)"
        for rule in rules
    )
    yield f"`{rules[0]['cameras'][0]}`: {', '.join(names)}"
