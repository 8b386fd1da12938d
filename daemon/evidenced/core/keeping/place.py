"""A folder of a destination as this host sees it, and what is written into it.

Values that need no store: `evidenced verify` starts without one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder below a mount, by the names that lead there."""

    mount: Path
    marker: str | None
    names: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return self.mount.joinpath(*self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """One folder's record, ready to be written.

    `files` are names and contents. An incident.json that lies there is kept under the
    name `former` when its hash is `last`, written over when it is among `intended`,
    and set aside under a name that shows it when it is nobody's.
    """

    files: Mapping[str, bytes]
    last: str
    former: str
    intended: Sequence[str] = ()
