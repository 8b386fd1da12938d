"""Keeping the index at the root of each mounted destination as its footage is."""

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import BadInput
from evidenced.core.folders.whereabouts import Destination
from evidenced.core.ids import DestinationName
from evidenced.core.instants import HOUR
from evidenced.core.keeping.place import Place
from evidenced.core.telling.index import (
    MOST,
    Index,
    Shelf,
    index_json,
    index_page,
    instance_of,
)
from evidenced.pipeline.drafting import Desk
from evidenced.pipeline.shares import Shares, why_of
from evidenced.pipeline.world import World
from evidenced.tongues import tongue

JSON, PAGE = "index.json", "index.html"


class IndexBook:
    """Written where it is not what it was, at most once an hour for each mount."""

    def __init__(
        self, world: World, shares: Shares, desk: Desk, log: FilteringBoundLogger
    ) -> None:
        self._world = world
        self._shares = shares
        self._folders = desk.folders
        self._log = log
        self._looked_at: float | None = None
        self._written: dict[Path, str] = {}

    async def keep(self) -> None:
        """A share that cannot be written now gets it an hour later."""
        now = self._world.clock.monotonic()
        is_soon = self._looked_at is not None and (
            now - self._looked_at < HOUR.total_seconds()
        )
        if is_soon:
            return
        self._looked_at = now
        for mount, names in self._mounts().items():
            try:
                await self._keep_on(mount, names)
            except (OSError, BadInput) as error:
                self._log.warning(
                    "the index of a share is not written",
                    mount=str(mount),
                    why=why_of(error),
                )

    def _mounts(self) -> Mapping[Path, list[Destination]]:
        """Those that can be written now, each with its destinations."""
        found: dict[Path, list[Destination]] = {}
        for each in self._world.site.destinations.values():
            is_away = each.name in self._shares.problems
            if each.mount is not None and each.is_recorded and not is_away:
                found.setdefault(each.mount, []).append(each)
        return found

    async def _keep_on(self, mount: Path, those: list[Destination]) -> None:
        names = [each.name for each in those]
        index = await self._index(names)
        if not index.shelves:
            return
        mark = sha256(
            repr((index.shelves, index.is_cut, self._world.site.language)).encode()
        ).hexdigest()
        if self._written.get(mount) == mark:
            return
        place = Place(mount=mount, marker=those[0].marker, names=())
        json, page = await self._names(place, index.instance)
        speaks = tongue(self._world.site.language)
        made = await self._shares.aside(
            lambda: {json: index_json(index), page: index_page(index, speaks)}
        )
        await self._shares.change(mount, partial(self._folders.put, place, made))
        self._written[mount] = mark

    async def _index(self, names: list[DestinationName]) -> Index:
        site = self._world.site
        found = await self._world.read(
            lambda view: view.footage.newest(names, MOST + 1)
        )
        shelves = [
            Shelf(footage=each, way=place[2])
            for each in found[:MOST]
            if (place := self._shares.place(each.path, each.destination))
        ]
        return Index(
            instance=site.instance,
            site=site.name,
            zone=site.zone,
            at=self._world.now().at,
            shelves=shelves,
            is_cut=len(found) > MOST,
        )

    async def _names(self, place: Place, instance: str) -> tuple[str, str]:
        """What the two files are called: others may keep an index of that name here."""
        there = await self._shares.on(
            place.mount, partial(self._folders.listed, place, (JSON, PAGE))
        )
        if not there:
            return JSON, PAGE
        try:
            read = partial(self._folders.read, place, JSON)
            if instance_of(await self._shares.on(place.mount, read)) == instance:
                return JSON, PAGE
        except (FileNotFoundError, BadInput):
            pass
        return f"index-{instance}.json", f"index-{instance}.html"
