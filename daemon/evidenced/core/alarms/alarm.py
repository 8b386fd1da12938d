"""One MQTT message as it was received, and what a rule reads from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from evidenced.core.alarms.deliveries import Stamp
from evidenced.core.alarms.payload import Whole
from evidenced.core.camera import CameraRef
from evidenced.core.ids import ConditionName, FieldValue, GroupKey, RuleName
from evidenced.core.instants import ZERO, check_aware
from evidenced.core.phrase import phrase

BY_HAND = "(by hand)"
"""Stands for the topic of an alarm that an operator raised; no broker has such one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A message as it arrived, before anything was understood of it.

    `absence` is how long the broker may have held it back because the daemon was away;
    zero for a message that came while we were listening.
    `stamp` tells a repeated delivery from a repeated alarm; None at QoS 0, whose
    messages come once or never, and once it is stored.
    `whole` is None unless `payload` is only the beginning of what came: of a message
    that is too large to be read, and of later alarms of an incident once stored.
    """

    topic: str
    payload: bytes
    received_at: datetime
    retained: bool = False
    stamp: Stamp | None = None
    absence: timedelta = ZERO
    whole: Whole | None = None

    def __post_init__(self) -> None:
        check_aware(self.received_at)


class Outcome(StrEnum):
    """What became of a message; the label of the metric `alarms_total`."""

    OPENED = "opened"
    EXTENDED = "extended"
    SILENCED = "silenced"
    DUPLICATE = "duplicate"
    CLEARED = "cleared"
    UNMATCHED = "unmatched"
    RETAINED = "retained"
    STALE = "stale"
    INVALID = "invalid"
    UNMET = "unmet"
    UNCHANGED = "unchanged"
    WAITING = "waiting"
    NOTED = "noted"
    PASSED = "passed"
    EXCEPTED = "excepted"


class Signal(StrEnum):
    """Whether a message raises its alarm or ends it."""

    ACTIVE = "active"
    CLEAR = "clear"


class TimeSource(StrEnum):
    """Whose clock the time of an alarm comes from, and why; shown as it stands."""

    PAYLOAD = "payload"
    AMBIGUOUS = "payload (local time that exists twice: window covers both)"
    GAP = "payload (local time that never was: the instant after the gap)"
    END = "payload (only its end can be read)"
    OPERATOR = "operator"
    SILENCE = "silence (the alarm was still on when it ended)"
    RECEIVED = "received"
    UNREADABLE = "received (payload has no readable time)"
    FUTURE = "received (payload time is later than receipt)"
    ANCIENT = "received (payload time is before 2000)"


_TOLD_TIMES = frozenset(
    {
        TimeSource.PAYLOAD,
        TimeSource.AMBIGUOUS,
        TimeSource.GAP,
        TimeSource.END,
        TimeSource.OPERATOR,
        TimeSource.SILENCE,
    }
)
"""Not from when the message was received."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When an alarm happened, as exactly as it can be known.

    It happened at some instant from `earliest` to `latest` (both included); `at` is the
    one shown to people. They differ for a local time that exists twice, and for a
    message without a time that waited at the broker while the daemon was away.
    """

    at: datetime
    earliest: datetime
    latest: datetime
    source: TimeSource

    def __post_init__(self) -> None:
        if not (
            check_aware(self.earliest)
            <= check_aware(self.at)
            <= check_aware(self.latest)
        ):
            raise ValueError(f"moment out of order: {self}")

    @property
    def is_from_receipt(self) -> bool:
        return self.source not in _TOLD_TIMES


def time_source(alarm: Alarm, moment: Moment, *, is_unsure: bool = False) -> str:
    """Where the time comes from, and what makes it less sure than it looks.

    It may be as old as our absence; `is_unsure`: the host's own clock was not right.
    """
    parts = [str(moment.source)]
    if moment.is_from_receipt and alarm.absence:
        seconds = round(alarm.absence.total_seconds())
        parts.append(
            phrase("may have waited {n} s while evidenced was away", n=seconds)
        )
    if moment.is_from_receipt and is_unsure:
        parts.append(phrase("the host's clock was not in sync"))
    return "; ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one rule understood of one alarm, or of one of the messages in it.

    `dedup_key` names the source's event exactly (from the rule's `id`, else from the
    payload's own time and content); None when nothing in the message can.
    `until` is its end, where the message tells both. `group` are those of the rule's
    `group_by` names that it carries: a clear ends what agrees with them.
    `cameras` are what the rule's templates produced: not yet looked up.
    `faults` are run-time faults of the rule's expressions met on the way, each naming
    its place in the configuration; the caller reports each once, not once a message.
    """

    rule: RuleName
    signal: Signal
    moment: Moment
    until: Moment | None = None
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    key: GroupKey
    group: Mapping[str, FieldValue] = field(default_factory=dict)
    dedup_key: str | None = None
    cameras: tuple[CameraRef, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """Why an alarm opens nothing, for a rule or for all of them, and one line.

    `faults` as in a Reading. `recalls` is the state that a retained message tells, for
    a rule that goes by changes.
    """

    rule: RuleName | None
    outcome: Outcome
    detail: str
    faults: tuple[str, ...] = ()
    recalls: Reading | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What a message says of the state that a condition is about."""

    condition: ConditionName
    holds: bool
    faults: tuple[str, ...] = ()


MessageVerdict = Reading | NotTaken | Noted
"""What one rule or condition makes of a message."""
