"""Whether every row is what the chain says of it: the last seal of each, and the row.

What the chain says is gathered in a scratch file of the database's own, so that memory
does not grow with the rows.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, Table, select

from evidenced.store import sqlite
from evidenced.store.audit import PAGE
from evidenced.store.schema import history
from evidenced.store.seal import OWNER, SEALED, SEALED_EVENT, digest, key_of

NOUNS = {
    "incidents": "incident {}",
    "clips": "clip {1} of incident {0}",
    "exports": "export {}",
    "alarms": "alarm {1} of incident {0}",
    "memories": "what rule {} remembers of {}",
    "condition_states": "the state of condition {}",
    "refused_alarms": "alarm {} of those that opened nothing",
    "records": "the evidence record of incident {}",
    "record_files": "the hash of {2} in {1}, incident {0},",
    "papers": "{2} of {1}, the kept record of incident {0},",
    "stills": "still {1} of incident {0}",
    "pictures": "the picture {1} of incident {0}",
    "losses": "the loss {1}, {0},",
    "footage": "what is known of the footage in {1}, at {0},",
    "held": "the hold of incident {}",
    "tags": "the tag of {1} for incident {0}",
    "rule_settings": "the text of a rule, {},",
    "silences": "silence {}",
    "troubles": "the trouble {} of {!r}",
}
"""How people are told of a row, by its key. A table without a noun is told by name."""

_SEALS = (
    select(history.c.seq, history.c.detail)
    .where(history.c.event == SEALED_EVENT)
    .order_by(history.c.seq)
    .execution_options(yield_per=PAGE)
)
_SCRATCH = """
CREATE TABLE seals (
    owner, name TEXT, key TEXT, digest TEXT, seq INTEGER, PRIMARY KEY (owner, name, key)
) WITHOUT ROWID
"""
_PUT = "INSERT OR REPLACE INTO seals VALUES (?, ?, ?, ?, ?)"
_KNOWN = "SELECT digest, seq FROM seals WHERE owner = ? AND name = ? AND key = ?"
_DROP = "DELETE FROM seals WHERE owner = ? AND name = ? AND key = ?"
_TAKE = f"{_DROP} RETURNING digest, seq"


def unsealed(connection: Connection) -> Iterator[str]:
    """A sentence for each row that is not what the chain says."""
    with closing(sqlite.scratch()) as scratch:
        scratch.execute(_SCRATCH)
        with connection.execute(_SEALS) as found:
            for seq, detail in found:
                yield from _gather(scratch, seq, json.loads(detail)["rows"])
        for table in SEALED:
            yield from _compared(connection, scratch, table)
        left = scratch.execute("SELECT name, key, seq FROM seals ORDER BY seq, key")
        for name, key, seq in left:
            yield f"{_noun(name, json.loads(key))} was removed; row {seq} sealed it"


ONCE = {"alarms", "pictures", "rule_settings"}
"""Rows that never change: sealed again otherwise, they were changed by somebody."""


def _gather(
    scratch: sqlite3.Connection, seq: int, rows: dict[str, list[list[Any]]]
) -> Iterator[str]:
    kept, gone, dropped = [], [], []
    for name, found in rows.items():
        for *key, sealed in found:
            place = _place(name, key)
            if sealed is not None and name in ONCE:
                known = scratch.execute(_KNOWN, place).fetchone()
                if known is not None and known[0] != sealed:
                    yield (
                        f"{_noun(name, key)} was changed: row {seq} seals it anew, "
                        f"after row {known[1]}, and such a row never changes"
                    )
            if sealed is not None:
                kept.append((*place, sealed, seq))
            elif name == OWNER:
                gone.append(place[:1])
            else:
                dropped.append(place)
    scratch.executemany("DELETE FROM seals WHERE owner = ?", gone)
    scratch.executemany(_DROP, dropped)
    scratch.executemany(_PUT, kept)


def _place(name: str, key: list[Any]) -> tuple[str, str, str]:
    """Where the seal of a row lies: with its incident, or by itself."""
    owner = json.dumps(key[0], default=repr) if name in _OWNED else ""
    return owner, name, json.dumps(key, default=repr)


_OWNED = {
    table.name
    for table in SEALED
    if table.name == OWNER or key_of(table)[0] == "incident"
}


def _compared(
    connection: Connection, scratch: sqlite3.Connection, table: Table
) -> Iterator[str]:
    keys = key_of(table)
    query = select(table).order_by(*table.primary_key)
    with connection.execute(query.execution_options(yield_per=PAGE)) as found:
        for row in found.mappings():
            key = [row[name] for name in keys]
            noun = _noun(table.name, key)
            known = scratch.execute(_TAKE, _place(table.name, key)).fetchone()
            if known is None:
                yield f"{noun} was put in: the chain does not know it"
            elif known[0] != digest(dict(row)):
                yield f"{noun} was changed after row {known[1]} sealed it"


def _noun(name: str, key: list[Any]) -> str:
    try:
        return NOUNS[name].format(*key)
    except (KeyError, IndexError):
        return f"row {key} of {name}"
