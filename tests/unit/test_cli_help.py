"""What `--help` says, whole: a table's name in brackets is no markup."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from evidenced.cli.main import COMMANDS, make_app, run

BRACKETS = re.compile(r"\[[a-z]+\]")


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    def walk(names: tuple[str, ...], command: Any) -> Iterator[tuple[Any, Any]]:
        yield names, command
        for each, inner in getattr(command, "commands", {}).items():
            yield from walk((*names, each), inner)

    yield from walk((), typer.main.get_command(make_app([])))


@pytest.mark.parametrize(("names", "command"), list(commands()), ids=str)
def test_the_help_is_shown_whole(
    names: tuple[str, ...], command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*names, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "`" not in shown
    texts = [command.help or ""]
    texts += [getattr(each, "help", None) or "" for each in command.params]
    tables = {word for text in texts for word in BRACKETS.findall(text)}
    assert {word for word in tables if word not in shown} == set()
    first = texts[0].split("\n\n")[0]
    assert "".join(first.split()) in "".join(shown.split())


def test_help_of_every_command_is_looked_at() -> None:
    assert {names[0] for names, _ in commands() if names} == set(COMMANDS)
