"""The project's documents, and what stands in them that code can be asked about."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import typer

from evidenced.cli.main import make_app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / name
    for name in (
        *("README.md", "CHANGELOG.md", "config/README.md", "daemon/README.md"),
        "daemon/evidenced/simulator/README.md",
        *("systemd/README.md", "systemd/SECURITY.md"),
        *("tests/README.md", "tests/pulled/README.md"),
    )
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


def prose(text: str) -> str:
    """Without what is fenced."""
    return FENCE.sub("", text)


def blocks(text: str) -> list[str]:
    """What is to be copied: fenced, or indented by four blanks behind an empty line."""
    indented: list[list[str]] = []
    before = ""
    for line in prose(text).splitlines():
        if line.startswith("    ") and (not before or before.startswith("    ")):
            if not before:
                indented.append([])
            indented[-1].append(line[4:])
        before = line
    return [found[2] for found in FENCE.finditer(text)] + [
        "\n".join(lines) for lines in indented if lines
    ]


def spans(text: str) -> list[str]:
    """What stands in backquotes, on one line."""
    flowing = (part for part in re.split(r"\n\s*\n|\n(?=\|)", prose(text)))
    found = (match[2] for part in flowing for match in SPAN.finditer(part))
    return [" ".join(span.split()) for span in found]


def anchors(text: str) -> set[str]:
    """Of the headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
        for title in titles
    }


@cache
def commands() -> dict[tuple[str, ...], frozenset[str]]:
    """Each command by its words, with its options, those of its family among them."""
    found: dict[tuple[str, ...], frozenset[str]] = {}

    def walk(words: tuple[str, ...], command: Any, above: frozenset[str]) -> None:
        own = chain.from_iterable(
            [*each.opts, *each.secondary_opts] for each in command.params
        )
        options = above | {each for each in own if each.startswith("-")} | {"--help"}
        found[words] = options
        for name, inner in getattr(command, "commands", {}).items():
            walk((*words, name), inner, options)

    walk((), typer.main.get_command(make_app([])), frozenset())
    return found


def faults_of(line: str) -> Iterator[str]:
    """What is wrong with the commands `evidenced ...` in a line, if anything."""
    for call in re.split(r"&&|\||;|\$\(|\bthen\b", line):
        words = re.sub(r"(\s|^)#.*", "", call).replace("=", " ").split()
        words = [word.strip("\"',.:()[]`") for word in words if word != "sudo"]
        if words and (words[0] == "evidenced" or words[0].endswith("bin/evidenced")):
            yield from _faults(words[1:])


def _faults(words: list[str]) -> Iterator[str]:
    """Of the words behind the program's name."""
    path: tuple[str, ...] = ()
    value_of = ""
    for word in words:
        if (*path, word) in commands():
            path = (*path, word)
        elif word.startswith("-") and word.strip("-"):
            if word not in taken_by(path):
                yield f"{' '.join(('evidenced', *path))} takes no {word}"
            value_of = word
            continue
        elif not path and not value_of and re.fullmatch("[a-z]+", word):
            yield f"there is no command {word}"
            return
        value_of = ""


def taken_by(path: tuple[str, ...]) -> frozenset[str]:
    """Its options; a family without a word behind it lists."""
    return commands()[path] | commands().get((*path, "list"), frozenset())
