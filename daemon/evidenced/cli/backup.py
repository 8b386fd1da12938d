"""`evidenced backup`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, load_config
from evidenced.cli.terminal import Failed, say
from evidenced.config.site import state_dir
from evidenced.core.errors import StoreError
from evidenced.store.audit import Audit
from evidenced.store.backup import back_up

FAILED = 1

BackupFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The backup, one file.")
]


def register(app: typer.Typer) -> None:
    app.command()(backup)


def backup(file: BackupFile, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Copy the store to a new file while the daemon runs, and check the copy.

    Exit 0: the file is there and whole. 1: it is not, and why.

    Example: [bold]evidenced backup /var/backups/evidenced-$(date +%F).sqlite3[/bold]
    """
    directory = state_dir(load_config(config), os.environ)
    try:
        found = back_up(directory, file)
    except StoreError as error:
        raise Failed(str(error), code=FAILED) from None
    say(f"{file}: whole; {told(found)}")


def told(found: Audit) -> str:
    """What is said of a copy that was proved."""
    return f"audit chain intact: {found.head.seq} rows, head {found.head.hash}"
