"""What a stored message means: read by the rules, with the cameras that they name."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from evidenced.core.alarms.alarm import (
    Alarm,
    Noted,
    NotTaken,
    Outcome,
    Reading,
    Signal,
    time_source,
)
from evidenced.core.alarms.payload import MAX_TOPIC, one_line
from evidenced.core.alarms.reading import read_alarm
from evidenced.core.alarms.rules import Precondition
from evidenced.core.ids import ConditionName, RuleName
from evidenced.core.incidents.happening import Happening
from evidenced.core.instants import render_utc
from evidenced.core.phrase import mark
from evidenced.core.site import Site
from evidenced.core.trust import Now

_NOT_OURS = mark('no camera of ours: {names} (unknown = "ignore")')


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """An alarm and what one rule made of it; several may do so, one after another.

    `message` tells those of one message from others. `has_waited` is for an alarm that
    lasted for its rule's `after`.
    """

    alarm: Alarm
    result: Happening | NotTaken | Noted
    message: int = 0
    conditions: Mapping[ConditionName, Precondition] = field(default_factory=dict)
    is_over: bool = False
    """Whether its topic is beyond the limit of a minute."""
    is_unsure: bool = False
    """Whether the host's clock is known not to be right."""
    has_waited: bool = False
    site: Site | None = None
    """The configuration that it was read by."""

    @property
    def faults(self) -> tuple[str, ...]:
        """Run-time faults of the rule's expressions."""
        found = self.result
        return found.reading.faults if isinstance(found, Happening) else found.faults

    @property
    def rule(self) -> RuleName | None:
        """The rule that took it, or that refused it."""
        match self.result:
            case Happening(rule=rule):
                return rule.name
            case NotTaken(rule=name):
                return name
            case Noted():
                return None


def understand(
    site: Site, alarm: Alarm, now: Now, *, message: int = 0
) -> list[Understood]:
    """What the rules make of a message, in the order in which it is to be taken."""
    return [
        Understood(
            alarm=alarm,
            result=happening_of(site, alarm, verdict, now)
            if isinstance(verdict, Reading)
            else verdict,
            message=message,
            conditions=site.condition_of,
            is_unsure=now.is_unsure,
            site=site,
        )
        for verdict in read_alarm(site.switchboard, alarm, now.sure)
    ]


def _clears_all(reading: Reading) -> bool:
    """A clear that names no camera: it ends what agrees with what it does name."""
    is_clear = reading.signal is Signal.CLEAR
    return is_clear and any("{" in each.name for each in reading.cameras)


def happening_of(
    site: Site, alarm: Alarm, reading: Reading, now: Now
) -> Happening | NotTaken:
    """A reading with what the site knows of its cameras."""
    rule = site.rule_of[reading.rule]
    if now.is_behind and reading.moment.is_from_receipt:
        rule = replace(rule, clear=None)  # its clear will seem to come before it
    cameras, unknown = site.roster.find(reading.cameras)
    if rule.ignores_unknown:
        unknown = ()
        if not cameras and reading.cameras and not _clears_all(reading):
            names = ", ".join(map(str, reading.cameras))
            detail = _NOT_OURS.format(names=one_line(names, 200))
            return NotTaken(rule=rule.name, outcome=Outcome.UNMATCHED, detail=detail)
    return Happening(
        rule=rule,
        reading=reading,
        cameras=cameras,
        unknown=unknown,
        settles=site.settles,
        now=now,
        trigger={
            "topic": one_line(alarm.topic, MAX_TOPIC),
            "time": render_utc(reading.moment.at),
            "time_source": time_source(alarm, reading.moment, is_unsure=now.is_unsure),
        },
    )
