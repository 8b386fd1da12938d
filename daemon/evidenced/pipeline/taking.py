"""From understood alarms to incidents: one transaction for many.

An alarm that repeats one whose footage is ordered changes nothing. It is kept, as one
that no rule takes, bounded. One beyond a limit has no incident of its own. What
a rule remembers decides before: see `remembering`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from evidenced.core.alarms.alarm import (
    Alarm,
    Noted,
    NotTaken,
    Outcome,
    Reading,
    Signal,
    time_source,
)
from evidenced.core.alarms.payload import (
    LATER_BYTES,
    MAX_TOPIC,
    beginning,
    one_line,
    whole_of,
)
from evidenced.core.alarms.rules import Rule
from evidenced.core.ids import (
    GroupKey,
    IncidentId,
    RecorderName,
    RuleName,
    SilenceId,
)
from evidenced.core.incidents.allowance import SHARED, share
from evidenced.core.incidents.cutting import NewId
from evidenced.core.incidents.happening import Happening, find_agreeing, find_touching
from evidenced.core.incidents.history import MESSAGE, Change
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.lifecycle import clear, extend, open_incident
from evidenced.core.incidents.silence import Silences
from evidenced.core.incidents.withheld import Withheld
from evidenced.core.keeping.kept import (
    WHOLE_ALARMS,
    KeptAlarm,
    RefusedAlarm,
    refused_alarm,
)
from evidenced.core.keeping.loss import (
    OF_RULES,
    Loss,
    LossKind,
    added,
    entry_of_loss,
    unreadable,
)
from evidenced.pipeline.rationing import PER_RULE, PER_TOPIC, Ration
from evidenced.pipeline.remembering import Remembering, is_wide
from evidenced.pipeline.repeating import Repeating
from evidenced.pipeline.understanding import Understood, understand
from evidenced.ports import Tx

MAX_TOLD = 500
_REPEAT = Outcome.DUPLICATE, "repeats an alarm whose footage is ordered"
_NOTHING_TO_CLEAR = "no incident of this group awaits a clear"

Group = tuple[RuleName, GroupKey]


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
    recorders: frozenset[RecorderName] = frozenset()
    """Those of its incident's cameras."""


@dataclass(slots=True)
class _Batch:
    """What one transaction gathers before it saves."""

    now: datetime
    silences: Silences
    since: datetime
    open: defaultdict[Group, dict[IncidentId, Incident]]
    repeats: Repeating
    ration: Ration | None
    memory: Remembering
    regrouped: set[RuleName] = field(default_factory=set)
    """Rules whose incidents from before a reload are known."""
    finished: set[int] = field(default_factory=set)
    """Messages that a rule has taken which wants no later one to see them."""
    changes: list[Change] = field(default_factory=list)
    alarms: list[KeptAlarm] = field(default_factory=list)
    refused: list[RefusedAlarm] = field(default_factory=list)
    hushed: Counter[SilenceId] = field(default_factory=Counter)
    """How many alarms came under each silence."""
    unread: dict[tuple[LossKind, str], Loss] = field(default_factory=dict)

    def end_withheld(self, tx: Tx, over: Happening) -> bool:
        """The silenced alarms that it agrees with are over; whether one was on."""
        tx.refused.save(self.refused)  # what this batch has silenced is among them
        self.refused.clear()
        reading = over.reading
        if not is_wide(over.rule, reading):
            return tx.refused.end(reading.rule, reading.key)
        on = tx.refused.on_of(reading.rule)
        agreeing = {
            each.key
            for each in on
            if all(each.fields.get(n) == v for n, v in reading.group.items())
        }
        ended = [tx.refused.end(reading.rule, key) for key in agreeing]
        return any(ended)

    def load(self, tx: Tx, groups: Collection[Group]) -> None:
        """Add the open incidents of these groups that the batch may touch."""
        if groups:
            self.adopt(tx.queue.open(groups, self.since))

    def adopt(self, incidents: Iterable[Incident]) -> None:
        """Add incidents that the batch has not changed."""
        for incident in incidents:
            mine = self.open[incident.rule, incident.key]
            mine.setdefault(incident.id, incident)

    def open_of(self, rule: RuleName) -> list[Incident]:
        """All that the batch knows of a rule."""
        groups = (group for group in self.open if group[0] == rule)
        return [each for group in groups for each in self.open[group].values()]

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
    *,
    is_storm: bool = False,
) -> list[Taken]:
    """One transaction: every alarm of the batch becomes a row, whatever it is.

    Without a ration nothing is limited: by hand, and in a replay. In a storm stills are
    drawn up after it.
    """
    readings = [each.result for each in batch if isinstance(each.result, Happening)]
    asked = [(each.rule, each.reading) for each in readings]
    asked += [recalled for each in batch for recalled in _recalled(each)]
    gathered = _Batch(
        now=now,
        silences=_load_silences(tx, batch),
        since=min((each.span.start for each in readings), default=now),
        open=defaultdict(dict),
        ration=ration,
        memory=Remembering.load(
            tx, asked, asks=any(isinstance(each.result, Noted) for each in batch)
        ),
        repeats=Repeating.load(tx, [each.reading for each in readings], now),
    )
    gathered.load(tx, {(each.reading.rule, each.reading.key) for each in readings})
    taken = [_take_one(tx, gathered, each, new_id) for each in batch]
    tx.ledger.save(gathered.changes, now, is_storm=is_storm)
    tx.alarms.save(gathered.alarms)
    tx.refused.save(gathered.refused)
    gathered.repeats.save(tx)
    tx.silences.count(gathered.hushed)
    _save_unread(tx, gathered)
    gathered.memory.save(tx)
    if ration is not None:
        ration.save()
    return taken


def _save_unread(tx: Tx, batch: _Batch) -> None:
    """They may have been alarms: a loss, told when it begins."""
    for key, new in batch.unread.items():
        known = tx.losses.get(*key)
        tx.losses.save([added(known, new)])
        if known is None or not known.is_open:
            tx.history.write(entry_of_loss(new, batch.now))


def _recalled(each: Understood) -> Iterator[tuple[Rule, Reading]]:
    """The state that a retained message tells, with the rule that goes by changes."""
    found = each.result
    if isinstance(found, NotTaken) and found.recalls is not None and each.site:
        yield each.site.rule_of[found.recalls.rule], found.recalls


def _load_silences(tx: Tx, batch: Sequence[Understood]) -> Silences:
    """One small question a batch; the instants of receipt decide for each alarm."""
    received = min((each.alarm.received_at for each in batch), default=None)
    return Silences(() if received is None else tx.silences.ending_after(received))


def _take_one(tx: Tx, batch: _Batch, each: Understood, new_id: NewId) -> Taken:
    found = each.result
    if isinstance(found, Noted):
        condition = each.conditions[found.condition]
        batch.memory.note(condition, found, each.alarm)
        return Taken(outcome=Outcome.NOTED, rule=None)
    if each.message in batch.finished and each.rule is not None:
        return Taken(outcome=Outcome.PASSED, rule=each.rule)
    if isinstance(found, NotTaken):
        if found.recalls is not None:
            batch.memory.recall(found.recalls, each.alarm)
        return _refuse(batch, each.alarm, found)
    taken = _take_happening(tx, batch, each, found, new_id)
    if found.rule.final and taken.outcome is not Outcome.UNMET:
        batch.finished.add(each.message)
    return taken


def _take_happening(
    tx: Tx, batch: _Batch, each: Understood, happening: Happening, new_id: NewId
) -> Taken:
    reading = happening.reading
    if not each.has_waited and batch.repeats.repeats(happening.rule, reading):
        return _refuse(batch, each.alarm, _not_taken(reading, *_REPEAT))
    if reading.signal is Signal.CLEAR:
        return _end(tx, batch, each, happening, new_id)
    taken = _withhold(batch, each, happening)
    if taken is None:
        found = _with_unseen(batch, each, happening)
        taken = _begin(tx, batch, each, found, new_id)
    if taken.incident is not None:
        batch.repeats.seen(happening.rule, reading)
    return taken


def _withhold(batch: _Batch, each: Understood, found: Happening) -> Taken | None:
    """What becomes of it where other messages keep it from counting, or for now."""
    rule, reading, memory = found.rule, found.reading, batch.memory
    unmet = memory.unmet(rule, each.conditions)
    if each.has_waited:
        memory.lasted(rule, reading, each.alarm)
        return _refuse(batch, each.alarm, unmet) if unmet else None
    held = None
    if unmet is None or rule.only_changes:  # that knows the state all the same
        held = memory.hold(rule, reading, each.alarm)
    refusal = unmet or held
    if refusal is None:
        return None
    due_at = memory.known[reading.rule, reading.key].due_at if held else None
    return replace(_refuse(batch, each.alarm, refusal), turn_at=due_at)


def _with_unseen(batch: _Batch, each: Understood, found: Happening) -> Happening:
    """Says of conditions whose state nobody has told that they counted as met."""
    unseen = batch.memory.unseen(found.rule, each.conditions)
    if not unseen:
        return found
    return replace(found, trigger={**found.trigger, "conditions_unseen": unseen})


def _end(
    tx: Tx, batch: _Batch, each: Understood, over: Happening, new_id: NewId
) -> Taken:
    """All that it agrees with ends: what was received before it, by whatever clock."""
    reading, detail = over.reading, _NOTHING_TO_CLEAR
    batch.repeats.cleared(tx, over.rule, reading)
    for memory in batch.memory.cleared(over.rule, reading):
        detail = "ready for the next alarm of this group"
        if memory.waiting is not None:
            detail = "over before it had lasted for `after`"
            _begin_lasting(tx, batch, each, over, memory.waiting, new_id)
    if batch.end_withheld(tx, over):
        detail = "ends what was silenced"
    if is_wide(over.rule, reading):
        batch.adopt(tx.queue.awaiting(reading.rule))
    elif reading.rule not in batch.regrouped:  # a reload may have named groups anew
        batch.regrouped.add(reading.rule)
        terms = over.rule.terms
        batch.adopt(tx.queue.awaiting_on_others(reading.rule, terms))
    taken = None
    for active in find_agreeing(batch.open_of(reading.rule), over):
        changes = clear(active, over, new_id)
        taken = _join(batch, each, reading, changes, Outcome.CLEARED)
    refusal = _not_taken(reading, Outcome.CLEARED, detail)
    return taken or _refuse(batch, each.alarm, refusal)


def _begin_lasting(
    tx: Tx,
    batch: _Batch,
    each: Understood,
    over: Happening,
    waiting: Alarm,
    new_id: NewId,
) -> None:
    """An alarm that waits, and its clear: by their own times it may have lasted.

    Both may have waited at the broker and come together.
    """
    rule = over.rule
    for again in understand(each.site, waiting, over.now) if each.site else ():
        found = again.result
        if not isinstance(found, Happening) or found.rule.name != rule.name:
            continue
        if found.reading.moment.earliest + rule.after <= over.reading.moment.latest:
            batch.load(tx, [(rule.name, found.reading.key)])
            _begin(tx, batch, again, found, new_id)


def _begin(
    tx: Tx, batch: _Batch, each: Understood, found: Happening, new_id: NewId
) -> Taken:
    """It joins what it touches; else it opens its own, or, beyond a limit, a shared.

    Silenced, it is kept without; where only some cameras are, for their sake.
    """
    reading, alarm, limit = found.reading, each.alarm, ""
    happening, held = batch.silences.part(found, alarm.topic, alarm.received_at)
    if held is not None:
        batch.hushed.update(batch.silences.over(found, alarm.topic, alarm.received_at))
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
    changes += _over_at(changes[-1].after, happening, new_id)
    return _join(batch, each, reading, changes, outcome, limit)


def _over_at(incident: Incident, happening: Happening, new_id: NewId) -> list[Change]:
    """The end of an alarm whose message tells it, at once."""
    until = happening.reading.until
    if until is None or not incident.is_active:
        return []
    reading = replace(happening.reading, signal=Signal.CLEAR, moment=until)
    return clear(incident, replace(happening, reading=reading), new_id)


def _join(
    batch: _Batch,
    each: Understood,
    reading: Reading,
    changes: Sequence[Change],
    outcome: Outcome,
    limit: str = "",
) -> Taken:
    *before, last = changes
    incident = batch.apply([*before, with_message(last, each.alarm)])
    batch.alarms.append(
        kept_alarm(incident, each.alarm, reading, is_unsure=each.is_unsure)
    )
    return Taken(
        outcome=outcome,
        rule=reading.rule,
        incident=incident.id,
        turn_at=incident.turn_at,
        limit=limit,
        recorders=frozenset(clip.recorder for clip in incident.clips),
    )


def with_message(change: Change, alarm: Alarm) -> Change:
    """The entry of an alarm says which message it was, as it came."""
    whole = alarm.whole or whole_of(alarm.payload, -1)
    said = {"n": change.after.alarms, "sha256": whole and whole.sha256}
    return replace(change, detail={**change.detail, MESSAGE: said})


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
    if (kind := OF_RULES.get(refusal.outcome)) is not None:
        key = kind, refusal.rule or ""
        new = unreadable(key[1], batch.now, refusal.detail, kind)
        batch.unread[key] = added(batch.unread.get(key), new)
    if refusal.outcome is not Outcome.EXCEPTED:  # nobody wants to see it
        batch.refused.append(refused_alarm(alarm, refusal, held))
    return Taken(outcome=refusal.outcome, rule=refusal.rule, detail=refusal.detail)


def kept_alarm(
    incident: Incident, alarm: Alarm, reading: Reading, *, is_unsure: bool = False
) -> KeptAlarm:
    """The first alarms of an incident as they came; the later ones are many."""
    moment = reading.moment
    most = LATER_BYTES if incident.alarms > WHOLE_ALARMS else len(alarm.payload)
    return KeptAlarm(
        incident=incident.id,
        n=incident.alarms,
        received_at=alarm.received_at,
        at=reading.moment.at,
        signal=reading.signal,
        time_source=time_source(alarm, moment, is_unsure=is_unsure),
        topic=one_line(alarm.topic, MAX_TOPIC),
        payload=beginning(alarm.payload, most),
        whole=alarm.whole or whole_of(alarm.payload, most),
    )
