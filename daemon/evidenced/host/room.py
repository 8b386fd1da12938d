"""How much room the disk has on which the store lies."""

import shutil
from pathlib import Path

from evidenced.core.phrase import phrase
from evidenced.core.spoken import size_words

LEAST = 500_000_000
"""Bytes; on a small disk a twentieth of it."""


def too_little_room(folder: Path) -> str:
    """A sentence once little is left there; "" before. Blocks on the disk."""
    try:
        disk = shutil.disk_usage(folder)
    except OSError:  # the store itself will say so
        return ""
    if disk.free >= min(LEAST, disk.total // 20):
        return ""
    return phrase(
        "the disk of the state folder {folder} has {free} left of {total}; make room, "
        "for without any alarms are not taken",
        folder=str(folder),
        free=size_words(disk.free),
        total=size_words(disk.total),
    )
