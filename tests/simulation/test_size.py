"""What an incident takes in the store, as systemd/README.md says it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.simulator import Scenario
from evidenced.simulator.scenario import CameraScenario, Recording
from simulation.mqtt import Message
from simulation.plan import ANNEX, MAIN, Event, Plan, put_records
from simulation.recording import RecordPlan
from simulation.run import simulate
from simulation.site import Shape

README = Path(__file__).parents[2] / "systemd" / "README.md"
FEW, MANY = 5, 30
SPREAD_S = 5.0


def test_an_incident_of_one_camera_takes_what_is_promised() -> None:
    """Exported, recorded and tagged: what each more of them adds to the file."""
    said = re.search(r"takes some (\d+) kB for an incident of one", README.read_text())
    assert said is not None
    grown = taken(MANY) - taken(FEW)
    assert grown / (MANY - FEW) == pytest.approx(int(said[1]) * 1000, rel=0.15)


def taken(number: int) -> int:
    """Bytes of the store after so many incidents."""
    plan = Plan(seed=7, shape=Shape(), window=8)
    for n in range(number):
        message = Message(n, f"button/{n}", b"ALARM", retained=False)
        plan.events.append(Event(SPREAD_S * (n + 1), "publish", message))
    for name, first in ((MAIN, 2001), (ANNEX, 3001)):
        plan.scenarios[name] = Scenario(
            seed=7,
            devices=tuple(
                CameraScenario(server="1001", device=str(first + n)) for n in range(4)
            ),
            recording=Recording(lag=timedelta(seconds=2), rate=50_000),
        )
    plan.families = ["size"]
    put_records(plan, RecordPlan())
    run = simulate(plan)
    assert run.problems == []
    states = run.disk.rows("SELECT state, count(*) FROM incidents GROUP BY state")
    assert states == [("exported", number)]
    written = "SELECT count(*) FROM records WHERE state = 'written'"
    assert run.disk.rows(written) == [(number,)]
    pages, free, size = (
        run.disk.rows(f"PRAGMA {name}")[0][0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
