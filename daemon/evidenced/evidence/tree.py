"""Walking below a mount by folder handles, so that no link can lead elsewhere.

A share is written by others. Each step opens one name in the folder before, follows no
link, and stays on the mount's own device: what is reached lies on the share, whatever
is renamed or put in the way meanwhile.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from evidenced.core.keeping.evidence import SeenFile, Survey

MAX_FILES = 20_000
"""Of one folder; an export has a few for each camera."""
MAX_DEPTH = 16
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_INNER = _FOLDER | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Without waiting: a pipe that was put in a file's place must not hang us."""


class Elsewhere(OSError):  # noqa: N818 - says where it lies
    """What was found does not lie on the share, or is no file. Nothing was done."""


@contextmanager
def open_folder(mount: Path, names: tuple[str, ...]) -> Iterator[int]:
    """A handle of the folder.

    Raises:
        FileNotFoundError: it is not there.
        OSError: it cannot be opened, or a link stands in the way.
    """
    handle = os.open(mount, _FOLDER)
    try:
        device = os.fstat(handle).st_dev
        for name in names:
            handle = _entered(handle, name, device)
        yield handle
    finally:
        os.close(handle)


def _entered(handle: int, name: str, device: int) -> int:
    """The handle of a folder in this one, which is closed; on a failure it is not."""
    inner = os.open(name, _INNER, dir_fd=handle)
    if os.fstat(inner).st_dev != device:
        os.close(inner)
        raise Elsewhere(f"{name!r} lies on another file system than the share")
    os.close(handle)
    return inner


def open_file(folder: int, name: str) -> int:
    """A handle of a regular file below the folder; parts of its name joined by /.

    Raises:
        OSError: it cannot be opened or is no regular file of the share.
    """
    *folders, last = name.split("/")
    handle = os.dup(folder)
    try:
        device = os.fstat(handle).st_dev
        for each in folders:
            handle = _entered(handle, each, device)
        file = os.open(last, _FILE, dir_fd=handle)
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_dev != device:
            os.close(file)
            raise Elsewhere(f"{name!r} is no file of the share")
        return file
    finally:
        os.close(handle)


def survey(folder: int, is_own: Callable[[str], bool]) -> Survey:
    """What lies in the folder and below, but for our own names in the folder itself.

    Raises:
        OSError: it cannot be read, or holds more than any export.
    """
    found = _Contents(os.fstat(folder).st_dev, is_own)
    found.walk(os.dup(folder), "", 0)
    return Survey(
        files=tuple(sorted(found.files, key=lambda each: each.name)),
        others=tuple(sorted(found.others)),
    )


class _Contents:
    def __init__(self, device: int, is_own: Callable[[str], bool]) -> None:
        self.files: list[SeenFile] = []
        self.others: list[str] = []
        self._device = device
        self._is_own = is_own

    def walk(self, handle: int, prefix: str, depth: int) -> None:
        """Take down one folder; closes its handle."""
        try:
            if depth > MAX_DEPTH:
                raise Elsewhere(f"{prefix!r} is nested deeper than any export")
            for name in sorted(os.listdir(handle)):
                if not prefix and self._is_own(name):
                    continue
                self._take(handle, name, prefix + name, depth)
        finally:
            os.close(handle)

    def _take(self, handle: int, name: str, path: str, depth: int) -> None:
        if len(self.files) + len(self.others) >= MAX_FILES:
            raise Elsewhere(f"more than {MAX_FILES} files, which no export has")
        try:
            state = os.stat(name, dir_fd=handle, follow_symlinks=False)
        except FileNotFoundError:
            return  # gone since the folder was read; the next look tells
        if state.st_dev != self._device:
            self.others.append(path)
        elif stat.S_ISDIR(state.st_mode):
            self.walk(os.open(name, _INNER, dir_fd=handle), path + "/", depth + 1)
        elif stat.S_ISREG(state.st_mode):
            file = SeenFile(
                name=path, size=state.st_size, modified_ns=state.st_mtime_ns
            )
            self.files.append(file)
        else:
            self.others.append(path)
