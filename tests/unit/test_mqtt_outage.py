"""A broker that is away for days stays in the log of today."""

from datetime import timedelta

from evidenced.mqtt.outage import Outage
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
