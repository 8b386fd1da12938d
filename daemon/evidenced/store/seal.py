"""Every row that people or programs are shown is in the chain, whatever changed it.

A transaction that adds, changes or removes rows of `SEALED` tables ends with rows of
the history that name each of them with the SHA-256 of all its columns. The database
itself tells which rows those are (`touched.watch`), so nothing that writes has to
think of it, and a new column or table is sealed without a line here.
"""

import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Table

from evidenced.store.codec import PLAIN, dump
from evidenced.store.schema import metadata
from evidenced.store.touched import Touched, take_touched, touch

SEALED_EVENT = "sealed"
"""The word of such a row. It is about rows and not about what happened: nobody is told
of it, so it is no `Event`."""
OWNER = "incidents"
"""With a row of this table all rows go whose key begins with an incident."""
MOST = 256
"""Rows that one row of the history names."""

UNSEALED: Mapping[str, str] = {
    "history": "it is the chain",
    "inbox": "no message is shown before it is understood; what it opened is sealed",
    "alarm_keys": "only tells repeats",
    "deliveries": "only tells redeliveries",
    "piles": "only what a receiver has not been told yet",
    "retained": "only what the broker still has to take back",
    "tally": "counts: `audit verify` counts again",
    "camera_tallies": "only what clips say, which are sealed",
    "camera_failures": "likewise",
    "rooms": "only how full shares were, for a forecast",
    "watches": "only when cameras were asked; one that does not record is a trouble",
    "still_wishes": "only what stills are still to be drawn up, moments later",
    "meta": "only where loops have come to",
}
"""Tables whose rows are not sealed, and why that hides nothing."""
SEALED: tuple[Table, ...] = tuple(
    table for table in metadata.sorted_tables if table.name not in UNSEALED
)

Seals = dict[str, list[list[Any]]]
"""By table: the key of each row, then its digest, or None for a row that is gone."""


def digest(row: Mapping[str, Any]) -> str:
    """What stands in the chain for a row: all of its columns that hold anything.

    A column that is added later changes no digest as long as it is NULL.
    """
    held = {name: value for name, value in row.items() if value is not None}
    try:
        text = orjson.dumps(held, _hashed, PLAIN)
    except TypeError:  # no UTF-8, or a number of more than 64 bits: not written by us
        text = repr(sorted(held.items())).encode("utf-8", "surrogatepass")
    return b64encode(sha256(text).digest()).decode().rstrip("=")


def _hashed(value: bytes) -> list[str]:
    """Bytes as their hash; they are wrapped, so that no text stands for the same."""
    return [sha256(value).hexdigest()]


def key_of(table: Table) -> tuple[str, ...]:
    """The columns that name a row."""
    return tuple(column.name for column in table.primary_key)


def seals(connection: Connection) -> Iterator[str]:
    """Details of the rows that seal what this transaction has changed so far."""
    touched = take_touched(connection, SEALED)
    return seals_of([(table, row) for table, rows in touched for row in rows])


def seals_of(found: Sequence[tuple[Table, Touched]]) -> Iterator[str]:
    """Details of the rows that seal these."""
    gone = {key[0] for table, (key, row) in found if table.name == OWNER and not row}
    page: Seals = defaultdict(list)
    size = 0
    for table, (key, row) in found:
        if row is None and key_of(table)[0] == "incident" and key[0] in gone:
            continue
        page[table.name].append([*key, None if row is None else digest(row)])
        size += 1
        if size == MOST:
            yield dump({"rows": page})
            page, size = defaultdict(list), 0
    if page:
        yield dump({"rows": page})


def keep_sealed(connection: Connection, old: Iterable[Mapping[str, Any]]) -> None:
    """Before these rows of the history go: what they sealed is sealed anew.

    As far as it is still here: of what is shown, not all goes by its age.
    """
    sealed: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
    for row in old:
        if row["event"] == SEALED_EVENT:
            for name, rows in json.loads(row["detail"])["rows"].items():
                sealed[name] |= {tuple(key) for *key, _ in rows}
    for table in SEALED:
        touch(connection, table, sorted(sealed[table.name]))
