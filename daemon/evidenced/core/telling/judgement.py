"""What the verdict is made of, and what it is: causes, moods, what may be done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from evidenced.core.ids import IncidentId, RecorderName
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence, Subject
from evidenced.core.instants import MINUTE, render_utc
from evidenced.core.keeping.kept import Standing
from evidenced.core.keeping.loss import Loss, LossKind
from evidenced.core.phrase import (
    kept,
    phrase,
    plural,
)
from evidenced.core.spoken import localised, moment
from evidenced.core.telling.trouble import Trouble, TroubleKey

MANY = 1000
"""The store counts no further."""


class Mood(StrEnum):
    """How bad it is, the best first."""

    GOOD = "good"
    WAIT = "wait"
    WARN = "warn"
    BAD = "bad"

    @property
    def rank(self) -> int:
        return list(Mood).index(self)


class Matter(StrEnum):
    """What a cause is about; of equal moods the first one here is the sentence."""

    DAEMON = "daemon"
    BROKER = "broker"
    STORE = "store"
    LOSS = "loss"
    ALTERED = "altered"
    UNREADABLE = "unreadable"
    STALE = "stale"
    UNRECORDED = "unrecorded"
    RECORDER = "recorder"
    DESTINATION = "destination"
    SHARE = "share"
    LATE = "late"
    CAMERA = "camera"
    UNPLACED = "unplaced"
    UNTAGGED = "untagged"
    ON_FOR = "on-for"
    SOURCE = "source-silent"
    QUEUE = "queue"
    STUCK = "stuck"
    CLOCK = "clock"
    CONFIG = "config"
    RECORDS = "records"
    TIMESTAMP = "timestamp"
    PAGE = "page"
    UNREAD = "unread"
    NOTE = "note"
    SILENCE = "silence"
    UNDER_WAY = "under-way"


_LOSSES = frozenset(
    {Matter.LOSS, Matter.ALTERED, Matter.UNRECORDED, Matter.UNPLACED, Matter.UNTAGGED}
)


class Remedy(StrEnum):
    """What a person may do about a cause at once."""

    RETRY = "retry"
    AGAIN = "again"
    """Where there is footage, and not enough of it."""
    RECORD = "record"
    """The evidence record is written anew."""
    ACKNOWLEDGE = "acknowledge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One thing that keeps the verdict from being good.

    `text` is a sentence, `advice` what to do about it, "" where nothing is to be done.
    `see` is the page that shows it, `remedies` are what a person may do from the list.
    """

    matter: Matter
    mood: Mood
    text: str
    advice: str = ""
    since: datetime | None = None
    incident: IncidentId | None = None
    see: str = ""
    remedies: tuple[Remedy, ...] = ()

    @property
    def is_urgent(self) -> bool:
        """Whether somebody has to act on it."""
        return self.mood in {Mood.WARN, Mood.BAD}

    @property
    def is_loss(self) -> bool:
        """Whether footage, or what keeps it, is lost or may be."""
        return self.matter in _LOSSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`text` is the sentence, `more` what goes with it, `causes` all of them in order.

    Of many causes some are left out, `unlisted` of them for somebody to act on;
    `number` counts those too.
    """

    mood: Mood
    text: str
    more: str = ""
    causes: tuple[Cause, ...] = ()
    unlisted: int = 0

    @property
    def number(self) -> int:
        return sum(cause.is_urgent for cause in self.causes) + self.unlisted


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A loss that nobody has acknowledged, with its incident while it is kept."""

    loss: Loss
    incident: Incident | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the running daemon knows and no row says.

    `troubles` is all that is wrong now, lasting or not, `notes` are sentences about
    what costs no footage; trouble that lasts for `patience` is told to people. An
    incident that was opened after `ahead` is from the future; None while the clock is
    in doubt, which knows of none. `labels` are what people call rules and cameras.
    `unheard` are recorders of which this process has not found out yet whether they
    answer: what was wrong with one before may be so, and with a share while `is_blind`:
    none was looked at yet. `is_deaf` is whether no rule is in force, `stalled` what the
    daemon itself does not do any more, a clause each.
    """

    troubles: Sequence[Trouble] = ()
    ahead: datetime | None = None
    notes: Sequence[str] = ()
    patience: timedelta = MINUTE
    labels: Mapping[tuple[Subject, str], str] = field(default_factory=dict)
    unheard: frozenset[RecorderName] = frozenset()
    is_deaf: bool = False
    stalled: Sequence[str] = ()
    is_blind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a verdict is made of.

    `losses` are the first of each kind of those that nobody has acknowledged, `open`
    counts them all, `known` those that somebody has of late. `late` are incidents
    whose footage is late, `on` those whose alarm has been on for longer than people
    expect. `waiting` counts the incidents that each trouble holds up. `unread_since` is
    when the oldest message came that was not read yet: nobody knows what it means.
    `around` is None where no daemon tells: then `troubles` are those of rows.
    """

    now: datetime
    zone: tzinfo = UTC
    standing: Standing = field(default_factory=Standing)
    losses: Sequence[Lost] = ()
    open: Mapping[LossKind, int] = field(default_factory=dict)
    known: int = 0
    late: Sequence[Incident] = ()
    on: Sequence[Incident] = ()
    troubles: Sequence[Trouble] = ()
    waiting: Mapping[TroubleKey, int] = field(default_factory=dict)
    silences: Sequence[Silence] = ()
    unread_since: datetime | None = None
    around: Surroundings | None = field(default_factory=Surroundings)

    @property
    def lost(self) -> int:
        """Incidents that lack footage, and nobody has acknowledged that."""
        return self.open.get(LossKind.INCIDENT, 0)

    @property
    def is_lacking(self) -> bool:
        """Whether anything is lost or late that nobody has acknowledged."""
        return bool(self.losses or any(self.open.values()) or self.late)

    @property
    def seen(self) -> Surroundings:
        return self.around or Surroundings()

    def called(self, subject: Subject, name: str) -> str:
        """What people call a rule or a camera."""
        return self.seen.labels.get((subject, name), name)

    def moment(self, at: datetime) -> str:
        return moment(at, self.now, self.zone)

    def kept(self, text: str) -> str:
        """A text of the store, in the reader's language and time."""
        return localised(kept(text), self.moment)


def counted(number: int) -> str:
    """`1 incident`, `4 incidents`, `1000 or more incidents`."""
    if number >= MANY:
        return phrase("{n} or more incidents", n=MANY)
    return plural("{n} incident", "{n} incidents", number)


def listed(names: Sequence[str]) -> str:
    """`Kelder`; `Kelder and Hal`; `Kelder, Hal and 3 more`."""
    if len(names) < 2:  # noqa: PLR2004 - as one says it
        return names[0] if names else phrase("no camera")
    first, second, *others = names
    if not others:
        return phrase("{first} and {second}", first=first, second=second)
    return plural(
        "{first}, {second} and {n} more",
        "{first}, {second} and {n} more",
        len(others),
        first=first,
        second=second,
    )


def verdict_object(found: Judgement) -> dict[str, object]:
    """For programs: see interfaces, `GET /api/status`."""
    return {
        "mood": found.mood,
        "text": found.text,
        "more": found.more,
        "reasons": [
            {
                "kind": cause.matter,
                "mood": cause.mood,
                "text": cause.text,
                "advice": cause.advice,
                "since": cause.since and render_utc(cause.since),
                "incident": cause.incident,
            }
            for cause in found.causes
        ],
    }
