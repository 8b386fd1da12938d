"""What operators do by hand: retry, cancel, trigger, by the same steps as alarms."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from evidenced.core.alarms.alarm import (
    BY_HAND,
    Alarm,
    Moment,
    Reading,
    Signal,
    TimeSource,
)
from evidenced.core.alarms.fields import expand_cameras, field_value, group_key
from evidenced.core.alarms.rules import Rule
from evidenced.core.errors import NotFound, Refused
from evidenced.core.ids import IncidentId, RuleName
from evidenced.core.incidents import byhand, operating
from evidenced.core.incidents.byhand import FootageOrder, Hand, MoreOrder
from evidenced.core.incidents.cutting import NewId
from evidenced.core.incidents.happening import Happening
from evidenced.core.incidents.history import Change, Entry, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import floor_ms, render_utc
from evidenced.core.keeping import evidence, held
from evidenced.core.keeping.footage import check_may_hold
from evidenced.core.keeping.loss import (
    OF_RULES,
    Loss,
    acknowledged,
    as_shown,
    entry_of_loss,
)
from evidenced.core.keeping.still import wanted_again
from evidenced.core.phrase import phrase
from evidenced.core.site import Site
from evidenced.core.spoken import spoken
from evidenced.core.trust import Now
from evidenced.core.wording import suggest
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.hinting import hint_cameras
from evidenced.pipeline.saving import save_step
from evidenced.pipeline.taking import take
from evidenced.pipeline.understanding import Understood
from evidenced.pipeline.withheld import Means, open_step
from evidenced.pipeline.world import World
from evidenced.ports import Tx

T = TypeVar("T")
Step = Callable[[Incident, str, datetime], Change]


class Operate:
    """`ports.Actions`."""

    def __init__(self, world: World, agenda: Agenda) -> None:
        self._world = world
        self._agenda = agenda

    async def retry(
        self, incident: IncidentId, who: str, *, again: bool = False
    ) -> Incident:
        """See ports.Actions."""
        cameras = self._world.site.roster.cameras
        step = partial(operating.retry, again=again, cameras=cameras)
        return await self._step(incident, who, step)

    async def cancel(
        self, incident: IncidentId, who: str, comment: str = ""
    ) -> Incident:
        """See ports.Actions."""
        step = partial(operating.cancel, comment=comment)
        return await self._step(incident, who, step)

    async def record(self, incident: IncidentId, who: str) -> Incident:
        """See ports.Actions."""
        now = self._world.now().at
        found = await self._world.store.write(
            partial(_record, name=incident, who=who, now=now)
        )
        self._agenda.hint(names.OUTBOX)
        self._agenda.hint(names.EVIDENCE)
        return found

    async def acknowledge(
        self,
        incident: IncidentId,
        comment: str,
        who: str,
        seen: datetime | None = None,
    ) -> Loss:
        """See ports.Actions."""
        now = self._world.now().at

        def step(tx: Tx) -> Loss:
            known = tx.losses.of(incident)
            if not known:  # else it may be pruned: what is lost outlives it
                _found(tx, incident)
                raise Refused(
                    phrase("incident {incident} has lost nothing", incident=incident)
                )
            open_ = [each for each in known if each.is_open]
            shown = as_shown(open_ or known, seen)
            return _take_note(tx, shown, comment, who, now)[0]

        return await self._noted(step)

    async def hold(self, incident: IncidentId, who: str, comment: str) -> Incident:
        """See ports.Actions."""
        now = self._world.now().at

        def step(tx: Tx) -> Incident:
            after = _found(tx, incident)
            footage = tx.footage.of([incident])
            check_may_hold(footage, incident)
            gone = [each.path for each in footage if not each.is_here]
            known = held.hold(tx.held.get(incident), incident, who, comment, now)
            tx.held.save(known)
            tx.history.write(held.entry_of_hold(known, gone))
            return after

        return await self._noted(step)

    async def release(self, incident: IncidentId, who: str, comment: str) -> Incident:
        """See ports.Actions."""
        now = self._world.now().at

        def step(tx: Tx) -> Incident:
            after, known = _found(tx, incident), tx.held.get(incident)
            entry = held.entry_of_release(known, incident, who, comment, now)
            tx.held.drop(incident)
            tx.history.write(entry)
            return after

        return await self._noted(step)

    async def _noted(self, step: Callable[[Tx], T]) -> T:
        """Commit what only writes a row and its entry."""
        after = await self._world.store.write(step)
        self._agenda.hint(names.OUTBOX)
        return after

    async def acknowledge_unreadable(
        self, comment: str, who: str, seen: datetime | None = None
    ) -> int:
        """See ports.Actions."""
        now = self._world.now().at

        def step(tx: Tx) -> int:
            known = [
                each for kind in OF_RULES.values() for each in tx.losses.open_of(kind)
            ]
            if not known:
                raise Refused(phrase("there is no message that could not be read"))
            shown = as_shown(known, seen)
            return sum(e.number for e in _take_note(tx, shown, comment, who, now))

        number = await self._world.store.write(step)
        self._agenda.hint(names.OUTBOX)
        return number

    async def trigger(
        self, rule: RuleName, fields: Mapping[str, str], at: datetime | None, who: str
    ) -> Incident:
        """See ports.Actions."""
        world = self._world
        if rule not in world.site.rule_of:
            hint = suggest(rule, world.site.rule_of, what="rules")
            raise NotFound(
                phrase("there is no rule {rule}; {hint}", rule=repr(rule), hint=hint)
            )
        now = world.now()
        made = world.site.rule_of[rule]
        happening = _by_hand(world.site, made, fields, at or now.at, who, now)
        alarm = Alarm(
            topic=BY_HAND,
            payload=json.dumps({"by": who, "fields": dict(fields)}).encode(),
            received_at=now.at,
        )
        each = Understood(alarm=alarm, result=happening)
        step = partial(_trigger, each=each, now=now.at, new_id=world.new_id)
        incident = await world.store.write(step)
        self._tell_opened(incident)
        return incident

    def _tell_opened(self, incident: Incident) -> None:
        self._agenda.hint(names.TURN)
        self._agenda.hint(names.OUTBOX)
        self._hint_cameras(incident)

    def _hint_cameras(self, incident: Incident) -> None:
        recorders = {clip.recorder for clip in incident.clips}
        hint_cameras(self._world, self._agenda, recorders)

    async def save(self, order: FootageOrder, who: str) -> Incident:
        """See ports.Actions."""
        world = self._world
        site, now = world.site, world.now()
        incident = await world.store.write(
            lambda tx: save_step(
                tx, site, order, _hand(site, who, now.at), world.new_id
            )
        )
        self._tell_opened(incident)
        self._hint_recorders(incident)
        return incident

    async def add(self, incident: IncidentId, order: MoreOrder, who: str) -> Incident:
        """See ports.Actions."""
        site = self._world.site
        cameras = (
            byhand.find_cameras(order.cameras, site.roster.cameras)
            if order.cameras
            else ()
        )
        return await self._step(
            incident,
            who,
            lambda found, by, now: byhand.add(
                found, order, cameras, _hand(site, by, now)
            ),
        )

    async def comment(self, incident: IncidentId, comment: str, who: str) -> Incident:
        """See ports.Actions."""
        site = self._world.site
        return await self._step(
            incident,
            who,
            lambda found, by, now: byhand.comment(found, comment, _hand(site, by, now)),
        )

    async def export(self, alarm: int, who: str) -> Incident:
        """See ports.Actions."""
        world = self._world
        means = Means(world.site, world.now())
        incident = await world.store.write(
            lambda tx: open_step(tx, alarm, who, means, world.new_id)
        )
        self._tell_opened(incident)
        return incident

    async def _step(self, incident: IncidentId, who: str, step: Step) -> Incident:
        now = self._world.now().at
        after = await self._world.store.write(
            partial(_apply, name=incident, who=who, step=step, now=now)
        )
        self._agenda.hint(names.OUTBOX)
        self._agenda.hint(names.TURN)
        self._hint_recorders(after)
        return after

    def _hint_recorders(self, incident: Incident) -> None:
        for recorder in sorted({clip.recorder for clip in incident.clips}):
            self._agenda.hint(names.dispatch(recorder))
            self._agenda.hint(names.track(recorder))
        self._hint_cameras(incident)


def _hand(site: Site, who: str, now: datetime) -> Hand:
    return Hand(who=who, now=now, settles=site.settles)


def _apply(tx: Tx, name: IncidentId, who: str, step: Step, now: datetime) -> Incident:
    change = step(_found(tx, name), who, now)
    tx.ledger.save([change], now)
    if change.event == Event.RETRIED:
        tx.stills.save(wanted_again(tx.stills.of([name]), now))
    return change.after


def _found(tx: Tx, name: IncidentId) -> Incident:
    found = tx.incidents.get([name])
    if not found:
        raise NotFound(phrase("there is no incident {name}", name=repr(name)))
    return found[0]


def _take_note(
    tx: Tx, losses: Sequence[Loss], comment: str, who: str, now: datetime
) -> list[Loss]:
    if not losses:
        raise Refused(
            phrase("more was lost since that was shown: see what, and acknowledge it")
        )
    known = [acknowledged(each, who, comment, now) for each in losses]
    tx.losses.save(known)
    tx.history.write(*(entry_of_loss(each, now) for each in known))
    return known


def _record(tx: Tx, name: IncidentId, who: str, now: datetime) -> Incident:
    found = _found(tx, name)
    found.check_began_here()
    if not evidence.is_recordable(found):
        raise Refused(phrase("incident {name} has no footage to record", name=name))
    known = next(iter(tx.evidence.of([name])), None)
    tx.evidence.save(evidence.want_again(known, name, now))
    detail = {"by": who, "what": "evidence record"}
    tx.history.write(Entry(incident=name, at=now, event=Event.RETRIED, detail=detail))
    return found


def _trigger(tx: Tx, each: Understood, now: datetime, new_id: NewId) -> Incident:
    incident = take(tx, [each], now, new_id)[0].incident
    if incident is None:
        raise NotFound(phrase("nothing was opened"))
    return tx.incidents.get([incident])[0]


def _by_hand(
    site: Site,
    rule: Rule,
    fields: Mapping[str, str],
    at: datetime,
    who: str,
    now: Now,
) -> Happening:
    """As an alarm of the rule would be read, but without waiting for a clear."""
    _check_time(rule, at, now)
    _check_captured(rule, fields)
    at = floor_ms(at)
    known = {name: field_value(value) or "" for name, value in fields.items()}
    cameras, unknown = site.roster.find(expand_cameras(rule.cameras, known))
    reading = Reading(
        rule=rule.name,
        signal=Signal.ACTIVE,
        moment=Moment(at=at, earliest=at, latest=at, source=TimeSource.OPERATOR),
        fields=known,
        key=group_key(rule.group_by, known),
    )
    return Happening(
        rule=rule.without_clear(),
        reading=reading,
        cameras=cameras,
        unknown=unknown,
        settles=site.settles,
        now=now,
        trigger={"by": who, "time": render_utc(at)},
    )


def _check_time(rule: Rule, at: datetime, now: Now) -> None:
    """Raises Refused of one that no alarm of the rule could have."""
    if at > now.at:
        raise Refused(phrase("the time {at} lies in the future", at=render_utc(at)))
    if at < now.sure - rule.max_age:
        age = spoken(rule.max_age)
        raise Refused(
            phrase(
                "the time {at} is not within the last {age} (max_age)",
                at=render_utc(at),
                age=age,
            )
        )


def _check_captured(rule: Rule, fields: Mapping[str, str]) -> None:
    """Raises Refused where something is missing that any topic of the rule tells."""
    captured = set.intersection(*(set(topic.names) for topic in rule.topics))
    if missing := sorted(captured - fields.keys()):
        raise Refused(
            phrase(
                "rule {name} reads {missing} from its topic: say what it is, such "
                "as --field {missing2}=...",
                name=rule.name,
                missing=", ".join(missing),
                missing2=missing[0],
            )
        )
