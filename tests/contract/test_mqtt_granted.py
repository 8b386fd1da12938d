"""A broker that grants less than was asked for, or hangs up where it refuses."""

from dataclasses import replace

import pytest

from evidenced.mqtt.granted import Granted
from evidenced.mqtt.settings import BrokerSettings
from fakes.played_broker import CONNECT, PUBLISH, SUBSCRIBE, PlayedBroker, played
from fakes.running import Log, connecting, make_broker, payloads, receive, until


def settings_of(broker: PlayedBroker, base_topic: str = "") -> BrokerSettings:
    return BrokerSettings(
        host="127.0.0.1",
        port=broker.port,
        client_id="evidenced-test",
        protocol="5" if broker.is_v5 else "3.1.1",
        base_topic=base_topic,
    )


SHORT = [
    (bytes.fromhex("1100015180"), "keeps our session for 1 d"),
    (bytes.fromhex("2400"), "takes QoS 0 only"),
    (bytes.fromhex("2500"), "retains nothing"),
    (bytes.fromhex("2700000400"), "packets of up to 1024 bytes"),
]


@pytest.mark.parametrize(("properties", "text"), SHORT)
async def test_what_connack_grants_less_is_told_once(
    properties: bytes, text: str
) -> None:
    """RabbitMQ 4 cuts the session to a day, ejabberd to five minutes, and says so."""
    broker, log = PlayedBroker(properties=properties), Log()
    async with played(broker):
        ours = make_broker(settings_of(broker, "evidenced/s"), log=log)
        async with connecting(ours):
            await until(ours, lambda: ours.is_subscribed)
            [short] = ours.shortfalls
            assert text in short
            broker.cut()
            await until(ours, lambda: broker.asked.count(CONNECT) == 2)
            await until(ours, lambda: ours.is_subscribed)
    told = [call["why"] for call in log.calls("warning") if "why" in call]
    assert told == [short]


GRANTS = bytes.fromhex("1100000e1021001425002700002000")
"""Session expiry 1 h, receive maximum 20, nothing retained, packets of 8192 bytes."""


async def test_what_it_grants_is_one_line() -> None:
    broker = PlayedBroker(properties=GRANTS)
    async with played(broker):
        ours = make_broker(settings_of(broker, "evidenced/s"))
        async with connecting(ours):
            await until(ours, lambda: ours.is_subscribed)
            assert ours.granted.startswith(
                "keeps our session for 1 h, QoS 1, does not retain states, takes "
                "packets of up to 8192 bytes, 20 of them at once; "
            )
            assert len(ours.shortfalls) == 2
        assert "3.1.1" in Granted().told(replace(settings_of(broker), protocol="3.1.1"))


async def test_what_is_granted_as_asked_is_not_told() -> None:
    broker = PlayedBroker(properties=bytes.fromhex("1100093a80"))
    async with played(broker):
        ours = make_broker(settings_of(broker, "evidenced/s"))
        async with connecting(ours):
            await until(ours, lambda: ours.is_subscribed)
            assert ours.shortfalls == []


async def test_a_subscription_at_qos_0_is_told() -> None:
    broker = PlayedBroker(is_v5=False, grants=lambda _: 0)
    async with played(broker):
        ours = make_broker(settings_of(broker))
        async with connecting(ours):
            await until(ours, lambda: ours.is_subscribed)
            [short] = ours.shortfalls
            assert "takes QoS 0 only" in short


@pytest.mark.parametrize("is_v5", [True, False])
async def test_a_broker_that_hangs_up_on_our_states_stops_no_alarm(
    is_v5: bool,
) -> None:
    broker, log = PlayedBroker(is_v5=is_v5, accepts=lambda _: None), Log()
    async with played(broker):
        ours = make_broker(settings_of(broker, "evidenced/s"), log=log)
        async with connecting(ours):
            await until(ours, lambda: "publish under" in (ours.problem or ""))
            assert "'evidenced/s'" in str(ours.problem)
            await until(ours, lambda: ours.is_subscribed)
            broker.send(1, b"alarm")
            got = await receive(ours, 1)
            ours.acknowledge(got)
            await broker.until(lambda: broker.acknowledged == [1])
            assert payloads(got) == [b"alarm"]
            assert broker.asked.count(PUBLISH) == 2
    assert sum("hangs up when we publish" in e for e in log.events("warning")) == 1


async def test_a_broker_that_hangs_up_on_a_subscription_grants_the_others() -> None:
    """RabbitMQ: the SUBACK says which, and then it closes."""
    broker = PlayedBroker(
        hangs_up=True, grants=lambda name: 0x87 if name == "secret/+" else 1
    )
    async with played(broker):
        ours = make_broker(settings_of(broker), ["alarms/#", "secret/+"])
        async with connecting(ours):
            await until(ours, lambda: "'secret/+' is refused" in (ours.problem or ""))
            await broker.until(lambda: broker.asked.count(SUBSCRIBE) == 2)
            broker.send(1, b"alarm")
            assert payloads(await receive(ours, 1)) == [b"alarm"]
            assert "'secret/+' is refused" in str(ours.problem)
