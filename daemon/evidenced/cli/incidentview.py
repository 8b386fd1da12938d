"""Incidents of the API as tables. What is missing in an answer is shown as a dash."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evidenced.cli.terminal import say, say_labelled
from evidenced.core.payload import one_line

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

_LIST: Columns = (
    ("id", "id"),
    ("state", "state"),
    ("rule", "rule"),
    ("key", "key"),
    ("opened", "opened"),
    ("clips", "clips"),
    ("reason", "reason"),
)
_CLIPS: Columns = (
    ("camera", "camera"),
    ("state", "state"),
    ("from", "start"),
    ("to", "end"),
    ("tries", "attempts"),
    ("code", "code"),
    ("message", "message"),
    ("next try", "next_try"),
)
_EXPORTS: Columns = (
    ("recorder", "recorder"),
    ("state", "state"),
    ("%", "progress"),
    ("requested", "requested"),
    ("finished", "finished"),
    ("path", "path"),
)
_ALARMS: Columns = (
    ("received", "received"),
    ("time", "time"),
    ("from", "time_source"),
    ("topic", "topic"),
    ("payload", "payload"),
)
_HISTORY: Columns = (("at", "at"), ("event", "event"), ("detail", "detail"))


def print_list(answer: Json) -> None:
    """A page of incidents, and how to get the next."""
    found = _rows(answer.get("incidents"))
    if not found:
        say("no incidents")
        return
    rows = [{**each, "clips": _clip_count(each)} for each in found]
    _print_table("", _LIST, rows)
    if answer.get("next"):
        say(f"more: --cursor {answer['next']}")


def print_incident(incident: Json) -> None:
    """Everything that the API says of one incident."""
    for key in ("id", "state", "rule", "key", "reason", "opened", "ended", "finished"):
        if incident.get(key):
            say_labelled(key, [_cell(incident[key])])
    fields = incident.get("fields")
    if isinstance(fields, dict):
        say_labelled("fields", [f"{k} = {_cell(v)}" for k, v in fields.items()])
    for title, columns in (
        ("clips", _CLIPS),
        ("exports", _EXPORTS),
        ("alarms", _ALARMS),
        ("history", _HISTORY),
    ):
        rows = _rows(incident.get(title))
        if rows:
            _print_table(title, columns, rows)


def _print_table(title: str, columns: Columns, rows: Iterable[Json]) -> None:
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
    return Text(_cell(value), style=colour)


def _cell(value: object) -> str:
    match value:
        case None | "":
            return "-"
        case str():
            return one_line(value, MAX_CELL)
        case dict():
            pairs = (f"{key}={_cell(item)}" for key, item in value.items())
            return one_line("; ".join(pairs), MAX_CELL)
        case list():
            return one_line(", ".join(map(_cell, value)), MAX_CELL)
        case _:
            return one_line(str(value), MAX_CELL)


def _rows(value: object) -> list[Json]:
    items = value if isinstance(value, list) else []
    return [each for each in items if isinstance(each, dict)]


def _clip_count(incident: Json) -> str:
    """Exported of all."""
    clips = _rows(incident.get("clips"))
    done = sum(clip.get("state") == "exported" for clip in clips)
    return f"{done}/{len(clips)}"
