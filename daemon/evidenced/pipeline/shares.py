"""Mounted shares: is the right one there, and do an export's files lie on it?

A share that is missing or is another one closes its destination: nothing is sent there
until it is back. Source: design.md, evidenced.toml `mount` and `marker`.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from structlog.typing import FilteringBoundLogger

from evidenced.core.exports.growth import Search, Sighting
from evidenced.core.folders.whereabouts import Destination
from evidenced.core.ids import DestinationName
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.keeping.health import Room
from evidenced.core.phrase import phrase
from evidenced.core.spoken import size_words
from evidenced.core.streak import Reasons
from evidenced.host.threads import Apart, Threads, on_thread
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.world import World
from evidenced.ports import SharePort
from evidenced.ports.recorder import NOT_OURS

T = TypeVar("T")

LOOK_EVERY = timedelta(seconds=30)
LOOK_LIMIT = timedelta(seconds=20)
"""A network file system may hang for minutes; then it counts as not there."""

EARLY = 3
"""People hear of a share that has less than so many times `min_free`."""


class Shares:
    """The loop that looks at mounts, and what it last saw."""

    def __init__(
        self,
        world: World,
        port: SharePort,
        agenda: Agenda,
        log: FilteringBoundLogger,
        apart: Apart = on_thread,
    ) -> None:
        self._world = world
        self._port = port
        self._agenda = agenda
        self._log = log
        self._apart = apart
        self._threads = Threads(apart=apart)
        self._closed = Reasons[DestinationName]()
        self._blind = Reasons[DestinationName]()
        self.rooms: dict[DestinationName, Room] = {}
        """How full each was when it was looked at last."""
        self.is_looked = False
        """Whether each was looked at once."""
        self.waiting: dict[int, tuple[DestinationName, str]] = {}
        """By number exports that could not be looked at, and why: `Checking`'s."""

    @property
    def problems(self) -> Mapping[DestinationName, str]:
        """Destinations that nothing is sent to, and why."""
        return self._closed.of

    @property
    def troubles(self) -> Mapping[DestinationName, str]:
        """Destinations that are closed, or of which something cannot be seen."""
        return {**dict(self.waiting.values()), **self._blind.of, **self._closed.of}

    @property
    def blind(self) -> Mapping[DestinationName, str]:
        """Destinations that are sent to although nobody here can see what lies there.

        The recorder has a way of its own to them.
        """
        return self._blind.of

    def notes(self) -> list[str]:
        """Of shares whose room is running out, before nothing is sent to them."""
        return [
            phrase(
                "share {name} is filling up: {free} free, and nothing is sent there "
                "below {wanted} (min_free)",
                name=each.name,
                free=size_words(room.free),
                wanted=size_words(each.min_free),
            )
            for each in self._world.site.destinations.values()
            if each.name not in self.problems
            and (room := self.rooms.get(each.name)) is not None
            and room.free < EARLY * each.min_free
        ]

    async def run(self) -> None:
        """Forever, every half minute."""
        while True:
            await self.once()
            await self._agenda.wait(names.SHARES, at_most=LOOK_EVERY)

    async def once(self) -> None:
        """Look at every mount once; tell what changed."""
        found: dict[DestinationName, str] = {}
        unseen: dict[DestinationName, str] = {}
        for destination in self._world.site.destinations.values():
            problem = await self._problem(destination)
            await self._measure(destination)
            if problem is not None:
                found[destination.name] = problem
            elif (why := await self._blindness(destination)) is not None:
                unseen[destination.name] = why
        self._tell_blind(unseen)
        begun, over = self._closed.look(found)
        self.is_looked = True
        for name in begun:
            self._log.warning(
                "share is not there; nothing is sent to its destination",
                destination=name,
                why=found[name],
            )
        for name in over:
            if name in self._world.site.destinations:  # else a reload took it away
                self._log.info("share is back", destination=name)
        if over:
            for recorder in self._world.site.recorders:
                self._agenda.hint(names.dispatch(recorder))
                self._agenda.hint(names.track(recorder))
            self._agenda.hint(names.CHECK)

    async def _measure(self, destination: Destination) -> None:
        """How full it is; nothing is known of one that cannot be looked at."""
        self.rooms.pop(destination.name, None)
        if destination.mount is None:
            return
        look = partial(self._port.room, destination.mount)
        with suppress(OSError):  # TimeoutError is one
            room = await self.on(destination.mount, look)
            if room is not None:
                self.rooms[destination.name] = room

    async def _problem(self, destination: Destination) -> str | None:
        if destination.mount is None:
            return None
        mount, marker = destination.mount, destination.marker
        try:
            look = partial(self._port.problem, mount, marker, destination.min_free)
            return await self.on(mount, look)
        except TimeoutError as error:
            return str(error)

    async def _blindness(self, destination: Destination) -> str | None:
        if destination.mount is None:
            return None
        try:
            look = partial(self._port.blindness, destination.mount)
            return await self.on(destination.mount, look)
        except TimeoutError as error:
            return phrase(
                "{mount} cannot be listed: {error}",
                mount=destination.mount,
                error=error,
            )

    def _tell_blind(self, found: Mapping[DestinationName, str]) -> None:
        begun, over = self._blind.look(found)
        for name in begun:
            self._log.warning(
                "share cannot be listed; exports go there unseen",
                destination=name,
                why=found[name],
            )
        for name in over:
            self._log.info("share can be listed again", destination=name)
            self._agenda.hint(names.CHECK)

    async def search(self, exports: Iterable[ExportRequest]) -> Search:
        """Look for the files of these exports."""
        found: dict[int, Sighting] = {}
        unknown: set[int] = set()
        for export in exports:
            try:
                sighting = await self.sighting(export)
            except OSError:  # TimeoutError is one
                unknown.add(export.id)
                continue
            if sighting is not None:
                found[export.id] = sighting
        return Search(found=found, unknown=frozenset(unknown))

    def covers(self, export: ExportRequest) -> bool:
        """Whether there is a share on which this host could see the export."""
        return self.place(export.path, export.destination) is not None

    async def sighting(self, export: ExportRequest) -> Sighting | None:
        """Its footage, if the share is the right one before and after the look.

        None if there is none, or no share from which it could be seen.

        Raises:
            OSError: it cannot be looked at, or is not the share that was meant.
        """
        found = self.place(export.path, export.destination)
        if found is None:
            return None
        destination, mount, folders = found
        if destination.name in self.problems:
            raise OSError(self.problems[destination.name])

        def look() -> Sighting | None:
            sighting = self._port.sighting(mount, folders)
            problem = self._port.problem(mount, destination.marker)
            if problem is not None:
                raise OSError(problem)
            return sighting

        return await self.on(mount, look)

    async def is_taken(self, export: ExportRequest) -> bool:
        """Whether footage lies in its folder already, as far as this host can tell.

        The store does not know of it: it is older than what it was restored from.
        """
        try:
            return await self.sighting(export) is not None
        except OSError:  # TimeoutError is one
            return False

    async def on(self, mount: Path, look: Callable[[], T]) -> T:
        """The look's result; none is begun on a mount where one still hangs.

        Raises:
            TimeoutError: the mount does not answer.
        """
        return await self._threads.run(look, mount, LOOK_LIMIT)

    async def change(self, mount: Path, work: Callable[[], T]) -> T:
        """`on`, for what is done to files: not by a node that may do it no more.

        One that stood still would put an older record in a newer one's place.

        Raises:
            OSError: another node may do it now; nothing was done.
            TimeoutError: the mount does not answer.
        """

        def ours() -> T:
            if not self._world.left():
                raise OSError(NOT_OURS)
            return work()

        return await self.on(mount, ours)

    def place(
        self, path: str, name: DestinationName
    ) -> tuple[Destination, Path, tuple[str, ...]] | None:
        """The destination of a path, its mount, and the way from there."""
        return self._world.site.places.mounted(path, name)

    async def aside(self, work: Callable[[], T]) -> T:
        """Run what takes a while beside the event loop."""
        return await self._apart(work)


def why_of(error: Exception) -> str:
    """Why something on a share did not work, in the words for people."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
