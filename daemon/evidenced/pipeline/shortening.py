"""After the clock was set: what waits for an instant that is too far ahead, waits less.

Looked for in the first minute after a start, and after each step of the clock that was
noticed: rows that another loop wrote with the instant of before come within that time.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.evidence import WAITS
from evidenced.core.history import Change
from evidenced.core.ids import RecorderName
from evidenced.core.steadiness import Steadiness
from evidenced.core.waits import shortened, shortened_record, shortened_tag
from evidenced.pipeline.world import World
from evidenced.ports import Tx

STEP = timedelta(seconds=1)
FOR = timedelta(minutes=1)
BATCH = 200


class Shortening:
    """Looks now and then whether a clock that was set left waits behind."""

    def __init__(self, world: World, log: FilteringBoundLogger) -> None:
        self._world = world
        self._log = log
        self._steadiness = Steadiness(STEP)

    async def once(self) -> list[Change]:
        """One batch: the incidents that were moved."""
        clock, site = self._world.clock, self._world.site
        now = clock.now()
        if self._steadiness.look(now, clock.monotonic()) >= FOR:
            return []
        waits = {name: each.retry.longest_wait for name, each in site.recorders.items()}
        records = max(WAITS.longest_wait, site.care.stable)
        step = partial(shorten_step, now=now, waits=waits, records=records)
        changes = await self._world.write(step)
        for change in changes:
            self._log.warning(
                "the clock was ahead: the next try is sooner", incident=change.after.id
            )
        return changes


def shorten_step(
    tx: Tx,
    now: datetime,
    waits: Mapping[RecorderName, timedelta],
    records: timedelta,
) -> list[Change]:
    """Up to a batch of each. `waits` and `records` are how long they wait at most."""
    changes: list[Change] = []
    for recorder, longest in waits.items():
        later = now + longest
        found = (
            shortened(incident, recorder, now, longest)
            for incident in tx.due_beyond(recorder, later, now, BATCH)
        )
        some = [change for change in found if change is not None]
        tx.save(some, now)
        changes += some
        tags = tx.tags_beyond(recorder, later, BATCH)
        tx.save_tags(shortened_tag(tag, now) for tag in tags)
    for record in tx.records_beyond(now + records, BATCH):
        tx.save_record(shortened_record(record, now))
    return changes
