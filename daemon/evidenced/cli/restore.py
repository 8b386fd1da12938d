"""`evidenced restore`."""

import os

from evidenced.cli.backup import BackupFile, prove_copy
from evidenced.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, load_config
from evidenced.config.compile import state_dir
from evidenced.store.backup import restore as put_back


def restore(
    file: BackupFile, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """Put a backup in the place of the store; the daemon must not run.

    The store that was there is kept beside it. What happened since the backup is not
    known any more: clips that were exported since are asked for again.

    Exit 0: restored. 1: nothing was changed, and why.

    Example: `evidenced restore /var/backups/evidenced-2026-11-23.sqlite3`
    """
    directory = state_dir(load_config(config), os.environ)
    found = put_back(directory, file)
    where = {"state_dir": str(directory)}
    prove_copy(found, f"{directory}: restored", where, as_json=as_json)
