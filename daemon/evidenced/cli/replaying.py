"""Kept messages against the rules in force: the incidents that they would make.

The daemon's own steps run on a store of their own, which is thrown away: rules,
merging, clears, cuts and duplicates are what they are, and nothing is exported.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from evidenced.cli.explanation import happening_of
from evidenced.core.alarms.alarm import NotTaken
from evidenced.core.alarms.rules import read_alarm
from evidenced.core.ids import incident_id
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.lifecycle import NewId
from evidenced.core.site import Site
from evidenced.pipeline.taking import Taken, Understood, take
from evidenced.pipeline.turn import clearing_of, turn_step
from evidenced.ports import Tx
from evidenced.store import SqlStore, StoreSettings, open_store
from evidenced.store.recorded import Recorded

BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What each message would become now, and the incidents after the last one."""

    taken: tuple[Taken, ...]
    incidents: tuple[Incident, ...]


def replay(
    site: Site, recorded: Sequence[Recorded], progress: Callable[[int], None]
) -> Replayed:
    """Run the messages, in order, each at the time of its receipt. Blocks.

    `progress` is told how many more were done.
    """
    with TemporaryDirectory(prefix="evidenced-replay-") as folder:
        store = open_store(StoreSettings(directory=Path(folder)))
        try:
            return asyncio.run(_replay(store, site, recorded, progress))
        finally:
            store.close()


async def _replay(
    store: SqlStore,
    site: Site,
    recorded: Sequence[Recorded],
    progress: Callable[[int], None],
) -> Replayed:
    tokens = iter(range(1, len(recorded) * 1000 + 1000))
    steps = Steps(site, lambda at: incident_id(at, f"{next(tokens):08}"))
    taken: list[Taken] = []
    for at in range(0, len(recorded), BATCH):
        some = recorded[at : at + BATCH]
        taken += await store.write(partial(steps.run, recorded=some))
        progress(len(some))
    ids = {each.incident for each in taken if each.incident is not None}
    found = await store.read(lambda view: view.incidents.get(ids))
    return Replayed(taken=tuple(taken), incidents=tuple(found))


@dataclass(frozen=True, slots=True)
class Steps:
    """The daemon's steps over messages, with time taken from them."""

    site: Site
    new_id: NewId

    def run(self, tx: Tx, recorded: Sequence[Recorded]) -> list[Taken]:
        """Each message in its turn, after whatever time alone has changed before."""
        settles = {name: each.settle for name, each in self.site.recorders.items()}
        clearing = clearing_of(self.site.rules)
        taken = []
        for each in recorded:
            now = each.alarm.received_at
            while turn_step(tx, now, settles, self.new_id, clearing):
                pass
            taken += take(tx, [self._understood(each)], now, self.new_id)
        return taken

    def _understood(self, recorded: Recorded) -> Understood:
        alarm = recorded.alarm
        verdict = read_alarm(self.site.rules, alarm)
        if isinstance(verdict, NotTaken):
            return Understood(alarm=alarm, result=verdict)
        happening = happening_of(self.site, alarm, verdict)
        return Understood(alarm=alarm, result=happening)
