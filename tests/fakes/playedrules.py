"""Messages played through rules as the daemon would: what each one causes."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

from evidenced.core.alarms.alarm import Alarm, Outcome, Refusal
from evidenced.core.alarms.rules import Rule, read_alarm
from evidenced.core.ids import GroupKey, IncidentId, RuleName
from evidenced.core.incidents.happening import Happening
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence
from evidenced.core.site import Site
from evidenced.pipeline.taking import Understood, take
from evidenced.ports import Tx
from fakes.incident import Ids
from fakes.rule import RECEIVED

GAP = timedelta(seconds=10)
"""Between two messages of a play."""


@dataclass(frozen=True)
class Message:
    """One message and what becomes of it; `time` is the payload's own, if any.

    `is_idle` is a clear that finds nothing to clear.
    """

    topic: str
    payload: str
    outcome: Outcome
    time: str = ""
    is_idle: bool = False
    retained: bool = False


@dataclass
class Heard:
    """What became of one message."""

    outcome: Outcome
    detail: str
    incident: IncidentId | None = None
    moment: datetime | None = None
    is_from_receipt: bool = True
    faults: tuple[str, ...] = ()


@dataclass
class Play:
    """Rules and the incidents that they have opened so far."""

    site: Site
    rules: tuple[Rule, ...]
    incidents: dict[IncidentId, Incident] = field(default_factory=dict)
    _keys: set[str] = field(default_factory=set)
    _ids: Ids = field(default_factory=Ids)

    def hear(self, message: Message, at: datetime) -> Heard:
        alarm = Alarm(
            topic=message.topic,
            payload=message.payload.encode(),
            received_at=at,
            retained=message.retained,
        )
        verdict = read_alarm(self.rules, alarm)
        result: Happening | Refusal
        if isinstance(verdict, Refusal):
            result = verdict
        else:
            cameras, unknown = self.site.roster.find(verdict.cameras)
            result = Happening(
                rule=next(rule for rule in self.rules if rule.name == verdict.rule),
                reading=verdict,
                cameras=cameras,
                unknown=unknown,
                settles={n: each.settle for n, each in self.site.recorders.items()},
                now=at,
                trigger={},
            )
        understood = Understood(alarm=alarm, result=result)
        (taken,) = take(cast("Tx", self), [understood], at, self._ids)
        heard = Heard(
            taken.outcome, taken.detail, taken.incident, faults=verdict.faults
        )
        if not isinstance(verdict, Refusal):
            heard.moment = verdict.moment.at
            heard.is_from_receipt = verdict.moment.is_from_receipt
        return heard

    # ---- what `take` asks a transaction for

    def seen(self, keys: Collection[str]) -> set[str]:
        return self._keys & set(keys)

    def open_incidents(
        self, groups: Collection[tuple[RuleName, GroupKey]], _since: datetime
    ) -> list[Incident]:
        every = self.incidents.values()
        return [each for each in every if (each.rule, each.key) in groups]

    def silences(self, _since: datetime) -> list[Silence]:
        return []

    def save(self, changes: Sequence[Change], _at: datetime) -> None:
        self.incidents |= {change.after.id: change.after for change in changes}

    def save_alarms(self, alarms: object) -> None: ...

    def save_refused(self, alarms: object) -> None: ...

    def save_keys(self, keys: Iterable[str], _at: datetime) -> None:
        self._keys |= set(keys)


def played(play: Play, messages: Sequence[Message]) -> list[Heard]:
    return [play.hear(each, RECEIVED + n * GAP) for n, each in enumerate(messages)]


def as_retained(message: Message) -> Message:
    return replace(message, retained=True)
