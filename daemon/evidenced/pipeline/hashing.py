"""Files on a share are read through SHA-256, slowly, and compared with a record."""

import asyncio
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from evidenced.core.errors import BadInput
from evidenced.core.keeping.evidence import RECORD, SeenFile, is_litter
from evidenced.core.keeping.place import Place
from evidenced.core.telling.written import read_record
from evidenced.metrics import Metrics
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.world import World
from evidenced.ports.evidence import EvidencePort

SLICE = 1 << 20
"""Bytes read and hashed at a time; a share may hang for one of them at most."""


class FileReader:
    """Reads no faster than `hash_rate`."""

    def __init__(
        self, world: World, shares: Shares, folders: EvidencePort, metrics: Metrics
    ) -> None:
        self._world = world
        self._shares = shares
        self._folders = folders
        self._metrics = metrics

    async def sha256(self, place: Place, name: str) -> str:
        """Of a file in that folder.

        Raises:
            OSError: it cannot be read.
        """
        rate, clock = self._world.site.care.rate, self._world.clock
        opening = partial(self._folders.open, place, name)
        hashing = await self._shares.on(place.mount, opening)
        try:
            while True:
                begun = clock.monotonic()
                count = await self._shares.on(place.mount, partial(hashing.step, SLICE))
                if not count:
                    return hashing.digest()
                self._metrics.evidence_hashed_bytes.inc(count)
                took = clock.monotonic() - begun
                await asyncio.sleep(max(0.0, count / rate - took) if rate else 0.0)
        finally:
            hashing.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What lies in a folder, against its record.

    `as_recorded` are files that are what they were, `altered` and `missing` names of
    those that are not. `why` is a sentence where there is no such record.
    """

    as_recorded: tuple[SeenFile, ...] = ()
    altered: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    why: str = ""

    @property
    def is_whole(self) -> bool:
        return not (self.altered or self.missing or self.why)


class Comparer:
    """Hashes what a record lists, and nothing else."""

    def __init__(
        self, reader: FileReader, shares: Shares, folders: EvidencePort
    ) -> None:
        self._reader = reader
        self._shares = shares
        self._folders = folders

    async def compare(self, place: Place, record: str) -> Comparison:
        """The folder with its record, which must have that SHA-256.

        Raises:
            OSError: the share cannot be read now, or is not the one that was meant.
        """
        await self._check(place)
        found = await self._compare(place, record)
        if not found.is_whole:
            await self._check(place)  # a share that went away is no lost footage
        return found

    async def _check(self, place: Place) -> None:
        look = partial(self._folders.refusal, place.mount, place.marker)
        why = await self._shares.on(place.mount, look)
        if why is not None:
            raise OSError(why)

    async def _compare(self, place: Place, record: str) -> Comparison:
        read = partial(self._folders.read, place, RECORD)
        try:
            data = await self._shares.on(place.mount, read)
        except (FileNotFoundError, NotADirectoryError):
            return Comparison(why=f"{place.folder} holds no {RECORD} any more")
        if sha256(data).hexdigest() != record:
            return Comparison(why=f"{RECORD} in {place.folder} is not what was written")
        try:
            listed = read_record(data).files
        except BadInput as error:  # of another version of evidenced
            return Comparison(why=f"{place.folder}: {error}")
        survey = await self._shares.on(
            place.mount, partial(self._folders.survey, place)
        )
        there = {each.name: each for each in survey.files} if survey else {}
        good, altered, missing = list[SeenFile](), list[str](), list[str]()
        for each in listed:
            if is_litter(each.name):
                continue
            seen = there.get(each.name)
            if seen is None:
                missing.append(each.name)
            elif await self._reader.sha256(place, each.name) != each.sha256:
                altered.append(each.name)
            else:
                good.append(seen)
        return Comparison(
            as_recorded=tuple(good), altered=tuple(altered), missing=tuple(missing)
        )
