"""A broker that is away for days stays in the log of today."""

from dataclasses import replace
from datetime import timedelta

import pytest

from evidenced.core.instants import SECOND
from evidenced.mqtt.outage import STABLE_S, Outage
from evidenced.mqtt.problems import BrokerError
from evidenced.mqtt.settings import BrokerSettings
from fakes.clock import FakeClock
from fakes.running import Log

SETTINGS = BrokerSettings(host="broker.example", port=1883, client_id="c")
STILL = "still no connection to the broker; no alarms arrive"


def test_it_is_told_every_hour_and_no_more_once_it_is_over() -> None:
    clock, log = FakeClock(), Log()
    outage = Outage(SETTINGS, lambda: 0.5, log.bound)
    for _ in range(6 * 60):
        outage.ended(BrokerError("refused"), 0.0, clock.monotonic())
        clock.advance(timedelta(minutes=1))
    told = log.calls("warning")
    events = [each["event"] for each in told]
    assert events == ["no connection to the broker", *5 * [STILL]]
    assert [each["for_minutes"] for each in told[1:]] == [60, 120, 180, 240, 300]
    # a connection that lived a while ends it
    outage.ended(BrokerError("refused"), 3600.0, clock.monotonic())
    assert log.events("warning")[6:] == ["no connection to the broker"]


def outage_of(jitter: float) -> Outage:
    return Outage(replace(SETTINGS, retry_max=SECOND * 5), lambda: jitter, Log().bound)


def test_the_wait_doubles_to_its_bound_and_starts_again() -> None:
    outage = outage_of(1.0)
    lost = BrokerError("refused")
    assert [outage.ended(lost, 0.0, 0.0) for _ in range(5)] == [1, 2, 4, 5, 5]
    assert outage.failures == 5
    assert outage.ended(lost, STABLE_S, 0.0) == 1
    assert outage_of(0.0).ended(lost, 0.0, 0.0) == 0


@pytest.mark.parametrize(("dice", "seconds"), [(0.0, 15), (1.0, 30)])
def test_a_takeover_waits_long_whatever_the_dice_say(dice: float, seconds: int) -> None:
    taken = BrokerError("another client", is_takeover=True)
    assert outage_of(dice).ended(taken, 0.0, 0.0) == seconds
