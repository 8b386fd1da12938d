"""What silences withheld: exported when they end, if it is still on, or by hand."""

from collections.abc import Mapping
from dataclasses import replace

from evidenced.core.alarms.alarm import Alarm, Moment
from evidenced.core.alarms.rules import Rule
from evidenced.core.errors import NotFound, Refused
from evidenced.core.incidents.cutting import NewId
from evidenced.core.incidents.happening import Happening
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silences
from evidenced.core.incidents.withheld import Withheld
from evidenced.core.instants import render_utc
from evidenced.core.keeping.kept import RefusedAlarm
from evidenced.core.phrase import phrase
from evidenced.core.site import Site
from evidenced.core.trust import Now
from evidenced.pipeline.rationing import Ration
from evidenced.pipeline.taking import Taken, take
from evidenced.pipeline.understanding import Understood
from evidenced.pipeline.world import BATCH
from evidenced.ports import Tx


class Means:
    """What the configuration in force has for the incidents of withheld alarms."""

    def __init__(self, site: Site, now: Now) -> None:
        self._site = site
        self.now = now

    def rule_of(self, alarm: RefusedAlarm) -> Rule | None:
        return self._site.rule_of.get(alarm.rule) if alarm.rule else None

    def happening(
        self, held: Withheld, rule: Rule, moment: Moment, trigger: Mapping[str, object]
    ) -> Happening:
        """The alarm as its rule would take it now."""
        cameras, unknown = held.found(self._site.roster)
        return Happening(
            rule=held.rule_now(rule),
            reading=held.reading(rule, moment),
            cameras=cameras,
            unknown=unknown,
            settles=self._site.settles,
            now=self.now,
            trigger={**trigger, "time": render_utc(moment.at)},
        )


def resume_step(tx: Tx, site: Site, now: Now, new_id: NewId) -> list[Taken]:
    """Take the alarms that are still on as their silence ends, up to a batch."""
    due, means = tx.refused.due(now.sure, BATCH), Means(site, now)
    if not due:
        return []
    since = min(held.resumed().at for _, held in due)
    silences = Silences(tx.silences.ending_after(since))
    heard: list[tuple[RefusedAlarm, Happening]] = []
    after: list[RefusedAlarm] = []
    for alarm, held in due:
        happening, rest = _resumed(alarm, held, means, silences)
        left = replace(alarm, withheld=rest or replace(held, until=None))
        if happening is None:
            after.append(left)
        else:
            heard.append((left, happening))
    understood = [_understood(*each) for each in heard]
    ration = Ration(tx, site.limits, now.at)
    taken = take(tx, understood, now.at, new_id, ration)
    after += [
        replace(alarm, incident=what.incident)
        for (alarm, _), what in zip(heard, taken, strict=True)
    ]
    tx.refused.move(after)
    return taken


def _resumed(
    alarm: RefusedAlarm, held: Withheld, means: Means, silences: Silences
) -> tuple[Happening | None, Withheld | None]:
    """What is heard of it now, and what another silence goes on withholding."""
    rule = means.rule_of(alarm)
    if rule is None or not held.is_on(rule):
        return None, None
    moment = held.resumed()
    trigger = {
        "topic": alarm.topic,
        "time_source": str(moment.source),
        "alarm": alarm.number,
    }
    # read with its own moment: one that is resumed is never silenced
    found = means.happening(held, rule, held.moment, trigger)
    happening, rest = silences.part(found, alarm.topic, moment.at)
    if rest is not None and not happening.cameras:
        return None, rest
    return replace(
        happening,
        reading=replace(happening.reading, moment=moment),
        trigger={**happening.trigger, "time": render_utc(moment.at)},
    ), rest


def open_step(tx: Tx, number: int, who: str, means: Means, new_id: NewId) -> Incident:
    """The incident of an alarm whose footage somebody wants after all.

    Raises:
        NotFound: no such alarm is kept.
        Refused: it has one already, or no rule can say what its footage is.
    """
    alarm = tx.refused.get(number)
    if alarm is None:
        raise NotFound(
            phrase(
                "there is no alarm {number} among those that opened nothing",
                number=number,
            )
        )
    if alarm.incident is not None:
        raise Refused(
            phrase(
                "alarm {number} is exported already: incident {incident}",
                number=number,
                incident=alarm.incident,
            )
        )
    held, rule = alarm.withheld, means.rule_of(alarm)
    if held is None or rule is None:
        lacks = (
            "no rule took it"
            if held is None
            else phrase("there is no rule {rule}", rule=alarm.rule)
        )
        raise Refused(
            phrase(
                "what alarm {number} would export is not known, for {lacks} now; "
                "`evidenced trigger --rule NAME --at TIME` exports it by a rule "
                "that is",
                number=number,
                lacks=lacks,
            )
        )
    trigger = {"by": who, "alarm": number}
    found = means.happening(held, rule.without_clear(), held.by_hand(), trigger)
    [taken] = take(tx, [_understood(alarm, found)], means.now.at, new_id)
    tx.refused.move([replace(alarm, incident=taken.incident)])
    [incident] = tx.incidents.get([taken.incident] if taken.incident else [])
    return incident


def _understood(alarm: RefusedAlarm, happening: Happening) -> Understood:
    return Understood(
        alarm=Alarm(
            topic=alarm.topic,
            payload=alarm.payload.encode(),
            received_at=alarm.received_at,
            whole=alarm.whole,
        ),
        result=happening,
        has_waited=True,
    )
