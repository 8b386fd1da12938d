"""What a seed does: the site, the alarms, the faults. Drawn beforehand, so printable.

`allows` says which checks the faults of this plan make pointless, because the world
outside breaks them: a recorder that lies about a failure gets a second request.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product
from random import Random
from typing import Any, Literal

from evidenced.core.ids import RecorderName
from evidenced.core.instants import render_utc
from evidenced.simulator import Action, Fault, Scenario
from evidenced.simulator.scenario import (
    Camera,
    Exports,
    Gap,
    Info,
    Jump,
    Login,
    OwnClock,
    Recording,
    Session,
    Xml,
)
from fakes.clock import START
from simulation.mqtt import Message
from simulation.queue import draws_near_priorities
from simulation.receivers import MessagePlan, draw_messages
from simulation.recording import RecordPlan, draw_recording
from simulation.site import DOORS, RULES, Shape

ACTIVE_S = 240.0
"""Alarms and faults happen within so many seconds; then everything heals."""

LIMITED = 3
"""Of five seeds the one in which alarms meet limits."""
AHEAD_S = 25.0
"""More than any device's clock is ahead; a clear from before the alarm counts not."""

MAIN, ANNEX = RecorderName("main"), RecorderName("annex")
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


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at `at` seconds; `kind` is a method of the run."""

    at: float
    kind: str
    value: Any = None


@dataclass(slots=True)
class Plan:
    seed: int
    shape: Shape
    window: int = 8
    grows: bool = True
    shuffles: bool = False
    events: list[Event] = field(default_factory=list)
    faults: dict[RecorderName, list[Fault]] = field(
        default_factory=lambda: {MAIN: [], ANNEX: []}
    )
    scenarios: dict[RecorderName, Scenario] = field(default_factory=dict)
    families: list[str] = field(default_factory=list)
    allows: set[str] = field(default_factory=set)
    blind: set[str] = field(default_factory=set)
    """Devices without video, at times or at all."""
    crash_before: set[int] = field(default_factory=set)
    crash_after: set[int] = field(default_factory=set)
    crash_turns: set[int] = field(default_factory=set)
    jumps: list[float] = field(default_factory=list)
    """When the host's clock is set."""
    recording: RecordPlan | None = None
    messages: MessagePlan | None = None

    @property
    def is_calm(self) -> bool:
        return not self.families

    def told(self) -> str:
        lines = [
            f"seed {self.seed}: {', '.join(self.families) or 'no faults'}",
            f"  {self.shape} window={self.window} grows={self.grows}",
            f"  shuffles={self.shuffles} allows={sorted(self.allows)}",
            f"  crash before commits {sorted(self.crash_before)}",
            f"  crash after commits {sorted(self.crash_after)}",
            f"  crash at turns {sorted(self.crash_turns)}",
            f"  {self.recording}",
            f"  {self.messages}",
        ]
        for name, faults in self.faults.items():
            scenario = self.scenarios[name].model_dump(
                exclude_defaults=True, exclude={"faults", "seed"}
            )
            lines.append(f"  {name}: {scenario}")
            lines += [
                f"    {fault.model_dump(mode='json', exclude_defaults=True)}"
                for fault in faults
            ]
        lines += [
            f"  {event.at:8.3f} {event.kind} {str(event.value)[:150]}"
            for event in self.events
        ]
        return "\n".join(lines)


def draw(seed: int) -> Plan:
    """The plan of a seed. Every eighth has no faults at all."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    shape = Shape(
        max_exports=random.choice((1, 2, 3)),
        max_devices=random.choice((1, 2, 32)),
        bandwidth=random.choice((0, 2_000_000, 3_000_000, 5_000_000)),
        settle=random.choice((3, 5)),
        limit=2 if seed % 5 == LIMITED else 0,
    )
    plan = Plan(
        seed=seed,
        shape=shape,
        window=random.choice((1, 2, 8, 64)),
        grows=random.random() < 0.5,
        shuffles=random.random() < 0.5,
    )
    rate = random.choice((50_000, 200_000))
    for name in (MAIN, ANNEX):
        base = 2000 if name == MAIN else 3000
        plan.scenarios[name] = Scenario(
            seed=seed,
            devices=tuple(
                Camera(server="1001", device=str(base + n)) for n in (1, 2, 3, 4)
            ),
            recording=Recording(lag=timedelta(seconds=2), rate=rate),
            xml=_dialect(random),
            login=Login(
                key_in=random.choice(
                    ("element", "nested-element", "attribute", "cookie")
                )
            ),
        )
    _alarms(plan, random)
    if seed % 8:
        density = random.choice((0.1, 0.2, 0.45))
        chosen = [family for family in FAMILIES if random.random() < density]
        plan.families = chosen or [random.choice(tuple(FAMILIES))]
        for family in plan.families:
            FAMILIES[family](plan, random)
    _sane(plan)
    _end_all(plan)
    recording = draw_recording(seed, ACTIVE_S, is_calm=plan.is_calm)
    if recording is not None:
        put_records(plan, recording)
    if draws_near_priorities(seed):
        _reshape(plan, is_near=True)
    messages = draw_messages(seed, ACTIVE_S, is_calm=plan.is_calm)
    if messages is not None:
        put_messages(plan, messages)
    plan.events.sort(key=lambda event: event.at)
    for name, faults in plan.faults.items():
        plan.scenarios[name] = plan.scenarios[name].model_copy(
            update={"faults": tuple(faults)}
        )
    return plan


def _dialect(random: Random) -> Xml:
    return Xml(
        tag_case=random.choice(("lower", "upper", "title")),
        extra_nodes=random.random() < 0.3,
        malformed_list=random.random() < 0.2,
        times=random.choice(("ms", "s")),
        zone=random.choice(("UTC", "UTC", "Europe/Amsterdam")),
        progress=random.choice(("percent", "decimal", "sign", "absent", "zero")),
        status_as=random.choice(("text", "description")),
        success_code=random.choice((0, 0, 1)),
    )


def put_records(plan: Plan, recording: RecordPlan) -> None:
    """Let evidence records be written, whatever else the plan has."""
    plan.recording = recording
    _reshape(plan, mounted=True, recorded=True)
    for start, end in recording.lost:
        plan.events.append(Event(start, "share_lost", True))
        plan.events.append(Event(end, "share_lost", False))
    for start, end in recording.hangs:
        plan.events.append(Event(start, "share_hangs", end - start))


def put_messages(plan: Plan, messages: MessagePlan) -> None:
    """Let people be told, whatever else the plan has."""
    plan.messages = messages
    _reshape(plan, notified=True)


def _reshape(plan: Plan, **update: Any) -> None:
    """At every reload too."""
    plan.shape = replace(plan.shape, **update)
    for n, event in enumerate(plan.events):
        if isinstance(event.value, Shape):
            shape = replace(event.value, **update)
            plan.events[n] = replace(event, value=shape)


# Alarms


def _alarms(plan: Plan, random: Random) -> None:
    messages: list[tuple[float, str, bytes, bool]] = []
    for n in range(random.randint(2, 14)):
        at = random.uniform(3.0, ACTIVE_S * 0.8)
        if random.random() < 0.3 and messages:
            # a burst, not past the clear that ends everything
            at = min(messages[-1][0] + random.uniform(0.0, 0.5), ACTIVE_S - 5.0)
        messages += _KINDS[random.choice(tuple(_KINDS))](n, at, random)
    for uid, (at, topic, payload, retained) in enumerate(messages):
        message = Message(uid, topic, payload, retained)
        plan.events.append(Event(at, "publish", message))
        if random.random() < 0.15 and b'"id"' in payload:
            # the source says the same once more
            again = min(at + random.uniform(0.0, 30.0), max(at, ACTIVE_S - 5.0))
            repeat = Message(1000 + uid, topic, payload, retained)
            plan.events.append(Event(again, "publish", repeat))


def _sane(plan: Plan) -> None:
    """A recorder whose clock is off must tell its time, or no digest is right."""
    for name, scenario in plan.scenarios.items():
        if scenario.info.form == "absent" and scenario.clock != OwnClock():
            _change(plan, name, info=Info())
        if scenario.exports.listed == "session" and scenario.session != Session():
            # what ends after its session did is never seen to end
            plan.allows.add("not-exported")
        taken = any(each.action is Action.TAKE_ID for each in plan.faults[name])
        if taken and scenario.exports.parallel == 1:
            # somebody else's export has the only place for longer than give_up
            plan.allows.add("not-exported")


def _end_all(plan: Plan) -> None:
    """Every alarm that awaits its clear gets one, once all is well."""
    times = [ACTIVE_S + 1.0]
    if "broker-forgets" in plan.families:
        times.append(ACTIVE_S + 90.0)  # the first may come before we subscribe again
    if "host-clock" in plan.families:
        times.append(ACTIVE_S + 700.0)  # a clock that was ahead is caught up with
    for n, (door, at) in enumerate(product(DOORS, times)):
        off = _json(
            state="off",
            id=f"end{n}",
            at=render_utc(START + timedelta(seconds=at + AHEAD_S)),
        )
        plan.events += [
            Event(at, "publish", Message(2000 + n, f"door/{door}", off)),
            Event(at, "publish", Message(2100 + n, f"open/{door}", b"CLOSED")),
        ]


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


_KINDS: dict[str, Callable[[int, float, Random], _Said]] = {
    "door": _door,
    "button": _button,
    "motion": _motion,
    "badge": _badge,
    "open": _open,
    "garbage": _garbage,
}


# Families of faults


def _when(random: Random) -> float:
    return random.uniform(1.0, ACTIVE_S)


def _span(random: Random) -> tuple[timedelta, timedelta]:
    start = random.uniform(0.0, ACTIVE_S - 5)
    lasts = min(random.choice((3.0, 20.0, 60.0)), ACTIVE_S - start)
    return timedelta(seconds=round(start, 3)), timedelta(seconds=round(lasts, 3))


def _recorders(random: Random) -> tuple[RecorderName, ...]:
    return random.choice(((MAIN,), (ANNEX,), (MAIN, ANNEX)))


def _crash(plan: Plan, random: Random) -> None:
    for _ in range(random.choice((1, 1, 2, 6))):
        plan.events.append(Event(_when(random), "crash"))


def _crash_at_commit(plan: Plan, random: Random) -> None:
    for _ in range(random.choice((1, 3))):
        chosen = random.choice((plan.crash_before, plan.crash_after))
        chosen.add(random.randint(1, 150))


def _crash_at_turn(plan: Plan, random: Random) -> None:
    for _ in range(random.choice((1, 2, 4))):
        plan.crash_turns.add(random.randint(1, 4000))


def _stop(plan: Plan, random: Random) -> None:
    for _ in range(random.choice((1, 1, 3))):
        plan.events.append(Event(_when(random), "stop"))


def _share(plan: Plan, random: Random) -> None:
    """The share is mounted, and lost or hangs at times."""
    plan.shape = replace(plan.shape, mounted=True)
    for _ in range(random.choice((0, 1, 2))):
        at, lasts = _span(random)
        start, end = at.total_seconds(), (at + lasts).total_seconds()
        if random.random() < 0.7:
            plan.events.append(Event(start, "share_lost", True))
            plan.events.append(Event(end, "share_lost", False))
        else:
            plan.events.append(Event(start, "share_hangs", end - start))


def _schedule(plan: Plan, _random: Random) -> None:
    plan.shape = replace(plan.shape, paused=True)


def _recorder_gone(plan: Plan, random: Random) -> None:
    """A reload takes a recorder away, and mostly brings it back."""
    at = _when(random)
    gone = replace(plan.shape, gone_recorder=True)
    plan.events.append(Event(at, "reload", gone))
    if random.random() < 0.7:
        back = min(at + random.choice((1.0, 20.0, 80.0)), ACTIVE_S)
        plan.events.append(Event(back, "reload", plan.shape))
    plan.allows |= {"not-exported", "repeats", "peaks"}


def _crash_at_delivery(plan: Plan, random: Random) -> None:
    plan.events.append(Event(0.0, "crash_at_delivery", random.choice((0.1, 0.4))))


def _crash_at_order(plan: Plan, random: Random) -> None:
    plan.events.append(Event(0.0, "crash_at_order", random.choice((0.1, 0.4))))


def _drop_often(plan: Plan, random: Random) -> None:
    plan.events.append(Event(0.0, "drop_often", random.choice((0.2, 0.6))))


def _crash_at_export(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        plan.events.append(Event(0.0, "crash_at_export", (name, random.randint(1, 3))))


def _wire(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        for _ in range(random.choice((1, 2, 4))):
            at, lasts = _span(random)
            action = random.choice(
                (
                    Action.REFUSE,
                    Action.DELAY,
                    Action.HANG,
                    Action.CUT,
                    Action.CUT_MIDDLE,
                    Action.STATUS,
                    Action.GARBAGE,
                    Action.TRUNCATE,
                    Action.HTML,
                    Action.HUGE,
                )
            )
            plan.faults[name].append(
                Fault(
                    action=action,
                    command=random.choice(
                        (None, "exportVideo", "exportVideo", "getExportVideoStatus")
                    ),
                    at=at,
                    lasts=lasts,
                    chance=random.choice((0.3, 0.7, 1.0)),
                    after=action is not Action.REFUSE and random.random() < 0.6,
                    delay=timedelta(seconds=random.choice((1, 9, 15))),
                    status=random.choice((500, 503)),
                )
            )


def _codes(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        at, lasts = _span(random)
        code = random.choice((-48, -2, -17, -58, -61, -60, -18, -53, -1, -99))
        plan.faults[name].append(
            Fault(
                action=Action.CODE, code=code, command="exportVideo", at=at, lasts=lasts
            )
        )


def _our_fault(plan: Plan, random: Random) -> None:
    at, lasts = _span(random)
    plan.faults[MAIN].append(
        Fault(
            action=Action.CODE,
            code=random.choice((-4, -33, -37)),
            command="exportVideo",
            at=at,
            lasts=lasts,
        )
    )
    plan.allows.add("not-exported")


def _status_codes(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        at, lasts = _span(random)
        plan.faults[name].append(
            Fault(
                action=Action.CODE,
                code=random.choice((-1, -18, -53, -99)),
                command=random.choice(("getExportVideoStatus", "login")),
                at=at,
                lasts=lasts,
            )
        )


def _restart(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        at = timedelta(seconds=round(_when(random), 3))
        by_call = random.random() < 0.5
        plan.faults[name].append(
            Fault(
                action=Action.RESTART,
                at=at,
                command=random.choice(("exportVideo", "getExportVideoStatus"))
                if by_call
                else None,
                after=random.random() < 0.5,
                keep_list=random.random() < 0.4,
                keep_sessions=random.random() < 0.3,
            )
        )


def _exports(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        for _ in range(random.choice((1, 2))):
            action = random.choice(
                (Action.FORGET, Action.TAKE_ID, Action.FAIL, Action.STALL, Action.WORD)
            )
            word = random.choice(("verarbeite", "verarbeite", "finished", "failed"))
            device = random.choice((None, "2001", "3002"))
            plan.faults[name].append(
                Fault(
                    action=action,
                    at=timedelta(seconds=round(_when(random), 3)),
                    command=random.choice(
                        (None, "exportVideo", "getExportVideoStatus")
                    ),
                    lasts=timedelta(seconds=random.choice((10, 60))),
                    percent=random.choice((0, 50, 99)),
                    device=device,
                    word=word,
                )
            )
            if action is Action.WORD and word in {"failed", "finished"}:
                plan.allows |= {"repeats", "peaks", "lies"}


def _stall(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        at, lasts = _span(random)
        plan.faults[name].append(Fault(action=Action.PAUSE, at=at, lasts=lasts))


def _sessions(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        _change(
            plan,
            name,
            session=Session(
                lifetime=timedelta(seconds=random.choice((0, 20, 60))),
                idle=timedelta(seconds=random.choice((0, 10))),
                limit=random.choice((0, 1)),
                expiry=random.choice(("401", "403", "302", "html", "code")),
            ),
        )


def _dialects(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        _change(plan, name, info=Info(form=random.choice(("malformed", "absent"))))
        listed: Literal["all", "session"] = random.choice(("all", "session"))
        completed = random.choice((3600, 40))
        _change(
            plan,
            name,
            exports=Exports(
                ids=random.choice(("session", "plugin")),
                parallel=random.choice((0, 1)),
                listed=listed,
                completed_listed=timedelta(seconds=completed),
                deleted=random.choice(("removed", "listed")),
                unknown_id=random.choice(("code", "empty")),
            ),
        )
        if listed == "session" or completed < 3600:
            plan.allows |= {"repeats", "peaks"}


def _slow_cameras(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        lag = timedelta(seconds=random.choice((10, 45)))
        recording = plan.scenarios[name].recording.model_copy(update={"lag": lag})
        _change(plan, name, recording=recording)


def _holes(plan: Plan, random: Random) -> None:
    name = random.choice((MAIN, ANNEX))
    cameras = list(plan.scenarios[name].devices)
    n = random.randrange(len(cameras))
    if random.random() < 0.4:
        cameras[n] = cameras[n].model_copy(update={"dead": True})
    else:
        start = random.uniform(0, ACTIVE_S)
        gap = Gap(start=timedelta(seconds=start), end=timedelta(seconds=start + 60))
        cameras[n] = cameras[n].model_copy(update={"gaps": (gap,)})
    _change(plan, name, devices=tuple(cameras))
    plan.blind.add(cameras[n].device)


def _recorder_clock(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        offset = timedelta(seconds=random.choice((-300, -7, -1.5, 0.8, 3, 90, 3600)))
        jumps: tuple[Jump, ...] = ()
        if random.random() < 0.4:
            at = timedelta(seconds=round(_when(random), 3))
            jumps = (Jump(at=at, by=timedelta(seconds=random.choice((-40, 5, 40)))),)
            plan.allows |= {"early", "not-exported"}
        _change(plan, name, clock=OwnClock(offset=offset, jumps=jumps))


def _host_clock(plan: Plan, random: Random) -> None:
    for n in range(random.choice((1, 1, 3))):
        steps = (-600, -20, -2, 2, 20, 600) if n == 0 else (-20, -2, 2, 20)
        by, at = random.choice(steps), _when(random)
        plan.events.append(Event(at, "host_clock", by))
        plan.jumps.append(at)
    plan.jumps.append(ACTIVE_S)  # all is set right again
    plan.allows |= {"not-exported", "cover"}


def _broker(plan: Plan, random: Random) -> None:
    for _ in range(random.choice((1, 3))):
        at = _when(random)
        plan.events.append(Event(at, "broker_away"))
        away = random.choice((0.5, 5.0, 40.0))
        plan.events.append(Event(min(at + away, ACTIVE_S), "broker_back", True))


def _broker_forgets(plan: Plan, random: Random) -> None:
    at = _when(random)
    plan.events.append(Event(at, "broker_away"))
    plan.events.append(Event(min(at + 5.0, ACTIVE_S), "broker_back", False))


def _drops(plan: Plan, random: Random) -> None:
    for _ in range(random.choice((1, 5, 15))):
        plan.events.append(Event(_when(random), "drop"))


def _store(plan: Plan, random: Random) -> None:
    at = _when(random)
    plan.events.append(Event(at, "disk", True))
    plan.events.append(Event(min(at + random.choice((1, 15)), ACTIVE_S), "disk", False))


def _operator(plan: Plan, random: Random) -> None:
    for _ in range(random.choice((1, 4))):
        what = random.choice(("cancel", "cancel", "retry", "trigger"))
        plan.events.append(Event(_when(random), "operate", what))
    plan.allows |= {"not-exported", "repeats"}


def _reload(plan: Plan, random: Random) -> None:
    for _ in range(random.choice((1, 2))):
        shape = replace(
            plan.shape,
            gone=random.choice(("", *RULES)),
            max_exports=random.choice((1, 2, 3)),
            max_devices=random.choice((1, 32)),
            bandwidth=random.choice((1_500_000, 4_000_000)),
            post_roll=random.choice((5, 20, 40)),
            gone_camera=random.random() < 0.3,
            gone_destination=random.random() < 0.3,
        )
        at = _when(random)
        plan.events.append(Event(at, "reload", shape))
        _burst(plan, random, shape.gone, at)


def _burst(plan: Plan, random: Random, gone: str, at: float) -> None:
    """Alarms of the rule that goes, stored and not yet read when it does."""
    said = {"button": ("button/1", b"ALARM"), "open": ("open/north", b"OPEN")}
    if gone in said and at > 1.0:
        for n in range(6):
            message = Message(3000 + len(plan.events), *said[gone])
            late = n * 0.02 + random.uniform(0.0, 0.01)
            plan.events.append(Event(at - late, "publish", message))


def _slow_network(plan: Plan, random: Random) -> None:
    plan.events.append(Event(0.0, "slow", random.choice((2.0, 8.0))))


def _change(plan: Plan, name: RecorderName, **update: Any) -> None:
    plan.scenarios[name] = plan.scenarios[name].model_copy(update=update)


FAMILIES: dict[str, Callable[[Plan, Random], None]] = {
    "crash": _crash,
    "crash-at-commit": _crash_at_commit,
    "crash-at-turn": _crash_at_turn,
    "crash-at-export": _crash_at_export,
    "crash-at-delivery": _crash_at_delivery,
    "crash-at-order": _crash_at_order,
    "drop-often": _drop_often,
    "wire": _wire,
    "codes": _codes,
    "our-fault": _our_fault,
    "status-codes": _status_codes,
    "restart": _restart,
    "exports": _exports,
    "sessions": _sessions,
    "dialects": _dialects,
    "slow-cameras": _slow_cameras,
    "holes": _holes,
    "recorder-clock": _recorder_clock,
    "host-clock": _host_clock,
    "broker": _broker,
    "broker-forgets": _broker_forgets,
    "drops": _drops,
    "store": _store,
    "operator": _operator,
    "reload": _reload,
    "slow-network": _slow_network,
    "stop": _stop,
    "share": _share,
    "schedule": _schedule,
    "recorder-gone": _recorder_gone,
    "stall": _stall,
}
