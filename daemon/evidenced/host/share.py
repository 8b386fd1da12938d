"""The destination as this host sees it: a mounted share, looked at and never written.

Everything here blocks on a network file system and belongs on a thread.
"""

import os
import stat
from pathlib import Path

from evidenced.core.exports.growth import Sighting

MAX_FILES = 100_000
"""Files counted in one folder; more is not an export's."""


class Share:
    """`ports.SharePort` over the file system."""

    def problem(self, mount: Path, marker: str | None, min_free: int = 0) -> str | None:
        """Why nothing should be exported there, in a sentence; None if all is well."""
        try:
            if not mount.is_dir():
                return f"{mount} is not there: mount the share"
            if marker and not (mount / marker).is_file():
                return (
                    f"{mount} holds no file {marker!r}: the right share is not mounted"
                )
            room = os.statvfs(mount)
        except OSError as error:
            return f"{mount} cannot be read: {error.strerror}"
        free = room.f_bavail * room.f_frsize
        if free < min_free:
            return f"{mount} has {free} bytes left, less than min_free ({min_free})"
        return None

    def sighting(self, folder: Path) -> Sighting | None:
        """What lies in the folder and below it; None if nothing does.

        Raises:
            OSError: it cannot be read, which says nothing of what lies there.
        """
        files = size = 0
        if not _is_folder(folder):
            return None
        for place, _, names in os.walk(folder, onerror=_raise):
            for name in names:
                files += 1
                size += (Path(place) / name).lstat().st_size
                if files >= MAX_FILES:
                    return Sighting(files=files, size_bytes=size)
        return Sighting(files=files, size_bytes=size) if files else None


def _is_folder(folder: Path) -> bool:
    """Unlike `Path.is_dir` it takes no error for a no but that nothing is there."""
    try:
        return stat.S_ISDIR(folder.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _raise(error: OSError) -> None:
    raise error
