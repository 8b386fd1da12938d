"""Messages played through rules as the daemon would: what each one causes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from evidenced.core.alarms.alarm import Alarm, Outcome
from evidenced.core.alarms.rules import Rule
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.happening import Happening
from evidenced.core.incidents.incident import Incident
from evidenced.core.keeping.kept import IncidentFilter
from evidenced.core.site import Site
from evidenced.core.trust import exactly
from evidenced.pipeline.taking import take
from evidenced.pipeline.understanding import understand
from evidenced.ports import Tx
from fakes.incident import Ids
from fakes.memorystore import memory_store
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
    _tx: Tx = field(default_factory=memory_store)
    _ids: Ids = field(default_factory=Ids)

    @property
    def incidents(self) -> dict[IncidentId, Incident]:
        """Those that were opened, as they are now."""
        found = self._tx.incidents.search(IncidentFilter(limit=1000))
        return {each.id: each for each in found}

    def hear(self, message: Message, at: datetime) -> Heard:
        alarm = Alarm(
            topic=message.topic,
            payload=message.payload.encode(),
            received_at=at,
            retained=message.retained,
        )
        site = replace(self.site, rules=self.rules)
        understood = understand(site, alarm, exactly(at))
        taken, *_ = take(self._tx, understood, at, self._ids)
        heard = Heard(
            taken.outcome,
            taken.detail,
            taken.incident,
            faults=understood[0].faults,
        )
        found = understood[0].result
        if isinstance(found, Happening):
            heard.moment = found.reading.moment.at
            heard.is_from_receipt = found.reading.moment.is_from_receipt
        return heard


def played(play: Play, messages: Sequence[Message]) -> list[Heard]:
    return [play.hear(each, RECEIVED + n * GAP) for n, each in enumerate(messages)]


def as_retained(message: Message) -> Message:
    return replace(message, retained=True)
