"""Silences: a rule, a camera or a topic that is off until an end, and who said so.

An alarm that arrives under a silence is recorded as any other is: it opens an incident
or joins one. Its clips are silenced, camera by camera: their windows are kept and
merged among themselves, and when they end they are cancelled instead of due. So nothing
is exported, and an operator's retry has it exported afterwards. Clips that are not
silenced go their way beside them, whenever the silence was made: what was recording
before is exported as if there were none.

The instant of receipt counts, not the alarm's own time: a device whose clock is wrong
is silenced as well, and an alarm that waited at the broker until the silence was over
is exported.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from evidenced.core.alarms.alarm import Alarm, TimeSource
from evidenced.core.alarms.payload import one_line
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.errors import BadInput, Refused
from evidenced.core.ids import CameraName, SilenceId
from evidenced.core.incidents.happening import Happening
from evidenced.core.instants import check_aware, render_utc

LONGEST = timedelta(days=90)
"""A silence that nobody remembers must not outlive the season."""
MOST_IN_FORCE = 200
"""Each alarm is compared with those in force; more are a rule that should be gone."""
MAX_AUTHOR = 100
MAX_COMMENT = 500
MAX_NAME = 500


class Subject(StrEnum):
    """What a silence is about."""

    RULE = "rule"
    CAMERA = "camera"
    TOPIC = "topic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """In force from `starts_at` (included) to `ends_at` (not included).

    `until` is the end that was wanted; `ends_at` is the same, or earlier where it was
    `ended_by` somebody. `is_over` is whether its end is in the history.
    """

    id: SilenceId
    subject: Subject
    name: str
    starts_at: datetime
    until: datetime
    ends_at: datetime
    author: str
    comment: str
    ended_by: str = ""
    is_over: bool = False

    def __post_init__(self) -> None:
        if not (
            check_aware(self.starts_at)
            <= check_aware(self.ends_at)
            <= check_aware(self.until)
        ):
            raise ValueError(f"silence out of order: {self}")

    def is_in_force(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at

    @property
    def text(self) -> str:
        """The sentence that a silenced clip carries."""
        return (
            f"silenced by {self.author} until {render_utc(self.until)}: {self.comment}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceOrder:
    """What somebody wants to be silent, until when and why."""

    subject: Subject
    name: str
    until: datetime
    comment: str


def begin(order: SilenceOrder, name: SilenceId, who: str, now: datetime) -> Silence:
    """The silence that was ordered, from now on.

    Raises:
        BadInput: no such topic filter, no comment, or too long a text.
        Refused: its end is not ahead, or too far.
    """
    _check_text("the name", order.name, MAX_NAME)
    _check_text("the comment", order.comment, MAX_COMMENT)
    _check_text("the author", who, MAX_AUTHOR)
    if order.subject is Subject.TOPIC:
        _check_topic(order.name)
    if order.until <= now:
        raise Refused(f"its end {render_utc(order.until)} is not ahead")
    if order.until - now > LONGEST:
        raise Refused(
            f"its end {render_utc(order.until)} is over {LONGEST.days} days ahead; "
            "what is off for longer is better left out of the configuration"
        )
    return Silence(
        id=name,
        subject=order.subject,
        name=order.name,
        starts_at=now,
        until=order.until,
        ends_at=order.until,
        author=who,
        comment=order.comment,
    )


def _check_text(what: str, text: str, most: int) -> None:
    if not text.strip() or one_line(text, most) != text:
        raise BadInput(
            f"{what} of a silence is a text of 1 to {most} characters on one line"
        )


def _check_topic(text: str) -> None:
    names = TopicPattern.parse(text).names
    if names:
        raise BadInput(f"topic {text!r} captures {names[0]!r}; write + for a level")


def end(silence: Silence, who: str, now: datetime) -> Silence:
    """The same, over from now on: alarms that arrive later are exported again.

    Raises:
        Refused: it is over already.
    """
    if silence.is_over or now >= silence.ends_at:
        raise Refused(
            f"silence {silence.id} ended at {render_utc(silence.ends_at)} already"
        )
    at = max(now, silence.starts_at)  # a clock that went back
    return replace(silence, ends_at=at, ended_by=who, is_over=True)


def run_out(silence: Silence) -> Silence:
    """The same, with its end told in the history."""
    return replace(silence, is_over=True)


class Silences:
    """Those that may be in force for a batch of alarms, ready to be asked."""

    def __init__(self, silences: Iterable[Silence]) -> None:
        # the one that ends last is the one to name
        listed = sorted(silences, key=lambda each: each.until, reverse=True)
        self._rules = [each for each in listed if each.subject is Subject.RULE]
        self._topics = [each for each in listed if each.subject is Subject.TOPIC]
        self._cameras = [each for each in listed if each.subject is Subject.CAMERA]
        self._is_none = not listed

    def over(self, happening: Happening, alarm: Alarm) -> Happening:
        """The happening with its silenced cameras, and that its history will say so.

        One that an operator opens by hand is never silenced: somebody asks for it.
        """
        is_by_hand = happening.reading.moment.source is TimeSource.OPERATOR
        if self._is_none or is_by_hand:
            return happening
        silenced = self._silenced(happening, alarm)
        if not silenced:
            return happening
        told = sorted({f"{name}: {text}" for name, text in silenced.items()})
        trigger = {**happening.trigger, "silenced": told}
        return replace(happening, silenced=silenced, trigger=trigger)

    def _silenced(self, happening: Happening, alarm: Alarm) -> Mapping[CameraName, str]:
        whole = self._whole(happening, alarm)
        if whole is not None:
            return {camera.name: whole.text for camera in happening.cameras}
        cameras = {each.name for each in happening.cameras}
        found: dict[CameraName, str] = {}
        for each in self._cameras:
            if each.name in cameras and each.is_in_force(alarm.received_at):
                found.setdefault(CameraName(each.name), each.text)
        return found

    def _whole(self, happening: Happening, alarm: Alarm) -> Silence | None:
        """The silence of its rule or topic."""
        at = alarm.received_at
        for each in self._rules:
            if each.name == happening.rule.name and each.is_in_force(at):
                return each
        for each in self._topics:
            if (
                each.is_in_force(at)
                and _pattern(each.name).match(alarm.topic) is not None
            ):
                return each
        return None


@lru_cache(maxsize=2 * MOST_IN_FORCE)
def _pattern(text: str) -> TopicPattern:
    return TopicPattern.parse(text)
