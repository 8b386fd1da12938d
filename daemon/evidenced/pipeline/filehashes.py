"""Footage on a share, hashed file by file: slowly, and each committed as it is done."""

import asyncio
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.keeping import evidence
from evidenced.core.keeping.evidence import HashedFile, SeenFile
from evidenced.metrics import Metrics
from evidenced.pipeline.docket import Docket, Surveys
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.world import World
from evidenced.ports import Tx
from evidenced.ports.evidence import EvidencePort, Place

SLICE = 1 << 20
"""Bytes read and hashed at a time; a share may hang for one of them at most."""


class FileHashes:
    """Hashes what lies in the folders of a docket, off the event loop."""

    def __init__(
        self,
        world: World,
        shares: Shares,
        folders: EvidencePort,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._world = world
        self._shares = shares
        self._folders = folders
        self._metrics = metrics
        self._log = log

    async def hashed(self, docket: Docket, surveys: Surveys) -> list[HashedFile]:
        """Every file of the folders; those that are known and did not change rest."""
        done = []
        for path, survey in surveys.items():
            for file in survey.files if survey else ():
                known = docket.known.get((path, file.name))
                if known is None or not evidence.is_same_file(known, file):
                    known = await self._hash_one(docket, path, file, known)
                done.append(known)
        return done

    async def _hash_one(
        self, docket: Docket, path: str, file: SeenFile, known: HashedFile | None
    ) -> HashedFile:
        digest = await self._read_through(docket.places[path][1], file.name)
        now = self._world.clock.now()
        hashed = evidence.rehash(known, path, file, digest, now)
        name = docket.record.incident

        def save(tx: Tx) -> None:
            if tx.evidence.of([name]):  # else it was pruned meanwhile
                tx.evidence.save_files(name, [hashed])

        await self._world.write(save)
        if hashed.was:
            self._log.warning(
                "footage was changed after it was recorded",
                incident=name,
                path=path,
                file=file.name,
            )
        return hashed

    async def _read_through(self, place: Place, name: str) -> str:
        """The file's SHA-256, read no faster than `hash_rate`."""
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
