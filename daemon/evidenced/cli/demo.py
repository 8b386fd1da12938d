"""`evidenced demo`."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer


def demo(
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where exports go; default: ./demo."),
    ] = None,
    stay: Annotated[
        bool,
        typer.Option("--stay", help="Keep all of it, and the page, up until Ctrl-C."),
    ] = False,
) -> None:
    """See it work on this machine: broker, simulated recorder and the real daemon.

    Six alarms of different systems end as exported, signed folders; with --stay the
    page can be looked at for as long as you like.

    Example: `evidenced demo --stay`
    """
    # the whole daemon and a broker: not loaded for the sake of `demo --help`
    raise typer.Exit(import_module("evidenced.demo").run(directory, stays=stay))
