"""From understood alarms to incidents: one transaction for many.

An alarm that repeats the source's own event is a duplicate and changes nothing. One
that no rule takes is kept, bounded. One beyond a limit has no incident of its own.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from evidenced.core.alarms.alarm import (
    Alarm,
    NotTaken,
    Outcome,
    Reading,
    Signal,
    time_source,
)
from evidenced.core.alarms.payload import (
    KEPT_BYTES,
    LATER_BYTES,
    beginning,
    keepable,
    one_line,
    whole_of,
)
from evidenced.core.ids import GroupKey, IncidentId, RuleName
from evidenced.core.incidents.allowance import SHARED, share
from evidenced.core.incidents.happening import Happening, find_active, find_touching
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.lifecycle import NewId, clear, extend, open_incident
from evidenced.core.incidents.silence import Silences
from evidenced.core.incidents.withheld import Withheld
from evidenced.core.keeping.kept import WHOLE_ALARMS, KeptAlarm, RefusedAlarm
from evidenced.pipeline.rationing import PER_RULE, PER_TOPIC, Ration
from evidenced.ports import Tx

MAX_TOPIC = 1024
MAX_TOLD = 500
_NOTHING_TO_CLEAR = "no incident of this group awaits a clear"

Group = tuple[RuleName, GroupKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """An alarm and what the rules made of it."""

    alarm: Alarm
    result: Happening | NotTaken
    is_over: bool = False
    """Whether its topic is beyond the limit of a minute."""
    is_unsure: bool = False
    """Whether the host's clock is known not to be right."""

    @property
    def rule(self) -> RuleName | None:
        """The rule that took it, or that refused it."""
        if isinstance(self.result, NotTaken):
            return self.result.rule
        return self.result.rule.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of one alarm."""

    outcome: Outcome
    rule: RuleName | None
    incident: IncidentId | None = None
    turn_at: datetime | None = None
    detail: str = ""
    limit: str = ""
    """The limit beyond which it is."""


@dataclass(slots=True)
class _Batch:
    """What one transaction gathers before it saves."""

    now: datetime
    silences: Silences
    since: datetime
    open: defaultdict[Group, dict[IncidentId, Incident]]
    seen: set[str]
    ration: Ration | None
    changes: list[Change] = field(default_factory=list)
    alarms: list[KeptAlarm] = field(default_factory=list)
    refused: list[RefusedAlarm] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def end_withheld(self, tx: Tx, group: Group) -> bool:
        """The silenced alarms of the group are over; whether one was on until now."""
        tx.refused.save(self.refused)  # what this batch has silenced is among them
        self.refused.clear()
        return tx.refused.end(*group)

    def load(self, tx: Tx, groups: Collection[Group]) -> None:
        """Add the open incidents of these groups that the batch may touch."""
        if groups:
            for incident in tx.queue.open(groups, self.since):
                self.open[incident.rule, incident.key][incident.id] = incident

    def limit_met(self, each: Understood, rule: RuleName) -> str:
        """The limit beyond which it opens no incident of its own; empty: none."""
        if self.ration is None:
            return ""
        if each.is_over:
            return PER_TOPIC
        return "" if self.ration.may_open(rule) else PER_RULE

    def apply(self, changes: Sequence[Change]) -> Incident:
        """Take over the changes; the last one's incident is the alarm's."""
        for change in changes:
            after = change.after
            self.open[after.rule, after.key][after.id] = after
        self.changes += changes
        return changes[-1].after


def take(
    tx: Tx,
    batch: Sequence[Understood],
    now: datetime,
    new_id: NewId,
    ration: Ration | None = None,
) -> list[Taken]:
    """One transaction: every alarm of the batch becomes a row, whatever it is.

    Without a ration nothing is limited: by hand, and in a replay.
    """
    readings = [each.result for each in batch if isinstance(each.result, Happening)]
    gathered = _Batch(
        now=now,
        silences=_load_silences(tx, batch),
        since=min((each.span.start for each in readings), default=now),
        open=defaultdict(dict),
        ration=ration,
        seen=tx.alarms.seen(
            {each.reading.dedup_key for each in readings if each.reading.dedup_key}
        ),
    )
    gathered.load(tx, {(each.reading.rule, each.reading.key) for each in readings})
    taken = [_take_one(tx, gathered, each, new_id) for each in batch]
    tx.ledger.save(gathered.changes, now)
    tx.alarms.save(gathered.alarms)
    tx.refused.save(gathered.refused)
    tx.alarms.save_keys(gathered.keys, now)
    if ration is not None:
        ration.save()
    return taken


def _load_silences(tx: Tx, batch: Sequence[Understood]) -> Silences:
    """One small question a batch; the instants of receipt decide for each alarm."""
    received = min((each.alarm.received_at for each in batch), default=None)
    return Silences(() if received is None else tx.silences.ending_after(received))


def _take_one(tx: Tx, batch: _Batch, each: Understood, new_id: NewId) -> Taken:
    if isinstance(each.result, NotTaken):
        return _refuse(batch, each.alarm, each.result)
    reading = each.result.reading
    if reading.dedup_key in batch.seen:
        return Taken(outcome=Outcome.DUPLICATE, rule=reading.rule)
    if reading.signal is Signal.CLEAR:
        taken = _end(tx, batch, each, each.result, new_id)
    else:
        taken = _begin(tx, batch, each, each.result, new_id)
    if reading.dedup_key is not None and taken.incident is not None:
        batch.seen.add(reading.dedup_key)
        batch.keys.append(reading.dedup_key)
    return taken


def _end(
    tx: Tx, batch: _Batch, each: Understood, over: Happening, new_id: NewId
) -> Taken:
    reading = over.reading
    group = reading.rule, reading.key
    was_silenced = batch.end_withheld(tx, group)
    active = find_active(batch.open[group].values(), reading.moment.latest)
    if active is None:
        detail = "ends what was silenced" if was_silenced else _NOTHING_TO_CLEAR
        return _refuse(batch, each.alarm, _not_taken(reading, Outcome.CLEARED, detail))
    return _join(batch, each, reading, clear(active, over, new_id), Outcome.CLEARED)


def _begin(
    tx: Tx, batch: _Batch, each: Understood, found: Happening, new_id: NewId
) -> Taken:
    """It joins what it touches; else it opens its own, or, beyond a limit, a shared.

    Silenced, it is kept without; where only some cameras are, for their sake.
    """
    reading, alarm, limit = found.reading, each.alarm, ""
    happening, held = batch.silences.part(found, alarm.topic, alarm.received_at)
    if held is not None:
        why = one_line(held.why, MAX_TOLD)
        taken = _refuse(batch, alarm, _not_taken(reading, Outcome.SILENCED, why), held)
        if not happening.cameras:
            return taken
    touched = find_touching(batch.open[reading.rule, reading.key].values(), happening)
    if touched is None and (limit := batch.limit_met(each, reading.rule)):
        happening = share(happening, limit)
        touched = find_touching(_shared_of(tx, batch, reading.rule), happening)
    if touched is None:
        changes, outcome = [open_incident(happening, new_id)], Outcome.OPENED
    else:
        changes, outcome = extend(touched, happening, new_id), Outcome.EXTENDED
    return _join(batch, each, reading, changes, outcome, limit)


def _join(
    batch: _Batch,
    each: Understood,
    reading: Reading,
    changes: Sequence[Change],
    outcome: Outcome,
    limit: str = "",
) -> Taken:
    incident = batch.apply(changes)
    batch.alarms.append(_kept(incident, each, reading))
    return Taken(
        outcome=outcome,
        rule=reading.rule,
        incident=incident.id,
        turn_at=incident.turn_at,
        limit=limit,
    )


def _shared_of(tx: Tx, batch: _Batch, rule: RuleName) -> Collection[Incident]:
    """The open incidents of alarms beyond a limit."""
    group = (rule, SHARED)
    if group not in batch.open:
        batch.load(tx, [group])
    return batch.open[group].values()


def _not_taken(reading: Reading, outcome: Outcome, detail: str) -> NotTaken:
    return NotTaken(rule=reading.rule, outcome=outcome, detail=detail)


def _refuse(
    batch: _Batch, alarm: Alarm, refusal: NotTaken, held: Withheld | None = None
) -> Taken:
    payload = keepable(alarm.payload)
    is_exact = held is None or payload.encode() == alarm.payload
    batch.refused.append(
        RefusedAlarm(
            received_at=alarm.received_at,
            outcome=refusal.outcome,
            rule=refusal.rule,
            detail=refusal.detail,
            topic=one_line(alarm.topic, MAX_TOPIC),
            payload=payload,
            whole=alarm.whole or whole_of(alarm.payload, KEPT_BYTES if is_exact else 0),
            withheld=held,
        )
    )
    return Taken(outcome=refusal.outcome, rule=refusal.rule, detail=refusal.detail)


def _kept(incident: Incident, each: Understood, reading: Reading) -> KeptAlarm:
    """The first alarms of an incident as they came; the later ones are many."""
    alarm, moment = each.alarm, reading.moment
    most = LATER_BYTES if incident.alarms > WHOLE_ALARMS else len(alarm.payload)
    return KeptAlarm(
        incident=incident.id,
        n=incident.alarms,
        received_at=alarm.received_at,
        at=reading.moment.at,
        signal=reading.signal,
        time_source=time_source(alarm, moment, is_unsure=each.is_unsure),
        topic=one_line(alarm.topic, MAX_TOPIC),
        payload=beginning(alarm.payload, most),
        whole=alarm.whole or whole_of(alarm.payload, most),
    )
