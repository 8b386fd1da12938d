"""What rules remember between messages, and the states that conditions ask for."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.memory import ConditionState, Memory
from evidenced.core.ids import ConditionName, GroupKey, RuleName
from evidenced.core.instants import from_ms, to_ms
from evidenced.store.codec import Codec, Row, dump
from evidenced.store.dialect import upsert
from evidenced.store.part import StorePart, chunks, instant
from evidenced.store.schema import condition_states, memories

_OF_KEYS = select(memories).where(
    memories.c.rule.in_(bindparam("rules", expanding=True)),
    memories.c.key.in_(bindparam("keys", expanding=True)),
)
_OF_RULES = select(memories).where(
    memories.c.rule.in_(bindparam("rules", expanding=True))
)
_DUE = (
    select(memories)
    .where(memories.c.due_at <= bindparam("now"))
    .order_by(memories.c.due_at)
    .limit(bindparam("most"))
)
_NEXT = select(func.min(memories.c.due_at)).where(memories.c.due_at.is_not(None))
_SAVE = upsert(memories, "rule", "key")
_FORGET = delete(memories).where(
    memories.c.rule == bindparam("name"), memories.c.key == bindparam("group_key")
)
_PRUNE = delete(memories).where(
    memories.c.due_at.is_(None), memories.c.at < bindparam("before")
)
_PRUNE_STATE = delete(condition_states).where(
    condition_states.c.name == bindparam("gone"),
    condition_states.c.at < bindparam("before"),
)
_STATES = select(condition_states)
_SAVE_STATE = upsert(condition_states, "name")
_STATE = Codec(ConditionState)
_WAITING = Codec(
    Alarm,
    retained="is_retained",
    stamp=None,
    redelivered=None,
    packet_id=None,
    session=None,
    delivery=None,
    whole=None,
)


class Memories(StorePart):
    """One row a rule and group; none is a group of which nothing is remembered."""

    def of(self, groups: Collection[tuple[RuleName, GroupKey]]) -> list[Memory]:
        """Those of these groups."""
        wanted, found = set(groups), list[Memory]()
        for some in chunks(sorted({key for _, key in wanted})):
            rules = sorted({rule for rule, key in wanted if key in set(some)})
            rows = self._rows(self._locked(_OF_KEYS), rules=rules, keys=some)
            found += [_memory(row) for row in rows]
        return [each for each in found if (each.rule, each.key) in wanted]

    def of_rules(self, rules: Collection[RuleName]) -> list[Memory]:
        """All of these rules: for a clear that names no group."""
        return [
            _memory(row)
            for row in self._rows(self._locked(_OF_RULES), rules=sorted(rules))
        ]

    def due(self, now: datetime, limit: int) -> list[Memory]:
        """Alarms that have waited for long enough, the longest first."""
        found = self._rows(self._locked(_DUE), now=to_ms(now), most=limit)
        return [_memory(row) for row in found]

    def next_due(self) -> datetime | None:
        """When the next of them has."""
        return instant(self._db.scalar(_NEXT))

    def save(self, memories: Iterable[Memory]) -> None:
        self._many(_SAVE, [_memory_row(memory) for memory in memories])

    def forget(self, groups: Iterable[tuple[RuleName, GroupKey]]) -> None:
        rows = [{"name": rule, "group_key": key} for rule, key in groups]
        self._many(_FORGET, rows)

    def prune(self, before: datetime, conditions: Collection[ConditionName]) -> None:
        """Take away what nothing needs: groups that have said nothing since then.

        Of these `conditions` the last state stays, however old it is.
        """
        self._db.execute(_PRUNE, {"before": to_ms(before)})
        gone = self.condition_states().keys() - set(conditions)
        rows = [{"gone": name, "before": to_ms(before)} for name in gone]
        self._many(_PRUNE_STATE, rows)

    def condition_states(self) -> dict[ConditionName, ConditionState]:
        """The last state of each condition of which any was seen."""
        found = self._values(_STATE, self._locked(_STATES))
        return {each.name: each for each in found}

    def save_states(self, condition_states: Iterable[ConditionState]) -> None:
        self._many(_SAVE_STATE, [_STATE.row(each) for each in condition_states])


def _memory(row: Row) -> Memory:
    group = json.loads(row["names"])
    return Memory(
        rule=RuleName(row["rule"]),
        key=GroupKey(row["key"]),
        group={n: tuple(v) if isinstance(v, list) else v for n, v in group.items()},
        at=from_ms(row["at"]),
        waiting=None if row["due_at"] is None else _WAITING.value(row),
        due_at=instant(row["due_at"]),
    )


def _memory_row(memory: Memory) -> dict[str, Any]:
    alarm, due_at = memory.waiting, memory.due_at
    return {
        "rule": memory.rule,
        "key": memory.key,
        "names": dump(memory.group),
        "at": to_ms(memory.at),
        "due_at": due_at and to_ms(due_at),
        **(_WAITING.row(alarm) if alarm else dict.fromkeys(_WAITING.columns.values())),
    }
