"""Folders on a mounted share: looked at, hashed, and given their record.

Everything here blocks on a network file system and belongs on a thread.
"""

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from evidenced.core.keeping.evidence import (
    PART,
    RECORD,
    SIGNATURE,
    SIGNED,
    SeenFile,
    Survey,
    found_name,
    is_litter,
    is_own,
    revision_of,
)
from evidenced.core.keeping.place import Papers, Place
from evidenced.host import tree

_UNWRITABLE = {
    errno.EROFS: "is read-only: mount the share writable",
    errno.ENOSPC: "is full: make room",
    errno.EDQUOT: "has no room left for this host's user (quota): make room",
    errno.EACCES: "may not be written by this service: give it the right",
}
PROBE = ".evidenced-probe" + PART
MOST_RECORD = 256 * 1024 * 1024
"""Bytes of a record that is read back: some 100 alarms of 256 kB, escaped."""
READABLE = 0o644
"""Whatever our umask: who may read the footage may read its record."""
_GROWING = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class ShareFolders:
    """`ports.EvidencePort` over the file system."""

    def survey(self, place: Place) -> Survey | None:
        try:
            with tree.open_folder(place.mount, place.names) as folder:
                return tree.survey(folder, lambda name: is_own(name) or is_litter(name))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def open(self, place: Place, name: str) -> "FileHashing":
        with tree.open_folder(place.mount, place.names) as folder:
            return FileHashing(tree.open_file(folder, name))

    def reader(self, place: Place, name: str) -> BinaryIO:
        with tree.open_folder(place.mount, place.names) as folder:
            return open(tree.open_file(folder, name), "rb")  # noqa: PTH123 - a handle

    def read(self, place: Place, name: str) -> bytes:
        with tree.open_folder(place.mount, place.names) as folder:
            return read_file(folder, name)

    def names(self, place: Place) -> list[str]:
        with tree.open_folder(place.mount, place.names) as folder:
            found = tree.survey(folder, is_litter)
        return [each.name for each in found.files]

    def write(self, place: Place, papers: Papers) -> str:
        """Write every file under a name of its own first, then give all their names.

        What a crash in between leaves is the old record, the new one, or the new one
        beside the old one's signature, which is told by `verify` and mended by the
        next try: its hash is among `intended`.
        """
        self._check(place)
        with tree.open_folder(place.mount, place.names) as folder:
            for name, data in papers.files.items():
                _write_new(folder, _part(name), data)
            aside = _make_way(folder, papers)
            for name in papers.files:
                os.rename(_part(name), name, src_dir_fd=folder, dst_dir_fd=folder)
            if SIGNATURE not in papers.files:
                _remove(folder, SIGNATURE)
            os.fsync(folder)
        return aside

    def listed(self, place: Place, names: Collection[str]) -> list[str]:
        with tree.open_folder(place.mount, place.names) as folder:
            return [each for each in names if tree.is_there(folder, each)]

    def put(self, place: Place, files: Mapping[str, bytes]) -> None:
        self._check(place)
        with tree.open_folder(place.mount, place.names) as folder:
            for name, data in files.items():
                _write_new(folder, _part(name), data)
                os.rename(_part(name), name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    def remove(self, place: Place, files: Sequence[SeenFile]) -> list[str]:
        self._check(place)
        with tree.open_folder(place.mount, place.names) as folder:
            return [each.name for each in files if not tree.remove(folder, each)]

    def _check(self, place: Place) -> None:
        """Raises OSError where the mount is not the share that was meant."""
        why = self.refusal(place.mount, place.marker)
        if why is not None:
            raise OSError(why)

    def set_aside(
        self, place: Place, known: Collection[str], revision: int
    ) -> list[str]:
        with tree.open_folder(place.mount, place.names) as folder:
            with os.scandir(folder) as found:
                numbers = {each.name: revision_of(each.name) for each in found}
            late = [name for name, n in numbers.items() if n and n >= revision]
            moved = [_set_aside(folder, name, known) for name in (RECORD, *late)]
            if any(moved):
                os.fsync(folder)
        return [name for name in moved if name]

    def append(self, place: Place, name: str, line: bytes) -> None:
        """On disk when this returns. After a line that a crash cut off, a new one."""
        self._check(place)
        with tree.open_folder(place.mount, place.names) as folder:
            handle = os.open(name, _GROWING, READABLE, dir_fd=folder)
            with open(handle, "r+b") as file:  # noqa: PTH123 - a handle
                found = os.fstat(handle)
                if not stat.S_ISREG(found.st_mode):
                    raise OSError(f"{name} is no file")
                if _ends_with(handle, found.st_size, line):
                    return
                end = found.st_size and os.pread(handle, 1, found.st_size - 1)
                file.seek(0, os.SEEK_END)
                file.write(line if end in {0, b"\n"} else b"\n" + line)
                file.flush()
                os.fsync(handle)

    def refusal(self, mount: Path, marker: str | None) -> str | None:
        """See the port.

        Without a marker the mount must be the root of a file system: else a share that
        is not mounted would be the local disk.
        """
        try:
            with tree.open_folder(mount, ()) as root:
                return _not_the_share(mount, marker, root) or _not_writable(mount, root)
        except OSError as error:
            return f"{mount} cannot be used: {error.strerror or error}"


class FileHashing:
    """`ports.Hashing` of an open file.

    A step that hangs keeps the handle until it is through, so that its number is not
    given to another file meanwhile. One that nobody was left to take, for its opening
    hung too long, closes itself.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._made = hashlib.sha256()
        self._at = 0
        self._busy = threading.Lock()
        self._is_over = False

    def step(self, size: int) -> int:
        with self._busy:
            data = os.read(self._handle, size)
            self._made.update(data)
            # What was read once is not read again soon: leave the cache to others.
            with suppress(OSError):
                os.posix_fadvise(
                    self._handle, self._at, len(data), os.POSIX_FADV_DONTNEED
                )
            self._at += len(data)
        if self._is_over:
            self.close()
        return len(data)

    def digest(self) -> str:
        return self._made.hexdigest()

    def close(self) -> None:
        self._is_over = True
        if self._busy.acquire(blocking=False):
            handle, self._handle = self._handle, -1
            self._busy.release()
            with suppress(OSError):
                os.close(handle)

    def __del__(self) -> None:
        self.close()


def _ends_with(handle: int, size: int, line: bytes) -> bool:
    """Whether it is the last line already."""
    if size == len(line):
        return os.pread(handle, size, 0) == line
    whole = b"\n" + line
    return os.pread(handle, len(whole), max(0, size - len(whole))) == whole


def _not_the_share(mount: Path, marker: str | None, root: int) -> str | None:
    if marker is None:
        outer = os.stat("..", dir_fd=root, follow_symlinks=False)
        if outer.st_dev == os.fstat(root).st_dev:
            return (
                f"{mount} is no mount point: mount the share there, or name a `marker` "
                "that lies on it"
            )
        return None
    try:
        found = os.stat(marker, dir_fd=root, follow_symlinks=False)
    except FileNotFoundError:
        found = None
    if found is None or not stat.S_ISREG(found.st_mode):
        return f"{mount} holds no file {marker!r}: the right share is not mounted"
    return None


def _not_writable(mount: Path, root: int) -> str | None:
    """By a file of one name, taken away at once: a crash leaves one at most."""
    try:
        _write_new(root, PROBE, b"")
        os.unlink(PROBE, dir_fd=root)
    except OSError as error:
        why = f"cannot be written: {error.strerror or error}"
        return f"{mount} {_UNWRITABLE.get(error.errno or 0, why)}"
    return None


def _part(name: str) -> str:
    return f".{name}{PART}"


def _write_new(folder: int, name: str, data: bytes) -> None:
    """A new file in this folder, on disk when this returns; none of that name before.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    _remove(folder, name)
    handle = os.open(name, _NEW, READABLE, dir_fd=folder)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - a handle
            with suppress(OSError):  # not every share knows modes
                os.fchmod(handle, READABLE)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            _remove(folder, name)
        raise


def _remove(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _make_way(folder: int, papers: Papers) -> str:
    """Keep the record that lies there under another name, if it is not our own draft.

    Returns the name that a stranger's got, or "".
    """
    try:
        found = read_file(folder, RECORD)
    except FileNotFoundError:
        return ""
    except OSError:
        found = None  # a link or a folder: no record of anybody's
    sha = "" if found is None else hashlib.sha256(found).hexdigest()
    if sha and sha in papers.intended:
        return ""
    is_last = bool(sha) and sha == papers.last
    name = papers.former if is_last else found_name(sha)
    _rename_signed(folder, RECORD, name)
    return "" if is_last else name


def _set_aside(folder: int, name: str, known: Collection[str]) -> str:
    """The new name of one record that is not among the known; "" where it stays."""
    try:
        sha = hashlib.sha256(read_file(folder, name)).hexdigest()
    except OSError:
        return ""  # gone, or no record of anybody's: `_make_way` sees to it
    if sha in known:
        return ""
    _rename_signed(folder, name, found_name(sha))
    return found_name(sha)


def _rename_signed(folder: int, name: str, new: str) -> None:
    for end in ("", SIGNED):
        with suppress(FileNotFoundError):
            os.rename(name + end, new + end, src_dir_fd=folder, dst_dir_fd=folder)


def read_file(folder: int, name: str, most: int = MOST_RECORD) -> bytes:
    """A regular file of this folder, whole.

    Raises:
        OSError: it cannot be read, grows, or is larger than `most`.
    """
    with open(tree.open_file(folder, name), "rb") as file:  # noqa: PTH123 - a handle
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(f"{name} is larger than {most} bytes")
        data = file.read(size + 1)  # as much room is taken as is asked for
    if len(data) > size:
        raise OSError(f"{name} grows while it is read")
    return data
