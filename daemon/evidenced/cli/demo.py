"""`evidenced demo`."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where exports go; default: ./demo."),
    ] = None,
) -> None:
    """See it work on this machine: broker, simulated recorder and the real daemon.

    Example: [bold]evidenced demo --dir ./demo[/bold]
    """
    # the whole daemon and a broker: not loaded for the sake of `demo --help`
    raise typer.Exit(import_module("evidenced.demo").run(directory))
