"""Which messages repeat others, for one batch: loaded, asked in order, saved once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from evidenced.core.alarms.alarm import Reading
from evidenced.core.alarms.repeats import SeenAlarm, is_repeat, seen_as
from evidenced.core.alarms.rules import Rule
from evidenced.pipeline.remembering import is_wide
from evidenced.ports import Tx


@dataclass(slots=True)
class Repeating:
    """The alarms that the batch may repeat. See `core.alarms.repeats`."""

    now: datetime
    known: dict[str, SeenAlarm] = field(default_factory=dict)
    _changed: dict[str, SeenAlarm] = field(default_factory=dict)

    @classmethod
    def load(cls, tx: Tx, readings: Sequence[Reading], now: datetime) -> "Repeating":
        keys = {each.dedup_key for each in readings if each.dedup_key is not None}
        found = tx.alarms.seen(keys)
        return cls(now=now, known={each.key: each for each in found})

    def repeats(self, rule: Rule, reading: Reading) -> bool:
        """Whether it is a repeat; one that goes on is known for longer."""
        key = reading.dedup_key
        known = None if key is None else self.known.get(key)
        if known is None or not is_repeat(reading, known):
            return False
        if known.until is not None:
            self.seen(rule, reading)
        return True

    def seen(self, rule: Rule, reading: Reading) -> None:
        """Footage of it is ordered."""
        made = seen_as(rule, reading, self.now)
        if made is not None:
            self.known[made.key] = self._changed[made.key] = made

    def cleared(self, tx: Tx, rule: Rule, over: Reading) -> None:
        """What comes after a clear repeats nothing from before it."""
        if rule.clear is None:
            return
        tx.alarms.forget_seen(over, is_wide=is_wide(rule, over))
        for every in (self.known, self._changed):
            for key in [k for k, e in every.items() if e.agrees_with(over.rule, over)]:
                del every[key]

    def save(self, tx: Tx) -> None:
        tx.alarms.save_seen(self._changed.values())
