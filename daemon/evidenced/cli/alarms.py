"""`evidenced alarms`: the messages that the store keeps, and how others find one."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import get_terminal_size
from typing import Annotated

import typer

from evidenced.cli.family import new_family
from evidenced.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    InUtc,
    daemon_of,
    load_config,
    show_times,
)
from evidenced.cli.table import Columns, print_table
from evidenced.cli.terminal import AsJson, Failed, say, say_json
from evidenced.config import Config
from evidenced.connections import store_settings
from evidenced.core.alarms.alarm import Outcome
from evidenced.core.errors import StoreError
from evidenced.core.telling.objects import message_object
from evidenced.store.recorded import Recorded, Recordings, open_recordings

MOST = 1000
ROOMY = 140
"""Characters of a terminal on which payloads are shown."""
SHOWN_BYTES = 120
_COLUMNS: Columns = (
    ("name", "name"),
    ("received", "received"),
    ("outcome", "outcome"),
    ("rule", "rule"),
    ("topic", "topic"),
    ("payload", "payload"),
    ("why", "why"),
)


def _columns() -> Columns:
    """A payload makes a narrow terminal unreadable: it is in `explain --record`."""
    is_narrow = sys.stdout.isatty() and get_terminal_size().columns < ROOMY
    return [each for each in _COLUMNS if not (is_narrow and each[1] == "payload")]


family = new_family()


@family.callback()
def alarms() -> None:
    """Look at the messages that the store keeps, and export or acknowledge them.

    Exit 0: done. 1: not found, refused, or the daemon does not answer. 2: bad input.

    Example: `evidenced alarms --refused --limit 20`
    """


@family.command("list")
def list_alarms(
    config: ConfigFile = DEFAULT_CONFIG,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many.")] = 50,
    refused: Annotated[
        bool, typer.Option("--refused", help="Only those that opened nothing.")
    ] = False,
    outcome: Annotated[
        Outcome | None,
        typer.Option(help="Only those that opened nothing, of this kind."),
    ] = None,
    utc: InUtc = False,
    as_json: AsJson = False,
) -> None:
    """List the last messages that the store keeps, and what became of them.

    The store is only read, and the daemon may run meanwhile. By its name a message can
    be explained: evidenced explain --record NAME. What came under a silence can be
    exported after all: evidenced alarms export NAME.

    Example: `evidenced alarms list --refused --limit 20`
    """
    with recordings(load_config(config)) as found:
        if refused or outcome:
            newest = found.refused(limit, outcome)
        else:
            newest = found.newest(limit)
    rows = [_row(each, SHOWN_BYTES) for each in newest]
    if as_json:
        say_json({"alarms": [_row(each, MOST * 8) for each in newest]})
    elif rows:
        show_times(config, utc=utc)
        if sys.stdout.isatty():  # as `incidents` shows them; commands take that
            rows = [row | {"name": str(row["name"]).rpartition("-")[2]} for row in rows]
        print_table("", _columns(), rows)
    else:
        say("no messages are kept")


@family.command()
def export(
    alarm: Annotated[
        int, typer.Argument(metavar="NAME", help="As `evidenced alarms` shows it.")
    ],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Export the footage of an alarm that came under a silence, after all.

    The running daemon opens its incident, with the time of the alarm.

    Exit 0: opened. 1: not found, refused, or the daemon does not answer. 2: bad input.

    Example: [bold]evidenced alarms export 17[/bold]
    """
    answer = daemon_of(config).post(f"/api/alarms/{alarm}/export", {})
    if as_json:
        say_json(answer)
    else:
        say(f"alarm {alarm} is exported as {answer.get('incident')}")


@family.command()
def acknowledge(
    comment: Annotated[str, typer.Option(help="What you know of it, for the history.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Take note of all messages that a rule should read and could not.

    Until then each counts as an alarm without footage.

    Exit 0: done. 1: there is none, or the daemon does not answer. 2: bad input.

    Example: [bold]evidenced alarms acknowledge --comment "test of the reader"[/bold]
    """
    answer = daemon_of(config).post("/api/alarms/acknowledge", {"comment": comment})
    if as_json:
        say_json(answer)
    else:
        say(f"{answer.get('acknowledged')} messages are acknowledged")


def _row(recorded: Recorded, most: int) -> dict[str, object]:
    return {
        "name": recorded.name,
        **message_object(recorded.alarm, most),
        "outcome": recorded.outcome or "taken",
        "rule": recorded.rule,
        "why": recorded.detail,
    }


NOT_THERE = 2


@contextmanager
def recordings(config: Config) -> Iterator[Recordings]:
    """What this configuration's store keeps.

    Raises:
        Failed: exit 2, there is no store, or it cannot be read.
    """
    try:
        with open_recordings(store_settings(config, os.environ)) as found:
            yield found
    except StoreError as error:
        raise Failed(str(error), code=NOT_THERE) from None


def read_record(config: Config, name: str) -> Recorded:
    """The message that is kept under this name.

    Raises:
        NotFound: there is none.
    """
    with recordings(config) as found:
        return found.find(name)
