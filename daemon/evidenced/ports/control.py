"""The running daemon, as its page, its API and the service manager see it."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.errors import Reason
from evidenced.core.exports.bandwidth import Budget
from evidenced.core.exports.hold import Hold
from evidenced.core.folders.whereabouts import Whereabouts
from evidenced.core.ids import (
    CameraName,
    DestinationName,
    IncidentId,
    RecorderName,
    RuleName,
    SilenceId,
)
from evidenced.core.incidents.byhand import FootageOrder, MoreOrder
from evidenced.core.incidents.history import Told
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence, SilenceOrder, Subject, labelled
from evidenced.core.keeping.health import Room
from evidenced.core.keeping.kept import RefusedAlarm
from evidenced.core.keeping.loss import Loss
from evidenced.core.telling.judgement import Surroundings
from evidenced.ports.evidence import ArchivePort, FootagePort, ImportPort


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareStatus:
    """A destination's mounted share now.

    `problem` is a sentence while nothing is exported there, or what is cannot be seen
    from here; `no_records` one while no evidence record can be written to it. `room`
    is None where it cannot be looked at.
    """

    destination: DestinationName
    problem: str | None = None
    no_records: str | None = None
    room: Room | None = None
    min_free: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStatus:
    """One recorder now. `offset` is recorder minus host, None where unknown.

    `problem` is a sentence while it does not answer; `answered_ago` how long ago it
    last did, `next_try` how long until it is asked again. `holds` are destinations
    there that take no exports now; `limited_until` is set while exports wait, for the
    limit of this hour is reached; `stuck` are the folders of exports that stand still,
    with a sentence each. `slots` is how many exports may run at once, `budget` what
    they may use together now, until `budget_until`, None where that never changes.
    """

    name: RecorderName
    is_up: bool
    problem: str | None = None
    reason: Reason | None = None
    version: str = ""
    offset: timedelta | None = None
    exports: int = 0
    answered_ago: timedelta | None = None
    next_try: timedelta | None = None
    limited_until: datetime | None = None
    holds: Mapping[DestinationName, Hold] = field(default_factory=dict)
    stuck: Mapping[str, str] = field(default_factory=dict)
    slots: int = 0
    budget: Budget = field(default_factory=lambda: Budget(limit=0))
    budget_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """`rules` and `cameras` are names with what people read in their place.

    `used` are the cameras that rules use, with their recorders.

    `destinations` are the names and paths of those that exports go to.

    `places` tells where paths on the recorder lie for this host and for people. `away`
    are recorders that do not answer now, `held` destinations that take nothing.
    """

    instance: str = ""
    zone: tzinfo = UTC
    rules: Mapping[str, str] = field(default_factory=dict)
    cameras: Mapping[str, str] = field(default_factory=dict)
    used: Mapping[CameraName, RecorderName] = field(default_factory=dict)
    destinations: Mapping[str, str] = field(default_factory=dict)
    settles: Mapping[RecorderName, timedelta] = field(default_factory=dict)
    places: Whereabouts = field(default_factory=lambda: Whereabouts({}))
    away: Collection[RecorderName] = ()
    held: Collection[DestinationName] = ()

    def called(self, silence: Silence) -> str:
        """What people call that which it is about."""
        known = {Subject.RULE: self.rules, Subject.CAMERA: self.cameras}
        names = known.get(silence.subject, {})
        return names.get(silence.name) or silence.name

    def told(self, alarm: RefusedAlarm) -> str:
        """Why it opened nothing, in which cameras are called as people do."""
        if alarm.outcome is not Outcome.SILENCED:
            return alarm.detail
        return labelled(alarm.detail, self.cameras)


class Condition(Protocol):
    """How the daemon is, and what it is made of."""

    async def stuck(self) -> list[str]:
        """Sentences why the daemon does not work; empty while it does."""

    async def stalled(self) -> list[str]:
        """Why there is no progress, where a restart might help; else empty."""

    def unready(self) -> list[str]:
        """Sentences why alarms may not become footage now; empty when they do."""

    def notes(self) -> list[str]:
        """Sentences about what does not work and keeps no alarm from its footage."""

    def surroundings(self) -> Surroundings:
        """What a verdict needs to know beside the rows."""

    def recorders(self) -> list[RecorderStatus]: ...

    def installation(self) -> Installation:
        """Names and zone of the configuration in force."""

    def shares(self) -> list[ShareStatus]:
        """Whereabouts that have a mount."""


class Live(Protocol):
    """What is written into the history, as it happens."""

    def changes(self) -> int:
        """A number that is another one after something was written into the history.

        For those who only want to know that they should look again: it costs nothing,
        however many ask and however much happens.
        """

    def subscribe(self) -> AbstractAsyncContextManager[asyncio.Queue[Told | None]]:
        """Every history entry from now on; None says that the reader was too slow."""


class Actions(Protocol):
    """What people change of incidents."""

    async def retry(
        self, incident: IncidentId, who: str, *, again: bool = False
    ) -> Incident:
        """Ended clips are due again, now: the exported ones only with `again`.

        Raises:
            NotFound: no such incident.
            Refused: it has no such clip.
            StoreError: not durable, nothing changed.
        """

    async def cancel(
        self, incident: IncidentId, who: str, comment: str = ""
    ) -> Incident:
        """Clips that are not ended are withdrawn, and their exports at the recorder.

        What was lost before it was tried again is lost as it was.

        Raises:
            NotFound: no such incident.
            Refused: nothing is left to cancel.
            StoreError: not durable, nothing changed.
        """

    async def record(self, incident: IncidentId, who: str) -> Incident:
        """Its evidence record is written once more, as a new revision.

        Raises:
            NotFound: no such incident.
            Refused: no footage of it was exported.
            StoreError: not durable, nothing changed.
        """

    async def acknowledge(
        self,
        incident: IncidentId,
        comment: str,
        who: str,
        seen: datetime | None = None,
    ) -> Loss:
        """A person has taken note of what it has lost, also where it is pruned.

        Of what was shown of it up to `seen`: what was lost later stays open.

        Raises:
            NotFound: no such incident.
            BadInput: no comment, or too long a text.
            Refused: nothing is lost, somebody acknowledged it already, or all of it was
                lost later than `seen`.
            StoreError: not durable, nothing changed.
        """

    async def hold(self, incident: IncidentId, who: str, comment: str) -> Incident:
        """It is neither pruned nor disposed of until somebody releases it.

        Raises:
            NotFound: no such incident.
            BadInput: too long a comment.
            Refused: it is held already.
            StoreError: not durable, nothing changed.
        """

    async def release(self, incident: IncidentId, who: str, comment: str) -> Incident:
        """It is not held any more, and goes by its age as any other.

        Raises:
            NotFound: no such incident.
            BadInput: too long a comment.
            Refused: nobody holds it.
            StoreError: not durable, nothing changed.
        """

    async def acknowledge_unreadable(
        self, comment: str, who: str, seen: datetime | None = None
    ) -> int:
        """The same of all messages that could not be taken; returns how many.

        Raises:
            BadInput: no comment, or too long a text.
            Refused: there is none that nobody has acknowledged, or all came later.
            StoreError: not durable, nothing changed.
        """

    async def trigger(
        self, rule: RuleName, fields: Mapping[str, str], at: datetime | None, who: str
    ) -> Incident:
        """An incident opened or extended by hand, as an alarm of the rule would.

        Raises:
            NotFound: no such rule.
            Refused: the time lies in the future or too far back.
            StoreError: not durable, nothing changed.
        """

    async def save(self, order: FootageOrder, who: str) -> Incident:
        """An incident of footage that somebody wants, with no alarm behind it.

        Raises:
            NotFound: no such camera.
            BadInput: no camera, no comment, or no stretch of time.
            Refused: it begins in the future, or is too long.
            StoreError: not durable, nothing changed.
        """

    async def add(self, incident: IncidentId, order: MoreOrder, who: str) -> Incident:
        """More of an incident: a later end, other cameras.

        Raises:
            NotFound: no such incident or camera.
            BadInput: nothing is asked for.
            Refused: it has that already, or cannot have it.
            StoreError: not durable, nothing changed.
        """

    async def comment(self, incident: IncidentId, comment: str, who: str) -> Incident:
        """A note in its history.

        Raises:
            NotFound: no such incident.
            BadInput: no comment, or too long a text.
            StoreError: not durable, nothing changed.
        """

    async def export(self, alarm: int, who: str) -> Incident:
        """The incident of an alarm that opened nothing, with its own time.

        Raises:
            NotFound: no such alarm is kept.
            Refused: it has one already, or no rule can say what its footage is.
            StoreError: not durable, nothing changed.
        """


class SilencePort(Protocol):
    """What people want to hear nothing of."""

    async def begin(self, order: SilenceOrder, who: str) -> Silence:
        """From now on alarms of this rule, camera or topic are silenced.

        Raises:
            NotFound: no such rule or camera.
            BadInput: no such topic filter, no comment, too long a text.
            Refused: the end is not ahead or too far; too many are in force.
            StoreError: not durable, nothing changed.
        """

    async def end(self, silence: SilenceId, who: str) -> Silence:
        """It ends now, before its time.

        Raises:
            NotFound: no such silence.
            Refused: it is over.
            StoreError: not durable, nothing changed.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """All together: each is the object that does it."""

    condition: Condition
    actions: Actions
    silences: SilencePort
    live: Live
    archive: ArchivePort
    footage: FootagePort
    imports: ImportPort
