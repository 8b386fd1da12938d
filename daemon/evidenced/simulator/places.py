"""Where exports lie: Windows paths, our folders that stand for them, their files."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath

from evidenced.simulator.asked import JobState
from evidenced.simulator.codes import Code, CommandDenied
from evidenced.simulator.export import Export, ExportPart
from evidenced.simulator.fault import Action


class Places:
    def __init__(
        self, roots: Iterable[str], unwritable: Iterable[str], directory: Path | None
    ) -> None:
        self._roots = tuple(map(_folded, roots))
        self._unwritable = tuple(map(_folded, unwritable))
        self._directory = directory.resolve() if directory else None

    def check(self, path: str) -> None:
        """Whether the recorder can write there.

        Raises:
            Denied: -58 no such place, or no path at all; -61 no folder can be made.
        """
        parts = _split(path)
        folded = tuple(map(str.casefold, parts))
        if self._roots and not any(_is_below(folded, root) for root in self._roots):
            raise CommandDenied(Code.BAD_PATH)
        if any(_is_below(folded, root) for root in self._unwritable):
            raise CommandDenied(Code.NO_FOLDER)

    def make(self, path: str) -> Path | None:
        """The folder that stands for it, made; None where no files are written.

        Raises:
            Denied: -61: it cannot be made, or a link would lead out of our folder.
        """
        if self._directory is None:
            return None
        drive, *names = _split(path)
        folder = self._directory.joinpath(*_top(drive), *names)
        try:
            if not folder.resolve().is_relative_to(self._directory):
                raise CommandDenied(Code.NO_FOLDER)
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandDenied(Code.NO_FOLDER) from error
        return folder


def _split(path: str) -> tuple[str, ...]:
    try:
        return split(path)
    except ValueError as error:
        raise CommandDenied(Code.BAD_PATH) from error


def _folded(root: str) -> tuple[str, ...]:
    return tuple(map(str.casefold, split(root)))


def _is_below(parts: tuple[str, ...], root: tuple[str, ...]) -> bool:
    return parts[: len(root)] == root


def _top(drive: str) -> list[str]:
    """`V:` is the folder V, a share the folder UNC/host/share."""
    if drive.endswith(":"):
        return [drive[0].upper()]
    return ["UNC", *drive.strip("\\").split("\\")]


_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')
_DRIVE = re.compile(r"[A-Za-z]:")
_UNC = re.compile(r"\\\\[\w$-][\w.$-]*\\[\w$-][\w.$-]*")
NAME_LIMIT = 255
PATH_LIMIT = 2_000


def split(path: str) -> tuple[str, ...]:
    """Drive or share, then the names of the folders.

    Raises:
        ValueError: relative, without drive or share, with dots or forbidden signs.
    """
    windows = PureWindowsPath(path)
    drive, names = windows.drive, windows.parts[1:]
    is_place = _DRIVE.fullmatch(drive) or _UNC.fullmatch(drive)
    if len(path) > PATH_LIMIT or not windows.is_absolute() or not is_place:
        raise ValueError(rf"not a path like V:\folder or \\host\share\folder: {path!r}")
    if ".." in drive or not all(map(_is_name, names)):
        raise ValueError(f"a folder name that Windows does not take: {path!r}")
    return (drive, *names)


def _is_name(name: str) -> bool:
    """Windows takes no folder that ends in a dot or a blank, so `..` is none either."""
    return (
        not _FORBIDDEN.search(name)
        and not name.endswith((".", " "))
        and len(name.encode("utf-8", "replace")) <= NAME_LIMIT
    )


FILE_SIZE = 64 << 10
"""Bytes of a complete placeholder: enough to be seen growing, too few to matter."""
INDEX = "export.dvi"


class ExportFiles:
    """The files of all exports that are still being written."""

    def __init__(self) -> None:
        self._writing: list[tuple[Export, Path]] = []

    def begin(self, export: Export, folder: Path) -> None:
        self._writing.append((export, folder))
        self.write()

    def write(self) -> None:
        """Bring the files to where their exports are.

        A disk of ours that fails fails the export: so would the recorder's.
        """
        self._writing = [pair for pair in self._writing if not pair[0].is_lost]
        for export, folder in self._writing:
            try:
                _write(export, folder)
            except OSError:
                export.end(JobState.FAILED)
        self._writing = [pair for pair in self._writing if pair[0].is_live]


def _write(export: Export, folder: Path) -> None:
    if export.writes is not None:
        for part in export.parts:
            file = folder / _name(part)
            file.unlink(missing_ok=True)
            if export.writes is Action.BLANK:
                file.touch()
        return
    for part in export.parts:
        if part.state is not JobState.PENDING:
            _grow(folder / _name(part), part)
    if export.state is JobState.DONE:
        lines = [f"{_name(part)}\t{FILE_SIZE}" for part in export.parts]
        (folder / INDEX).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _name(part: ExportPart) -> str:
    """Ids are digits (checked against the known devices), so this is a safe name."""
    asked = part.asked
    return f"{asked.server}-{asked.device}-{asked.window.start:%Y%m%dT%H%M%S%f}.dvn"


def _grow(path: Path, part: ExportPart) -> None:
    wanted = int(FILE_SIZE * part.percent / 100)
    have = path.stat().st_size if path.exists() else -1
    if have < wanted or have < 0:
        block = hashlib.sha256(path.name.encode()).digest()
        content = (block * (FILE_SIZE // len(block)))[:wanted]
        path.write_bytes(content)
