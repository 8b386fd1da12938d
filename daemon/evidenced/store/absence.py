"""What is said where a store should be and is not."""

from pathlib import Path

from evidenced.core.errors import StoreError


def no_store(path: Path) -> StoreError:
    """With the whole path: without `state_dir` it depends on the folder one is in."""
    where = path.absolute()
    return StoreError(
        f"{where} is not there: nothing was stored yet, or elsewhere; the folder is "
        "daemon.state_dir, and without it $STATE_DIRECTORY, else ./state"
    )
