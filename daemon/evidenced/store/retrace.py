"""Whether the tables hold what the history says of each incident.

The chain proves the history; lists and the page are made of other tables. Somebody who
edits those is found by going through the history again.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, bindparam, select

from evidenced.core.errors import StoreError
from evidenced.core.incidents.history import Replay
from evidenced.store.audit import PAGE
from evidenced.store.schema import clips, history, incidents
from evidenced.store.snapshot import ODD, looking_at

_INCIDENTS = (
    select(incidents.c.id, incidents.c.state)
    .order_by(incidents.c.id)
    .execution_options(yield_per=PAGE)
)
_ENTRIES = (
    select(history.c.seq, history.c.detail)
    .where(history.c.incident == bindparam("of"))
    .order_by(history.c.seq)
)
_CLIPS = select(clips.c.n, clips.c.state).where(clips.c.incident == bindparam("of"))


def differences(file: Path) -> list[str]:
    """A sentence for each state that the history does not give. Blocks.

    Memory does not grow with the rows. Call it where the chain is intact. An incident
    without a row is no difference: old ones are pruned before their history is.

    Raises:
        StoreError: the file cannot be read.
    """
    with looking_at(file) as connection:
        try:
            return list(differing(connection))
        except ODD as error:
            raise StoreError(f"{file} cannot be read: {error}") from error


def differing(connection: Connection) -> Iterator[str]:
    """The same, one by one, as this connection sees it."""
    for incident, state in connection.execute(_INCIDENTS):
        replay = Replay()
        for seq, detail in connection.execute(_ENTRIES, {"of": incident}):
            try:
                replay.read(json.loads(detail))
            except ValueError as why:
                yield f"incident {incident}, row {seq} of the history: {why}"
                break
        else:
            found = {
                row.n: row.state for row in connection.execute(_CLIPS, {"of": incident})
            }
            yield from _compared(incident, state, found, replay)


def _compared(
    incident: str, state: str, clips: dict[int, str], replay: Replay
) -> Iterator[str]:
    pairs = {f"incident {incident}": (state, replay.state)}
    for n in sorted(clips.keys() | replay.clips.keys(), key=str):  # edited: anything
        where = f"clip {n} of incident {incident}"
        pairs[where] = clips.get(n, "not there"), replay.clips.get(n, "nothing")
    for where, (found, told) in pairs.items():
        if found != told:
            yield f"{where} is {found}, the history says {told or 'nothing'}"
