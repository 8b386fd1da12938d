"""Whether a file is the one that was read before, or another of the same name."""

from pathlib import Path

FileStamp = tuple[int, int, int] | None
"""Its number on the disk, its size, and when it was changed; None: not there."""


def file_stamp(path: Path | None) -> FileStamp:
    """Differs once the file was replaced or written. Never raises."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
