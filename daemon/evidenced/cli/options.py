"""Options that several commands share, what Tab offers for them, and `-c`'s file."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from evidenced.cli.control import RunningDaemon, find_daemon
from evidenced.cli.table import ZONE
from evidenced.cli.terminal import ELSEWHERE, Failed
from evidenced.config import Config, ConfigUnreadable, load
from evidenced.config.compile import zone_of
from evidenced.config.lines import line_of
from evidenced.config.units import parse_duration
from evidenced.core.errors import ConfigError, EvidencedError
from evidenced.core.telling.asking import read_instant
from evidenced.host.clock import SystemClock

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


def checked_url(text: str) -> str:
    place = urlsplit(text)
    if text and (place.scheme not in {"http", "https"} or not place.hostname):
        raise Failed(
            f"--url {text!r} is no address; write for example https://evidence.example",
            code=2,
        )
    return text


Url = Annotated[
    str,
    typer.Option(
        metavar="URL",
        callback=checked_url,
        help="Ask the daemon whose page is there, and not the one of this host: "
        "for status, incidents, alarms, silences, trigger and save.",
    ),
]
User = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="With --url: one of its [web] users. The password is asked for, or "
        "taken from $EVIDENCED_PASSWORD if the page speaks https.",
    ),
]
InUtc = Annotated[
    bool, typer.Option("--utc", help="Times in UTC and not in the site's zone.")
]


def show_times(path: Path, *, utc: bool) -> None:
    """From now on tables have instants in the site's zone, or in UTC."""
    ZONE.set(None if utc else site_zone(path))


def daemon_of(path: Path) -> RunningDaemon:
    """The daemon that a command asks: of this configuration, or where --url says.

    Raises:
        Failed: exit 2, the configuration cannot be used.
    """
    url, user = ELSEWHERE.get()
    if url:
        return RunningDaemon(url=url.rstrip("/"), user=user)
    return find_daemon(load_config(path))


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
    """Exit 2, one line for each fault, each with the file and its line there."""
    return Failed(*(placed(path, each) for each in error.problems), code=2)


def placed(config: Path, fault: str) -> str:
    """A fault with its file and line, as editors and compilers write them."""
    place, _, text = fault.partition(": ")
    file = config
    if place.endswith(".toml"):  # of an included one
        file = config.parent / place
        place, _, text = text.partition(": ")
    try:
        line = line_of(file.read_text(encoding="utf-8"), place)
    except (OSError, ValueError):  # one that comes with evidenced, or is no text
        line = None
    return f"{config}: {fault}" if line is None else f"{file}:{line}: {place}: {text}"


def site_zone(path: Path) -> tzinfo:
    """The zone of the site: local times are read and shown in it.

    Of a daemon elsewhere, whose configuration is not here, that of this host.
    """
    url, _ = ELSEWHERE.get()
    return zone_of("" if url else load_config(path).daemon.timezone)


def parse_time(text: str, zone: tzinfo, option: str = "--at") -> datetime:
    """The instant that is meant; without a zone of its own it is local time.

    Raises:
        Failed: exit 2, it is none.
    """
    with suppress(ValueError, OverflowError):
        at = read_instant(text, SystemClock().now(), zone)
        if at is not None:
            return at
    raise Failed(
        f"{option} {text!r} is no time; write for example 2026-11-23T06:15:30Z, "
        "'2026-11-23 07:15:30' (local time), 'tuesday 14:00', yesterday or 7d",
        code=2,
    )


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


PATIENCE = timedelta(seconds=2)
"""For a daemon that hangs: somebody has pressed Tab and waits for their shell."""


def rules(context: typer.Context, incomplete: str) -> list[str]:
    """Names of rules that begin so."""
    config = _config(context)
    found = [rule.name for rule in config.rules] if config else []
    return _beginning(found, incomplete)


def cameras(context: typer.Context, incomplete: str) -> list[str]:
    """Names of cameras that begin so."""
    config = _config(context)
    return _beginning(config.cameras if config else [], incomplete)


def recorders(context: typer.Context, incomplete: str) -> list[str]:
    """Names of recorders that begin so."""
    config = _config(context)
    return _beginning(config.recorders if config else [], incomplete)


def incident_ids(context: typer.Context, incomplete: str) -> list[str]:
    """Ids of the newest incidents that begin so, as the running daemon knows them."""
    config = _config(context)
    try:
        daemon = replace(find_daemon(config), timeout=PATIENCE) if config else None
        answer = daemon.get("/api/incidents") if daemon else {}
    except Failed:
        return []
    return _beginning([each["id"] for each in answer.get("incidents", [])], incomplete)


def _config(context: typer.Context) -> Config | None:
    path = context.params.get("config") or DEFAULT_CONFIG
    try:
        return load_config(Path(path))
    except (Failed, EvidencedError, OSError):
        return None


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


IncidentArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="As `evidenced incidents list` shows it; its unique beginning or end.",
        autocompletion=incident_ids,
    ),
]
