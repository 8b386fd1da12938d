"""`evidenced backup`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, load_config
from evidenced.cli.terminal import Failed, say, say_json
from evidenced.config.compile import state_dir
from evidenced.core.errors import StoreError
from evidenced.store.audit import Audit
from evidenced.store.backup import back_up

FAILED = 1

BackupFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The backup, one file.")
]


def register(app: typer.Typer) -> None:
    app.command()(backup)


def backup(
    file: BackupFile, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """Copy the store to a new file while the daemon runs, and check the copy.

    Exit 0: the file is there and whole. 1: it is not, and why.

    Example: `evidenced backup /var/backups/evidenced-$(date +%F).sqlite3`
    """
    directory = state_dir(load_config(config), os.environ)
    try:
        found = back_up(directory, file)
    except StoreError as error:
        raise Failed(str(error), code=FAILED) from None
    tell(found, f"{file}: whole", {"file": str(file)}, as_json=as_json)


def tell(found: Audit, done: str, where: dict[str, str], *, as_json: bool) -> None:
    """Say what was done, and that the copy was proved."""
    seq, head = found.head.seq, found.head.hash
    if as_json:
        say_json({**where, "intact": True, "seq": seq, "hash": head})
    else:
        say(f"{done}; audit chain intact: {seq} rows, head {head}")
