"""What the shell offers after Tab, from the configuration that the line names.

A line that is half typed has no faults to tell: whatever goes wrong offers nothing.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import typer

from evidenced.cli.control import find_daemon
from evidenced.cli.options import DEFAULT_CONFIG, load_config
from evidenced.cli.terminal import Failed
from evidenced.config import Config
from evidenced.core.errors import EvidencedError

PATIENCE = timedelta(seconds=2)
"""For a daemon that hangs: somebody has pressed Tab and waits for their shell."""


def rules(context: typer.Context, incomplete: str) -> list[str]:
    """Names of rules that begin so."""
    config = _config(context)
    found = [rule.name for rule in config.rules] if config else []
    return _beginning(found, incomplete)


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
