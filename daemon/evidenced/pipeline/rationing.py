"""Limits on what alarms can cause: who has used up which, and who was told."""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from evidenced.core.ids import RuleName
from evidenced.core.incidents.allowance import (
    Allowance,
    Limits,
    allowance,
)
from evidenced.core.instants import HOUR, MINUTE
from evidenced.core.site import Site
from evidenced.metrics import Metrics
from evidenced.ports import Tx

PER_TOPIC = "alarms_per_topic"
PER_RULE = "incidents_per_rule"
PER_RECORDER = "exports_per_recorder"
TOPICS = 1000
"""Topics that are counted; beyond it the one that was silent longest is forgotten. Who
may publish on so many meets the limit of the rule."""


@dataclass(slots=True)
class Ration:
    """The incidents that rules may still open, in one transaction."""

    tx: Tx
    limits: Limits
    now: datetime
    _found: dict[RuleName, Allowance] = field(default_factory=dict)
    _touched: set[RuleName] = field(default_factory=set)

    def may_open(self, rule: RuleName) -> bool:
        """Whether an incident may be opened; one that may is counted."""
        if not self.limits.incidents_per_rule:
            return True
        found = self._found.get(rule)
        if found is None:
            kept = self.tx.notes.get(_key(PER_RULE, rule))
            found = allowance(self.limits.incidents_per_rule, self.now, kept)
        self._found[rule] = found
        if found.is_used_up:
            return False
        self._found[rule] = found.less()
        self._touched.add(rule)
        return True

    def save(self) -> None:
        for rule in self._touched:
            self.tx.notes.save(_key(PER_RULE, rule), self._found[rule].written())


def exports_allowance(
    tx: Tx, limits: Limits, recorder: str, now: datetime
) -> Allowance:
    """What the hour still allows on this recorder."""
    limit = limits.exports_per_recorder
    kept = tx.notes.get(_key(PER_RECORDER, recorder)) if limit else None
    return allowance(limit, now, kept)


def give_back_exports(
    tx: Tx, limits: Limits, recorder: str, now: datetime, number: int
) -> None:
    """So many requests never reached the recorder: they have used up nothing."""
    if number:
        left = exports_allowance(tx, limits, recorder, now).given_back(number)
        save_exports_allowance(tx, recorder, left)


def save_exports_allowance(tx: Tx, recorder: str, left: Allowance) -> None:
    if left.limit:
        tx.notes.save(_key(PER_RECORDER, recorder), left.written())


def forget_limits(tx: Tx, site: Site) -> None:
    """What rules and recorders have used that the configuration has no more."""
    kept = {_key(PER_RULE, name) for name in site.rule_of}
    kept |= {_key(PER_RECORDER, name) for name in site.recorders}
    tx.notes.keep_only(_LIMIT, kept)


_LIMIT = "limit:"


def _key(limit: str, name: str) -> str:
    return f"{_LIMIT}{limit}:{name}"


class Topics:
    """Alarms of this minute by topic; in memory, since a minute is soon over."""

    def __init__(self) -> None:
        self._counted: OrderedDict[str, Allowance] = OrderedDict()

    def is_over(self, topic: str, limit: int, now: datetime) -> bool:
        """Whether this alarm, which is counted, is beyond the limit."""
        if not limit:
            return False
        found = self._counted.pop(topic, None) or allowance(limit, now, length=MINUTE)
        found = replace(found, limit=limit).at(now)
        self._counted[topic] = found.less()
        if len(self._counted) > TOPICS:
            self._counted.popitem(last=False)
        return found.is_used_up


class Streaks:
    """Tells once when a limit is met, and when it is met no more."""

    def __init__(self, metrics: Metrics, log: FilteringBoundLogger) -> None:
        self._metrics = metrics
        self._log = log
        self._met: dict[tuple[str, str], float] = {}

    def met(self, limit: str, name: str, now: float, number: int = 1) -> None:
        """Something of this rule or recorder was beyond the limit, monotonic now."""
        self._metrics.limited.labels(limit, name).inc(number)
        if (limit, name) not in self._met:
            self._log.warning(
                "more than a limit allows; see limits in the configuration",
                limit=limit,
                of=name,
            )
        self._met[limit, name] = now

    def look(self, now: float, after: timedelta = HOUR) -> None:
        """Those that were not met for so long are over."""
        lasting = after.total_seconds()
        over = [each for each, at in self._met.items() if now - at >= lasting]
        for limit, name in over:
            del self._met[limit, name]
            self._log.info("within the limit again", limit=limit, of=name)
