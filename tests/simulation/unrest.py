"""What still goes on in a run, looked at from outside: it ends when nothing does."""

from collections.abc import Callable, Iterator

from evidenced.core.incidents.history import Entry
from evidenced.pipeline.notify import CURSOR as TELLING
from evidenced.pipeline.outbox import CURSOR as PUBLISHING
from evidenced.ports import View
from simulation.disk import Disk
from simulation.mqtt import SimServer
from simulation.plan import Plan

MANY = 10_000
OPEN = {
    "incidents": "SELECT id, state FROM incidents WHERE finished_at IS NULL",
    "exports": "SELECT id, path FROM exports WHERE finished_at IS NULL",
    "looks": "SELECT id, path FROM exports WHERE check_at IS NOT NULL",
    "silenced": "SELECT seq, topic FROM refused_alarms WHERE until IS NOT NULL",
    "stills": "SELECT incident, n, message FROM stills WHERE due_at IS NOT NULL",
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
        told, untold = disk.look(_standing(reader))
        if untold:
            yield f"history {untold[-1][0]} is told up to {told}"


def _standing(reader: str) -> Callable[[View], tuple[int, list[tuple[int, Entry]]]]:
    """How far one reader of the history is, and what it has to tell yet."""

    def look(view: View) -> tuple[int, list[tuple[int, Entry]]]:
        told = int(view.notes.get(reader) or 0)
        return told, view.history.after(told, MANY)

    return look
