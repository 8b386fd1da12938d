"""What still goes on in a run, looked at from outside: it ends when nothing does."""

from collections.abc import Callable, Iterator

from evidenced.pipeline.notify import CURSOR as TELLING
from evidenced.pipeline.outbox import CURSOR as PUBLISHING
from evidenced.ports import View
from simulation.disk import Disk
from simulation.mqtt import SimServer
from simulation.plan import Plan

OPEN = {
    "incidents": "SELECT id, state FROM incidents WHERE finished_at IS NULL",
    "exports": "SELECT id, path FROM exports WHERE finished_at IS NULL",
    "silenced": "SELECT seq, topic FROM refused_alarms WHERE until IS NOT NULL",
    "tags": "SELECT incident, camera, state FROM tags WHERE due_at IS NOT NULL",
}
RECORDS = {
    "records": "SELECT incident, message FROM records WHERE due_at IS NOT NULL",
}
MESSAGES = {
    "messages": "SELECT route, kind, subject, count FROM piles WHERE count > 0",
}


def unrest(plan: Plan, disk: Disk, server: SimServer) -> Iterator[str]:
    """A sentence for each; the first costs the least."""
    if not server.is_idle:
        yield "the broker still holds messages"
    wanted, readers = OPEN, [PUBLISHING]
    if plan.recording is not None:
        wanted = wanted | RECORDS
    if plan.messages is not None:
        wanted = wanted | MESSAGES
        readers.append(TELLING)
    for what, query in wanted.items():
        if rows := disk.rows(query):
            yield f"{what} {rows}"
    for reader in readers:
        head, told = disk.look(_standing(reader))
        if head != int(told or 0):
            yield f"history {head} is told up to {told}"


def _standing(reader: str) -> Callable[[View], tuple[int, str | None]]:
    """How long the history is, and how far one of its readers is."""
    return lambda view: (view.history.head().seq, view.notes.get(reader))
