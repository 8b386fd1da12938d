"""A broker that forgets our session gives its packet identifiers anew."""

import pytest

from simulation.drawing import draw
from simulation.invariants import violations
from simulation.mqtt import Message
from simulation.plan import Event, Plan
from simulation.run import simulate

CALM = 0
TEXT = ("button/1", b"ALARM")


def plan_of(crash: float) -> Plan:
    """Two alarms in one session, the same two in the next; then we die.

    The second mark of the first session is not confirmed when the broker goes.
    """
    plan = draw(CALM)
    times = (5.0, 5.3, 12.0, 12.5)
    plan.grows = True
    plan.families.append("broker-forgets")
    plan.events = [
        *(Event(at, "publish", Message(n, *TEXT)) for n, at in enumerate(times)),
        Event(5.6, "broker_away"),
        Event(6.0, "broker_back", False),
        Event(12.5 + crash, "crash"),
    ]
    plan.events.sort(key=lambda event: event.at)
    return plan


@pytest.mark.parametrize("crash", [0.001, 0.005, 0.02, 0.05])
def test_an_alarm_is_no_repeat_of_one_of_another_session(crash: float) -> None:
    run = simulate(plan_of(crash))
    assert len(run.server.acknowledged) == 4
    assert violations(run) == []
