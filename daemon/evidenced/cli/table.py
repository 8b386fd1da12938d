"""Rows as a table for people. What is missing in a row is shown as a dash.

Instants are shown as the clock on the wall of the site shows them, with their zone: in
a table their column says it, and today's are times of day.
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
from evidenced.core.spoken import day_and_clock, moment, zone_word
from evidenced.host.clock import SystemClock

MAX_CELL = 300
WIDE = 4000
TEXTS = frozenset({"message", "payload", "words", "why", "detail", "comment"})
"""Columns of words, which are folded where the terminal is narrow. All others are
whole: a path that is broken cannot be copied."""
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
    found = list(rows)
    zone = ZONE.get()
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for heading, key in columns:
        name = heading
        if zone is not None and any(_instant(row.get(key)) for row in found):
            name = f"{heading} {zone_word(SystemClock().now(), zone)}"
        table.add_column(name, overflow="fold", no_wrap=key not in TEXTS)
        if key not in TEXTS:  # whole, where its words fit and the row does not, too
            column, told = table.columns[-1], [_styled(key, r.get(key)) for r in found]
            column.min_width = max(each.cell_len for each in (Text(name), *told))
    for row in found:
        table.add_row(*(_styled(key, row.get(key)) for _, key in columns))
    console = Console()
    wide = console.options.update_width(WIDE)  # else no column asks for more
    least = Measurement.get(console, wide, table).minimum
    # piped into a file or another program a row stays one line
    console.width = max(console.width, least) if sys.stdout.isatty() else WIDE
    console.print(table)


def _styled(key: str, value: object) -> Text:
    """Plain text, never markup: much of it comes out of payloads."""
    tone = TONES.get(str(value)) if key == "state" else None
    colour = COLOURS[tone] if tone else ""
    at, zone = _instant(value), ZONE.get()
    if at is not None and zone is not None:
        return Text(moment(at, SystemClock().now(), zone))
    return Text(cell(value), style=colour)


def _instant(value: object) -> datetime | None:
    """An instant as the API tells it."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return None
    with suppress(ValueError):
        return datetime.fromisoformat(value)
    return None


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
    """An instant in ZONE, with its day and its zone; any other text as it is."""
    at, zone = _instant(text), ZONE.get()
    if at is None or zone is None:
        return text
    with suppress(OverflowError):
        here = at.astimezone(zone)
        return f"{here:%a} {day_and_clock(at, zone)} {zone_word(at, zone)}"
    return text
