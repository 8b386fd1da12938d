"""Is a message the repeat of one whose footage is ordered?

A repeat changes nothing: it opens nothing and makes no window longer. So it has to be
one. It is, if all of this holds:

    it raises an alarm         clearing twice is harmless, and a clear may be the second
    same rule, same topic      two devices count their events alike
    same id, else same text    a rule without `id` needs a time for that: two equal
                               messages without any are two alarms
    same time                  a counter that starts anew gives an id twice
    the earlier one led to     what was refused or silenced has ordered nothing
    footage
    no clear of its group      a door that opens, closes and opens within the second
    came in between            that its clock tells

A rule that reads no time, or of whose time no sense can be made, has nothing but the
id. There the same id is the same event while its window is open, and as long as it is
repeated at least every REPEATED_WITHIN: some devices tell their last event every half
minute for ever. After that it is a counter that has started anew.

What a broker delivers twice is known before: see `deliveries`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evidenced.core.alarms.alarm import Reading
from evidenced.core.alarms.rules import Rule
from evidenced.core.ids import FieldValue, GroupKey, RuleName

REPEATED_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAlarm:
    """An alarm that led to footage, by what a repeat of it has in common with it.

    `group_key` is None where no clear can come. `until` is the latest instant of a
    repeat, None where both tell their time.
    """

    key: str
    rule: RuleName
    group_key: GroupKey | None
    group: Mapping[str, FieldValue] = field(default_factory=dict)
    at: datetime
    until: datetime | None = None

    def agrees_with(self, rule: RuleName, over: Reading) -> bool:
        """Whether a clear is about its group."""
        if self.rule != rule or self.group_key is None:
            return False
        return self.group_key == over.key or agree(self.group, over.group)


def agree(group: Mapping[str, FieldValue], said: Mapping[str, FieldValue]) -> bool:
    """Whether a clear that carries these values is about this group."""
    return all(group.get(name) == value for name, value in said.items())


def seen_as(rule: Rule, reading: Reading, now: datetime) -> SeenAlarm | None:
    """What is to be known of it; None of an alarm that no other can repeat."""
    if reading.dedup_key is None:
        return None
    moment, until = reading.moment, None
    if moment.is_from_receipt:
        until = moment.latest + max(REPEATED_WITHIN, rule.post_roll)
    return SeenAlarm(
        key=reading.dedup_key,
        rule=reading.rule,
        group_key=reading.key if rule.clear is not None else None,
        group=reading.group if rule.clear is not None else {},
        at=now,
        until=until,
    )


def is_repeat(reading: Reading, known: SeenAlarm | None) -> bool:
    """`known` is what was seen under the same key."""
    if known is None:
        return False
    return known.until is None or reading.moment.earliest <= known.until
