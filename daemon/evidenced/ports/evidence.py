"""Folders with footage on mounted shares, where evidence records are written."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from evidenced.core.ids import IncidentId
from evidenced.core.keeping.evidence import RECORD, SeenFile, Survey
from evidenced.core.keeping.footage import FootageFolder
from evidenced.core.keeping.importing import ImportOrder, SharedRecord, TakenIn
from evidenced.core.keeping.place import Papers, Place
from evidenced.core.telling.story import Story


class Hashing(Protocol):
    """One file on its way through SHA-256. Not for two threads at once."""

    def step(self, size: int) -> int:
        """Read and hash up to so many bytes; how many were there, 0 at the end.

        Raises:
            OSError: it cannot be read.
        """

    def digest(self) -> str: ...

    def close(self) -> None:
        """Never raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A folder to take home: what the file is called, and its bytes as they come."""

    name: str
    chunks: AsyncGenerator[bytes]


class ArchivePort(Protocol):
    """Records as people open and take them; `folder` counts those of one, from 1.

    Raises:
        NotFound: from each: there is no such record.
        Refused: it is not what was written, cannot be read now, or is too much.
    """

    async def page(self, incident: IncidentId, folder: int) -> bytes:
        """Its page, which is what was written."""

    async def bundle(self, incident: IncidentId, folder: int) -> Bundle:
        """A zip of its folder. A file that cannot be read ends it with an OSError."""


class FootagePort(Protocol):
    """What became of footage on shares by people's hands."""

    async def became(
        self, incident: IncidentId, place: str, comment: str, who: str
    ) -> list[FootageFolder]:
        """Somebody deleted it, or moved it to `place`: its folders as they are known.

        Raises:
            NotFound: no footage of it is known on a share.
            BadInput: too long a text.
            Refused: it is still there, went before, or is being disposed of now.
            StoreError: not durable, nothing changed.
        """


class ImportPort(Protocol):
    """Records on shares that are taken into the store."""

    async def take_in(self, order: ImportOrder, who: str) -> TakenIn:
        """The incident of one folder's record, if the store has it not.

        Raises:
            NotFound: no such destination.
            BadInput: it is no record, or not signed as was asked for.
            Refused: it is not what was recorded, or the store knows otherwise.
            StoreError: not durable, nothing changed.
        """


class RecordReader(Protocol):
    """Reads records that others may have written."""

    def read(self, place: Place, order: ImportOrder, most: int) -> SharedRecord:
        """The record there, of at most so many bytes, as it was asked for.

        Files are compared by their sizes. Blocks on a network file system.

        Raises:
            OSError: it cannot be read now.
            BadInput: there is none, or it is not what was asked for.
        """


class EvidencePort(Protocol):
    """Every method blocks on a network file system; a hanging one is the caller's.

    No link is followed below the mount, and nothing outside it is ever written.

    Raises:
        OSError: from every method: it cannot be done now.
    """

    def survey(self, place: Place) -> Survey | None:
        """What lies there besides records; None if the folder does not exist."""

    def open(self, place: Place, name: str) -> Hashing: ...

    def reader(self, place: Place, name: str) -> BinaryIO:
        """A regular file there, to be read; parts of its name joined by /."""

    def set_aside(
        self, place: Place, known: Collection[str], revision: int
    ) -> list[str]:
        """Give records that the store does not know of the names of plain files.

        Such lie there after an older store was restored. `known` are the SHA-256 of
        ours, `revision` is the last one of it. Returns their new names.
        """

    def read(self, place: Place, name: str) -> bytes:
        """A file of the record there, whole, up to some hundred MB."""

    def names(self, place: Place) -> list[str]:
        """All regular files there and below, the record's too."""

    def write(self, place: Place, papers: Papers) -> str:
        """All of the record, each file whole or not at all.

        Returns the name under which a stranger's incident.json was set aside, or "".
        """

    def listed(self, place: Place, names: Collection[str]) -> list[str]:
        """Which of these names are there, whatever they stand for."""

    def put(self, place: Place, files: Mapping[str, bytes]) -> None:
        """These files in that folder, each whole or not at all, over what was there."""

    def remove(self, place: Place, files: Sequence[SeenFile]) -> list[str]:
        """Delete these files, for good, if they are still as they were seen.

        Returns the names of those that are not: they stay. One that is gone already
        is none of them.
        """

    def append(self, place: Place, name: str, line: bytes) -> None:
        """Put a line at the end of a file, which is made if it is not there.

        One that is the last already is not put there again.
        """

    def refusal(self, mount: Path, marker: str | None) -> str | None:
        """Why no record can be written to this mount, a sentence; None if it can."""


class SignerPort(Protocol):
    """Signs records with the key of the configuration. Blocks on a file."""

    def key(self) -> str:
        """The id of the key that signs; "" when there is none.

        Raises:
            BadInput: it cannot be used.
        """

    def public(self) -> bytes | None:
        """The public half of that key; None when there is none.

        Raises:
            BadInput: it cannot be used.
        """

    def sign(self, data: bytes, name: str = RECORD) -> bytes | None:
        """The detached signature of the file of that name; None without a key.

        Raises:
            BadInput: the key cannot be used.
        """

    def sign_line(self, text: str) -> str:
        """The text with its signature behind it; alone without a key.

        Raises:
            BadInput: the key cannot be used.
        """


class PagePort(Protocol):
    """Makes the page of a record that people read."""

    def render(
        self, record: Mapping[str, Any], story: Story, pictures: Mapping[str, bytes]
    ) -> bytes:
        """The whole page; pure, for a record it may take a moment.

        `pictures` are its stills, by the names that they have beside footage.
        """
