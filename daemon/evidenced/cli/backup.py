"""`evidenced backup`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, load_config
from evidenced.cli.terminal import tell
from evidenced.config.compile import state_dir
from evidenced.store.audit import Audit
from evidenced.store.backup import back_up

BackupFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The backup, one file.")
]


def backup(
    file: BackupFile, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """Copy the store to a new file while the daemon runs, and check the copy.

    Exit 0: the file is there and whole. 1: it is not, and why.

    Example: `evidenced backup /var/backups/evidenced-$(date +%F).sqlite3`
    """
    directory = state_dir(load_config(config), os.environ)
    found = back_up(directory, file)
    prove_copy(found, f"{file}: whole", {"file": str(file)}, as_json=as_json)


def prove_copy(
    found: Audit, done: str, where: dict[str, str], *, as_json: bool
) -> None:
    """Say what was done, and that the copy was proved."""
    seq, head = found.head.seq, found.head.hash
    value = {**where, "intact": True, "seq": seq, "hash": head}
    text = f"{done}; audit chain intact: {seq} rows, head {head}"
    tell(value, text, as_json=as_json)
