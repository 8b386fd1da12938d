"""The share that the recorders write to, as the daemon's host sees it."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from evidenced.core.errors import BadInput
from evidenced.core.exports.growth import Sighting
from evidenced.core.keeping.health import Room
from evidenced.evidence import ShareFolders
from evidenced.ports.evidence import EvidencePort
from evidenced.simulator import ExportRecord, Simulator
from simulation.ground import Ground
from simulation.site import MOUNT, ROOT

T = TypeVar("T")


class Killed(BaseException):
    """The process was killed in the midst of what it was doing to a share."""


class SimShare:
    """`ports.SharePort`. What an export that broke off had written lies still."""

    def __init__(self, ground: Ground, simulators: Iterable[Simulator]) -> None:
        self._ground = ground
        self._simulators = list(simulators)
        self.is_lost = False
        self.hangs_until = 0.0
        self.folders: EvidencePort = ShareFolders()
        self.changes = 0
        """Of files, by the daemon."""

    def reveal(self) -> str:
        """The key that signs; nothing is recorded here."""
        raise BadInput("no key")

    def fragile(self) -> AbstractContextManager[None]:
        """While the run goes on; nothing is written here."""
        return nullcontext()

    def lose(self, is_lost: bool) -> None:
        self.is_lost = is_lost

    def problem(
        self, mount: Path, _marker: str | None, _min_free: int = 0
    ) -> str | None:
        return f"{mount} is not there" if self.is_lost else None

    def room(self, _mount: Path) -> Room | None:
        return None

    def blindness(self, _mount: Path) -> str | None:
        return None

    def sighting(self, mount: Path, names: tuple[str, ...]) -> Sighting | None:
        if self.is_lost:
            raise OSError("stale file handle")
        return self._sighting(mount.joinpath(*names))

    def _sighting(self, folder: Path) -> Sighting | None:
        path = "\\".join((ROOT, *folder.relative_to(MOUNT).parts)).casefold()
        seen = [self._seen(each) for each in self._records() if _path(each) == path]
        return next((each for each in seen if each is not None), None)

    def _records(self) -> Iterable[ExportRecord]:
        for simulator in self._simulators:
            simulator.tick()
            yield from simulator.journal.exports

    def _seen(self, record: ExportRecord) -> Sighting | None:
        files = len(record.order.devices)
        if record.started_at is None:
            return None
        if not record.has_footage:
            return None
        if record.state == "running":
            return Sighting(
                files=files, size_bytes=int(self._ground.loop.time() * 1000)
            )
        size = 1_000_000 if record.state == "done" else 500_000
        return Sighting(files=files, size_bytes=size)

    def apart(
        self,
        work: Callable[[], T],
        is_dead: Callable[[], bool],
        die: Callable[[str], None],
    ) -> "asyncio.Future[T]":
        """As a thread of the process would run it, in virtual time."""
        loop = self._ground.loop
        done: asyncio.Future[T] = loop.create_future()

        def run() -> None:
            if done.done() or is_dead():  # nobody waits for it any more
                return
            try:
                done.set_result(work())
            except Killed:
                die("amid a change on the share")
            except Exception as error:  # noqa: BLE001 - whoever waits gets it
                done.set_exception(error)
                done.exception()  # whoever waited may be gone

        loop.call_at(
            max(loop.time() + self._ground.latency(0.1), self.hangs_until), run
        )
        return done


class NodeShare:
    """The same share as another host sees it: there it may be `gone`."""

    def __init__(self, share: SimShare) -> None:
        self._share = share
        self.is_gone = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._share, name)

    def problem(self, mount: Path, marker: str | None, min_free: int = 0) -> str | None:
        if self.is_gone:
            return f"{mount} is not mounted here"
        return self._share.problem(mount, marker, min_free)

    def sighting(self, mount: Path, names: tuple[str, ...]) -> Sighting | None:
        if self.is_gone:
            raise OSError("not mounted here")
        return self._share.sighting(mount, names)


def _path(record: ExportRecord) -> str:
    return record.order.path.casefold()
