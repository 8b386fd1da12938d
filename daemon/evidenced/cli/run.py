"""`evidenced run` and `evidenced demo`."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import structlog
import typer

from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, wrong
from evidenced.cli.terminal import FAULT
from evidenced.core.errors import ConfigError, EvidencedError


def run(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Run the daemon in the foreground, until SIGTERM or Ctrl-C.

    SIGHUP reloads the configuration as a whole, or not at all.

    Example: `evidenced run -c evidenced.toml`
    """
    # the whole daemon: not loaded for the sake of `run --help`
    daemon = import_module("evidenced.app")
    try:
        code = daemon.run(config)
    except ConfigError as error:
        raise wrong(config, error) from None
    except EvidencedError:
        raise  # told in one line, as by every command
    except Exception:  # noqa: BLE001 - systemd restarts it; the log keeps why it died
        structlog.get_logger().exception("evidenced died of a fault of its own")
        code = FAULT
    raise typer.Exit(code)


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
