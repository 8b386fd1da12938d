"""What rules remember between messages: rows, so that it survives whatever dies.

    key            a row of its group is there              it goes with
    once           after an alarm, until the clear          a clear
    only_changes   while the last message was an alarm      a clear
                   (retained ones tell the state, too)
    after          while an alarm waits to become one       a clear; then it was brief
                   once it has become one                   a clear

A clear that names fewer of the group's values takes the rows of all that agree. Rows
are saved in the transaction that saves what the messages led to. `clear_within` is no
clear: it ends an incident and leaves the row. What has said nothing for as long as
incidents are kept is forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.repeats import agree
from evidenced.core.ids import ConditionName, FieldValue, GroupKey, RuleName


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """That a rule has seen an alarm of a group, and no clear since.

    `at` is when the latest such message was received, to within a day. `waiting` is the
    message that becomes an alarm at `due_at` unless a clear comes before.
    """

    rule: RuleName
    key: GroupKey
    group: Mapping[str, FieldValue] = field(default_factory=dict)
    at: datetime
    waiting: Alarm | None = None
    due_at: datetime | None = None

    def agrees_with(self, group: Mapping[str, FieldValue]) -> bool:
        """Whether a clear that carries these values is about this group."""
        return agree(self.group, group)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionState:
    """What the last message on a condition's topic said of it.

    `settings` are those that it was read by: read by others it might say otherwise.
    """

    name: ConditionName
    holds: bool
    at: datetime
    settings: str
    topic: str
    payload: str
