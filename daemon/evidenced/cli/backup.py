"""`evidenced backup` and `evidenced restore`."""

from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.audit import rows_of
from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, load_config
from evidenced.cli.terminal import AsJson, tell
from evidenced.connections import embedded
from evidenced.host.clock import SystemClock
from evidenced.store.audit import Audit
from evidenced.store.backup import back_up
from evidenced.store.backup import restore as put_back

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
    directory = embedded(load_config(config))
    found = back_up(directory, file)
    prove_copy(found, f"{file}: whole", {"file": str(file)}, as_json=as_json)


def prove_copy(
    found: Audit, done: str, where: dict[str, str], *, as_json: bool
) -> None:
    """Say what was done, and that the copy was proved."""
    seq, head = found.head.seq, found.head.hash
    value = {**where, "intact": True, "rows": found.rows, "seq": seq, "hash": head}
    text = f"{done}; audit chain intact: {rows_of(found)}, head {head}"
    tell(value, text, as_json=as_json)


def restore(
    file: BackupFile, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """Put a backup in the place of the store; the daemon must not run.

    The store that was there is kept beside it, and the audit chain says from then on
    that and when this was done. What happened since the backup is not known any more:
    clips that were exported since are asked for again.

    Exit 0: restored. 1: nothing was changed, and why.

    Example: `evidenced restore /var/backups/evidenced-2026-11-23.sqlite3`
    """
    directory = embedded(load_config(config))
    found = put_back(directory, file, SystemClock().now())
    where = {"state_dir": str(directory)}
    prove_copy(found, f"{directory}: restored", where, as_json=as_json)
