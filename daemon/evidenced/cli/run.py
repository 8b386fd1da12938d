"""`evidenced run`."""

from importlib import import_module

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
