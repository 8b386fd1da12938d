"""Silences: a rule, a camera or a topic that is off until an end, and who said so.

A silenced alarm opens nothing: it is kept, with what its rule read of it, in the list
of alarms that opened nothing, and whoever wants its footage after all has it exported
from there. Where only some of its cameras are silenced, the others go their way and
the incident's history says which were left out. What was recording when the silence
was made is exported as if there were none.

One that awaits a clear which never came is still on when its silence ends: see
`withheld`.

The instant of receipt counts, not the alarm's own time: a device whose clock is wrong
is silenced as well, and an alarm that waited at the broker until the silence was over
is exported.

One may be planned: it is made now and begins later. How many alarms came under one is
counted with it, each once, however many silences it came under.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from evidenced.core.alarms.alarm import TimeSource
from evidenced.core.alarms.payload import one_line
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.errors import BadInput, Refused
from evidenced.core.ids import SilenceId
from evidenced.core.incidents.happening import Happening
from evidenced.core.incidents.withheld import Withheld
from evidenced.core.instants import MINUTE, check_aware, render_utc
from evidenced.core.phrase import phrase, plural

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
    `ended_by` somebody. `is_over` is whether its end is in the history. `held_back` are
    the alarms that came under it, wholly or with some of their cameras.
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
    held_back: int = 0

    def __post_init__(self) -> None:
        if not (
            check_aware(self.starts_at)
            <= check_aware(self.ends_at)
            <= check_aware(self.until)
        ):
            raise ValueError(f"silence out of order: {self}")

    def is_in_force(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at

    def is_planned(self, at: datetime) -> bool:
        """Whether it is still to begin."""
        return at < self.starts_at and not self.is_over

    @property
    def text(self) -> str:
        """The sentence that a silenced alarm carries."""
        return phrase(
            "silenced by {author} until {until}: {comment}",
            author=self.author,
            until=render_utc(self.until),
            comment=self.comment,
        )


def labelled(told: str, labels: Mapping[str, str]) -> str:
    """What `Withheld.why` tells, with what people call the cameras for their names."""
    return _OF_CAMERA.sub(lambda found: labels.get(found[0]) or found[0], told)


_OF_CAMERA = re.compile(r"(?:(?<=^)|(?<=; ))[^:;]+(?=: silenced by )")


def held_back_words(number: int) -> str:
    """How many alarms a silence held back."""
    return plural("{n} alarm held back", "{n} alarms held back", number)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceOrder:
    """What somebody wants to be silent, until when and why; from now or `start` on."""

    subject: Subject
    name: str
    until: datetime
    comment: str
    start: datetime | None = None


def begin(order: SilenceOrder, name: SilenceId, who: str, now: datetime) -> Silence:
    """The silence that was ordered, from now on or from the start that is ahead.

    Raises:
        BadInput: no such topic filter, no comment, or too long a text.
        Refused: its start is past, its end not ahead, not after its start, or too far.
    """
    start = max(order.start or now, now)
    if order.start is not None and order.start < now - MINUTE:
        raise Refused(
            phrase(
                "its start {start} is past; leave it out, and it begins now",
                start=render_utc(order.start),
            )
        )
    _check_text("the name", order.name, MAX_NAME)
    _check_text("the comment", order.comment, MAX_COMMENT)
    _check_text("the author", who, MAX_AUTHOR)
    if order.subject is Subject.TOPIC:
        _check_topic(order.name)
    if order.until <= now:
        raise Refused(
            phrase("its end {until} is not ahead", until=render_utc(order.until))
        )
    if order.until <= start:
        raise Refused(
            phrase(
                "its end {until} is not after its start {start}",
                until=render_utc(order.until),
                start=render_utc(start),
            )
        )
    if order.until - now > LONGEST:
        raise Refused(
            phrase(
                "its end {until} is over {days} days ahead; what is off for longer "
                "is better left out of the configuration",
                until=render_utc(order.until),
                days=LONGEST.days,
            )
        )
    return Silence(
        id=name,
        subject=order.subject,
        name=order.name,
        starts_at=start,
        until=order.until,
        ends_at=order.until,
        author=who,
        comment=order.comment,
    )


def _check_text(what: str, text: str, most: int) -> None:
    if not text.strip() or one_line(text, most) != text:
        raise BadInput(
            phrase(
                "{what} of a silence is a text of 1 to {most} characters on one line",
                what=what,
                most=most,
            )
        )


def _check_topic(text: str) -> None:
    names = TopicPattern.parse(text).names
    if names:
        raise BadInput(
            phrase(
                "topic {text} captures {names}; write + for a level",
                text=repr(text),
                names=repr(names[0]),
            )
        )


def end(silence: Silence, who: str, now: datetime) -> Silence:
    """The same, over from now on: alarms that arrive later are exported again.

    One that was still to begin never does.

    `now` is an instant that has come for sure.

    Raises:
        Refused: it is over already.
    """
    if silence.is_over or now >= silence.ends_at:
        raise Refused(
            phrase(
                "silence {id} ended at {ends_at} already",
                id=silence.id,
                ends_at=render_utc(silence.ends_at),
            )
        )
    start = silence.starts_at
    if silence.held_back:  # it has begun, whatever a clock that went back says
        return replace(silence, ends_at=max(now, start), ended_by=who, is_over=True)
    start = min(start, now)
    return replace(silence, starts_at=start, ends_at=now, ended_by=who, is_over=True)


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

    def part(
        self, happening: Happening, topic: str, at: datetime
    ) -> tuple[Happening, Withheld | None]:
        """The happening without its silenced cameras, and what is withheld of it.

        `at` is when it was received.

        Without any camera the first opens nothing. One that an operator opens by hand
        is never silenced: somebody asks for it; nor one that is resumed.
        """
        if self._is_none or happening.reading.moment.source in _HEARD:
            return happening, None
        quiet = self._quiet(happening, topic, at)
        if not quiet:
            return happening, None
        told = [f"{name}: {each.text}" for name, each in sorted(quiet.items())]
        heard = replace(
            happening,
            cameras=tuple(c for c in happening.cameras if c.name not in quiet),
            unknown=tuple(name for name in happening.unknown if name not in quiet),
            trigger={**happening.trigger, "silenced": told},
        )
        ends = min(each.ends_at for each in quiet.values())
        return heard, Withheld(
            moment=happening.reading.moment,
            fields=happening.reading.fields,
            key=happening.reading.key,
            cameras=tuple(quiet),
            why="; ".join(told),
            until=ends if happening.rule.clear else None,
            grouping=happening.rule.terms.grouping,
        )

    def over(self, happening: Happening, topic: str, at: datetime) -> set[SilenceId]:
        """The silences that `part` finds it under."""
        return {each.id for each in self._quiet(happening, topic, at).values()}

    def _quiet(
        self, happening: Happening, topic: str, at: datetime
    ) -> Mapping[str, Silence]:
        """The names that are silenced, each with its silence.

        Names that nobody configured are told with the first incident that has them: if
        no camera is left to have one, they wait as well.
        """
        whole = self._whole(happening.rule.name, topic, at)
        found: dict[str, Silence] = {}
        for camera in happening.cameras:
            each = whole or self._of_camera(camera.name, at)
            if each is not None:
                found[camera.name] = each
        is_all = whole or (found and len(found) == len(happening.cameras))
        if is_all:
            longest = whole or max(found.values(), key=lambda each: each.ends_at)
            found |= dict.fromkeys(happening.unknown, longest)
        return found

    def _of_camera(self, name: str, at: datetime) -> Silence | None:
        return next(
            (s for s in self._cameras if s.name == name and s.is_in_force(at)), None
        )

    def _whole(self, rule: str, topic: str, at: datetime) -> Silence | None:
        """The silence of its rule or topic."""
        for each in self._rules:
            if each.name == rule and each.is_in_force(at):
                return each
        for each in self._topics:
            if each.is_in_force(at) and _pattern(each.name).match(topic) is not None:
                return each
        return None


_HEARD = frozenset({TimeSource.OPERATOR, TimeSource.SILENCE})
"""Alarms that were silenced, or never will be."""


@lru_cache(maxsize=2 * MOST_IN_FORCE)
def _pattern(text: str) -> TopicPattern:
    return TopicPattern.parse(text)
