"""Whether the tables hold what the chain says.

The chain proves the history; lists and the page are made of other tables. Somebody who
edits those is found by going through the history again: by the states that its entries
give, and by the seals of all rows.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from evidenced.core.errors import StoreError
from evidenced.core.incidents.history import TOLD_ALARMS, Replay
from evidenced.store.audit import PAGE
from evidenced.store.dialect import Database, without_nul
from evidenced.store.schema import alarms, clips, exports, history, incidents, tally
from evidenced.store.sealed import unsealed
from evidenced.store.snapshot import ODD, looking_at

_INCIDENTS = (
    select(
        incidents.c.id,
        incidents.c.state,
        incidents.c.rule,
        incidents.c.key,
        incidents.c.fields,
    )
    .order_by(incidents.c.id)
    .execution_options(yield_per=PAGE)
)
_ENTRIES = (
    select(history.c.seq, history.c.detail)
    .where(history.c.incident == bindparam("of"))
    .order_by(history.c.seq)
)
_CLIPS = select(clips.c.n, clips.c.state).where(clips.c.incident == bindparam("of"))
_ALARMS = select(alarms.c.n, alarms.c.payload, alarms.c.whole_sha256).where(
    alarms.c.incident == bindparam("of"), alarms.c.n <= TOLD_ALARMS
)
_EXPORTS = select(exports.c.id, exports.c.path).where(
    exports.c.incident == bindparam("of")
)
_COUNTS = select(incidents.c.state, func.count()).group_by(incidents.c.state)
_TALLY = select(tally.c.state, tally.c.incidents).where(tally.c.incidents != 0)


def differences(database: Database) -> list[str]:
    """A sentence for each row that is not what the chain says. Blocks.

    Memory does not grow with the rows. Call it where the chain is intact. An incident
    without a row is no difference: old ones are pruned before their history is.

    Raises:
        StoreError: it cannot be read.
    """
    with looking_at(database) as connection:
        try:
            found = list(differing(connection))
        except ODD as error:
            raise StoreError(f"{database.name} cannot be read: {error}") from error
        found += (
            f"{each} is in the store: evidenced did not make it, and it may change rows"
            for each in database.foreign(connection)
        )
    return found


def differing(connection: Connection) -> Iterator[str]:
    """The same, one by one, as this connection sees it."""
    yield from _states(connection)
    yield from unsealed(connection)
    yield from _counts(connection)


def _counts(connection: Connection) -> Iterator[str]:
    there = {row[0]: row[1] for row in connection.execute(_COUNTS)}
    told = {row[0]: row[1] for row in connection.execute(_TALLY)}
    for state in sorted(there.keys() | told.keys(), key=str):
        if there.get(state, 0) != told.get(state, 0):
            yield (
                f"{told.get(state, 0)} incidents are counted as {state}, "
                f"there are {there.get(state, 0)}"
            )


def _states(connection: Connection) -> Iterator[str]:
    with connection.execute(_INCIDENTS) as found:
        for row in found:
            yield from _retraced(connection, row)


def _retraced(connection: Connection, row: Any) -> Iterator[str]:  # noqa: ANN401 - a row of any content
    replay = Replay()
    for seq, detail in connection.execute(_ENTRIES, {"of": row.id}):
        try:
            replay.read(json.loads(detail))
        except ValueError as why:
            yield f"incident {row.id}, row {seq} of the history: {why}"
            return
    yield from _compared(connection, row, replay)


def _compared(connection: Connection, row: Any, replay: Replay) -> Iterator[str]:  # noqa: ANN401 - likewise
    of = {"of": row.id}
    clips = {each.n: each.state for each in connection.execute(_CLIPS, of)}
    pairs: dict[str, tuple[object, object]] = {}
    pairs[f"incident {row.id}"] = row.state, replay.state
    for n in sorted(clips.keys() | replay.clips.keys(), key=str):  # edited: anything
        where = f"clip {n} of incident {row.id}"
        pairs[where] = clips.get(n, "not there"), replay.clips.get(n, "nothing")
    found = {"rule": row.rule, "key": row.key, "fields": _parsed(row.fields)}
    for name, told in replay.opened.items():
        pairs[f"the {name} of incident {row.id}"] = found[name], told
    for each in connection.execute(_ALARMS, of):
        if told := replay.messages.get(each.n):
            where = f"the message of alarm {each.n} of incident {row.id}"
            pairs[where] = _hash(each), told
    for number, path in connection.execute(_EXPORTS, of):
        if told := replay.paths.get(number):
            pairs[f"the path of export {number}"] = path, told
    for where, (there, said) in pairs.items():
        if _kept(there) != _kept(said):
            yield f"{where} is {there}, the history says {said or 'nothing'}"


def _parsed(text: Any) -> object:  # noqa: ANN401 - likewise
    try:
        return json.loads(text)
    except ValueError:
        return text


def _kept(value: object) -> object:
    """As any of the databases has it."""
    return without_nul(value) if isinstance(value, str) else value


def _hash(alarm: Any) -> str:  # noqa: ANN401 - likewise
    """Of the message as it came, as far as its row says so."""
    payload = alarm.payload
    raw = payload if isinstance(payload, bytes) else repr(payload).encode()
    return str(alarm.whole_sha256 or sha256(raw).hexdigest())
