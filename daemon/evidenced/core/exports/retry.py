"""What follows from each answer: one table and a few pure functions.

    reason            belongs to    then
    no-video          a camera      try again until give_up, then the clip is missing
    no-device,        a camera      try again slowly until give_up, then rejected
    no-server
    bad-request       our request   rejected at once: asking again changes nothing
    bad-path,         destination   try again; nothing is wrong with the clip
    disk-full
    recorder-fault,   recorder      try again until give_up, then missing
    and unknown codes
    export-failed,    this export   try again under a suffixed path until give_up,
    export-vanished,                then missing
    no-footage

Waits are full jitter: a random part of a cap that doubles from `first` to `longest`.
Source: design.md, "Answers of the recorder" and "Details, settled".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from evidenced.core.errors import Reason
from evidenced.core.incidents.incident import Clip
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import SECOND
from evidenced.core.trust import Now

SLOWEST = 4
"""How many times slower than at first some reasons are tried again."""

MIN_WAIT = SECOND
"""Full jitter may draw next to nothing; no recorder is asked twice in one second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How patiently a recorder is asked; `give_up` counts from a window's end."""

    first: timedelta = timedelta(seconds=15)
    longest: timedelta = timedelta(minutes=10)
    isolate: int = 3
    give_up: timedelta = timedelta(hours=24)

    @property
    def longest_wait(self) -> timedelta:
        """No wait is longer, whatever the reason."""
        return max(self.longest, self.first * SLOWEST, MIN_WAIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """What a retry decision needs besides the clip: policy, instant and dice."""

    policy: RetryPolicy
    now: Now
    jitter: float


class Blame(StrEnum):
    """Whose fault a refusal is: that decides what has to wait because of it."""

    CAMERA = "camera"
    REQUEST = "request"
    DESTINATION = "destination"
    RECORDER = "recorder"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a reason means for a clip: how fast to try again and what it ends as."""

    fault: Blame
    slower: int = 1
    retries: bool = True
    ends_as: ClipState = ClipState.MISSING


_REJECTED = ClipState.REJECTED
COURSES: dict[Reason, Course] = {
    Reason.NO_VIDEO: Course(fault=Blame.CAMERA),
    Reason.NO_DEVICE: Course(fault=Blame.CAMERA, slower=SLOWEST, ends_as=_REJECTED),
    Reason.NO_SERVER: Course(fault=Blame.CAMERA, slower=SLOWEST, ends_as=_REJECTED),
    Reason.BAD_REQUEST: Course(fault=Blame.REQUEST, retries=False, ends_as=_REJECTED),
    Reason.BAD_PATH: Course(fault=Blame.DESTINATION, ends_as=_REJECTED),
    Reason.DISK_FULL: Course(
        fault=Blame.DESTINATION, slower=SLOWEST, ends_as=_REJECTED
    ),
    Reason.RECORDER_FAULT: Course(fault=Blame.RECORDER),
    Reason.EXPORT_FAILED: Course(fault=Blame.EXPORT),
    Reason.EXPORT_VANISHED: Course(fault=Blame.EXPORT),
    Reason.NO_FOOTAGE: Course(fault=Blame.EXPORT),
}

MAX_DOUBLINGS = 20
"""Two weeks, doubled so often, are still a timedelta; 15 s are half a year."""


def back_off(
    policy: RetryPolicy,
    tries: int,
    jitter: float,
    slower: int = 1,
    least: timedelta = MIN_WAIT,
) -> timedelta:
    """The wait after that many tries in a row (1 or more), with jitter in [0, 1)."""
    first = policy.first * slower
    doubled: timedelta = first * (1 << min(max(tries - 1, 0), MAX_DOUBLINGS))
    return max(least, min(doubled, max(policy.longest, first)) * jitter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Try again, not before `at`."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """No further try: the clip ends in this state."""

    state: ClipState


def after_refusal(
    reason: Reason, clip: Clip, policy: RetryPolicy, now: Now, jitter: float
) -> Again | End:
    """What becomes of a clip whose request was answered with `reason`.

    `clip.attempts` already counts this answer. The last try falls on the moment of
    giving up, so that the whole time is used.
    """
    course = COURSES[reason]
    deadline = clip.window.end + policy.give_up
    if not course.retries or now.sure >= deadline:
        return End(state=course.ends_as)
    at = now.at + back_off(policy, clip.attempts, jitter, course.slower)
    return Again(at=min(at, deadline) if now.is_trusted else at)
