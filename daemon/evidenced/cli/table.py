"""Rows as a table for people. What is missing in a row is shown as a dash."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evidenced.core.alarms.payload import one_line

MAX_CELL = 300
WIDE = 4000
COLOURS = {
    "recording": "cyan",
    "waiting": "yellow",
    "due": "yellow",
    "requested": "blue",
    "exporting": "blue",
    "exported": "green",
    "partial": "magenta",
    "failed": "red",
    "missing": "red",
    "rejected": "red",
    "cancelled": "bright_black",
}

Json = Mapping[str, Any]
Columns = Sequence[tuple[str, str]]
"""Heading and key."""


def print_table(title: str, columns: Columns, rows: Iterable[Json]) -> None:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for heading, key in columns:
        table.add_column(heading, overflow="fold", no_wrap=key == "id")
    for row in rows:
        table.add_row(*(_styled(key, row.get(key)) for _, key in columns))
    # piped into a file or another program a row stays one line
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)


def _styled(key: str, value: object) -> Text:
    """Plain text, never markup: much of it comes out of payloads."""
    colour = COLOURS.get(str(value), "") if key == "state" else ""
    return Text(cell(value), style=colour)


def cell(value: object) -> str:
    match value:
        case None | "":
            return "-"
        case str():
            return one_line(value, MAX_CELL)
        case dict():
            pairs = (f"{key}={cell(item)}" for key, item in value.items())
            return one_line("; ".join(pairs), MAX_CELL)
        case list():
            return one_line(", ".join(map(cell, value)), MAX_CELL)
        case _:
            return one_line(str(value), MAX_CELL)
