"""What `--help` says, whole: a table's name in brackets is no markup."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from evidenced.cli.main import make_app
from evidenced.cli.prose import unwrapped

MARKUP = {"bold", "/bold"}
BRACKETS = re.compile(r"(?<!\\)\[([a-z#/@][^\[\]]*)\]")
"""Where rich takes brackets for markup. Source: rich, Console Markup, Escaping."""


def commands() -> Iterator[tuple[str, Any]]:
    def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        yield name, command
        for each, inner in getattr(command, "commands", {}).items():
            yield from walk(f"{name} {each}", inner)

    yield from walk("evidenced", typer.main.get_command(make_app([])))


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=str)
def test_no_word_of_the_help_is_taken_for_markup(name: str, command: Any) -> None:
    texts = [command.help or ""]
    texts += [getattr(each, "help", None) or "" for each in command.params]
    found = {word for text in texts for word in BRACKETS.findall(text)} - MARKUP
    assert found == set(), name


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=str)
def test_paragraphs_of_the_help_flow(name: str, command: Any) -> None:
    for paragraph in (command.help or "").split("\n\n"):
        assert "\n" not in paragraph or "\n  " in paragraph, name


def test_a_paragraph_with_indented_lines_stays_as_it_is() -> None:
    text = """One
    sentence.

    Then:
      as it is
    """
    assert unwrapped(text) == "One sentence.\n\nThen:\n  as it is"
