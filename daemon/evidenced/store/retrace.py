"""Whether the tables hold what the history says of each incident.

The chain proves the history; lists and the page are made of other tables. Somebody who
edits those is found by going through the history again.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from evidenced.core.errors import StoreError
from evidenced.core.incidents.history import Replay
from evidenced.store.audit import opened

_INCIDENTS = "SELECT id, state FROM incidents ORDER BY id"
_ENTRIES = "SELECT seq, detail FROM history WHERE incident = ? ORDER BY seq"
_CLIPS = "SELECT n, state FROM clips WHERE incident = ?"


def differences(file: Path) -> list[str]:
    """A sentence for each state that the history does not give. Blocks.

    Memory does not grow with the rows. Call it where the chain is intact. An incident
    without a row is no difference: old ones are pruned before their history is.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        with closing(opened(file)) as connection:
            connection.execute("BEGIN")  # one snapshot for all readings
            return list(differing(connection))
    except (sqlite3.Error, ValueError, AttributeError, TypeError) as error:
        raise StoreError(f"{file} cannot be read: {error}") from error


def differing(connection: sqlite3.Connection) -> Iterator[str]:
    """The same, one by one, as this connection sees it."""
    for incident, state in connection.execute(_INCIDENTS):
        replay = Replay()
        for seq, detail in connection.execute(_ENTRIES, (incident,)):
            try:
                replay.read(json.loads(detail))
            except ValueError as why:
                yield f"incident {incident}, row {seq} of the history: {why}"
                break
        else:
            clips = dict(connection.execute(_CLIPS, (incident,)))
            yield from _compared(incident, state, clips, replay)


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
