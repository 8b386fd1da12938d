"""What the broker delivers again, and what it does not: with a real mosquitto."""

import asyncio
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from conftest import MosquittoFactory
from evidenced.core.alarms.payload import BEGINNING_BYTES, Whole
from fakes.mosquitto import Mosquitto, Peer
from fakes.running import (
    Log,
    make_broker,
    packet_ids,
    payloads,
    receive,
    running,
    settings_for,
    stamps,
    until,
)

PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@PROTOCOLS
async def test_unacknowledged_comes_again_with_dup_and_its_packet_id(
    mosquitto: Mosquitto, protocol: str
) -> None:
    settings = settings_for(mosquitto, protocol=protocol)
    with Peer(mosquitto.port) as peer:
        async with running(make_broker(settings), is_crash=True) as broker:
            peer.publish_all("alarms/1", [b"a", b"b"])
            first = await receive(broker, 2)
        async with running(make_broker(settings)) as broker:
            again = await receive(broker, 2)
            broker.acknowledge(again)
    assert payloads(again) == payloads(first) == [b"a", b"b"]
    assert packet_ids(again) == packet_ids(first)
    assert [stamp.is_repeat for stamp in stamps(first + again)] == [False] * 2 + [
        True
    ] * 2


@PROTOCOLS
async def test_acknowledged_does_not_come_again(
    mosquitto: Mosquitto, protocol: str
) -> None:
    settings = settings_for(mosquitto, protocol=protocol)
    with Peer(mosquitto.port) as peer:
        async with running(make_broker(settings)) as broker:
            peer.publish_all("alarms/1", [b"a", b"b"])
            broker.acknowledge(await receive(broker, 2))
        async with running(make_broker(settings)) as broker:
            peer.publish("alarms/1", b"c")
            assert payloads(await receive(broker, 1)) == [b"c"]


@PROTOCOLS
@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_the_session_survives_a_broker_that_restarts(
    mosquitto: Mosquitto, protocol: str, end: str
) -> None:
    async with running(
        make_broker(settings_for(mosquitto, protocol=protocol))
    ) as broker:
        with Peer(mosquitto.port) as peer:
            peer.publish_all("alarms/1", [b"done", b"open"])
        done, left_open = await receive(broker, 2)
        broker.acknowledge([done])
        await _confirmed(broker)
        getattr(mosquitto, end)()
        await until(broker, lambda: not broker.is_connected)
        mosquitto.start()
        again = await receive(broker, 1)
        assert payloads(again) == [b"open"]
        assert stamps(again)[0].is_repeat
        assert packet_ids(again) == packet_ids([left_open])
        broker.acknowledge([left_open])  # of the dead connection: skipped
        broker.acknowledge(again)


async def _confirmed(broker: Any) -> None:
    """The broker has seen the acknowledgements: it answers a publish sent later."""
    connection = broker._connection
    await connection.unsubscribe(["nothing"])


@PROTOCOLS
async def test_ten_thousand_arrive_once_in_order(
    mosquitto_factory: MosquittoFactory, protocol: str
) -> None:
    mosquitto = mosquitto_factory(is_persistent=False)
    sent = [b"%d" % number for number in range(10_000)]
    got: list[bytes] = []
    async with running(
        make_broker(settings_for(mosquitto, protocol=protocol))
    ) as broker:
        with Peer(mosquitto.port) as peer:
            publishing = asyncio.to_thread(peer.publish_all, "alarms/1", sent)
            async with asyncio.timeout(60), asyncio.TaskGroup() as group:
                group.create_task(publishing)
                while len(got) < len(sent):
                    batch = await broker.receive(256)
                    got += payloads(batch)
                    broker.acknowledge(batch)
    assert got == sent
    async with running(
        make_broker(settings_for(mosquitto, protocol=protocol))
    ) as broker:
        with Peer(mosquitto.port) as peer:
            peer.publish("alarms/1", b"after")
        assert payloads(await receive(broker, 1)) == [b"after"]


async def test_no_more_in_flight_than_the_receive_maximum(
    mosquitto: Mosquitto,
) -> None:
    settings = settings_for(mosquitto, inflight=5)
    async with running(make_broker(settings)) as broker:
        with Peer(mosquitto.port) as peer:
            peer.publish_all("alarms/1", [b"%d" % number for number in range(12)])
        first = await receive(broker, 5)
        await _confirmed(broker)  # whatever else were sent would be here by now
        assert len(broker._inbox._unsettled) == 5
        broker.acknowledge(first)
        rest = await receive(broker, 5)
        broker.acknowledge(rest)
        rest += await receive(broker, 2)
        broker.acknowledge(rest)
        assert payloads(first + rest) == [b"%d" % number for number in range(12)]


async def test_a_broker_without_a_window_is_bounded_and_nothing_is_lost(
    mosquitto_factory: MosquittoFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3.1.1 has no receive maximum, and mosquitto can be told to have no limit."""
    monkeypatch.setattr("evidenced.mqtt.inbox.MAX_HELD", 50)
    mosquitto = mosquitto_factory(options=["max_inflight_messages 0"])
    sent = [b"%d" % number for number in range(200)]
    seen: list[bytes] = []
    settings = settings_for(mosquitto, protocol="3.1.1")
    async with running(make_broker(settings)) as broker:
        with Peer(mosquitto.port) as peer:
            peer.publish_all("alarms/1", sent)
        await _confirmed(broker)
        assert len(broker._inbox._unsettled) == 50, "memory is not stuck"
        while len(seen) < len(sent):
            batch = await receive(broker, 1)
            seen += payloads(batch)
            broker.acknowledge(batch)
    assert seen == sent


async def test_a_flood_of_qos_0_is_bounded_and_counted(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidenced.mqtt.inbox.MAX_HELD", 10)
    async with running(make_broker(settings_for(mosquitto))) as broker:
        with Peer(mosquitto.port) as peer:
            peer.publish_all("alarms/1", [b"x"] * 30, qos=0)
            peer.publish("alarms/2", b"qos 1 still has room")
        got = await receive(broker, 11)
        assert broker._inbox.dropped == 20
        assert payloads(got) == [b"x"] * 10 + [b"qos 1 still has room"]
        assert [d.alarm.stamp is None for d in got] == [True] * 10 + [False]
        broker.acknowledge(got)


@PROTOCOLS
async def test_retained_is_true_for_replays_of_old_states_only(
    mosquitto: Mosquitto, protocol: str
) -> None:
    settings = settings_for(mosquitto, protocol=protocol)
    with Peer(mosquitto.port) as peer:
        peer.publish("alarms/old", b"state of yesterday", retain=True)
        async with running(make_broker(settings)) as broker:
            replay = await receive(broker, 1)
            peer.publish("alarms/new", b"now", retain=True)
            live = await receive(broker, 1)
            broker.acknowledge(replay + live)
        peer.publish("alarms/away", b"while away", retain=True)
        async with running(make_broker(settings)) as broker:
            queued = await receive(broker, 1)
            broker.acknowledge(queued)
    assert [d.alarm.retained for d in replay + live + queued] == [True, False, False]


async def test_a_resumed_session_replays_no_old_states(mosquitto: Mosquitto) -> None:
    settings = settings_for(mosquitto)
    with Peer(mosquitto.port) as peer:
        peer.publish("alarms/old", b"state", retain=True)
        async with running(make_broker(settings)) as broker:
            broker.acknowledge(await receive(broker, 1))
        async with running(make_broker(settings)) as broker:
            peer.publish("alarms/live", b"live")
            assert payloads(await receive(broker, 1)) == [b"live"]


async def test_receive_that_is_cancelled_takes_nothing(mosquitto: Mosquitto) -> None:
    async with running(make_broker(settings_for(mosquitto))) as broker:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await broker.receive(10)
        with Peer(mosquitto.port) as peer:
            peer.publish("alarms/1", b"a")
        assert payloads(await receive(broker, 1)) == [b"a"]


async def test_large_and_empty_payloads(mosquitto: Mosquitto) -> None:
    large = b"\xff" * 3_000_000
    async with running(make_broker(settings_for(mosquitto))) as broker:
        with Peer(mosquitto.port) as peer:
            peer.publish("alarms/1", large)
            peer.publish("alarms/1", b"\0" * 5_000_000)  # over our maximum: not sent
            peer.publish("alarms/1", b"")
        got = await receive(broker, 2)
        # more than any rule reads: only its beginning is held
        assert payloads(got) == [large[:BEGINNING_BYTES], b""]
        whole = got[0].alarm.whole
        assert whole == Whole(size=3_000_000, sha256=sha256(large).hexdigest())
        assert got[1].alarm.whole is None
        broker.acknowledge(got)


@PROTOCOLS
async def test_a_stuck_consumer_keeps_its_connection(
    mosquitto: Mosquitto, protocol: str
) -> None:
    """We go on reading while the window is full: pings are answered and seen."""
    settings = settings_for(
        mosquitto, protocol=protocol, inflight=5, keepalive=timedelta(seconds=1)
    )
    log = Log()
    async with running(make_broker(settings, log=log)) as broker:
        with Peer(mosquitto.port) as peer:
            peer.publish_all("alarms/1", [b"x"] * 50)
        await mosquitto.said("Sending PINGRESP to evidenced-test", times=3)
        assert broker.is_connected
        assert log.events("info") == ["connected to the broker"]
        assert log.events("warning") == []
        assert len(broker._inbox._unsettled) <= 20
