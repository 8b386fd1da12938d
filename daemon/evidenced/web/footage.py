"""Where an incident's footage lies, and its evidence record, as the page shows them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evidenced.core.keeping.evidence import HashedFile, folders_of
from evidenced.core.keeping.kept import Dossier

MAX_FILES = 200
"""Of an evidence record, as the page lists them."""

Here = Callable[[str], str]
"""Where this host sees a path on the recorder; empty where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFolder:
    """A folder to copy: `word` says what is in it."""

    word: str
    path: str
    here: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPart:
    """One folder of an evidence record; `sha256` is that of its incident.json.

    `more` is how many of its files are not listed.
    """

    path: str
    here: str
    sha256: str
    files: tuple[HashedFile, ...]
    more: int = 0

    @property
    def verify(self) -> str:
        """The command that checks it, for a shell."""
        quoted = self.here.replace("'", "'\\''")
        return f"evidenced verify '{quoted}'"


def places_of(dossier: Dossier, here: Here) -> list[ShownFolder]:
    """Folders with footage; while there is none, those that were asked for last."""
    paths, word = list(folders_of(dossier.incident, dossier.exports)), "Folder"
    if not paths:
        running = [e.path for e in dossier.exports if e.finished_at is None]
        paths = running or [e.path for e in dossier.exports[-1:]]
        word = "Being filled" if running else "Asked for, not exported"
    return [
        ShownFolder(word=word, path=path, here=here(path))
        for path in dict.fromkeys(paths)
    ]


def record_folders(
    dossier: Dossier, files: Sequence[HashedFile], here: Here
) -> list[FolderPart]:
    """The folders of its record, with the files that are hashed by now."""
    if dossier.record is None:
        return []
    written = {each.path: each for each in dossier.record.folders}
    return [
        FolderPart(
            path=path,
            here=here(path),
            sha256=written[path].sha256 if path in written else "",
            files=(own := tuple(each for each in files if each.folder == path)),
            more=max(written[path].files - len(own), 0) if path in written else 0,
        )
        for path in dict.fromkeys([*written, *(each.folder for each in files)])
    ]
