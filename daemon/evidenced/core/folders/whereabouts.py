"""The destinations of a site, and where a path on the recorder lies for others.

This host sees it below a mount, people's own computers below an address of theirs.
Roots of several destinations may be the same text and lie on different shares, so a
path is looked up by its destination and never by its text alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from evidenced.core.folders.paths import PathTemplate, nearest
from evidenced.core.ids import DestinationName

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    r"""Where exports go on the recorder; `mount` is the same `root` seen from here.

    `link` is how people's own computers reach it, such as `\\nas\evidence`.
    `is_recorded` is whether evidence records are written there. With less than
    `min_free` bytes free it is held. Footage older than `keep` is disposed of.
    `default` goes to whatever names none.
    """

    name: DestinationName
    path: PathTemplate
    root: str
    mount: Path | None
    marker: str | None
    link: str | None = None
    is_recorded: bool = True
    default: bool = False
    min_free: int = 0
    keep: timedelta | None = None


class Whereabouts:
    """The destinations by their names; one is not configured any more, perhaps.

    It had perhaps another name: then the root that leads furthest tells.
    """

    def __init__(self, destinations: Mapping[DestinationName, Destination]) -> None:
        self._all = destinations

    @property
    def default(self) -> Destination:
        """Where goes what names none: the one that says so, else the first."""
        named = (each for each in self._all.values() if each.default)
        return next(named, next(iter(self._all.values())))

    @property
    def names(self) -> list[DestinationName]:
        """Those of all destinations, that of the default one first."""
        default = self.default.name if self._all else ""
        return sorted(self._all, key=lambda name: name != default)

    def mounted(
        self, path: str, name: DestinationName
    ) -> tuple[Destination, Path, tuple[str, ...]] | None:
        """Its destination, the mount, and the way from there."""
        among = self._among(name)
        roots = ((each.root, (each, each.mount)) for each in among if each.mount)
        for folders, (destination, mount) in nearest(path, roots):
            return destination, mount, folders
        return None

    def here(self, path: str, name: DestinationName) -> str:
        """Where this host sees it; empty where it does not, and for the root itself."""
        found = self.mounted(path, name)
        return str(found[1].joinpath(*found[2])) if found is not None else ""

    def link(self, path: str, name: DestinationName) -> str:
        """Where people's own computers reach it; empty where nobody said how."""
        roots = ((each.root, each.link) for each in self._among(name) if each.link)
        for folders, link in nearest(path, roots):
            between = "\\" if "\\" in link else "/"
            return between.join((link.rstrip("\\/"), *folders))
        return ""

    def _among(self, name: DestinationName) -> Iterable[Destination]:
        known = self._all.get(name)
        return self._all.values() if known is None else (known,)
