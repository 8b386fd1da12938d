"""What rules remember, for one batch: loaded, asked and changed in order, saved once.

See `core.alarms.memory` for what each key remembers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from evidenced.core.alarms.alarm import (
    Alarm,
    Noted,
    NotTaken,
    Outcome,
    Reading,
    Signal,
)
from evidenced.core.alarms.memory import ConditionState, Memory
from evidenced.core.alarms.payload import MAX_TOPIC, keepable
from evidenced.core.alarms.rules import Precondition, Rule
from evidenced.core.ids import ConditionName, GroupKey, RuleName
from evidenced.core.instants import render_utc
from evidenced.ports import Tx

Group = tuple[RuleName, GroupKey]

REFRESHED_AFTER = timedelta(days=1)
"""How old what is remembered may get before a repeated message makes it new again."""


@dataclass(slots=True)
class Remembering:
    """The memories of the groups that a batch may touch, and all conditions."""

    known: dict[Group, Memory] = field(default_factory=dict)
    condition_states: dict[ConditionName, ConditionState] = field(default_factory=dict)
    _changed: set[Group] = field(default_factory=set)
    _noted: set[ConditionName] = field(default_factory=set)

    @classmethod
    def load(
        cls, tx: Tx, readings: Sequence[tuple[Rule, Reading]], *, asks: bool
    ) -> "Remembering":
        """What these readings may need; `asks` is whether any is about a condition."""
        mine = [(rule, reading) for rule, reading in readings if rule.remembers]
        wide = {rule.name for rule, reading in mine if is_wide(rule, reading)}
        groups = {(r.rule, r.key) for rule, r in mine if rule.name not in wide}
        found = tx.memories.of_rules(wide) if wide else []
        found += tx.memories.of(groups) if groups else []
        is_asked = asks or any(rule.only_while for rule, _ in readings)
        return cls(
            known={(each.rule, each.key): each for each in found},
            condition_states=tx.memories.condition_states() if is_asked else {},
        )

    def note(self, condition: Precondition, noted: Noted, alarm: Alarm) -> None:
        """A message told the state of a condition."""
        self.condition_states[noted.condition] = ConditionState(
            name=noted.condition,
            holds=noted.holds,
            at=alarm.received_at,
            settings=condition.settings,
            topic=alarm.topic[:MAX_TOPIC],
            payload=keepable(alarm.payload, 200),
        )
        self._noted.add(noted.condition)

    def unmet(
        self, rule: Rule, conditions: Mapping[ConditionName, Precondition]
    ) -> NotTaken | None:
        """Why an alarm does not count now; None if it does."""
        for name in rule.only_while:
            state = self._state(name, conditions)
            if state is not None and not state.holds:
                detail = (
                    f"only_while {name}: does not hold since "
                    f"{render_utc(state.at)} ({state.topic}: "
                    f"{state.payload})"
                )
                return NotTaken(rule=rule.name, outcome=Outcome.UNMET, detail=detail)
        return None

    def unseen(
        self, rule: Rule, conditions: Mapping[ConditionName, Precondition]
    ) -> list[ConditionName]:
        """Conditions of the rule whose state nobody has told: they count as met."""
        return [
            name for name in rule.only_while if self._state(name, conditions) is None
        ]

    def _state(
        self, name: ConditionName, conditions: Mapping[ConditionName, Precondition]
    ) -> ConditionState | None:
        state, condition = self.condition_states.get(name), conditions.get(name)
        if state is None or condition is None:
            return None
        return state if state.settings == condition.settings else None

    def hold(self, rule: Rule, reading: Reading, alarm: Alarm) -> NotTaken | None:
        """Why an alarm leads to nothing, or not yet; else it is remembered."""
        if not rule.remembers:
            return None
        group = reading.rule, reading.key
        before = self.known.get(group)
        if before is None:
            return self._begin(rule, reading, alarm)
        if alarm.received_at - before.at >= REFRESHED_AFTER:
            self._set(replace(before, at=alarm.received_at))
        if before.due_at is not None:
            detail = f"waits for `after` already, until {render_utc(before.due_at)}"
            return NotTaken(rule=rule.name, outcome=Outcome.WAITING, detail=detail)
        if rule.once or rule.only_changes:
            key = "once" if rule.once else "only_changes"
            detail = (
                f"{key}: the group's last message, at most a day before "
                f"{render_utc(before.at)}, was an alarm too; no clear has come since"
            )
            return NotTaken(rule=rule.name, outcome=Outcome.UNCHANGED, detail=detail)
        return None

    def _begin(self, rule: Rule, reading: Reading, alarm: Alarm) -> NotTaken | None:
        due_at = alarm.received_at + rule.after if rule.after else None
        self._remember(reading, alarm, due_at)
        if due_at is None:
            return None
        detail = f"becomes an alarm at {render_utc(due_at)} if no clear comes before"
        return NotTaken(rule=rule.name, outcome=Outcome.WAITING, detail=detail)

    def _set(self, memory: Memory) -> None:
        group = memory.rule, memory.key
        self.known[group] = memory
        self._changed.add(group)

    def lasted(self, rule: Rule, reading: Reading, alarm: Alarm) -> None:
        """An alarm that waited has become one; more of its group need not wait."""
        before = self.known.get((reading.rule, reading.key))
        if rule.after and (before is None or before.waiting is not None):
            self._remember(reading, alarm)

    def _remember(
        self, reading: Reading, alarm: Alarm, due_at: datetime | None = None
    ) -> None:
        self._set(
            Memory(
                rule=reading.rule,
                key=reading.key,
                group=reading.group,
                at=alarm.received_at,
                waiting=None if due_at is None else alarm,
                due_at=due_at,
            )
        )

    def recall(self, reading: Reading, alarm: Alarm) -> None:
        """A retained message told the state as it was before: no alarm, no end."""
        if reading.signal is Signal.CLEAR:
            self._forget(reading)
        elif (reading.rule, reading.key) not in self.known:
            self._remember(reading, alarm)

    def cleared(self, rule: Rule, reading: Reading) -> list[Memory]:
        """What a clear makes the rule forget; those that waited among them."""
        return self._forget(reading) if rule.remembers else []

    def _forget(self, reading: Reading) -> list[Memory]:
        gone = [
            memory
            for memory in self.known.values()
            if memory.rule == reading.rule
            and (memory.key == reading.key or memory.agrees_with(reading.group))
        ]
        for memory in gone:
            del self.known[memory.rule, memory.key]
            self._changed.add((memory.rule, memory.key))
        return gone

    def save(self, tx: Tx) -> None:
        """All that has changed, in the caller's transaction."""
        kept = [self.known[group] for group in self._changed if group in self.known]
        tx.memories.save(kept)
        tx.memories.forget(self._changed - self.known.keys())
        tx.memories.save_states(self.condition_states[name] for name in self._noted)


def is_wide(rule: Rule, reading: Reading) -> bool:
    """Whether it may be about groups that it does not name."""
    is_clear = reading.signal is Signal.CLEAR
    return is_clear and len(reading.group) < len(rule.group_by)
