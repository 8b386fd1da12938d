"""Options that several commands share, and the file that `-c` names."""

from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.terminal import Failed
from evidenced.config import Config, ConfigUnreadable, load
from evidenced.config.units import parse_duration
from evidenced.core.errors import ConfigError
from evidenced.core.instants import floor_ms

DEFAULT_CONFIG = Path("/etc/evidenced/evidenced.toml")
"""Source: interfaces.md; the systemd unit names the same."""

ConfigFile = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        envvar="EVIDENCED_CONFIG",
        help="The configuration file.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")]


def load_config(path: Path) -> Config:
    """The configuration, without its warnings: `evidenced check` tells those.

    Raises:
        Failed: exit 2, one line for each fault.
    """
    try:
        return load(path).config
    except ConfigUnreadable as error:
        raise Failed(str(error), code=2) from None
    except ConfigError as error:
        raise wrong(path, error) from None


def wrong(path: Path, error: ConfigError) -> Failed:
    """Exit 2, one line for each fault, each with the file."""
    return Failed(*(f"{path}: {each}" for each in error.problems), code=2)


def parse_time(text: str, zone: tzinfo, option: str = "--at") -> datetime:
    """The instant that ISO 8601 text says; without a zone it is local time.

    Raises:
        Failed: exit 2, it is none.
    """
    try:
        at = datetime.fromisoformat(text.strip())
        return floor_ms(at.replace(tzinfo=zone) if at.tzinfo is None else at)
    except (ValueError, OverflowError):
        raise Failed(
            f"{option} {text!r} is no time; write for example "
            "2026-11-23T06:15:30Z or '2026-11-23 07:15:30' (local time)",
            code=2,
        ) from None


def read_duration(text: str, option: str) -> timedelta:
    """The duration that an option says.

    Raises:
        Failed: exit 2, it is none.
    """
    try:
        return parse_duration(text)
    except ValueError:
        raise Failed(
            f"{option} {text!r} is no duration; write for example 30s, 10m or 1h30m",
            code=2,
        ) from None
