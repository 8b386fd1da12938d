"""Boots of the host with a clock that is wrong until NTP sets it, and what must hold.

Dice of their own: what a seed did before there were boots it does still.
"""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from evidenced.simulator.scenario import InfoScenario
from simulation.plan import ACTIVE_S, Event, Plan, change

if TYPE_CHECKING:
    from simulation.run import Run

FAMILY = "host-boot"
NTH = 7
"""Of ten seeds the one whose host is booted."""
ERRORS = (timedelta(days=-200), timedelta(minutes=80), timedelta(hours=2))
"""How far off the clock is after it. Alarms are stale after an hour."""
PROVEN_S = 4000.0
"""By then the clock has run for long enough to delete rows."""
MOST_PIECES = 20
"""Of three doors, each cut after three minutes, until all alarms are over."""
WORKS_S = 4000.0


def put_boot(plan: Plan) -> None:
    """Let the host of some seeds boot amid the run. Before the alarms' ends are put."""
    if plan.is_calm or plan.seed % 10 != NTH:
        return
    random = Random(f"{plan.seed}-boot")  # noqa: S311 - repeatable on purpose
    at = random.uniform(60.0, 200.0)
    set_at = min(at + random.uniform(20.0, 60.0), ACTIVE_S)
    error = random.choice(ERRORS)
    plan.families.append(FAMILY)
    plan.allows |= {"not-exported", "cover", "early"}
    plan.jumps += [at, set_at]
    plan.lasts = PROVEN_S
    plan.ahead = max(error.total_seconds(), 0.0)
    plan.events += [
        Event(at - 30.0, "works", WORKS_S),
        Event(at, "boot", error),
        Event(set_at, "clock_set"),
        Event(ACTIVE_S + 5.0, "works_end"),
    ]
    for name, scenario in plan.scenarios.items():
        if scenario.info.form == "absent":
            # a recorder whose time nobody can ask for: no login would be right
            change(plan, name, info=InfoScenario())


def boot_problems(run: "Run") -> Iterator[str]:
    """Time decided nothing by a clock that is wrong."""
    if FAMILY not in run.plan.families:
        return
    stale = "SELECT topic, payload FROM refused_alarms WHERE outcome = 'stale'"
    for topic, payload in run.disk.rows(stale):
        yield f"time: {topic} {payload!r} is stale, and none is so old"
    # a door says its own times: no receipt may cut it
    query = """SELECT count(*) FROM incidents
        WHERE rule = 'door' AND continues IS NOT NULL"""
    [(pieces,)] = run.disk.rows(query)
    if pieces > MOST_PIECES:
        yield f"time: doors were cut {pieces} times, {MOST_PIECES} at most"
