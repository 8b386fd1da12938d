"""Cameras that stop recording while nobody needs their footage.

Dice of their own. They stop long after the last window has ended, so no clip lacks
anything, and the run goes on for long enough that people are told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from evidenced.core.instants import from_ms
from evidenced.simulator.scenario import Gap
from fakes.clock import START
from simulation.plan import ANNEX, MAIN, Plan, change, put_watch

if TYPE_CHECKING:
    from simulation.run import Run

FAMILY = "stops-recording"
CHANCE = 0.15
WATCH_S = 40
STOPS_S, BACK_S, LASTS_S = 600.0, 780.0, 700.0
FOR_EVER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StoppedCamera:
    camera: str
    is_back: bool


def stopped_of(seed: int) -> tuple[StoppedCamera, ...]:
    """The cameras that stop, one of each recorder; one comes back."""
    random = Random(f"{seed}-watch")  # noqa: S311 - repeatable on purpose
    if random.random() >= CHANCE:
        return ()
    main, annex = random.choice("123"), random.choice("123")
    is_back = random.random() < 0.5
    return (
        StoppedCamera(f"c{main}", is_back=is_back),
        StoppedCamera(f"a{annex}", is_back=not is_back),
    )


def put_stopped(plan: Plan) -> None:
    """Let cameras of some seeds stop."""
    found = () if plan.is_calm else stopped_of(plan.seed)
    if not found:
        return
    plan.families.append(FAMILY)
    plan.lasts = max(plan.lasts, LASTS_S)
    put_watch(plan, WATCH_S)
    for each in found:
        _stop(plan, each)


def _stop(plan: Plan, stopped: StoppedCamera) -> None:
    name, base = (MAIN, 2000) if stopped.camera[0] == "c" else (ANNEX, 3000)
    device = str(base + int(stopped.camera[1]))
    start = timedelta(seconds=STOPS_S)
    end = timedelta(seconds=BACK_S) if stopped.is_back else FOR_EVER
    gap = Gap(start=start, end=end)
    devices = tuple(
        each.model_copy(update={"gaps": (*each.gaps, gap)})
        if each.device == device
        else each
        for each in plan.scenarios[name].devices
    )
    change(plan, name, devices=devices)


def _dead(plan: Plan) -> set[str]:
    """Cameras that never record."""
    return {
        f"{letter}{device.device[-1]}"
        for name, letter in ((MAIN, "c"), (ANNEX, "a"))
        for device in plan.scenarios[name].devices
        if device.dead
    }


def _was_busy(run: "Run", stopped: StoppedCamera) -> bool:
    """Whether its recorder exported meanwhile, or refused to: nobody asks it then."""
    name = MAIN if stopped.camera[0] == "c" else ANNEX
    since, until = (START + timedelta(seconds=each) for each in (STOPS_S, BACK_S))
    query = f"SELECT requested_at FROM exports WHERE recorder = '{name}'"  # noqa: S608
    if any(since <= from_ms(at) < until for (at,) in run.disk.rows(query)):
        return True
    return any(
        record.accepted_at < until
        and (record.finished_at is None or record.finished_at > since)
        for record in run.simulators[name].journal.exports
    )


def watch_problems(run: "Run") -> Iterator[str]:
    """Each that stopped is told of, once, and so is its end; no other at the end."""
    found = stopped_of(run.plan.seed) if FAMILY in run.plan.families else ()
    if not found:
        return
    told: dict[str, list[bool]] = {}
    query = """SELECT name, ended_at IS NOT NULL FROM troubles
        WHERE kind = 'camera' ORDER BY since"""
    for name, is_over in run.disk.rows(query):
        told.setdefault(name, []).append(bool(is_over))
    dead = _dead(run.plan)
    for each in found:
        is_back = each.is_back and each.camera not in dead
        if not run.always_has(each.camera) or (is_back and _was_busy(run, each)):
            continue
        if told.get(each.camera, [])[-1:] != [is_back]:
            yield f"watch: {each} stopped, and people were told {told}"
    stopped = {each.camera for each in found if not each.is_back} | dead
    for camera, ends in told.items():
        if camera not in stopped and not all(ends):
            yield f"watch: {camera} records, and people were not told of the end"
