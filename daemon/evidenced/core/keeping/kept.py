"""What the store keeps besides incidents, and how it is asked for what it keeps."""

from dataclasses import dataclass
from datetime import datetime

from evidenced.core.alarms.alarm import Alarm, NotTaken, Outcome, Signal
from evidenced.core.alarms.payload import (
    KEPT_BYTES,
    MAX_TOPIC,
    WHOLE_BYTES,
    Whole,
    beginning,
    keepable,
    one_line,
    whole_of,
)
from evidenced.core.ids import IncidentId, RuleName
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Entry
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import IncidentState
from evidenced.core.incidents.withheld import Withheld
from evidenced.core.keeping.evidence import Record
from evidenced.core.keeping.footage import FootageFolder
from evidenced.core.keeping.held import Held
from evidenced.core.keeping.loss import Loss
from evidenced.core.keeping.still import Still
from evidenced.core.keeping.tag import Tag

FIRST_ALARMS = 50
LAST_ALARMS = 50
"""Of one incident's alarms the first and last so many are kept; the count is true."""

WHOLE_ALARMS = 8
"""Of so many the payload is kept as long as it came, of later ones `LATER_BYTES`: an
event and its updates come whole with their pictures, a storm is bounded. An incident's
payloads have 3 MiB at most, where a hundred whole ones came to 25."""

REFUSED_ALARMS = 1000
"""Messages that opened nothing: of each outcome the last so many are kept."""
UNREAD_WHOLE = 100
"""Of messages that could not be read so many are kept as long as they came."""
MOST_WITHHELD = 5_000
"""Of silenced alarms more are kept while they are still on: up to so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAlarm:
    """An alarm of an incident; `n` counts the incident's alarms from 1.

    `whole` is None unless only the payload's beginning is kept.
    """

    incident: IncidentId
    n: int
    received_at: datetime
    at: datetime
    signal: Signal
    time_source: str
    topic: str
    payload: bytes
    whole: Whole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedAlarm:
    """A message that opened nothing. `payload` is cut to what can be kept and shown.

    `whole` is what it was where that is less; `raw` are its bytes where it could not be
    read, up to WHOLE_BYTES, of the last UNREAD_WHOLE; lists leave them out. `number` is
    its row's, None before it is one. `withheld` is what a silence kept back of it,
    `incident` the one that somebody had opened for it afterwards, or that it opened
    when its silence ended.
    """

    number: int | None = None
    received_at: datetime
    outcome: Outcome
    rule: RuleName | None
    detail: str
    topic: str
    payload: str
    whole: Whole | None = None
    raw: bytes | None = None
    withheld: Withheld | None = None
    incident: IncidentId | None = None


def refused_alarm(
    alarm: Alarm, refusal: NotTaken, held: Withheld | None = None
) -> RefusedAlarm:
    """A message as it is kept that opened nothing."""
    payload = keepable(alarm.payload)
    is_exact = held is None or payload.encode() == alarm.payload
    raw = None
    if refusal.outcome is Outcome.INVALID:
        raw, is_exact = beginning(alarm.payload, WHOLE_BYTES), True
    return RefusedAlarm(
        received_at=alarm.received_at,
        outcome=refusal.outcome,
        rule=refusal.rule,
        detail=refusal.detail,
        topic=one_line(alarm.topic, MAX_TOPIC),
        payload=payload,
        whole=alarm.whole or whole_of(alarm.payload, KEPT_BYTES if is_exact else 0),
        raw=raw,
        withheld=held,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """Which incidents to list, newest first. All conditions must hold.

    `since` is included, `until` is not; both are compared with `opened_at`.
    `text` is looked for in id, rule, key and fields, without regard to case.
    `called` is what its id begins or ends with. `gapped` are those with gaps in their
    footage, `is_held` is whether only those are asked for that somebody holds. `after`
    is where the previous page ended.
    """

    states: tuple[IncidentState, ...] = ()
    rule: str | None = None
    camera: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    called: str | None = None
    gapped: bool = False
    is_held: bool = False
    after: tuple[datetime, IncidentId] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Incidents since some instant, counted within bounds.

    `safe` have their footage, `gapped` of them with gaps in it. `waiting` are all that
    have not ended, whenever they began; `withdrawn` those that lack only what an
    operator cancelled, `lost` those that lack more. Whether somebody knows of a loss is
    told by `loss`.
    """

    safe: int = 0
    waiting: int = 0
    withdrawn: int = 0
    lost: int = 0
    gapped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Everything the store knows of one incident.

    Payloads as far as they are shown, unless whole ones were asked for. `record` is its
    evidence record, None where none is or was wanted.
    """

    incident: Incident
    alarms: tuple[KeptAlarm, ...]
    exports: tuple[ExportRequest, ...]
    history: tuple[Entry, ...]
    record: Record | None = None
    tags: tuple[Tag, ...] = ()
    stills: tuple[Still, ...] = ()
    losses: tuple[Loss, ...] = ()
    held: Held | None = None
    footage: tuple[FootageFolder, ...] = ()

    @property
    def loss(self) -> Loss | None:
        """The first that is lost of it; one that nobody has acknowledged, if any is."""
        return next(iter(self.losses), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """The last row of the audit chain: its number and hash."""

    seq: int
    hash: str
