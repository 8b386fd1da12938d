"""Walking below a mount by folder handles, so that no link can lead elsewhere.

A share is written by others. Each step opens one name in the folder before, follows no
link, and stays on the mount's own device: what is reached lies on the share, whatever
is renamed or put in the way meanwhile. Whoever looks below a mount does it by this.
"""

import errno
import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from evidenced.core.keeping.evidence import SeenFile, Survey

MAX_FILES = 20_000
"""Of one folder with footage; an export has a few for each camera."""
MAX_DEPTH = 16
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_INNER = _FOLDER | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Without waiting: a pipe that was put in a file's place must not hang us."""


class Elsewhere(OSError):  # noqa: N818 - says where it lies
    """What was found does not lie on the share, or is no file. Nothing was done."""


class TooMany(Elsewhere):
    """There is more than any export has."""


class NameKind(StrEnum):
    """What a name stands for, as people are told it."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    FOREIGN = "mount point"
    OTHER = "device, pipe or socket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One name below a folder, parts joined by /. A size only where it is a file."""

    name: str
    kind: NameKind
    size: int
    modified_ns: int


@contextmanager
def open_folder(mount: Path, names: tuple[str, ...]) -> Iterator[int]:
    """A handle of the folder.

    Raises:
        FileNotFoundError: it is not there.
        NotADirectoryError: a file stands in its place.
        Elsewhere: a link or another file system stands in the way.
        OSError: it cannot be opened.
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
    inner = _inner(handle, name, device)
    os.close(handle)
    return inner


def _inner(handle: int, name: str, device: int) -> int:
    inner = _opened(handle, name, _INNER)
    if os.fstat(inner).st_dev != device:
        os.close(inner)
        raise Elsewhere(f"{name!r} lies on another file system than the share")
    return inner


def _opened(handle: int, name: str, flags: int) -> int:
    """Open one name; of a link it is said that it is one, not what the system says."""
    if name in {"", ".", ".."} or "/" in name:
        raise Elsewhere(f"{name!r} is no name below a folder")
    try:
        return os.open(name, flags, dir_fd=handle)
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.ENOTDIR}:
            raise
        state = os.stat(name, dir_fd=handle, follow_symlinks=False)
        if stat.S_ISLNK(state.st_mode):
            raise Elsewhere(f"{name!r} is a link, and no link is followed") from None
        raise


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
        file = _opened(handle, last, _FILE)
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_dev != device:
            os.close(file)
            raise Elsewhere(f"{name!r} is no file of the share")
        return file
    finally:
        os.close(handle)


def is_there(folder: int, name: str) -> bool:
    """Whether anything of this name is in the folder itself, be it a link."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def remove(folder: int, seen: SeenFile) -> bool:
    """Delete a file below the folder, if it is still what was seen; whether it went.

    What is gone already went. Of a link that was put in its place nothing is deleted.

    Raises:
        OSError: it cannot be deleted, or something stands in the way to it.
    """
    *folders, last = seen.name.split("/")
    handle = os.dup(folder)
    try:
        device = os.fstat(handle).st_dev
        for each in folders:
            handle = _entered(handle, each, device)
        found = _seen(handle, last, "", device)
        as_seen = (NameKind.FILE, seen.size, seen.modified_ns)
        if found and (found.kind, found.size, found.modified_ns) != as_seen:
            return False
        os.unlink(last, dir_fd=handle)
        os.fsync(handle)
    except FileNotFoundError:
        pass
    finally:
        os.close(handle)
    return True


Skipped = Callable[[str, OSError], None]
"""Hears of a folder that cannot be entered, and why."""


def walk(
    folder: int, most: int = MAX_FILES, skipped: Skipped | None = None
) -> Generator[Found]:
    """Whatever lies in the folder and below it, in the order of the names.

    A folder comes before what is in it. What is no file and no folder of this file
    system is named and not entered. What goes away meanwhile may or may not come.
    With `skipped` a folder that cannot be entered, or is nested deeper than MAX_DEPTH,
    is told there and left out.

    Raises:
        TooMany: after `most` names there are more; or without `skipped`.
        OSError: a folder cannot be read.
    """
    walking = _Walking(os.fstat(folder).st_dev, most, skipped)
    yield from walking.below(os.dup(folder), "", MAX_DEPTH)


class _Walking:
    def __init__(self, device: int, left: int, skipped: Skipped | None) -> None:
        self._device = device
        self._left = left
        self._skipped = skipped

    def below(self, handle: int, prefix: str, depth: int) -> Generator[Found]:
        """What lies in one folder; closes its handle."""
        try:
            with os.scandir(handle) as entries:
                names = sorted(each.name for each in islice(entries, self._left + 1))
            for name in names:
                if not self._left:
                    raise TooMany("more files than any export has")
                self._left -= 1
                found = _seen(handle, name, prefix, self._device)
                if found is None:
                    continue  # gone since the folder was read; the next look tells
                yield found
                if found.kind is NameKind.FOLDER:
                    inner = self._entered(handle, name, found.name, depth)
                    if inner is not None:
                        yield from self.below(inner, found.name + "/", depth - 1)
        finally:
            os.close(handle)

    def _entered(self, handle: int, name: str, path: str, depth: int) -> int | None:
        """The handle of that folder; None if it is skipped."""
        try:
            if not depth:
                raise TooMany(f"{path!r} is nested deeper than any export")
            return _inner(handle, name, self._device)
        except OSError as error:
            if self._skipped is None:
                raise
            self._skipped(path, error)
            return None


def _seen(handle: int, name: str, prefix: str, device: int) -> Found | None:
    try:
        state = os.stat(name, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Found(
        name=prefix + name,
        kind=_kind(state, device),
        size=state.st_size if stat.S_ISREG(state.st_mode) else 0,
        modified_ns=state.st_mtime_ns,
    )


def _kind(state: os.stat_result, device: int) -> NameKind:
    if stat.S_ISLNK(state.st_mode):
        return NameKind.LINK
    if state.st_dev != device:
        return NameKind.FOREIGN
    if stat.S_ISDIR(state.st_mode):
        return NameKind.FOLDER
    return NameKind.FILE if stat.S_ISREG(state.st_mode) else NameKind.OTHER


def survey(folder: int, skip: Callable[[str], bool]) -> Survey:
    """What lies in the folder and below, but for names to skip.

    Raises:
        OSError: it cannot be read, or holds more than any export.
    """
    files, others = [], []
    with closing(walk(folder)) as found:
        for each in found:
            if each.kind is NameKind.FOLDER or skip(each.name):
                continue
            if each.kind is not NameKind.FILE:
                others.append(each.name)
                continue
            files.append(
                SeenFile(name=each.name, size=each.size, modified_ns=each.modified_ns)
            )
    return Survey(
        files=tuple(sorted(files, key=lambda each: each.name)),
        others=tuple(sorted(others)),
    )
