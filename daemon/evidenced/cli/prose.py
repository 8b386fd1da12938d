"""Help as flowing text: docstrings break lines for code, terminals for themselves."""

import inspect
import re
from collections.abc import Callable

import typer


def unwrapped(text: str) -> str:
    """Each paragraph on one line; one with indented lines stays as it is."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        each if re.search(r"^\s", each, re.MULTILINE) else each.replace("\n", " ")
        for each in paragraphs
    )


def flow(app: typer.Typer) -> None:
    """Let the help of every command and family of an app flow."""
    for command in app.registered_commands:
        command.help = command.help or _doc(command.callback)
    for group in app.registered_groups:
        family = group.typer_instance
        if family is None:
            continue
        if family.registered_callback is not None:
            family.registered_callback.help = _doc(family.registered_callback.callback)
        flow(family)


def _doc(callback: Callable[..., object] | None) -> str | None:
    text = callback.__doc__ if callback else None
    return unwrapped(text) if text else None
