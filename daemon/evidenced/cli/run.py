"""`evidenced run`."""

from importlib import import_module

import typer

from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile


def register(app: typer.Typer) -> None:
    app.command()(run)


def run(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Run the daemon in the foreground, until SIGTERM or Ctrl-C.

    SIGHUP reloads the configuration as a whole, or not at all.

    Example: [bold]evidenced run -c evidenced.toml[/bold]
    """
    # the whole daemon: not loaded for the sake of `run --help`
    raise typer.Exit(import_module("evidenced.app").run(config))
