"""Mounted shares, where a destination can be seen from here."""

from pathlib import Path
from typing import Protocol

from evidenced.core.sighting import Sighting


class SharePort(Protocol):
    """Mounted shares, read-only. Blocking; a hanging one is the caller's to bound."""

    def problem(self, mount: Path, marker: str | None) -> str | None:
        """Why it is not the share that was meant, in a sentence; None if it is."""
        ...

    def sighting(self, folder: Path) -> Sighting | None:
        """What lies in the folder and below; None if nothing does.

        Raises:
            OSError: it cannot be read.
        """
        ...
