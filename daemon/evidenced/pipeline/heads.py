"""Keeping the head of the audit chain on the shares, once an hour, signed."""

from functools import partial
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import BadInput
from evidenced.core.folders.whereabouts import Destination
from evidenced.core.ids import DestinationName
from evidenced.core.keeping.heads import KeptHead, file_name, is_due, text_of
from evidenced.core.keeping.place import Place
from evidenced.core.keeping.stamps import line_of, stamps_name
from evidenced.pipeline.drafting import Desk
from evidenced.pipeline.shares import Shares, why_of
from evidenced.pipeline.stamping import last_stamp
from evidenced.pipeline.world import World


class HeadBook:
    """When each share got its last one. One that is away gets it when it is back."""

    def __init__(
        self, world: World, shares: Shares, desk: Desk, log: FilteringBoundLogger
    ) -> None:
        self._world = world
        self._shares = shares
        self._desk = desk
        self._log = log
        self._kept_at: dict[DestinationName, float] = {}

    async def keep(self) -> None:
        """Where one is due. What cannot be written now is tried again in an hour."""
        now = self._world.clock.monotonic()
        for each in self._world.site.destinations.values():
            if (
                each.mount is None
                or not each.is_recorded
                or each.name in self._shares.problems
                or not is_due(self._kept_at.get(each.name), now)
            ):
                continue
            self._kept_at[each.name] = now
            try:
                await self._keep_on(each)
            except (OSError, BadInput) as error:
                self._log.warning(
                    "the head of the audit chain is not kept on a share",
                    destination=each.name,
                    why=why_of(error),
                )

    async def _keep_on(self, destination: Destination) -> None:
        if destination.mount is None:
            return
        site = self._world.site
        head = await self._world.read(lambda view: view.history.head())
        kept = KeptHead(head=head, at=self._world.now().at, instance=site.instance)
        sign = partial(self._desk.signer.sign_line, text_of(kept))
        line = await self._shares.aside(sign)
        await self._append(
            destination.mount, destination, file_name(site.instance), line
        )
        stamp = await self._world.read(last_stamp)
        if stamp is not None:
            name = stamps_name(site.instance)
            await self._append(destination.mount, destination, name, line_of(stamp))

    async def _append(
        self, mount: Path, destination: Destination, name: str, line: str
    ) -> None:
        place = Place(mount=mount, marker=destination.marker, names=())
        data = f"{line}\n".encode()
        append = partial(self._desk.folders.append, place, name, data)
        await self._shares.change(mount, append)
