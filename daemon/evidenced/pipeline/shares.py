"""Mounted shares: is the right one there, and do an export's files lie on it?

A share that is missing or is another one closes its destination: nothing is sent there
until it is back. Source: design.md, evidenced.toml `mount` and `marker`.
"""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from evidenced.config.site import Destination
from evidenced.core.export import ExportRequest
from evidenced.core.ids import DestinationName
from evidenced.core.paths import below
from evidenced.core.sighting import Sighting
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.world import World
from evidenced.ports import SharePort

LOOK_EVERY = timedelta(seconds=30)
LOOK_LIMIT = timedelta(seconds=20)
"""A network file system may hang for minutes; then it counts as not there."""


class Shares:
    """The loop that looks at mounts, and what it last saw."""

    def __init__(
        self, world: World, port: SharePort, agenda: Agenda, log: FilteringBoundLogger
    ) -> None:
        self._world = world
        self._port = port
        self._agenda = agenda
        self._log = log
        self.problems: dict[DestinationName, str] = {}

    async def run(self) -> None:
        """Forever, every half minute."""
        while True:
            await self.once()
            await self._agenda.wait(names.SHARES, LOOK_EVERY)

    async def once(self) -> None:
        """Look at every mount once; tell what changed."""
        found: dict[DestinationName, str] = {}
        for destination in self._world.site.destinations.values():
            problem = await self._problem(destination)
            if problem is not None:
                found[destination.name] = problem
        for name in found.keys() - self.problems.keys():
            self._log.warning(
                "share is not there; nothing is sent to its destination",
                destination=name,
                why=found[name],
            )
        for name in self.problems.keys() - found.keys():
            self._log.info("share is back", destination=name)
        if self.problems.keys() - found.keys():
            for recorder in self._world.site.recorders:
                self._agenda.hint(names.dispatch(recorder))
        self.problems = found

    async def _problem(self, destination: Destination) -> str | None:
        if destination.mount is None:
            return None
        look = asyncio.to_thread(
            self._port.problem, destination.mount, destination.marker
        )
        try:
            async with asyncio.timeout(LOOK_LIMIT.total_seconds()):
                return await look
        except TimeoutError:
            return f"{destination.mount} has not answered for {LOOK_LIMIT}"

    async def sightings(self, exports: Iterable[ExportRequest]) -> dict[int, Sighting]:
        """What lies where these exports went, by their number, as far as it is seen."""
        seen: dict[int, Sighting] = {}
        for export in exports:
            folder = self._folder(export)
            if folder is None:
                continue
            look = asyncio.to_thread(self._port.sighting, folder)
            try:
                async with asyncio.timeout(LOOK_LIMIT.total_seconds()):
                    sighting = await look
            except TimeoutError:
                continue
            if sighting is not None:
                seen[export.id] = sighting
        return seen

    def covers(self, export: ExportRequest) -> bool:
        """Whether this host can see where the export went."""
        return self._folder(export) is not None

    def _folder(self, export: ExportRequest) -> Path | None:
        """The export's folder under the mount of the destination that it lies below."""
        for destination in self._world.site.destinations.values():
            folders = below(export.path, destination.root)
            usable = destination.mount and destination.name not in self.problems
            if folders is not None and usable and destination.mount:
                return destination.mount.joinpath(*folders)
        return None
