"""Whether evidence records could be written to each share, found out now and then."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.folders.whereabouts import Destination
from evidenced.core.ids import DestinationName
from evidenced.core.streak import Reasons
from evidenced.pipeline.agenda import LOOK_AGAIN
from evidenced.pipeline.shares import Shares, why_of
from evidenced.pipeline.world import World
from evidenced.ports.evidence import EvidencePort

PROBE_EVERY = timedelta(minutes=5)


class ShareProbe:
    """Looks every few minutes; every half one while a share refuses."""

    def __init__(
        self,
        world: World,
        shares: Shares,
        folders: EvidencePort,
        log: FilteringBoundLogger,
    ) -> None:
        self._world = world
        self._shares = shares
        self._folders = folders
        self._log = log
        self._probed_at: float | None = None
        self._refusing = Reasons[DestinationName]()

    @property
    def problems(self) -> Mapping[DestinationName, str]:
        """Destinations whose share takes no records now, and why."""
        return self._refusing.of

    async def look(self) -> None:
        """Now and then: could a record be written to each share at all?"""
        now = self._world.clock.monotonic()
        is_soon = self._probed_at is not None and (
            now - self._probed_at < PROBE_EVERY.total_seconds()
        )
        if is_soon and not self.problems:
            return
        if is_soon and now - (self._probed_at or 0.0) < LOOK_AGAIN.total_seconds():
            return
        self._probed_at = now
        found: dict[DestinationName, str] = {}
        for destination in self._world.site.destinations.values():
            why = await self._refusal(destination)
            if why is not None:
                found[destination.name] = why
        begun, over = self._refusing.look(found)
        for name in begun:
            self._log.warning(
                "evidence records cannot be written to a share",
                destination=name,
                why=found[name],
            )
        for name in over:
            self._log.info("evidence records can be written again", destination=name)

    async def _refusal(self, destination: Destination) -> str | None:
        mount = destination.mount
        is_closed = destination.name in self._shares.problems  # told by whoever looked
        if mount is None or not destination.is_recorded or is_closed:
            return None
        look = partial(self._folders.refusal, mount, destination.marker)
        try:
            return await self._shares.on(mount, look)
        except OSError as error:
            return why_of(error)
