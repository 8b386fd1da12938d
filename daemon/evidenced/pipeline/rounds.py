"""Rounds: one look for all recorders, instead of one of each loop of each.

Rows are the truth and hints may be lost, so whoever waits for rows looks at them now
and then. Five loops for each of 500 recorders that have nothing to do would be a
hundred reads a second; here it is one in half a minute, and the loops of the recorders
that it names are woken.
"""

from collections.abc import Callable, Iterable

from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.station import Station
from evidenced.pipeline.world import World


class Rounds:
    """The loop that visits the stations for which there may be something to do."""

    def __init__(
        self, world: World, stations: Callable[[], Iterable[Station]], agenda: Agenda
    ) -> None:
        """`stations`: those that are open on this node now."""
        self._world = world
        self._stations = stations
        self._agenda = agenda

    async def run(self) -> None:
        """Forever, first of all at a start."""
        while True:
            await self.once()
            await self._agenda.wait(names.ROUNDS)

    async def once(self) -> None:
        """One look at the rows of all recorders."""
        named = await self._world.read(lambda view: view.queue.recorders_to_visit())
        for station in self._stations():
            if station.name in named or station.link.is_busy:
                station.visit()
