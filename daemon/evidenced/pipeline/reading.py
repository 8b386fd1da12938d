"""Reading on in the history: a batch after a cursor, then a rest.

Whoever tells others of changes reads so: the feed, the outbox, the notices. Each has a
cursor of its own. In a storm of alarms storing them comes first, and what others are
told is a little late.
"""

import asyncio
from datetime import timedelta

from evidenced.core.incidents.history import Told
from evidenced.pipeline.world import World
from evidenced.ports import View

BATCH = 200
SHARE = 4
"""After a batch the loop rests so many times as long as the batch took."""
LONGEST_REST_S = 1.0
LATEST = timedelta(seconds=2)
"""How long it waits at most for a storm to be over."""


def told_after(view: View, after: int) -> tuple[Told, ...]:
    """One batch of entries behind the cursor, oldest first."""
    found = view.history.after(after, BATCH)
    return tuple(Told(seq=seq, entry=entry) for seq, entry in found)


async def rest(world: World, begun: float) -> None:
    """Between two batches; `begun` is when this one did (monotonic)."""
    took = world.clock.monotonic() - begun
    await asyncio.sleep(min(SHARE * took, LONGEST_REST_S))
    await world.storm.over(LATEST)
