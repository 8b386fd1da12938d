"""Records as people open and take them from the page: from a share, or from the store.

A share is written by others, so nothing of it is shown that is not what was written:
a page whose hash its record does not name is refused. What is taken home is a zip of
the whole folder, read as fast as its reader takes it.
"""

import io
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import PureWindowsPath
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from typing_extensions import override

from evidenced.core.errors import NotFound, Refused
from evidenced.core.ids import IncidentId
from evidenced.core.keeping.evidence import PAGE, RECORD, RecordFolder
from evidenced.core.keeping.place import Place
from evidenced.core.telling.written import read_record
from evidenced.pipeline.shares import Shares, why_of
from evidenced.pipeline.world import World
from evidenced.ports import View
from evidenced.ports.evidence import Bundle, EvidencePort

SLICE = 1 << 20
MOST_BYTES = 8_000_000_000
"""Of footage in one zip; more is copied from the share, not through a browser."""
MOST_AT_ONCE = 2
"""Zips under way: each reads a share as fast as its reader takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """One folder of a record: where it lies, or what the store keeps of it."""

    written: RecordFolder
    place: Place | None
    papers: Mapping[str, bytes]


class Archive:
    """`ports.ArchivePort` over the store and the shares."""

    def __init__(self, world: World, shares: Shares, folders: EvidencePort) -> None:
        self._world = world
        self._shares = shares
        self._folders = folders
        self._running = 0

    async def page(self, incident: IncidentId, folder: int) -> bytes:
        """See the port."""
        source = await self._source(incident, folder)
        data = await self._read(source, RECORD)
        if sha256(data).hexdigest() != source.written.sha256:
            raise Refused(_altered(source, RECORD))
        page = await self._read(source, PAGE)
        if sha256(page).hexdigest() != read_record(data).page:
            raise Refused(_altered(source, PAGE))
        return page

    async def bundle(self, incident: IncidentId, folder: int) -> Bundle:
        """See the port."""
        source = await self._source(incident, folder)
        if source.written.size_bytes > MOST_BYTES:
            raise Refused(
                f"the footage is too much for a download; copy {_where(source)}, or "
                f"use evidenced incidents export {incident} DIR"
            )
        if self._running >= MOST_AT_ONCE:
            raise Refused("other evidence is being downloaded; try again in a while")
        self._running += 1
        try:
            names = await self._names(source)
            chunks = self._zipped(source, names)
            await anext(chunks)
        except BaseException:
            self._running -= 1
            raise
        return Bundle(name=f"{incident}.zip", chunks=chunks)

    async def _source(self, incident: IncidentId, folder: int) -> _Source:
        def read(view: View) -> _Source:
            dossier = view.dossier(incident)
            folders = dossier.record.folders if dossier and dossier.record else ()
            if dossier is None or not 0 < folder <= len(folders):
                raise NotFound(f"there is no record {folder} of incident {incident}")
            written = folders[folder - 1]
            found = self._shares.place(written.path, dossier.incident.terms.destination)
            papers = view.evidence.papers(incident).get(written.path, {})
            is_kept = sha256(papers.get(RECORD, b"")).hexdigest() == written.sha256
            place = None
            if found is not None and not is_kept:
                destination, mount, names = found
                place = Place(mount=mount, marker=destination.marker, names=names)
            return _Source(written=written, place=place, papers=papers)

        return await self._world.read(read)

    async def _read(self, source: _Source, name: str) -> bytes:
        """A file of the record, whole."""
        if source.place is None:
            return _kept(source, name)
        read = partial(self._folders.read, source.place, name)
        try:
            return await self._shares.on(source.place.mount, read)
        except OSError as error:
            raise Refused(f"{_where(source)}: {name}: {why_of(error)}") from None

    async def _names(self, source: _Source) -> list[str]:
        if source.place is None:
            return sorted(source.papers)
        look = partial(self._folders.names, source.place)
        try:
            return await self._shares.on(source.place.mount, look)
        except OSError as error:
            raise Refused(f"{_where(source)}: {why_of(error)}") from None

    async def _zipped(self, source: _Source, names: list[str]) -> AsyncGenerator[bytes]:
        """Its end gives its place back, so it has begun: see `bundle`."""
        try:
            yield b""
            top, sink = PureWindowsPath(source.written.path).name, _Sink()
            with ZipFile(sink, "w", ZIP_STORED) as made:
                for name in names:
                    info = ZipInfo(f"{top}/{_plain(name)}")
                    pouring = self._pour(source, name, made, info, sink)
                    async with aclosing(pouring) as poured:
                        async for data in poured:
                            yield data
            yield sink.take()
        finally:
            self._running -= 1

    async def _pour(
        self, source: _Source, name: str, made: ZipFile, info: ZipInfo, sink: "_Sink"
    ) -> AsyncGenerator[bytes]:
        """One file into the zip, a slice at a time; what came out of it."""
        if source.place is None:
            made.writestr(info, source.papers[name])
            yield sink.take()
            return
        mount = source.place.mount
        opening = partial(self._folders.reader, source.place, name)
        with (
            closing(await self._shares.on(mount, opening)) as file,
            made.open(info, "w", force_zip64=True) as entry,
        ):

            def step() -> int:
                return entry.write(file.read(SLICE))

            while await self._shares.on(mount, step):
                yield sink.take()


def _kept(source: _Source, name: str) -> bytes:
    try:
        return source.papers[name]
    except KeyError:
        raise Refused(
            f"{source.written.path} is not seen from here, and no {name} is kept"
        ) from None


def _where(source: _Source) -> str:
    return str(source.place.folder) if source.place else source.written.path


def _altered(source: _Source, name: str) -> str:
    return f"{name} in {_where(source)} was altered; see evidenced verify"


def _plain(name: str) -> str:
    """What no program takes for a way out of the folder, and every zip can hold."""
    return name.replace("\\", "_").encode(errors="replace").decode()


class _Sink(io.RawIOBase):
    """What was written and nobody took yet; it cannot go back, so the zip need not."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload] # whatever a zip writes
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken
