"""The share that the recorders write to, as the daemon's host sees it."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from evidenced.core.sighting import Sighting
from evidenced.simulator import ExportRecord, Simulator
from simulation.ground import Ground
from simulation.site import MOUNT, ROOT

T = TypeVar("T")


class SimShare:
    """`ports.SharePort`. An export that broke off leaves nothing that lies still."""

    def __init__(self, ground: Ground, simulators: Iterable[Simulator]) -> None:
        self._ground = ground
        self._simulators = list(simulators)
        self.is_lost = False
        self.hangs_until = 0.0

    def problem(
        self, mount: Path, _marker: str | None, _min_free: int = 0
    ) -> str | None:
        return f"{mount} is not there" if self.is_lost else None

    def sighting(self, folder: Path) -> Sighting | None:
        if self.is_lost:
            raise OSError("stale file handle")
        path = "\\".join((ROOT, *folder.relative_to(MOUNT).parts)).casefold()
        seen = [self._seen(each) for each in self._records() if _path(each) == path]
        return next((each for each in seen if each is not None), None)

    def _records(self) -> Iterable[ExportRecord]:
        for simulator in self._simulators:
            simulator.tick()
            yield from simulator.journal.exports

    def _seen(self, record: ExportRecord) -> Sighting | None:
        files = len(record.order.devices)
        if record.state == "done":
            return Sighting(files=files, size_bytes=1_000_000)
        if record.state == "running":
            return Sighting(
                files=files, size_bytes=int(self._ground.loop.time() * 1000)
            )
        return None

    def apart(self, work: Callable[[], T], /) -> "asyncio.Future[T]":
        """As a thread would run it, in virtual time."""
        loop = self._ground.loop
        done: asyncio.Future[T] = loop.create_future()

        def run() -> None:
            if done.done():  # nobody waits for it any more
                return
            try:
                done.set_result(work())
            except OSError as error:
                done.set_exception(error)
                done.exception()  # whoever waited may be gone

        loop.call_at(
            max(loop.time() + self._ground.latency(0.1), self.hangs_until), run
        )
        return done


def _path(record: ExportRecord) -> str:
    return record.order.path.casefold()
