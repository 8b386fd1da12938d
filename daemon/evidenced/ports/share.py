"""Mounted shares, where a destination can be seen from here."""

from pathlib import Path
from typing import Protocol

from evidenced.core.exports.growth import Sighting
from evidenced.core.keeping.health import Room


class SharePort(Protocol):
    """Mounted shares, read-only. Blocking; a hanging one is the caller's to bound."""

    def problem(self, mount: Path, marker: str | None, min_free: int = 0) -> str | None:
        """Why nothing should be exported there, in a sentence; None if all is well.

        It is not the share that was meant, is full, or has less than `min_free` bytes
        left.
        """

    def blindness(self, mount: Path) -> str | None:
        """Why nobody can see what lies there, in a sentence; None if one can.

        Exports go there all the same: it is this host's mount that is ill.
        """

    def room(self, mount: Path) -> Room | None:
        """How much there is left of it; None where it does not tell.

        Raises:
            OSError: it cannot be read.
        """

    def sighting(self, mount: Path, names: tuple[str, ...]) -> Sighting | None:
        """What footage lies in that folder below the mount; None if none does.

        Records are none, nor are files that are empty, or hold zeros wherever they are
        looked into. No link is followed, and none is counted.

        Raises:
            OSError: it cannot be read.
        """
