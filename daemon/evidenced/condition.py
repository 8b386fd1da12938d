"""How the running daemon is, from the parts that run."""

import asyncio
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from evidenced.config.compile import control_file
from evidenced.config.load import load
from evidenced.config.models import Config
from evidenced.core.errors import StoreError
from evidenced.core.phrase import phrase
from evidenced.core.spoken import spoken
from evidenced.core.telling.judgement import Surroundings
from evidenced.host.ondisk import OnDisk
from evidenced.host.room import too_little_room
from evidenced.pipeline.engine import Engine
from evidenced.pipeline.world import World
from evidenced.ports import Session, Store
from evidenced.ports.control import Installation, RecorderStatus, ShareStatus

STORE_DEADLINE = timedelta(seconds=5)
LOOK_AROUND_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonCondition:
    """`ports.Condition` over the parts that run."""

    store: Store
    broker: Session
    engine: Engine

    async def stuck(self) -> list[str]:
        """See ports.Condition: judged by progress, not by a timer."""
        refusal, stalled = await self._progress()
        return [refusal, *stalled] if refusal else stalled

    async def stalled(self) -> list[str]:
        """See ports.Condition.

        A store that answers that it cannot write (a full disk) is not stalled, nor is
        the turn that waits for it: a restart would not make room.
        """
        refusal, stalled = await self._progress()
        return [] if refusal or self.engine.world.is_store_refusing else stalled

    async def _progress(self) -> tuple[str | None, list[str]]:
        """Why the store refuses, and what does not move."""
        refusal: str | None = None
        stalled: list[str] = []
        try:
            async with asyncio.timeout(STORE_DEADLINE.total_seconds()):
                await self.store.write(lambda tx: tx.history.head())
        except TimeoutError:
            stalled.append(
                phrase(
                    "the store has not answered for {store_deadline}",
                    store_deadline=spoken(STORE_DEADLINE),
                )
            )
        except StoreError as error:
            refusal = str(error)
        return refusal, stalled + self.engine.stalled()

    def unready(self) -> list[str]:
        """See ports.Condition."""
        engine = self.engine
        problems = (self.broker.problem, engine.world.store_problem)
        return [each for each in (*problems, engine.intake.problem) if each]

    def notes(self) -> list[str]:
        """See ports.Condition."""
        return self.engine.notes()

    def surroundings(self) -> Surroundings:
        """See ports.Condition."""
        return self.engine.judge.surroundings()

    def recorders(self) -> list[RecorderStatus]:
        """See ports.Condition."""
        world = self.engine.world
        local = world.now().at.astimezone(world.site.zone)
        return self.engine.stations.recorders(local)

    def installation(self) -> Installation:
        """See ports.Condition."""
        site = self.engine.world.site
        return Installation(
            instance=site.instance,
            zone=site.zone,
            rules={rule.name: rule.terms.label or rule.name for rule in site.rules},
            cameras={name: each.label for name, each in site.roster.cameras.items()},
            used={
                camera.name: camera.recorder
                for cameras in site.used_cameras.values()
                for camera in cameras
            },
            destinations={
                name: each.path.text for name, each in site.destinations.items()
            },
            settles=self.engine.world.site.settles,
            places=site.places,
        )

    def shares(self) -> list[ShareStatus]:
        """See ports.Condition."""
        engine = self.engine
        return [
            ShareStatus(
                destination=each.name,
                problem=engine.shares.troubles.get(each.name),
                no_records=engine.evidence.problems.get(each.name),
                room=engine.shares.rooms.get(each.name),
                min_free=each.min_free,
            )
            for each in engine.world.site.destinations.values()
            if each.mount is not None
        ]


class InForce(Protocol):
    """What a daemon knows of its configuration: `files` are those that it was read of.

    `wanted` is the one that was read last, `config` the one that it runs with.
    """

    config: Config
    wanted: Config
    files: tuple[Path, ...]


async def look_around(world: World, daemon: InForce) -> None:
    """Forever, each minute: what nobody tells this process, and no loop meets."""
    folder = control_file(daemon.config, os.environ).parent
    files = daemon.files
    on_disk = OnDisk(lambda: load(files[0]), files) if files else None
    while True:
        world.notes["room"] = await asyncio.to_thread(too_little_room, folder)
        if on_disk is not None and not world.config_problem:
            now = world.clock.monotonic()
            text = await asyncio.to_thread(on_disk.look, daemon.wanted, now)
            world.notes["config"] = text
        await asyncio.sleep(LOOK_AROUND_S)
