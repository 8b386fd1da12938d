"""Families of faults: each is drawn or not, and adds what it is to a plan."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Literal

from evidenced.core.ids import RecorderName
from evidenced.simulator import Action, Strike
from evidenced.simulator.scenario import (
    ExportsScenario,
    Gap,
    InfoScenario,
    Jump,
    OwnClock,
    SessionScenario,
)
from simulation.mqtt import Message
from simulation.plan import ACTIVE_S, ANNEX, MAIN, Event, Plan, change, put_mount
from simulation.site import RULES


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


def _nothing_written(plan: Plan, random: Random) -> None:
    """Recorders that finish with empty folders, onto a share that is mounted."""
    put_mount(plan)
    for name in _recorders(random):
        for _ in range(random.choice((1, 2, 4))):
            plan.faults[name].append(
                Strike(
                    action=random.choice((Action.EMPTY, Action.BLANK)),
                    command="exportVideo",
                    nth=random.randint(1, 4),
                )
            )


def _blinks(plan: Plan, random: Random) -> None:
    """A share that is lost for a moment, often: also just as an export ends."""
    put_mount(plan)
    for _ in range(random.choice((5, 15, 40))):
        at = random.uniform(1.0, ACTIVE_S - 4.0)
        plan.events.append(Event(at, "share_lost", True))
        plan.events.append(Event(at + random.uniform(0.1, 3.0), "share_lost", False))


def _stands_still(plan: Plan, random: Random) -> None:
    """Exports that stand still for longer than anybody waits, then go on."""
    for name in _recorders(random):
        plan.faults[name].append(
            Strike(
                action=Action.STALL,
                command="exportVideo",
                percent=random.choice((0, 40, 99)),
                lasts=timedelta(seconds=random.choice((120, 200))),
                nth=random.randint(1, 3),
            )
        )
    plan.allows.add("peaks")  # one that is stuck gives its slot away


def _lost_middle(plan: Plan, random: Random) -> None:
    """A camera that loses some seconds now and then."""
    name = random.choice((MAIN, ANNEX))
    cameras = list(plan.scenarios[name].devices)
    n = random.randrange(len(cameras))
    starts = [random.uniform(0, ACTIVE_S) for _ in range(random.choice((1, 3, 6)))]
    gaps = tuple(
        Gap(
            start=timedelta(seconds=at),
            end=timedelta(seconds=at + random.choice((6, 9, 14))),
        )
        for at in starts
    )
    cameras[n] = cameras[n].model_copy(update={"gaps": gaps})
    change(plan, name, devices=tuple(cameras))
    plan.blind.add(cameras[n].device)


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
                Strike(
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
            Strike(
                action=Action.CODE, code=code, command="exportVideo", at=at, lasts=lasts
            )
        )


def _our_fault(plan: Plan, random: Random) -> None:
    at, lasts = _span(random)
    plan.faults[MAIN].append(
        Strike(
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
            Strike(
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
            Strike(
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
                Strike(
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
        plan.faults[name].append(Strike(action=Action.PAUSE, at=at, lasts=lasts))


def _sessions(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        change(
            plan,
            name,
            session=SessionScenario(
                lifetime=timedelta(seconds=random.choice((0, 20, 60))),
                idle=timedelta(seconds=random.choice((0, 10))),
                limit=random.choice((0, 1)),
                expiry=random.choice(("401", "403", "302", "html", "code")),
            ),
        )


def _dialects(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        change(
            plan, name, info=InfoScenario(form=random.choice(("malformed", "absent")))
        )
        listed: Literal["all", "session"] = random.choice(("all", "session"))
        completed = random.choice((3600, 40))
        change(
            plan,
            name,
            exports=ExportsScenario(
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
        change(plan, name, recording=recording)


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
    change(plan, name, devices=tuple(cameras))
    plan.blind.add(cameras[n].device)


def _recorder_clock(plan: Plan, random: Random) -> None:
    for name in _recorders(random):
        offset = timedelta(seconds=random.choice((-300, -7, -1.5, 0.8, 3, 90, 3600)))
        jumps: tuple[Jump, ...] = ()
        if random.random() < 0.4:
            at = timedelta(seconds=round(_when(random), 3))
            jumps = (Jump(at=at, by=timedelta(seconds=random.choice((-40, 5, 40)))),)
            plan.allows |= {"early", "not-exported"}
        change(plan, name, clock=OwnClock(offset=offset, jumps=jumps))


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
"""Drawn by the seed's one dice: what is added here changes what every seed is."""

FOOTAGE: dict[str, Callable[[Plan, Random], None]] = {
    "nothing-written": _nothing_written,
    "blinks": _blinks,
    "stands-still": _stands_still,
    "lost-middle": _lost_middle,
}
"""Drawn by dice of their own: what a seed did before there were these it does still."""
