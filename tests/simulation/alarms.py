"""The alarms of a seed: what devices say, hostile names and garbage among it."""

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise, product
from random import Random

from evidenced.core.instants import render_utc
from fakes.clock import START
from simulation.mqtt import Message
from simulation.plan import ACTIVE_S, Event, Plan
from simulation.site import DOORS, Shape

HOSTILE = (
    "bob",
    "..",
    r"..\..\windows",
    "a/b",
    "x\x00y\x1f",
    "<b>&amp;</b>",
    "CON",
    "ü" * 300,
    "",
    "\u202egnp",
    "{id}",
)


def add_alarms(plan: Plan, random: Random) -> None:
    messages: list[tuple[float, str, bytes, bool]] = []
    for n in range(random.randint(2, 14)):
        at = random.uniform(3.0, ACTIVE_S * 0.8)
        if random.random() < 0.3 and messages:
            # a burst, not past the clear that ends everything
            at = min(messages[-1][0] + random.uniform(0.0, 0.5), ACTIVE_S - 5.0)
        messages += KINDS[random.choice(tuple(KINDS))](n, at, random)
    for uid, (at, topic, payload, retained) in enumerate(messages):
        message = Message(uid, topic, payload, retained)
        plan.events.append(Event(at, "publish", message))
        if random.random() < 0.15 and b'"id"' in payload:
            # the source says the same once more
            again = min(at + random.uniform(0.0, 30.0), max(at, ACTIVE_S - 5.0))
            repeat = Message(1000 + uid, topic, payload, retained)
            plan.events.append(Event(again, "publish", repeat))


def end_all(plan: Plan) -> None:
    """Every alarm that awaits its clear gets one, once all is well."""
    times = [ACTIVE_S + 1.0]
    if "broker-forgets" in plan.families or _brings_back(plan):
        times.append(ACTIVE_S + 90.0)  # the first may come before we subscribe again
    if plan.lasts:
        times.append(ACTIVE_S + 100.0 + plan.ahead)
    if "host-clock" in plan.families:
        times.append(ACTIVE_S + 700.0)  # a clock that was ahead is caught up with
    for n, (door, at) in enumerate(product(DOORS, times)):
        off = _json(
            state="off",
            id=f"end{n}",
            at=render_utc(START + timedelta(seconds=at)),
        )
        plan.events += [
            Event(at, "publish", Message(2000 + n, f"door/{door}", off)),
            Event(at, "publish", Message(2100 + n, f"open/{door}", b"CLOSED")),
        ]


def _brings_back(plan: Plan) -> bool:
    """Whether a rule that awaits clears goes with a reload and comes with the next."""
    shapes = [
        event.value.gone
        for event in sorted(plan.events, key=lambda event: event.at)
        if isinstance(event.value, Shape)
    ]
    return any(
        before in {"door", "open"} and after != before
        for before, after in pairwise(shapes)
    )


_Said = list[tuple[float, str, bytes, bool]]


def _json(**values: object) -> bytes:
    return json.dumps(values).encode()


def _time(at: float, random: Random) -> str:
    shift = random.choice((0.0, 0.0, 0.0, -5.0, -90.0, 20.0))
    return render_utc(START + timedelta(seconds=at + shift))


def _door(n: int, at: float, random: Random) -> _Said:
    topic, who = f"door/{random.choice(DOORS)}", random.choice(HOSTILE)
    said = [
        (at, topic, _json(state="on", id=f"d{n}", at=_time(at, random), who=who), False)
    ]
    if random.random() < 0.7:
        later = at + random.uniform(1.0, 100.0)
        off = _json(state="off", id=f"d{n}", at=_time(later, random))
        said.append((later, topic, off, False))
    return said


def _button(_n: int, at: float, random: Random) -> _Said:
    topic = f"button/{random.choice(('1', '2'))}"
    times = random.choice((1, 1, 2, 5))
    return [
        (at + i * random.uniform(0, 3), topic, b"ALARM", False) for i in range(times)
    ]


def _motion(n: int, at: float, random: Random) -> _Said:
    who = random.choice(HOSTILE)
    payload = _json(at=_time(at, random), who=who, n=n)
    return [(at, f"motion/{random.choice(('x', 'y'))}", payload, False)]


def _badge(n: int, at: float, random: Random) -> _Said:
    cam = random.choice(("c1", "c2", "a1", "a4", "nope", "@entrance", "..", "c3"))
    payload = _json(id=f"b{n}", who=random.choice(HOSTILE), cam=cam)
    return [(at, "badge/a/b", payload, False)]


def _open(_n: int, at: float, random: Random) -> _Said:
    topic = f"open/{random.choice(DOORS)}"
    said = [(at, topic, b"OPEN", random.random() < 0.2)]
    if random.random() < 0.8:
        said.append((at + random.uniform(1, 60), topic, b"CLOSED", False))
    return said


def _garbage(_n: int, at: float, random: Random) -> _Said:
    topic = random.choice(("door/north", "motion/x", "badge/q", "button/1"))
    payload = random.choice((b"\xff\xfe", b"{", b"[]", b'{"a":1,"a":2}', b"", b"nil"))
    return [(at, topic, payload, False)]


KINDS: dict[str, Callable[[int, float, Random], _Said]] = {
    "door": _door,
    "button": _button,
    "motion": _motion,
    "badge": _badge,
    "open": _open,
    "garbage": _garbage,
}
