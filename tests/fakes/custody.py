"""Footage with a record on a share, and the loop that looks after it as it ages."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from evidenced.pipeline.byhand import ByHand
from evidenced.pipeline.custody import Custody
from evidenced.pipeline.operate import Operate
from evidenced.store import SqlStore
from fakes.evidence import EvidenceBench
from fakes.world import TOML

KEEP = timedelta(days=180)
KEPT = 'marker = ".share"\nkeep = "180d"'


class CustodyBench(EvidenceBench):
    """Of a destination that keeps footage for half a year."""

    def __init__(
        self,
        store: SqlStore,
        mount: Path,
        *,
        key: str | None = None,
        destination: str = KEPT,
        evidence: str = "hash_rate = 0",
    ) -> None:
        super().__init__(
            store, mount, key=key, destination=destination, evidence=evidence
        )
        self.custody = Custody(
            self.world,
            self.shares,
            self.desk,
            self.agenda,
            self.metrics,
            self.log.bound,
        )
        self.state = mount.with_name("state")
        self.by_hand = ByHand(
            self.world, self.shares, self.desk, self.agenda, self.log.bound
        )
        self.operate = Operate(self.world, self.agenda)

    async def record_it(self, **files: bytes) -> None:
        """Footage is exported, and its record written."""
        self.put(**files)
        await self.export_it()
        await self.go(2)

    async def age(self, by: timedelta = KEEP) -> None:
        """So much time goes by, and the clock was right all the while."""
        self.clock.advance(by)
        self.world.now()
        self.clock.advance(timedelta(hours=2))

    async def look(self, most: int = 9) -> int:
        """How many folders the loop took up, one after another."""
        for n in range(most):
            if not await self.custody.once():
                return n
        return most

    def config_file(self) -> Path:
        """A configuration of the same store and share, for commands."""
        file = self.mount.with_name("evidenced.toml")
        kept = f'mount = "{self.mount}"\n{KEPT}'
        text = TOML.format(destination=kept, cameras='"lobby"')
        file.write_text(f'[daemon]\nstate_dir = "{self.state}"\n{text}')
        return file

    async def footage(self) -> Any:
        """What the store knows of the one folder."""
        found = await self.store.read(lambda view: view.footage.of([self.incident.id]))
        assert len(found) == 1
        return found[0]

    def left(self) -> list[str]:
        """The files of the folder that are no record's."""
        names = (each.name for each in self.folder.iterdir())
        return sorted(name for name in names if not name.startswith("incident."))
