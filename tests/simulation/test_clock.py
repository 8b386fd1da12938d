"""The host's clock is years ahead while footage is waited for, and then is not."""

from datetime import timedelta

import pytest

from simulation.drawing import draw
from simulation.invariants import violations
from simulation.mqtt import Message
from simulation.plan import MAIN, Event, Plan
from simulation.run import simulate

CALM = 0
YEARS = 20 * 365 * 86400
ALARM = 5.0


def plan_of(lag: float, ahead: float, lasts: float) -> Plan:
    """One alarm whose footage comes `lag` after it; the clock is ahead for a while."""
    plan = draw(CALM)
    plan.families += ["host-clock"]
    plan.events = [
        Event(ALARM, "publish", Message(0, "button/1", b"ALARM")),
        Event(ahead, "host_clock", YEARS),
        Event(ahead + lasts, "host_clock", -YEARS),
    ]
    plan.jumps = [each.at for each in plan.events[1:]]
    scenario = plan.scenarios[MAIN]
    recording = scenario.recording.model_copy(update={"lag": timedelta(seconds=lag)})
    plan.scenarios[MAIN] = scenario.model_copy(update={"recording": recording})
    return plan


@pytest.mark.parametrize("lag", [100.0, 200.0])
@pytest.mark.parametrize("lasts", [5.0, 40.0, 120.0])
def test_footage_that_was_waited_for_meanwhile_is_exported(
    lag: float, lasts: float
) -> None:
    run = simulate(plan_of(lag, 60.0, lasts))
    assert violations(run) == []
    states = run.disk.rows("SELECT state FROM clips")
    assert set(states) == {("exported",)}
