"""Days of mixed alarms and faults in minutes, on the simulation's virtual clock.

pytest -m soak tests/soak/test_days.py -s         a week
"""

import gc
import os
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import pytest

from evidenced.pipeline.janitor import Janitor
from evidenced.simulator import Action, Scenario, Strike
from evidenced.simulator.scenario import CameraScenario, ExportsScenario, Recording
from simulation import alarms
from simulation import run as running
from simulation.mqtt import Message
from simulation.plan import ANNEX, MAIN, Event, Plan
from simulation.run import Run, simulate
from simulation.site import Shape

HOUR = 3600.0
HOURS = 3
DAYS = float(os.environ.get("SOAK_DAYS", "7"))
RETAIN = timedelta(minutes=30)
LOOK_S = 300.0
ALARM_S = 60.0
FAULTS = ("down", "garbage", "away", "drop", "crash", "disk", "hang")


@dataclass
class Watch:
    """What is left of it after each look, when everything that may go is gone."""

    pages: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    tasks: list[int] = field(default_factory=list)

    def look(self, run: Run) -> None:
        (pages,) = run.disk.rows("PRAGMA page_count")[0]
        tables = ("incidents", "clips", "exports", "alarms", "history", "alarm_keys")
        counts = [run.disk.rows(f"SELECT count(*) FROM {name}") for name in tables]  # noqa: S608
        self.pages.append(pages)
        self.rows.append(sum(count[0][0] for count in counts))
        self.tasks.append(len(running.asyncio.all_tasks(run.ground.loop)))
        run.ground.events.clear()
        for simulator in run.simulators.values():
            simulator.journal.requests.clear()
            simulator.journal.exports.clear()
        gc.collect()
        resident = Path("/proc/self/statm").read_text().split()[1]
        self.memory.append(int(resident) * 4)


def drawn(days: float) -> Plan:
    """An alarm a minute and a fault an hour, of each kind in turn."""
    random = Random(7)  # noqa: S311 - repeatable on purpose
    end = days * 24 * HOUR
    plan = Plan(seed=7, shape=Shape(), window=8)
    uid = 0
    at = 5.0
    kinds = list(alarms.KINDS.values())
    while at < end - 600:
        for said in random.choice(kinds)(uid, at, random):
            when, topic, payload, retained = said
            uid += 1
            message = Message(uid, topic, payload, retained)
            plan.events.append(Event(min(when, end - 300), "publish", message))
        at += random.expovariate(1 / ALARM_S)
    for n in range(1, int(end // HOUR)):
        _fault(plan, FAULTS[n % len(FAULTS)], n * HOUR)
    plan.events += [Event(n * LOOK_S, "look") for n in range(1, int(end // LOOK_S))]
    alarms.end_all(plan)
    plan.events.sort(key=lambda event: event.at)
    for name, base in ((MAIN, 2000), (ANNEX, 3000)):
        plan.scenarios[name] = Scenario(
            seed=7,
            devices=tuple(
                CameraScenario(server="1001", device=str(base + n))
                for n in (1, 2, 3, 4)
            ),
            recording=Recording(lag=timedelta(seconds=2), rate=50_000),
            exports=ExportsScenario(completed_listed=timedelta(minutes=5)),
            faults=tuple(plan.faults[name]),
        )
    plan.families = ["soak"]
    return plan


def _fault(plan: Plan, kind: str, at: float) -> None:
    actions = {
        "down": Action.REFUSE,
        "garbage": Action.GARBAGE,
        "hang": Action.HANG,
    }
    if kind in actions:
        when = {"at": timedelta(seconds=at), "lasts": timedelta(minutes=5)}
        plan.faults[MAIN].append(Strike(action=actions[kind], **when))
        return
    steps: dict[str, list[Event]] = {
        "away": [Event(at, "broker_away"), Event(at + 300, "broker_back", True)],
        "drop": [Event(at, "drop")],
        "crash": [Event(at, "crash")],
        "disk": [Event(at, "disk", True), Event(at + 120, "disk", False)],
    }
    plan.events += steps[kind]


def soaked(days: float, monkeypatch: pytest.MonkeyPatch) -> tuple[Run, Watch]:
    watch = Watch()

    async def look(driver: Any, _value: None) -> None:
        watch.look(driver._run)

    active = days * 24 * HOUR
    retain = property(lambda _self: RETAIN, lambda _self, _value: None)
    monkeypatch.setattr(Janitor, "retain", retain, raising=False)
    for proof in ("PROOF", "UNKEPT_PROOF"):
        monkeypatch.setattr(f"evidenced.core.trust.{proof}", timedelta(0))
    monkeypatch.setattr(alarms, "ACTIVE_S", active)
    monkeypatch.setattr(running, "ACTIVE_S", active)
    monkeypatch.setattr(running.Driver, "_look", look, raising=False)
    return simulate(drawn(days)), watch


def grows(values: list[int], *, share: float, amount: int) -> bool:
    """Whether the last third takes more than the one before, by the median."""
    third = len(values) // 3
    before, last = median(values[third:-third]), median(values[-third:])
    return last > before * (1 + share) + amount


def check(run: Run, watch: Watch) -> None:
    values = {
        "pages": (watch.pages, 0.1, 50),
        "rows": (watch.rows, 0.15, 100),
        "memory": (watch.memory, 0.03, 4096),
        "tasks": (watch.tasks, 0.0, 6),
    }
    for name, (seen, _, _) in values.items():
        told = f"{name:8} first {seen[0]} middle {seen[len(seen) // 2]} last {seen[-1]}"
        sys.stdout.write(f"{told} most {max(seen)}\n")
    assert run.problems == []
    assert [
        name
        for name, (seen, share, amount) in values.items()
        if grows(seen, share=share, amount=amount)
    ] == []


@pytest.mark.timeout(300)
def test_it_takes_no_more_after_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for so long as the suite has time for."""
    run, watch = soaked(HOURS / 24, monkeypatch)
    check(run, watch)


@pytest.mark.soak
@pytest.mark.timeout(3 * HOUR)
def test_it_takes_no_more_after_a_week(monkeypatch: pytest.MonkeyPatch) -> None:
    run, watch = soaked(DAYS, monkeypatch)
    check(run, watch)
