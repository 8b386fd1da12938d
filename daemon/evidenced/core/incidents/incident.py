"""Incidents and their clips as values; what happens to them is in `lifecycle`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from evidenced.core.address import Address
from evidenced.core.alarms.braces import NAMED
from evidenced.core.alarms.payload import one_line
from evidenced.core.camera import Camera
from evidenced.core.errors import Reason, Refused
from evidenced.core.frozen import evolved, remembered
from evidenced.core.ids import (
    CameraName,
    FieldValue,
    GroupKey,
    IncidentId,
    RecorderName,
    RuleName,
)
from evidenced.core.incidents.coverage import Coverage
from evidenced.core.incidents.states import (
    CLIP_LOST,
    CLIPS,
    INCIDENTS,
    ClipState,
    IncidentState,
    incident_state,
)
from evidenced.core.instants import MINUTE, SECOND, render_utc
from evidenced.core.terms import Terms
from evidenced.core.window import Window

TOGETHER = 15 * SECOND
"""What is received so soon after an alarm may have waited with it, such as its clear: a
gateway that was away says all that happened, one message after the other."""
MOST_KEY = 60
"""Of a group's name, in its title."""
RANK_PER_POINT = MINUTE
"""A waiting clip gains one point of priority a minute."""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One camera's window in one incident.

    `n` tells the clips of one incident apart; it is never reused.
    `due_at` is the host instant before which nothing is asked: first the end of the
    last window on this recorder plus settle, later the next try.
    `rank` orders the queue: the first due instant moved by a minute for each point of
    priority, so that a waiting clip gains a point a minute without being touched.
    Due clips of one incident, recorder and `cohort` are asked for together: cameras
    that were told apart carry different ones.
    `attempts` counts requests answered; `no_video` those of them since the last other
    one that said that there is no video. `code` and `message` are the last answer's.
    `ended_as` is how it ended before a person had it tried again: what is lost stays so
    until there is footage of it, and what was exported is so whatever the try brings.
    `coverage` is what the recorder has of the window, None until it was asked since
    there is footage.
    """

    n: int
    camera: CameraName
    label: str
    recorder: RecorderName
    address: Address
    window: Window
    post_roll: timedelta
    state: ClipState = ClipState.RECORDING
    due_at: datetime
    rank: datetime
    cohort: int = 0
    attempts: int = 0
    no_video: int = 0
    code: str = ""
    message: str = ""
    reason: Reason | None = None
    ended_as: ClipState | None = None
    coverage: Coverage | None = None

    def moved(self, state: ClipState, **changes: Any) -> "Clip":  # noqa: ANN401 - fields
        """The clip after one step of the table, with these fields changed besides.

        Raises:
            IllegalStep: the table has no such step.
        """
        return evolved(self, (), state=CLIPS.step(self.state, state), **changes)

    @property
    def is_ended(self) -> bool:
        return CLIPS[self.state].is_ended

    @property
    def is_lost(self) -> bool:
        """Whether it ended without footage, though nobody decided so."""
        return CLIPS[self.state].is_lost

    @property
    def is_lacking(self) -> bool:
        """Whether it was lost, be it once, and there is no footage of it yet."""
        was_lost = self.ended_as in CLIP_LOST and not self.has_footage
        return self.is_gapped or self.is_lost or was_lost

    @property
    def is_gapped(self) -> bool:
        """Whether the footage that there is of it has a gap over an alarm.

        It stays so while a person has it tried again, until other footage came.
        """
        if self.coverage is None or not self.coverage.is_loss:
            return False
        return self.has_footage or self.ended_as is ClipState.EXPORTED

    @property
    def can_retry(self) -> bool:
        """Whether an operator may have it asked for again."""
        return self.can_be_asked_again and not self.has_footage

    @property
    def can_be_asked_again(self) -> bool:
        """The same, also where it has footage."""
        return CLIPS[self.state].can_retry and bool(self.window.length)

    def ended(self, state: ClipState, **changes: Any) -> "Clip":  # noqa: ANN401 - fields
        """The clip with no further try.

        One that was exported before it was asked for again has its footage still.
        """
        is_kept = self.ended_as is ClipState.EXPORTED
        return self.moved(ClipState.EXPORTED if is_kept else state, **changes)

    def exported(self) -> "Clip":
        """The clip with its footage; how it had ended before is nothing any more."""
        return self.moved(
            ClipState.EXPORTED, message="", reason=None, ended_as=None, coverage=None
        )

    def placed(self, camera: Camera | None) -> "Clip":
        """At the address that its recorder knows the camera by now.

        A camera is replaced, or was written down wrongly: what is asked for later has
        the ids of the configuration in force. `camera` is None where it has none.
        """
        is_there = camera is not None and camera.recorder == self.recorder
        if camera is None or not is_there or camera.address == self.address:
            return self
        return replace(self, address=camera.address)

    @property
    def has_footage(self) -> bool:
        return self.state is ClipState.EXPORTED

    @property
    def is_void(self) -> bool:
        """Whether there is nothing to ask for: a clear came from before its start."""
        return self.state is ClipState.CANCELLED and not self.window.length


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Alarms of one rule and group whose windows touch.

    `opened_at` is the time of its first alarm, `first_at` where max_length counts from
    (the same, or the cut where it goes on from an earlier piece), `last_at` the latest
    alarm. `is_active` is whether a clear is awaited: then its windows reach to the cut.
    `begun_at` is when its first alarm came, whatever that says; of a piece the same.
    `is_open` is whether alarms may still change its windows: until the first request.
    `alarms` counts its alarms. `asked_at` is when its footage was asked for last: as
    its latest alarm came, perhaps long after it was raised, or by a person's retry.
    `is_late_told` is whether people were told that its footage is late since then.
    `imported_at` is when it was taken out of its record, None where it began here.
    """

    id: IncidentId
    rule: RuleName
    key: GroupKey
    opened_at: datetime
    first_at: datetime
    last_at: datetime
    begun_at: datetime | None = None
    is_active: bool = False
    is_open: bool = True
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    terms: Terms
    clips: tuple[Clip, ...] = ()
    alarms: int = 1
    reason: Reason | None = None
    continues: IncidentId | None = None
    asked_at: datetime | None = None
    is_late_told: bool = False
    finished_at: datetime | None = None
    imported_at: datetime | None = None

    @remembered
    def wanted(self) -> tuple[Clip, ...]:
        """Its clips but the void ones."""
        return tuple(clip for clip in self.clips if not clip.is_void)

    @remembered
    def state(self) -> IncidentState:
        """Void clips count where there are no others."""
        return incident_state(clip.state for clip in self.wanted or self.clips)

    @property
    def is_ended(self) -> bool:
        return INCIDENTS[self.state].is_ended

    @property
    def is_withdrawn(self) -> bool:
        """Whether all that it lacks is what an operator cancelled: nothing was lost."""
        return self.state is IncidentState.PARTIAL and self.reason is Reason.OPERATOR

    def check_began_here(self) -> None:
        """Raises Refused of one that was imported: nothing is asked for it again."""
        if self.imported_at is not None:
            raise Refused(
                f"incident {self.id} was imported from its record on "
                f"{render_utc(self.imported_at)}, and nothing is asked for it anew; "
                "use evidenced save, if the recorder still has the footage"
            )

    @remembered
    def span(self) -> Window:
        """From the first window's start to the last one's end."""
        if not self.clips:
            return Window(start=self.opened_at, end=self.last_at)
        return Window(
            start=min(clip.window.start for clip in self.clips),
            end=max(clip.window.end for clip in self.clips),
        )

    @property
    def label(self) -> str:
        """What people read instead of the rule's name."""
        return self.terms.label or self.rule

    @property
    def title(self) -> str:
        """Which one it is: its summary, else its label with its group."""
        if self.summary or not self.key:
            return self.summary or self.label
        return f"{self.label} ({one_line(self.key, MOST_KEY)})"

    @property
    def summary(self) -> str:
        """One line about it, as its rule words it; "" without."""
        said = {"rule": self.rule, "key": self.key, "id": self.id, **self.fields}
        return NAMED.sub(
            lambda name: _listed(said.get(name[1], "")), self.terms.summary
        )

    @property
    def cut_at(self) -> datetime:
        """Where the incident is cut if it is still going on then."""
        return self.first_at + self.terms.max_length

    @property
    def alert_at(self) -> datetime | None:
        """When people are told that footage is late; None once told or ended.

        Nothing is late for an alarm that waited at the broker: there was nobody to ask.
        """
        if self.terms.alert_after is None or self.is_late_told or self.is_ended:
            return None
        if not self.wanted:
            return None
        end = max(clip.window.end for clip in self.wanted)
        return max(end, self.asked_at or end) + self.terms.alert_after

    @remembered
    def turn_at(self) -> datetime | None:
        """The next instant at which time alone changes it; None once nothing records.

        While a clear is awaited that is the cut; where it was past when the incident
        began, what came with that alarm is read first. Windows of one recorder end
        together: the last one of them counts.
        """
        if self.is_active and self.begun_at is not None:
            return max(self.cut_at, self.begun_at + TOGETHER)
        if self.is_active:
            return self.cut_at
        recording = {
            clip.recorder for clip in self.clips if clip.state is ClipState.RECORDING
        }
        if not recording:
            return None
        ends = ends_of(self.clips)
        return min(ends[recorder] for recorder in recording)

    def first_due(self, clip: Clip) -> datetime:
        """Before this instant the clip is never asked for: its end and settle."""
        return clip.rank - RANK_PER_POINT * self.terms.priority

    def with_clips(self, *changed: Clip, **changes: Any) -> "Incident":  # noqa: ANN401
        """With these clips in the place of those of the same `n`, and these fields."""
        by_n = {clip.n: clip for clip in changed}
        clips = tuple(by_n.get(clip.n, clip) for clip in self.clips)
        return evolved(self, _CACHED, clips=clips, **changes)

    def settled(self, now: datetime) -> "Incident":
        """The same, with what follows from its state.

        One that has ended has the reason of a clip that was lost, else of any.
        """
        if not self.is_ended:
            return replace(self, finished_at=None) if self.finished_at else self
        by_loss = sorted(self.wanted, key=lambda clip: not clip.is_lost)
        reasons = (clip.reason for clip in by_loss if clip.reason is not None)
        return replace(
            self,
            finished_at=self.finished_at or now,
            is_open=self.is_open and not self.clips,
            reason=self.reason or next(reasons, None),
        )


_CACHED = tuple(
    name for name, each in vars(Incident).items() if isinstance(each, remembered)
)


def ends_of(clips: Iterable[Clip]) -> dict[RecorderName, datetime]:
    """The end of the last window on each recorder, of clips that have not ended."""
    ends: dict[RecorderName, datetime] = {}
    for clip in clips:
        if not clip.is_ended:
            end = ends.get(clip.recorder, clip.window.end)
            ends[clip.recorder] = max(end, clip.window.end)
    return ends


def _listed(value: FieldValue) -> str:
    return value if isinstance(value, str) else ", ".join(value)
