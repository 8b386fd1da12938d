"""The store and the loops of one start, taken through their steps one by one."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.incidents.incident import Incident
from evidenced.core.keeping.kept import IncidentFilter
from evidenced.core.site import Site
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.intake import accept
from evidenced.pipeline.interpret import Interpret
from evidenced.pipeline.janitor import Janitor, trust_of
from evidenced.pipeline.operate import Operate
from evidenced.pipeline.silencing import Silencing
from evidenced.pipeline.turn import Turn
from evidenced.pipeline.world import World
from evidenced.ports import Remembered, View
from evidenced.store import StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.running import Log
from fakes.world import make_site

ROUND, LOOKS = timedelta(seconds=15), 20
ALL = IncidentFilter(limit=500)


class NewTokens:
    """`ports.Dice` whose tokens are not repeated."""

    def __init__(self) -> None:
        self._given = 0

    def jitter(self) -> float:
        return 0.5

    def token(self) -> str:
        self._given += 1
        return f"{self._given:08d}"


class Connected:
    """`ports.Session` of a broker that is there, as far as housekeeping asks."""

    problem = held_since = None

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    @property
    def remembered(self) -> Remembered:
        return Remembered(last_alive=self._clock.now())


class House:
    """Open it again with the same folder and clock for the next start."""

    def __init__(
        self,
        where: Path | StoreSettings,
        clock: FakeClock,
        site: Site | None = None,
    ) -> None:
        self.clock, self.log = clock, Log()
        log, metrics = self.log.bound, Metrics("test")
        if isinstance(where, Path):
            where = StoreSettings(directory=where)
        self.store = open_store(where)
        self.world = World(site or make_site(), self.store, clock, NewTokens(), log)
        self.agenda = Agenda(clock)
        self.janitor = Janitor(self.world, Connected(clock), self.agenda, log)
        self.operate = Operate(self.world, self.agenda)
        self.silencing = Silencing(self.world, self.agenda)
        self.turn = Turn(self.world, self.agenda, log)
        self.interpret = Interpret(self.world, self.agenda, metrics, log)

    async def start(self) -> "House":
        """Recall what the start before noted of the clock."""
        self.world.trust = await self.read(partial(trust_of, clock=self.clock))
        return self

    async def arrive(self, payload: bytes = b"{}", topic: str = "panic/a") -> None:
        """A message comes and is read by the rules."""
        alarm = Alarm(topic=topic, payload=payload, received_at=self.clock.now())
        await self.world.write(partial(accept, alarms=[alarm]))
        await self.interpret.once()

    async def live(self, for_: timedelta) -> None:
        """Time passes, and the loops look now and then."""
        step = max(ROUND, for_ / LOOKS)
        for _ in range(max(1, for_ // step)):
            while await self.turn.once():
                pass
            await self.janitor.once()
            self.clock.advance(step)

    async def read(self, query: Callable[[View], Any]) -> Any:
        return await self.store.read(query)

    async def incidents(self) -> list[Incident]:
        found: list[Incident] = await self.read(lambda v: v.incidents.search(ALL))
        return found

    async def events(self) -> list[str]:
        found = await self.read(lambda v: v.history.after(0, 9999))
        return [str(entry.event) for _, entry in found]
