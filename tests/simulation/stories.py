"""Alarms that come late and in any order, and reloads that group otherwise.

Dice of their own: what a seed did before there were such stories it does still.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from evidenced.core.alarms.payload import keepable
from evidenced.core.instants import from_ms, render_utc
from evidenced.core.window import Window
from evidenced.simulator import Action, Strike
from fakes.clock import START
from simulation.mqtt import Message
from simulation.plan import ACTIVE_S, ANNEX, MAIN, Event, Plan, put_one_folder
from simulation.silences import is_of_a_message, quiet_of
from simulation.site import DOORS, Shape

if TYPE_CHECKING:
    from simulation.run import Run

LATE, REGROUPED, FORBIDDEN = "late", "regrouped", "forbidden"
LATE_S = 600.0
"""Longer than three pieces of an incident."""
CAMERAS = {
    "door": ("c1", "c2", "a1"),
    "button": ("c3",),
    "motion": ("a2", "c4", "a3"),
    "badge": ("c1",),
    "open": ("a4", "c2"),
}
"""Those of each rule that are not named by a payload."""


def put_stories(plan: Plan) -> None:
    """Let some seeds tell them. Before the alarms' ends are put."""
    if plan.is_calm:
        return
    random = Random(f"{plan.seed}-stories")  # noqa: S311 - repeatable on purpose
    if random.random() < 0.3:
        _put_late(plan, random)
    if random.random() < 0.15:
        _put_regrouped(plan, random)
    if random.random() < 0.15:
        _put_forbidden(plan, random)
    if random.random() < 0.15:
        put_one_folder(plan)


def _put_forbidden(plan: Plan, random: Random) -> None:
    """Recorders that let us in, tell their lists, and allow no exports for a while."""
    plan.families.append(FORBIDDEN)
    for name in random.choice(((MAIN,), (ANNEX,), (MAIN, ANNEX))):
        at = random.uniform(0.0, ACTIVE_S - 60.0)
        plan.faults[name].append(
            Strike(
                action=Action.STATUS,
                status=403,
                command="exportVideo",
                at=timedelta(seconds=round(at, 3)),
                lasts=timedelta(seconds=random.choice((5, 60, 180))),
            )
        )


def _put_late(plan: Plan, random: Random) -> None:
    """What happened within ten minutes is told in an order of its own."""
    plan.families.append(LATE)
    plan.allows.add("cover")  # a part of a roll may be the piece before's
    for n in range(random.randint(3, 12)):
        at = random.uniform(20.0, ACTIVE_S - 10.0)
        own = at - random.choice((0.0, 5.0, 60.0, 190.0, LATE_S)) * random.random()
        topic, said = f"door/{random.choice(DOORS)}", {"state": "on"}
        if random.random() < 0.3:
            topic, said = f"motion/{random.choice(('x', 'y'))}", {}
        elif random.random() < 0.3:
            said = {"state": "off"}
        when = render_utc(START + timedelta(seconds=own))
        payload = json.dumps({**said, "id": f"l{n}", "who": "late", "at": when})
        message = Message(5000 + n, topic, payload.encode())
        plan.events.append(Event(at, "publish", message))


def _put_regrouped(plan: Plan, random: Random) -> None:
    """A reload names the groups of doors otherwise, while some are open."""
    plan.families.append(REGROUPED)
    at = random.uniform(20.0, ACTIVE_S - 20.0)
    shapes = [e for e in plan.events if isinstance(e.value, Shape)]
    before = [e for e in shapes if e.at <= at]
    last = max(before, key=lambda e: e.at).value if before else plan.shape
    plan.events.append(Event(at, "reload", replace(last, regrouped=True)))
    for n, event in enumerate(plan.events):
        if isinstance(event.value, Shape) and event.at > at:
            shape = replace(event.value, regrouped=True)
            plan.events[n] = replace(event, value=shape)


def story_problems(run: "Run") -> Iterator[str]:
    """0: the instant of each alarm lies in a clip of each of its cameras.

    Whatever was cut, silenced or reloaded before; of repeats as well. What is missing
    of a clip is told as a loss.
    """
    clips: dict[tuple[str, str], list[Window]] = defaultdict(list)
    query = """SELECT i.rule, c.camera, c.start_at, c.end_at
        FROM clips c JOIN incidents i ON i.id = c.incident"""
    for rule, camera, start, end in run.disk.rows(query):
        window = Window(start=from_ms(start), end=from_ms(end))
        clips[rule, camera].append(window)
    quiet = quiet_of(run)
    for rule, at, topic, received, what in _instants(run):
        for camera in CAMERAS[rule]:
            if not run.always_has(camera):
                continue
            if quiet.covers(rule, camera, topic, received):
                continue
            windows = clips[rule, camera]
            if not any(each.start <= at < each.end for each in windows):
                yield f"0: {what} of {topic} at {at} is in no clip of {camera}"
    yield from _untold(run)


def _instants(run: "Run") -> Iterator[tuple[str, datetime, str, datetime, str]]:
    """Rule, instant, topic and receipt of each alarm that led to footage.

    Of a repeat the receipt of what it repeats: cameras that were silenced then are left
    out of the incident, and a repeat changes nothing. Where our clock did not believe
    what an alarm said of its time, its repeats are as old as itself.
    """
    first: dict[tuple[str, datetime, str], datetime] = {}
    disbelieved: set[tuple[str, str, str]] = set()
    query = """SELECT i.rule, a.at, a.topic, a.received_at, a.time_source, i.id,
        a.payload FROM alarms a JOIN incidents i ON i.id = a.incident
        WHERE a.signal = 'active' ORDER BY a.received_at"""
    for rule, at, topic, received, source, name, text in run.disk.rows(query):
        if is_of_a_message(topic, source):
            if source.startswith("received"):
                disbelieved.add((rule, topic, keepable(text)))
            same = rule, from_ms(at), topic
            first.setdefault(same, from_ms(received))
            yield *same, from_ms(received), f"an alarm of {name}"
    query = """SELECT rule, payload, topic, received_at FROM refused_alarms
        WHERE outcome = 'duplicate' AND rule IS NOT NULL"""
    for rule, payload, topic, received in run.disk.rows(query):
        said = json.loads(payload)
        if "at" in said and (rule, topic, payload) not in disbelieved:
            at = datetime.fromisoformat(said["at"])
            began = first.get((rule, at, topic), from_ms(received))
            yield rule, at, topic, began, "a repeat"


def _untold(run: "Run") -> Iterator[str]:
    """What is lost is a row until somebody takes note of it."""
    query = """SELECT c.incident, c.n FROM clips c
        LEFT JOIN losses l ON l.kind = 'incident' AND l.name = c.incident
        WHERE c.state IN ('missing', 'rejected') AND l.name IS NULL"""
    for name, n in run.disk.rows(query):
        yield f"0: clip {n} of {name} is lost, and nobody is told"
