"""Rows as a table for people. What is missing in a row is shown as a dash.

Instants are shown as the clock on the wall of the site shows them, with their zone.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime, tzinfo
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from evidenced.core.alarms.payload import one_line
from evidenced.core.incidents.states import CLIPS, EXPORTS, INCIDENTS
from evidenced.core.keeping.tag import TAGS
from evidenced.core.machine import Tone
from evidenced.core.spoken import zone_word

MAX_CELL = 300
WIDE = 4000
WHOLE = frozenset({"id", "path", "topic", "sha256", "incident"})
"""Columns that are copied: never broken, however narrow the terminal is."""
ZONE: ContextVar[tzinfo | None] = ContextVar("zone", default=None)
"""What instants are shown in; None leaves them as they came, in UTC."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
COLOURS: Mapping[Tone, str] = {
    Tone.FILM: "cyan",
    Tone.WAIT: "yellow",
    Tone.RUN: "blue",
    Tone.GOOD: "green",
    Tone.PART: "magenta",
    Tone.BAD: "red",
    Tone.OFF: "bright_black",
}
TONES: Mapping[str, Tone] = {
    str(state): facts.tone
    for machine in (TAGS, EXPORTS, CLIPS, INCIDENTS)
    for state, facts in machine.table.items()
}

Json = Mapping[str, Any]
Columns = Sequence[tuple[str, str]]
"""Heading and key."""


def print_table(title: str, columns: Columns, rows: Iterable[Json]) -> None:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for heading, key in columns:
        table.add_column(heading, overflow="fold", no_wrap=key in WHOLE)
    for row in rows:
        table.add_row(*(_styled(key, row.get(key)) for _, key in columns))
    console = Console()
    least = Measurement.get(console, console.options, table).minimum
    # piped into a file or another program a row stays one line
    console.width = max(console.width, least) if sys.stdout.isatty() else WIDE
    console.print(table)


def _styled(key: str, value: object) -> Text:
    """Plain text, never markup: much of it comes out of payloads."""
    tone = TONES.get(str(value)) if key == "state" else None
    colour = COLOURS[tone] if tone else ""
    return Text(cell(value), style=colour)


def cell(value: object) -> str:
    match value:
        case None | "":
            return "-"
        case str():
            return one_line(local(value), MAX_CELL)
        case dict():
            pairs = (f"{key}={cell(item)}" for key, item in value.items())
            return one_line("; ".join(pairs), MAX_CELL)
        case list():
            return one_line(", ".join(map(cell, value)), MAX_CELL)
        case _:
            return one_line(str(value), MAX_CELL)


def local(text: str) -> str:
    """An instant as the API tells it, in ZONE; any other text as it is."""
    zone = ZONE.get()
    if zone is None or not _INSTANT.fullmatch(text):
        return text
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(text).astimezone(zone)
        return f"{at:%a} {at.day} {at:%b %Y %H:%M:%S} {zone_word(at, zone)}"
    return text
