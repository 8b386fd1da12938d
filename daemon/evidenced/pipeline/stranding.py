"""What waits for a recorder that a reload or a restart took away is ended.

No loop looks at it any more: its clips would be due, its tags and stills wanted, for
ever.
"""

from datetime import datetime
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.exports.answers import not_configured, strand
from evidenced.core.ids import RecorderName
from evidenced.core.incidents.history import Change, Entry, Event
from evidenced.core.instants import LAST
from evidenced.core.keeping.still import give_up
from evidenced.core.keeping.tag import Tag, TagState
from evidenced.pipeline.protect import note_untagged
from evidenced.pipeline.world import BATCH, World
from evidenced.ports import Tx


def strand_step(
    tx: Tx, recorder: RecorderName, now: datetime
) -> tuple[list[Change], list[Tag]]:
    """End what waits for a recorder that is not configured any more, up to a batch."""
    found = tx.queue.waiting_for(recorder, BATCH)
    exports = tx.exports.of([incident.id for incident in found])
    changes = [strand(incident, exports, recorder, now) for incident in found]
    tx.ledger.save(changes, now)
    tags = [
        tag.moved(TagState.REFUSED, due_at=None, message=not_configured(tag.recorder))
        for tag in tx.tags.due(recorder, LAST, BATCH)
    ]
    tx.tags.save(tags)
    note_untagged(tx, {tag.incident for tag in tags}, now)
    for tag in tags:
        detail = {"camera": tag.camera, "text": tag.message, "tag_state": tag.state}
        tx.history.write(
            Entry(incident=tag.incident, at=now, event=Event.UNTAGGED, detail=detail)
        )
    tx.stills.save(
        give_up(still, not_configured(recorder))
        for still in tx.stills.due(recorder, LAST, BATCH)
    )
    return changes, tags


async def strand_all(world: World, log: FilteringBoundLogger) -> int:
    """One batch for each recorder that is gone; the size of the largest."""
    needed = await world.read(lambda view: view.queue.recorders_needed())
    most = 0
    for recorder in sorted(needed - world.site.recorders.keys()):
        step = partial(strand_step, recorder=recorder, now=world.now().at)
        changes, tags = await world.write(step)
        most = max(most, len(changes), len(tags))
        log.warning(
            "footage is given up: its recorder is no longer configured",
            recorder=recorder,
            incidents=len(changes),
            unprotected=len(tags),
        )
    return most
