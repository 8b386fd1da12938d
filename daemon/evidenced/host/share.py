"""The destination as this host sees it: a mounted share, looked at and never written.

Everything here blocks on a network file system and belongs on a thread.
"""

import os
from contextlib import closing
from pathlib import Path

from evidenced.core.exports.growth import Sighting
from evidenced.core.keeping.evidence import NOTE, is_litter, is_own
from evidenced.core.keeping.health import Room
from evidenced.core.phrase import phrase
from evidenced.core.spoken import size_words
from evidenced.host import tree
from evidenced.host.tree import TooMany

MAX_FILES = 100_000
"""Names counted in one folder and below; more is not an export's."""
LOOK_INTO = 1000
"""Files of one folder that are looked into until one holds something."""
PIECE = 4096
"""Bytes that are read at a file's begin, middle and end."""


class Share:
    """`ports.SharePort` over the file system."""

    def problem(self, mount: Path, marker: str | None, min_free: int = 0) -> str | None:
        """Why nothing should be exported there, in a sentence; None if all is well."""
        try:
            if not mount.is_dir():
                return phrase("{mount} is not there: mount the share", mount=mount)
            if marker and not (mount / marker).is_file():
                return phrase(
                    "{mount} holds no file {marker}: the right share is not mounted",
                    mount=mount,
                    marker=repr(marker),
                )
            room = self.room(mount)
        except OSError as error:
            return phrase(
                "{mount} cannot be read: {strerror}",
                mount=mount,
                strerror=error.strerror,
            )
        if room and not room.free:
            return phrase("{mount} is full: make room", mount=mount)
        free = room.free if room else 0
        if free < min_free:
            return phrase(
                "{mount} is nearly full: {free} free, {wanted} wanted (min_free); make "
                "room, it goes on by itself",
                mount=mount,
                free=size_words(free),
                wanted=size_words(min_free),
            )
        return None

    def room(self, mount: Path) -> Room | None:
        """See the port."""
        found = os.statvfs(mount)
        if not found.f_blocks:
            return None
        size = found.f_frsize
        return Room(free=found.f_bavail * size, total=found.f_blocks * size)

    def blindness(self, mount: Path) -> str | None:
        """See the port."""
        try:
            with os.scandir(mount) as names:
                next(names, None)
        except OSError as error:
            return phrase(
                "{mount} cannot be listed: {strerror}; mount the share anew",
                mount=mount,
                strerror=error.strerror,
            )
        return None

    def sighting(self, mount: Path, names: tuple[str, ...]) -> Sighting | None:
        """See the port. Counts no further than MAX_FILES."""
        files = size = 0
        holds = False
        try:
            with (
                tree.open_folder(mount, names) as folder,
                closing(tree.walk(folder, MAX_FILES)) as found,
            ):
                for each in found:
                    if not each.size or not _is_footage(each.name):
                        continue
                    files += 1
                    size += each.size
                    holds = holds or files > LOOK_INTO or _holds(folder, each.name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except TooMany:
            pass
        return Sighting(files=files, size_bytes=size) if holds else None


def _is_footage(name: str) -> bool:
    """Whether the recorder may have written a file of this name."""
    return not (is_own(name) or is_litter(name) or name == NOTE)


def _holds(folder: int, name: str) -> bool:
    """Whether the file holds anything but zeros at its begin, middle or end."""
    try:
        handle = tree.open_file(folder, name)
    except FileNotFoundError:
        return False
    try:
        end = os.fstat(handle).st_size
        places = (0, end // 2, max(end - PIECE, 0))
        return any(any(os.pread(handle, PIECE, at)) for at in places)
    finally:
        os.close(handle)
