"""`evidenced report`: a day in figures, from the store."""

import os
from datetime import date
from typing import Annotated

import typer

from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, load_config
from evidenced.cli.terminal import AsJson, Failed, folded, say, say_json
from evidenced.config.compile import zone_of
from evidenced.connections import store_settings
from evidenced.core.errors import StoreError
from evidenced.core.instants import DAY, EPOCH, LAST
from evidenced.core.telling.judgement import Surroundings
from evidenced.core.telling.report import DayReport, day_of, report_object, report_text
from evidenced.core.telling.verdict import verdict
from evidenced.host.clock import SystemClock
from evidenced.store.snapshot import open_snapshot

NOT_THERE = 2


def report(
    config: ConfigFile = DEFAULT_CONFIG,
    day: Annotated[
        str,
        typer.Option(metavar="DAY", help="2026-11-23, today or yesterday (default)."),
    ] = "yesterday",
    as_json: AsJson = False,
) -> None:
    """Print a day in figures: alarms, exported, waiting, missing, and why.

    The day is one of the daemon's time zone. The store is only read, and the daemon may
    run meanwhile. `[report] to` has it sent each morning.

    Example: `evidenced report --day 2026-11-23`
    """
    loaded = load_config(config)
    zone = zone_of(loaded.daemon.timezone)
    now = SystemClock().now()
    of = _day(day, now.astimezone(zone).date())
    start, end = day_of(of, zone)
    try:
        with open_snapshot(store_settings(loaded, os.environ)) as view:
            figures = view.figures.between(start, end, now)
            # what the rows know; whether a daemon runs is not asked here
            around = Surroundings(troubles=view.troubles.open())
            found = verdict(view.facts.read(around, now, zone))
    except StoreError as error:
        raise Failed(str(error), code=NOT_THERE) from None
    made = DayReport(
        day=of,
        start=start,
        end=end,
        now=now,
        zone=zone,
        figures=figures,
        verdict=found,
    )
    if as_json:
        say_json(report_object(made))
        return
    for text in report_text(made).splitlines():
        for line in folded(text):
            say(line)


def _day(text: str, today: date) -> date:
    if text == "today":
        return today
    if text == "yesterday":
        return today - DAY
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not EPOCH.date() <= found < LAST.date():
        raise Failed(
            f"--day {text!r} is no day; write 2026-11-23, today or yesterday", code=2
        )
    return found
