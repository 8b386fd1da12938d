"""State topics: confirmed, cleared, waiting, refused."""

import asyncio
from typing import Any

from conftest import MosquittoFactory
from evidenced.mqtt.broker import Broker
from fakes.mosquitto import Mosquitto, Peer
from fakes.running import (
    Log,
    connecting,
    make_broker,
    running,
    settings_for,
    until,
)

BASE = "evidenced/site-1"


async def test_published_is_retained_and_an_empty_payload_clears(
    mosquitto: Mosquitto,
) -> None:
    settings = settings_for(mosquitto, base_topic=BASE)
    async with running(make_broker(settings)) as broker:
        await broker.publish("incidents/1", b"{}")
        await broker.publish("incidents/2", b"{}")
        await broker.publish("incidents/1", b"")
        await broker.publish("event", b"!", retain=False)
        with Peer(mosquitto.port) as peer:
            peer.subscribe(f"{BASE}/incidents/#", f"{BASE}/event")
            message = peer.next()
            assert message.topic == f"{BASE}/incidents/2"
            peer.publish(f"{BASE}/event", b"last")
            assert peer.next().payload == b"last"


async def test_it_waits_while_disconnected(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    broker = make_broker(settings_for(mosquitto, base_topic=BASE))
    async with connecting(broker):
        await until(broker, lambda: broker.problem is not None)
        publishing = asyncio.create_task(broker.publish("incidents/1", b"{}"))
        failures = broker._outage.failures
        await until(broker, lambda: broker._outage.failures > failures)
        assert not publishing.done()
        mosquitto.start()
        async with asyncio.timeout(60):
            await publishing
        with Peer(mosquitto.port) as peer:
            peer.subscribe(f"{BASE}/incidents/#")
            assert peer.next().payload == b"{}"


def sending(broker: Broker) -> asyncio.Event:
    """Set once the connection waits for the answer to something that it was given."""
    connection, waits = broker._connection, asyncio.Event()
    assert connection is not None
    answer = connection._answer

    async def noted(*given: Any) -> Any:
        waits.set()
        return await answer(*given)

    connection._answer = noted  # type: ignore[method-assign]
    return waits


async def test_it_survives_a_broker_that_dies_under_it(mosquitto: Mosquitto) -> None:
    settings = settings_for(mosquitto, base_topic=BASE)
    async with running(make_broker(settings)) as broker:
        mosquitto.freeze()
        sent = sending(broker)
        publishing = asyncio.create_task(broker.publish("incidents/1", b"{}"))
        await sent.wait()
        mosquitto.kill()
        mosquitto.start()
        async with asyncio.timeout(60):
            await publishing
        with Peer(mosquitto.port) as peer:
            peer.subscribe(f"{BASE}/incidents/#")
            assert peer.next().payload == b"{}"


async def test_many_at_once(mosquitto_factory: MosquittoFactory) -> None:
    mosquitto = mosquitto_factory(is_persistent=False)
    settings = settings_for(mosquitto, base_topic=BASE)
    async with running(make_broker(settings)) as broker, asyncio.timeout(60):
        async with asyncio.TaskGroup() as group:
            for number in range(500):
                group.create_task(broker.publish(f"incidents/{number}", b"{}"))
        assert broker.is_subscribed


async def test_a_refused_topic_is_told_once_and_holds_nothing_up(
    mosquitto_factory: MosquittoFactory,
) -> None:
    mosquitto = mosquitto_factory(acl="topic read #\ntopic write alarms/#\n")
    log = Log()
    settings = settings_for(mosquitto, base_topic=BASE)
    async with running(make_broker(settings, log=log)) as broker:
        async with asyncio.timeout(60):
            await broker.publish("incidents/1", b"{}")
            await broker.publish("incidents/2", b"{}")
        assert broker.is_subscribed
        assert broker.problem is None
    (warning,) = log.calls("warning")
    assert warning["reason"] == "Not authorized"


async def test_without_a_base_topic_nothing_is_published(mosquitto: Mosquitto) -> None:
    with Peer(mosquitto.port) as peer:
        peer.subscribe("#")
        async with running(make_broker(settings_for(mosquitto))) as broker:
            await broker.publish("incidents/1", b"{}")
        peer.publish("end", b"end")
        assert peer.next().topic == "end"
