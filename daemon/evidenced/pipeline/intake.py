"""Intake: from messages to incidents, committed before they are acknowledged.

What arrives together shares one transaction. A message that repeats a delivery, or the
source's own event, is a duplicate and changes nothing. One that no rule takes is kept,
bounded, and acknowledged all the same: it never holds up the next.
"""

import asyncio
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from structlog.typing import FilteringBoundLogger

from evidenced.core.alarm import Alarm, Outcome, Reading, Refusal, Signal
from evidenced.core.happening import Happening, find_active, find_touching
from evidenced.core.history import Change
from evidenced.core.ids import GroupKey, IncidentId, RuleName
from evidenced.core.incident import Incident
from evidenced.core.instants import render_utc
from evidenced.core.lifecycle import NewId, clear, extend, open_incident
from evidenced.core.payload import keepable, one_line
from evidenced.core.records import DeliveryMark, KeptAlarm, RefusedAlarm
from evidenced.core.rules import read_alarm
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.names import OUTBOX, TURN
from evidenced.pipeline.world import World
from evidenced.ports import AlarmSource, Delivery, Tx

BATCH = 128
"""Alarms in one commit at most: half of the default receive maximum, so that one half
is read and understood while the other is being committed. Measured: larger batches gain
nothing, SQLite's group commit has its knee there."""

TOLD_FAULTS = 1000
"""Distinct faults of expressions that are remembered as told."""
TOLD_OPENED = 20
"""Incidents of one batch that have a log line each; a storm of them has one more."""
MAX_TOPIC = 1024

Group = tuple[RuleName, GroupKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """An alarm and what the rules made of it."""

    alarm: Alarm
    result: Happening | Refusal

    @property
    def rule(self) -> RuleName | None:
        """The rule that took it, or that refused it."""
        if isinstance(self.result, Refusal):
            return self.result.rule
        return self.result.rule.name


_Work = tuple[list[Delivery], list[Understood]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of one alarm."""

    outcome: Outcome
    rule: RuleName | None
    incident: IncidentId | None = None
    turn_at: datetime | None = None
    detail: str = ""


@dataclass(slots=True)
class _Batch:
    """What one transaction gathers before it saves."""

    now: datetime
    open: dict[Group, dict[IncidentId, Incident]]
    seen: set[str]
    changes: list[Change] = field(default_factory=list)
    alarms: list[KeptAlarm] = field(default_factory=list)
    refused: list[RefusedAlarm] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def apply(self, changes: Sequence[Change]) -> Incident:
        """Take over the changes; the last one's incident is the alarm's."""
        for change in changes:
            after = change.after
            group = self.open.setdefault((after.rule, after.key), {})
            group[after.id] = after
        self.changes += changes
        return changes[-1].after


def take(
    tx: Tx, batch: Sequence[Understood], now: datetime, new_id: NewId
) -> list[Taken]:
    """One transaction: every alarm of the batch becomes a row, whatever it is."""
    repeated = _repeated(tx, [each.alarm for each in batch])
    readings = [each.result for each in batch if isinstance(each.result, Happening)]
    gathered = _Batch(
        now=now,
        open=_load_open(tx, readings),
        seen=tx.seen(
            {each.reading.dedup_key for each in readings if each.reading.dedup_key}
        ),
    )
    taken = [
        Taken(outcome=Outcome.DUPLICATE, rule=each.rule)
        if n in repeated
        else _take_one(gathered, each, new_id)
        for n, each in enumerate(batch)
    ]
    tx.save(gathered.changes, now)
    tx.save_alarms(gathered.alarms)
    tx.save_refused(gathered.refused)
    tx.save_keys(gathered.keys, now)
    # By receipt, as `confirmed_before` counts: a mark must not outlive its use, for a
    # broker may soon give its packet id to another alarm of the same text.
    received_at = max((each.alarm.received_at for each in batch), default=now)
    tx.save_marks(_marks(batch), received_at)
    return taken


def _repeated(tx: Tx, alarms: Sequence[Alarm]) -> set[int]:
    """Places of messages that were committed before and are delivered again."""
    suspects = {
        n: alarm.packet_id
        for n, alarm in enumerate(alarms)
        if alarm.redelivered and alarm.packet_id is not None
    }
    if not suspects:
        return set()
    known = tx.marks(suspects.values())
    return {n for n, mid in suspects.items() if known.get(mid) == digest(alarms[n])}


def digest(alarm: Alarm) -> str:
    """What a repeated delivery has in common with the first: topic and payload."""
    topic = alarm.topic.encode("utf-8", "surrogatepass")
    return blake2b(
        b"%d:" % len(topic) + topic + alarm.payload, digest_size=16
    ).hexdigest()


def _marks(batch: Sequence[Understood]) -> list[DeliveryMark]:
    return [
        DeliveryMark(packet_id=each.alarm.packet_id, digest=digest(each.alarm))
        for each in batch
        if each.alarm.packet_id is not None
    ]


def _load_open(
    tx: Tx, happenings: Sequence[Happening]
) -> dict[Group, dict[IncidentId, Incident]]:
    if not happenings:
        return {}
    groups = {(each.reading.rule, each.reading.key) for each in happenings}
    since = min(each.span.start for each in happenings)
    found: dict[Group, dict[IncidentId, Incident]] = defaultdict(dict)
    for incident in tx.open_incidents(groups, since):
        found[incident.rule, incident.key][incident.id] = incident
    return found


def _take_one(batch: _Batch, each: Understood, new_id: NewId) -> Taken:
    if isinstance(each.result, Refusal):
        return _refuse(batch, each.alarm, each.result)
    happening = each.result
    reading = happening.reading
    if reading.dedup_key is not None:
        if reading.dedup_key in batch.seen:
            return Taken(outcome=Outcome.DUPLICATE, rule=reading.rule)
        batch.seen.add(reading.dedup_key)
        batch.keys.append(reading.dedup_key)
    mine = batch.open.get((reading.rule, reading.key), {}).values()
    if reading.signal is Signal.CLEAR:
        active = find_active(mine, reading.moment.latest)
        if active is None:
            return _refuse(batch, each.alarm, _nothing_to_clear(reading))
        changes = clear(active, happening, new_id)
        outcome = Outcome.CLEARED
    else:
        touched = find_touching(mine, happening)
        if touched is None:
            changes = [open_incident(happening, new_id)]
            outcome = Outcome.OPENED
        else:
            changes = extend(touched, happening, new_id)
            outcome = Outcome.EXTENDED
    incident = batch.apply(changes)
    batch.alarms.append(_kept(incident, each.alarm, reading))
    return Taken(
        outcome=outcome,
        rule=reading.rule,
        incident=incident.id,
        turn_at=incident.turn_at,
    )


def _nothing_to_clear(reading: Reading) -> Refusal:
    return Refusal(
        rule=reading.rule,
        outcome=Outcome.CLEARED,
        detail="no incident of this group awaits a clear",
    )


def _refuse(batch: _Batch, alarm: Alarm, refusal: Refusal) -> Taken:
    batch.refused.append(
        RefusedAlarm(
            received_at=alarm.received_at,
            outcome=refusal.outcome,
            rule=refusal.rule,
            detail=refusal.detail,
            topic=one_line(alarm.topic, MAX_TOPIC),
            payload=keepable(alarm.payload),
        )
    )
    return Taken(outcome=refusal.outcome, rule=refusal.rule, detail=refusal.detail)


def _kept(incident: Incident, alarm: Alarm, reading: Reading) -> KeptAlarm:
    return KeptAlarm(
        incident=incident.id,
        n=incident.alarms,
        received_at=alarm.received_at,
        at=reading.moment.at,
        signal=reading.signal,
        time_source=_time_source(alarm, reading),
        topic=one_line(alarm.topic, MAX_TOPIC),
        payload=alarm.payload,
    )


def _time_source(alarm: Alarm, reading: Reading) -> str:
    """Where the time comes from, and that it may be as old as our absence."""
    moment = reading.moment
    if moment.is_from_receipt and alarm.absence:
        seconds = round(alarm.absence.total_seconds())
        return f"{moment.source}; may have waited {seconds} s while evidenced was away"
    return str(moment.source)


class Intake:
    """The loop that takes messages from the broker and lets go of them when kept."""

    def __init__(
        self,
        world: World,
        source: AlarmSource,
        agenda: Agenda,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._world = world
        self._source = source
        self._agenda = agenda
        self._metrics = metrics
        self._log = log
        self._told: OrderedDict[str, None] = OrderedDict()

    async def run(self) -> None:
        """Forever: receive and understand, while what came before is committed."""
        understood: asyncio.Queue[_Work] = asyncio.Queue(1)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._commit_all(understood), name="commit")
            while True:
                deliveries = await self._source.receive(BATCH)
                batch = [self._understand(each.alarm) for each in deliveries]
                await understood.put((deliveries, batch))

    async def _commit_all(self, understood: "asyncio.Queue[_Work]") -> None:
        """In the order of delivery: commit, then acknowledge."""
        while True:
            deliveries, batch = await understood.get()
            await self._keep(batch)
            self._source.acknowledge(deliveries)

    async def _keep(self, batch: Sequence[Understood]) -> None:
        """Return once every message is durable, however long the store takes.

        Nothing is acknowledged meanwhile: the broker keeps what we cannot.
        """
        self._tell(batch, await self._commit(batch))

    async def _commit(self, batch: Sequence[Understood]) -> list[Taken]:
        """Commit the batch; one that trips over a fault of ours goes one by one."""
        try:
            return await self._write(batch)
        except Exception:  # noqa: BLE001 - one that hits a bug must not hold up others
            self._log.exception("alarms tripped over a fault in evidenced")
        taken = []
        for each in batch:
            try:
                taken += await self._write([each])
            except Exception as error:  # noqa: BLE001 - the same, told above
                fault = f"fault in evidenced: {type(error).__name__}: {error}"
                refusal = Refusal(rule=None, outcome=Outcome.INVALID, detail=fault)
                kept = Understood(alarm=each.alarm, result=refusal)
                taken += await self._write([kept])
        return taken

    async def _write(self, batch: Sequence[Understood]) -> list[Taken]:
        now, new_id = self._world.clock.now(), self._world.new_id
        return await self._world.write(lambda tx: take(tx, batch, now, new_id))

    def _understand(self, alarm: Alarm) -> Understood:
        world = self._world
        verdict = read_alarm(world.site.rules, alarm)
        for fault in verdict.faults:
            self._tell_fault(fault)
        if isinstance(verdict, Refusal):
            return Understood(alarm=alarm, result=verdict)
        cameras, unknown = world.roster.find(verdict.cameras)
        happening = Happening(
            rule=world.rules[verdict.rule],
            reading=verdict,
            cameras=cameras,
            unknown=unknown,
            settles=world.settles,
            now=world.clock.now(),
            trigger={
                "topic": one_line(alarm.topic, MAX_TOPIC),
                "time": render_utc(verdict.moment.at),
                "time_source": _time_source(alarm, verdict),
            },
        )
        return Understood(alarm=alarm, result=happening)

    def _tell_fault(self, fault: str) -> None:
        """A rule's expression failed at run time: said once, not once a message."""
        if fault in self._told:
            return
        self._told[fault] = None
        if len(self._told) > TOLD_FAULTS:
            self._told.popitem(last=False)
        self._log.warning("a rule's expression failed on an alarm", fault=fault)

    def _tell(self, batch: Sequence[Understood], taken: Sequence[Taken]) -> None:
        counted = Counter((what.rule or "", what.outcome) for what in taken)
        for (rule, outcome), number in counted.items():
            self._metrics.alarms.labels(rule, outcome).inc(number)
        opened = [what for what in taken if what.outcome is Outcome.OPENED]
        for what in opened[:TOLD_OPENED]:
            self._log.info("incident opened", incident=what.incident, rule=what.rule)
        if len(opened) > TOLD_OPENED:
            self._log.info("incidents opened", incidents=len(opened))
        for each, what in zip(batch, taken, strict=True):
            if isinstance(each.result, Happening):
                self._tell_unknown(each.result, what)
            elif what.outcome is Outcome.INVALID:
                self._tell_fault(what.detail)
        turns = [what.turn_at for what in taken if what.turn_at is not None]
        if turns:
            self._agenda.sooner(TURN, min(turns))
        if any(what.incident for what in taken):
            self._agenda.hint(OUTBOX)

    def _tell_unknown(self, happening: Happening, what: Taken) -> None:
        """A storm of them is one incident, and so it is told once."""
        if happening.unknown and what.outcome is Outcome.OPENED:
            self._log.warning(
                "cameras that nobody configured",
                incident=what.incident,
                rule=what.rule,
                cameras=happening.unknown,
            )
