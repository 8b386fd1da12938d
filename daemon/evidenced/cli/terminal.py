"""What commands say: results on stdout, one line for each fault on stderr.

Much of it comes out of payloads, so nothing that a terminal obeys gets through.
"""

import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable
from contextvars import ContextVar
from shutil import get_terminal_size
from typing import Annotated

import typer

from evidenced.core.alarms.payload import OBEYED, one_line

MAX_LINE = 2000
LABEL_WIDTH = 12
NARROWEST = 20
FAULT = 70
"""Exit after a fault of ours. Source: sysexits.h, EX_SOFTWARE."""

ELSEWHERE = ContextVar("elsewhere", default=("", ""))
"""Another daemon's page and a user there, as --url and --user said."""

AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")]


class Failed(Exception):  # noqa: N818 - a way out, not a fault of the program
    """The command ends here: these lines on stderr, this exit code."""

    def __init__(self, *lines: str, code: int) -> None:
        super().__init__(*lines)
        self.lines = lines
        self.code = code


def say(text: str = "") -> None:
    """One line on stdout, whole: it may be meant to be copied."""
    typer.echo(one_line(text, len(text)))


def say_labelled(label: str, lines: Iterable[str]) -> None:
    """Lines beside one label; without one from the margin on, to be copied."""
    if not label:
        for line in lines:
            say(line)
        return
    for n, line in enumerate(lines):
        shown = typer.style(f"{label if n == 0 else '':<{LABEL_WIDTH}}", bold=True)
        typer.echo(f"{shown} {one_line(line, MAX_LINE)}")


def folded(text: str, taken: int = 0) -> list[str]:
    """A sentence as a terminal shows it in whole words; elsewhere it is one line.

    `taken` columns are something else's; later lines are indented as the first is. Not
    for what may be copied, such as a path.
    """
    margin = " " * (len(text) - len(text.lstrip()))
    if not sys.stdout.isatty():
        return [text]
    return textwrap.wrap(
        text,
        max(get_terminal_size().columns - taken, NARROWEST),
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [text]


def say_json(value: object) -> None:
    """JSON on stdout. On a terminal letters of all languages are themselves.

    What a terminal obeys is escaped, and so is what turns text around.
    """
    text = json.dumps(value, indent=2, ensure_ascii=not sys.stdout.isatty())
    lines = text.split("\n")
    typer.echo("\n".join(OBEYED.sub(_escaped, line) for line in lines))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def tell(value: object, text: str, *, as_json: bool) -> None:
    """What a command has done, for programs or for people."""
    if as_json:
        say_json(value)
    else:
        say(text)


def note(line: str) -> None:
    """What a person who waits wants to know, on stderr: stdout is for the result."""
    typer.secho(one_line(line, MAX_LINE), fg="bright_black", err=True)


def complain(line: str) -> None:
    """One fault on stderr, its first word red on a terminal."""
    typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(one_line(line, MAX_LINE), err=True)


def warn(line: str) -> None:
    """One warning on stderr."""
    typer.secho("warning: ", fg="yellow", bold=True, nl=False, err=True)
    typer.echo(one_line(line, MAX_LINE), err=True)


def prepare_streams() -> None:
    """A character that the terminal cannot show is escaped instead of fatal."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def silence_stdout() -> None:
    """Nobody reads on: keep the interpreter's last flush from failing loudly."""
    handle = os.open(os.devnull, os.O_WRONLY)
    os.dup2(handle, sys.stdout.fileno())
    os.close(handle)
