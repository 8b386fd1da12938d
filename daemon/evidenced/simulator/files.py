"""Placeholder files of an export: they grow while it runs and are small at its end.

How native exports look on disk is not known (sense-api.md B10): the names are made up,
and the modelled size is only modelled.
"""

import hashlib
from pathlib import Path

from evidenced.core.recorder import DeviceProgress
from evidenced.simulator.export import Export, ExportPart

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
                export.end(DeviceProgress.FAILED)
        self._writing = [pair for pair in self._writing if pair[0].is_live]


def _write(export: Export, folder: Path) -> None:
    for part in export.parts:
        if part.state is not DeviceProgress.PENDING:
            _grow(folder / _name(part), part)
    if export.state is DeviceProgress.DONE:
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
