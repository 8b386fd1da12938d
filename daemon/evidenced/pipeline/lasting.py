"""Alarms that had to last: those that no clear has ended in time become incidents."""

from dataclasses import replace

from evidenced.core.alarms.alarm import NotTaken, Outcome, Signal
from evidenced.core.alarms.memory import Memory
from evidenced.core.incidents.cutting import NewId
from evidenced.core.incidents.happening import Happening
from evidenced.core.site import Site
from evidenced.core.trust import Now
from evidenced.pipeline.rationing import Ration
from evidenced.pipeline.taking import Taken, take
from evidenced.pipeline.understanding import Understood, understand
from evidenced.pipeline.world import BATCH
from evidenced.ports import Tx


def lasting_step(tx: Tx, now: Now, site: Site, new_id: NewId) -> list[Taken]:
    """Open what has waited for its rule's `after`, up to a batch.

    Not while messages wait to be read: the clear may be one of them.
    """
    due = [] if tx.inbox.waiting().messages else tx.memories.due(now.sure, BATCH)
    found = [_of(memory, site, now) for memory in due]
    if not found:
        return []
    taken = take(tx, found, now.at, new_id, Ration(tx, site.limits, now.at))
    gone = zip(due, found, strict=True)
    tx.memories.forget(
        (memory.rule, memory.key)
        for memory, each in gone
        if isinstance(each.result, NotTaken)
    )
    return taken


def _of(memory: Memory, site: Site, now: Now) -> Understood:
    """The message as the rules in force read it; they may have changed meanwhile."""
    if memory.waiting is None:
        raise ValueError(f"nothing waits for {memory.rule} {memory.key}")
    for each in understand(site, memory.waiting, now):
        found = each.result
        if (
            isinstance(found, Happening)
            and (found.rule.name, found.reading.key) == (memory.rule, memory.key)
            and found.reading.signal is Signal.ACTIVE
        ):
            return replace(each, has_waited=True)
    detail = "has waited for `after`, and no rule takes it any more"
    refusal = NotTaken(rule=memory.rule, outcome=Outcome.UNMATCHED, detail=detail)
    return Understood(alarm=memory.waiting, result=refusal)
