"""Real folders with real files for the recorders, on virtual time, and how they fail.

The recorders' placeholder files and our records lie in a folder of the run. What works
on them is the daemon's own, on no thread: a step happens as a whole, at once, or is cut
short where the plan says so.
"""

import errno
import os
import shutil
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from typing_extensions import override

from evidenced.core.errors import BadInput
from evidenced.core.exports.growth import Sighting
from evidenced.core.instants import to_ms
from evidenced.core.keeping.evidence import SeenFile, Survey
from evidenced.core.keeping.place import Papers, Place
from evidenced.evidence import ShareFolders
from evidenced.host.share import Share
from evidenced.ports.evidence import Hashing
from evidenced.simulator import Simulator
from simulation.ground import Ground
from simulation.recording import RecordPlan, private_key
from simulation.share import Killed, SimShare
from simulation.site import MARKER

CHANGES = ("open", "fsync", "rename", "unlink")


class RecordedShare(SimShare):
    """A share that is written to. `folder` is where its root lies in truth."""

    def __init__(
        self,
        ground: Ground,
        simulators: Iterable[Simulator],
        directory: Path,
        recording: RecordPlan,
    ) -> None:
        super().__init__(ground, simulators)
        self.folder = directory / "V" / "evidence"
        self.folder.mkdir(parents=True)
        (self.folder / MARKER).touch()
        self._empty = directory / "local"
        self._empty.mkdir()
        self._others = directory / "others"
        self._copied: dict[Path, dict[Path, bytes]] = {}
        self._recording = recording
        self._shown = self.folder
        self.stamps: dict[tuple[Path, str, int], int] = {}
        self.folders = _SimFolders(self)

    @override
    def lose(self, is_lost: bool) -> None:
        super().lose(is_lost)
        self._shown = self.folder
        if not is_lost or self._recording.lost_as == "away":
            return
        self._shown = self._empty
        if self._recording.lost_as == "other":
            self._shown = self._others / str(len(self._copied))
            unmarked = shutil.ignore_patterns(MARKER)
            shutil.copytree(self.folder, self._shown, ignore=unmarked)
        self._copied[self._shown] = _contents(self._shown)

    def at(self, mount: Path) -> Path:
        """The folder that is mounted there now.

        Raises:
            OSError: nothing is.
        """
        del mount  # there is one
        for simulator in self._simulators:
            simulator.tick()
        if self.is_lost and self._recording.lost_as == "away":
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return self._shown

    @override
    def problem(self, mount: Path, marker: str | None, min_free: int = 0) -> str | None:
        try:
            shown = self.at(mount)
        except OSError as error:
            return f"{mount} cannot be read: {error.strerror}"
        why = Share().problem(shown, marker, min_free)
        return why and why.replace(str(shown), str(mount))

    @override
    def sighting(self, mount: Path, names: tuple[str, ...]) -> Sighting | None:
        if self.is_lost and self._recording.lost_as == "empty":
            return None
        if self.is_lost and self._recording.lost_as == "away":
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return self._sighting(mount.joinpath(*names))

    @override
    def reveal(self) -> str:
        """The key of the configuration."""
        start, end = self._recording.keyless
        if start <= self._ground.loop.time() < end:
            raise BadInput("the key's file cannot be read: simulated")
        return private_key()

    def stamped(self, place: Place, file: SeenFile) -> SeenFile:
        """With the virtual instant at which it was first seen at this size."""
        key = (place.folder, file.name, file.size)
        stamp = self.stamps.setdefault(key, to_ms(self._ground.truth.now()) * 10**6)
        return replace(file, modified_ns=stamp)

    def spoilt(self) -> Iterator[Path]:
        """What was written where the share is not."""
        for folder, before in self._copied.items():
            after = _contents(folder)
            for path in sorted(before.keys() | after.keys()):
                if before.get(path) != after.get(path):
                    yield path

    @override
    @contextmanager
    def fragile(self) -> Iterator[None]:
        """Each change of a file on the share may be the one that the plan spoils."""
        torn: Any = _Torn(self._spoil)
        with patch("evidenced.evidence.folder.os", torn):
            yield

    def _spoil(self) -> None:
        self.changes += 1
        if self._ground.is_healed:
            return
        if self.changes in self._recording.killed_at:
            raise Killed
        if self.changes in self._recording.refused_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class _SimFolders(ShareFolders):
    """The daemon's own, on the folder that is mounted now."""

    def __init__(self, share: RecordedShare) -> None:
        self._share = share

    def _true(self, place: Place) -> Place:
        return replace(place, mount=self._share.at(place.mount))

    @override
    def survey(self, place: Place) -> Survey | None:
        found = super().survey(self._true(place))
        if found is None:
            return None
        files = tuple(self._share.stamped(place, each) for each in found.files)
        return replace(found, files=files)

    @override
    def open(self, place: Place, name: str) -> Hashing:
        return super().open(self._true(place), name)

    @override
    def write(self, place: Place, papers: Papers) -> str:
        true = self._true(place)
        try:
            return super().write(true, papers)
        except OSError as error:
            if str(true.mount) not in str(error):
                raise
            told = str(error).replace(str(true.mount), str(place.mount))
            raise OSError(told) from error

    @override
    def set_aside(
        self, place: Place, known: Collection[str], revision: int
    ) -> list[str]:
        return super().set_aside(self._true(place), known, revision)

    @override
    def append(self, place: Place, name: str, line: bytes) -> None:
        super().append(self._true(place), name, line)

    @override
    def read(self, place: Place, name: str) -> bytes:
        return super().read(self._true(place), name)

    @override
    def listed(self, place: Place, names: Collection[str]) -> list[str]:
        return super().listed(self._true(place), names)

    @override
    def put(self, place: Place, files: Mapping[str, bytes]) -> None:
        super().put(self._true(place), files)

    @override
    def remove(self, place: Place, files: Sequence[SeenFile]) -> list[str]:
        return super().remove(self._true(place), files)

    @override
    def refusal(self, mount: Path, marker: str | None) -> str | None:
        shown = self._share.at(mount)
        why = super().refusal(shown, marker)
        return why and why.replace(str(shown), str(mount))


class _Torn:
    """The module os, with a call before everything that changes a file."""

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in CHANGES:
            return real

        def change(*values: Any, **options: Any) -> Any:
            self._before()
            return real(*values, **options)

        return change


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
