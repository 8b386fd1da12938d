"""`evidenced alarms`: the messages that the store keeps."""

from typing import Annotated

import typer

from evidenced.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, load_config
from evidenced.cli.records import recordings
from evidenced.cli.table import Columns, print_table
from evidenced.cli.terminal import say, say_json
from evidenced.core.telling.objects import message_object
from evidenced.store.recorded import Recorded

MOST = 1000
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


def alarms(
    config: ConfigFile = DEFAULT_CONFIG,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many.")] = 50,
    refused: Annotated[
        bool, typer.Option("--refused", help="Only those that opened nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the last messages that the store keeps, and what became of them.

    The store is only read, and the daemon may run meanwhile. By its name a message can
    be explained: evidenced explain --record NAME.

    Example: `evidenced alarms --refused --limit 20`
    """
    with recordings(load_config(config)) as found:
        newest = found.refused(limit) if refused else found.newest(limit)
    rows = [_row(each, SHOWN_BYTES) for each in newest]
    if as_json:
        say_json({"alarms": [_row(each, MOST * 8) for each in newest]})
    elif rows:
        print_table("", _COLUMNS, rows)
    else:
        say("no messages are kept")


def _row(recorded: Recorded, most: int) -> dict[str, object]:
    return {
        "name": recorded.name,
        **message_object(recorded.alarm, most),
        "outcome": recorded.outcome or "taken",
        "rule": recorded.rule,
        "why": recorded.detail,
    }
