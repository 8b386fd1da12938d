"""`evidenced commission`: what was tried of a site, and the report to hand over."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, load_config, parse_time
from evidenced.cli.terminal import AsJson, Failed, note, say, say_json
from evidenced.config import Config
from evidenced.config.compile import zone_of
from evidenced.connections import store_settings
from evidenced.core.errors import StoreError
from evidenced.core.ids import CameraName, IncidentId, RuleName
from evidenced.core.incidents.incident import Incident
from evidenced.core.keeping.evidence import RecordState
from evidenced.core.keeping.kept import IncidentFilter
from evidenced.core.phrase import LANGUAGES, Tongue
from evidenced.core.telling.acceptance import (
    Acceptance,
    acceptance_html,
    acceptance_lines,
    acceptance_object,
    trial_of_camera,
    trial_of_rule,
)
from evidenced.host.clock import SystemClock
from evidenced.store.snapshot import open_snapshot
from evidenced.store.tx import View
from evidenced.tongues import tongue

NOT_THERE = 2
OPEN = 1
PAGE = 500
MOST = 20_000
"""Incidents that are looked at, the newest: a site is commissioned in days."""


def commission(
    config: ConfigFile = DEFAULT_CONFIG,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="What was tried before does not count.")
    ] = "",
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the report, to hand over."),
    ] = None,
    language: Annotated[
        str,
        typer.Option(metavar="CODE", help="Of the report: en, nl, de; default: web's."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Tick off each rule and camera: triggered, exported, verified, or not yet.

    Trigger each sensor once, or `evidenced trigger` each rule, and run this again: it
    reads the store, and the daemon may run meanwhile. Verified is footage whose
    evidence record lies beside it; for that the destination needs a `mount`.
    Exit 0: all are ticked off. 1: something is open. 2: there is no store.

    Example: `evidenced commission --since 2026-11-23 --html acceptance.html`
    """
    loaded = load_config(config)
    zone = zone_of(loaded.daemon.timezone)
    begin = parse_time(since, zone, "--since") if since else None
    try:
        with open_snapshot(store_settings(loaded, os.environ)) as view:
            report = _report(loaded, view, begin)
    except StoreError as error:
        todo = "start evidenced run, trigger each sensor, then ask again"
        raise Failed(f"{error}; {todo}", code=NOT_THERE) from None
    if as_json:
        say_json(acceptance_object(report))
    else:
        for line in acceptance_lines(report):
            say(line)
    if html is not None:
        _write(html, acceptance_html(report, _speaks(language or loaded.web.language)))
    raise typer.Exit(0 if report.is_complete else OPEN)


def _speaks(language: str) -> Tongue:
    """Raises Failed where there is no such language."""
    if language and language not in LANGUAGES:
        said = ", ".join(LANGUAGES)
        raise Failed(f"--language {language}: it is one of {said}", code=NOT_THERE)
    return tongue(language or "en")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failed(f"--html {file}: {error.strerror}", code=NOT_THERE) from None
    note(f"written to {file}")


def _report(config: Config, view: View, since: datetime | None) -> Acceptance:
    incidents: list[Incident] = []
    verified: dict[IncidentId, datetime] = {}
    for page in _pages(view, since):
        incidents += page
        for each in view.evidence.of([incident.id for incident in page]):
            if each.state is RecordState.WRITTEN and each.written_at is not None:
                verified[each.incident] = each.written_at
    rules = [rule for rule in config.rules if rule.enabled]
    return Acceptance(
        instance=config.daemon.instance,
        at=SystemClock().now(),
        since=since,
        zone=zone_of(config.daemon.timezone),
        rules={
            rule.label or rule.name: trial_of_rule(
                RuleName(rule.name), incidents, verified
            )
            for rule in rules
        },
        cameras={
            name: trial_of_camera(CameraName(name), incidents, verified)
            for name in config.cameras
        },
    )


def _pages(view: View, since: datetime | None) -> Iterator[list[Incident]]:
    """The newest first."""
    after = None
    for _ in range(MOST // PAGE):
        wanted = IncidentFilter(since=since, after=after, limit=PAGE)
        found = view.incidents.search(wanted)
        yield found
        if len(found) < PAGE:
            return
        after = found[-1].opened_at, found[-1].id
