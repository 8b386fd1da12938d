"""After the clock was set: what waits for an instant that is too far ahead, waits less.

Looked for in the first minute after a start, and after each step of the clock that was
noticed: rows that another loop wrote with the instant of before come within that time.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.ids import IncidentId, RecorderName
from evidenced.core.incidents.history import Change
from evidenced.core.instants import MINUTE, SECOND
from evidenced.core.keeping.evidence import WAITS
from evidenced.core.keeping.waits import shortened, shortened_record, shortened_tag
from evidenced.core.steadiness import Steadiness
from evidenced.pipeline.world import World
from evidenced.ports import Tx

STEP = SECOND
FOR = MINUTE
BATCH = 200
"""Incidents, tags or records in one transaction: alarms never wait long behind it."""

Waits = Mapping[RecorderName, timedelta]
"""How long something waits at most that is asked of a recorder."""


class Shortening:
    """Looks now and then whether a clock that was set left waits behind."""

    def __init__(self, world: World, log: FilteringBoundLogger) -> None:
        self._world = world
        self._log = log
        self._steadiness = Steadiness(STEP)

    async def once(self) -> list[Change]:
        """Everything that waits too long by now; the incidents that were moved."""
        clock, site = self._world.clock, self._world.site
        now = clock.now()
        if self._steadiness.look(now, clock.monotonic()) >= FOR:
            return []
        waits = {name: each.retry.longest_wait for name, each in site.recorders.items()}
        records = max(WAITS.longest_wait, site.care.stable)
        look = partial(look_step, now=now, waits=waits, records=records)
        beyond, is_more = await self._world.write(look)
        while is_more:
            beyond, is_more = await self._world.write(look)
        changes: list[Change] = []
        for recorder, ids in beyond.items():
            changes += await self._clips(ids, recorder, now, waits[recorder])
        if changes:
            self._log.warning(
                "the clock was ahead: the next try is sooner", incidents=len(changes)
            )
        return changes

    async def _clips(
        self,
        ids: Sequence[IncidentId],
        recorder: RecorderName,
        now: datetime,
        longest: timedelta,
    ) -> list[Change]:
        changes: list[Change] = []
        for first in range(0, len(ids), BATCH):
            step = partial(
                shorten_clips,
                ids=ids[first : first + BATCH],
                recorder=recorder,
                now=now,
                longest=longest,
            )
            changes += await self._world.write(step)
        return changes


Beyond = dict[RecorderName, list[IncidentId]]
"""Incidents with clips that may wait too long, by recorder."""


def look_step(
    tx: Tx, now: datetime, waits: Waits, records: timedelta
) -> tuple[Beyond, bool]:
    """Move tags and records, up to a batch of each; whether there may be more of them.

    `records` is how long a record waits at most. All clips are named, none is moved.
    """
    tx.past.date_back(now)
    sizes = []
    for recorder, longest in waits.items():
        tags = tx.tags.beyond(recorder, now + longest, BATCH)
        tx.tags.save(shortened_tag(tag, now) for tag in tags)
        sizes.append(len(tags))
    late = tx.evidence.beyond(now + records, BATCH)
    for record in late:
        tx.evidence.save(shortened_record(record, now))
    beyond = {
        recorder: tx.queue.due_beyond(recorder, now + longest, now)
        for recorder, longest in waits.items()
    }
    return beyond, BATCH in {*sizes, len(late)}


def shorten_clips(
    tx: Tx,
    ids: Sequence[IncidentId],
    recorder: RecorderName,
    now: datetime,
    longest: timedelta,
) -> list[Change]:
    """Those of these incidents whose clips wait longer than `longest`, but need not."""
    found = (
        shortened(incident, recorder, now, longest)
        for incident in tx.incidents.get(ids)
    )
    changes = [change for change in found if change is not None]
    tx.ledger.save(changes, now)
    return changes
