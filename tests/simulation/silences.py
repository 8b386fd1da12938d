"""Silences in a run: which seeds have them, and what must hold of what came under them.

Dice of their own: what a seed did before there were silences it does still.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING

from evidenced.core.alarms.alarm import TimeSource
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.incidents.silence import Subject
from evidenced.core.instants import from_ms
from simulation.site import RULES

if TYPE_CHECKING:
    from simulation.run import Run

CHANCE = 0.25
AWAITING = ("door", "open")
"""The rules whose alarms are on until their clear."""
NAMES: dict[Subject, tuple[str, ...]] = {
    Subject.RULE: RULES,
    Subject.CAMERA: ("c1", "c2", "a1", "a4", "c3"),
    Subject.TOPIC: ("door/#", "open/north", "button/+", "motion/x"),
}


@dataclass(frozen=True, slots=True)
class SilencePlan:
    """What somebody silences at an instant of the run, and for how many seconds."""

    subject: Subject
    name: str
    lasts: float


def draw_silences(
    seed: int, active_s: float, *, is_calm: bool
) -> list[tuple[float, str, SilencePlan | None]]:
    """What people do to silences in this run: when, which event, and with what."""
    random = Random(f"{seed}-silence")  # noqa: S311 - repeatable on purpose
    if is_calm or random.random() >= CHANCE:
        return []
    found: list[tuple[float, str, SilencePlan | None]] = []
    for _ in range(random.choice((2, 4, 8))):
        at = random.uniform(1.0, active_s - 10.0)
        subject = random.choice(tuple(NAMES))
        lasts = min(random.choice((10.0, 60.0, 150.0)), active_s - at)
        order = SilencePlan(subject, random.choice(NAMES[subject]), lasts)
        found.append((at, "silence", order))
        if random.random() < 0.3:
            found.append((at + lasts * random.random(), "end_silence", None))
    asks = [random.uniform(10.0, active_s) for _ in range(random.choice((0, 2, 6)))]
    return found + [(at, "export_after_all", None) for at in asks]


@dataclass(frozen=True, slots=True)
class _Silence:
    subject: str
    name: str
    starts: datetime
    ends: datetime

    def is_over(self, rule: str, camera: str, topic: str, at: datetime) -> bool:
        if not self.starts <= at < self.ends:
            return False
        if self.subject == Subject.TOPIC:
            return TopicPattern.parse(self.name).match(topic) is not None
        return self.name == (rule if self.subject == Subject.RULE else camera)


@dataclass(frozen=True, slots=True)
class Quiet:
    """The silences that were, as the store tells."""

    silences: tuple[_Silence, ...]

    def covers(self, rule: str, camera: str, topic: str, at: datetime) -> bool:
        """Whether a message that was received then was silenced for the camera."""
        return any(each.is_over(rule, camera, topic, at) for each in self.silences)


def quiet_of(run: "Run") -> Quiet:
    """One that held something back was in force, though a clock that went back since
    had it end before it began.
    """
    query = """SELECT subject, name, starts_at,
        CASE WHEN held_back > 0 AND ends_at <= starts_at THEN until ELSE ends_at END
        FROM silences"""
    return Quiet(
        tuple(
            _Silence(subject, name, from_ms(starts), from_ms(ends))
            for subject, name, starts, ends in run.disk.rows(query)
        )
    )


def silence_problems(run: "Run") -> Iterator[str]:
    """What was silenced opened nothing, and what was not was not withheld.

    Whoever asked has the footage; what was on as a silence ended is covered from then.
    """
    quiet = quiet_of(run)
    yield from _opened(run, quiet)
    yield from _withheld(run, quiet)
    yield from _resumed(run, quiet)


def _opened(run: "Run", quiet: Quiet) -> Iterator[str]:
    query = """SELECT i.id, i.rule, a.topic, a.received_at, c.camera
        FROM incidents i JOIN alarms a ON a.incident = i.id
        JOIN clips c ON c.incident = i.id
        WHERE i.alarms = 1 AND i.continues IS NULL AND a.signal = 'active'
        AND a.time_source NOT LIKE 'operator%' AND a.time_source NOT LIKE 'silence%'"""
    for name, rule, topic, received, camera in run.disk.rows(query):
        if quiet.covers(rule, camera, topic, from_ms(received)):
            yield f"silence: {camera} of {name} was silenced"


def _withheld(run: "Run", quiet: Quiet) -> Iterator[str]:
    query = """SELECT r.seq, r.rule, r.topic, r.received_at, r.cameras, r.moment,
        (SELECT incident FROM alarms WHERE incident = r.incident
            AND received_at = r.received_at AND time_source LIKE 'operator%')
        FROM refused_alarms r WHERE r.outcome = 'silenced'"""
    for seq, rule, topic, received, cameras, read, by_hand in run.disk.rows(query):
        at = from_ms(received)
        names = json.loads(cameras)
        if not any(quiet.covers(rule, each, topic, at) for each in names):
            yield f"silence: alarm {seq} was withheld, and nothing silenced it"
        if by_hand is None:
            continue
        clips = _windows(run, rule, by_hand)
        moment = from_ms(json.loads(read)["at"])
        for camera in filter(run.always_has, names):
            if not any(c == camera and s <= moment <= e for c, s, e in clips):
                yield f"silence: {camera} of alarm {seq} is not in {by_hand}"


def _resumed(run: "Run", quiet: Quiet) -> Iterator[str]:
    """Not where a reload took the rule or a camera away, or a clock was set."""
    if run.reloads or run.plan.jumps or "host-clock" in run.plan.families:
        return
    query = """SELECT seq, rule, topic, received_at FROM refused_alarms
        WHERE outcome = 'silenced' ORDER BY seq"""
    over = """SELECT topic, received_at FROM refused_alarms WHERE outcome = 'cleared'
        UNION ALL SELECT topic, received_at FROM alarms WHERE signal = 'clear'"""
    clears = [(topic, from_ms(at)) for topic, at in run.disk.rows(over)]
    cameras = {"door": ("c1", "c2", "a1"), "open": ("a4", "c2")}
    for seq, rule, topic, received in run.disk.rows(query):
        came = from_ms(received)
        for camera in cameras.get(rule, ()) if rule in AWAITING else ():
            end = _end(quiet, rule, camera, topic, came)
            was_cleared = any(t == topic and came <= at <= end for t, at in clears)
            if end == came or was_cleared:
                continue
            if not any(
                c == camera and s <= end <= e for c, s, e in _windows(run, rule)
            ):
                yield (
                    f"silence: alarm {seq} was on at {end}, its silence's end, "
                    f"and {camera} is not exported"
                )


def _end(quiet: Quiet, rule: str, camera: str, topic: str, at: datetime) -> datetime:
    """When the last of the silences ended that followed each other at once."""
    while over := [
        each.ends for each in quiet.silences if each.is_over(rule, camera, topic, at)
    ]:
        at = max(over)
    return at


def _windows(
    run: "Run", rule: str, incident: str | None = None
) -> list[tuple[str, datetime, datetime]]:
    query = """SELECT c.camera, c.start_at, c.end_at, i.id, i.rule FROM clips c
        JOIN incidents i ON i.id = c.incident"""
    return [
        (camera, from_ms(start), from_ms(end))
        for camera, start, end, name, of in run.disk.rows(query)
        if of == rule and incident in {None, name}
    ]


def is_of_a_message(topic: str, source: str) -> bool:
    """Whether an alarm of an incident is a message of its own.

    One that was silenced and resumed, or exported after all, is kept as such besides.
    """
    by_hand = source.startswith((TimeSource.OPERATOR, "silence"))
    return topic != "(by hand)" and not by_hand
