"""The session over time: absence, confirmation, last will, filters, stop, takeover."""

import asyncio
from datetime import timedelta

import pytest

from conftest import MosquittoFactory
from evidenced.app import GOODBYE_LIMIT
from evidenced.core.alarms.deliveries import Confirmable
from evidenced.core.instants import ZERO
from evidenced.ending import ANSWERS_GRACE, STEP_LIMIT
from evidenced.mqtt.broker import GOODBYE_S, STOP_TIMEOUT_S, Broker
from evidenced.mqtt.connection import TICK_S
from evidenced.mqtt.settings import BrokerSettings
from evidenced.ports import AlarmSource, Publisher, Remembered
from fakes.clock import START, FakeClock
from fakes.mosquitto import Mosquitto, Peer
from fakes.played_broker import DISCONNECT, PlayedBroker, played
from fakes.running import (
    Log,
    connecting,
    make_broker,
    payloads,
    receive,
    running,
    settings_for,
    stamps,
    until,
)

AWAY = timedelta(minutes=7)


def test_it_is_what_the_ports_ask_for(mosquitto: Mosquitto) -> None:
    broker = make_broker(settings_for(mosquitto))
    ports: tuple[AlarmSource, Publisher] = (broker, broker)  # mypy is the judge
    assert all(hasattr(port, "run") for port in ports)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_what_was_queued_while_the_daemon_was_away_says_so(
    mosquitto: Mosquitto, protocol: str
) -> None:
    clock = FakeClock()
    settings = settings_for(mosquitto, protocol=protocol)
    async with running(make_broker(settings, clock=clock)) as first:
        pass
    alive = first.remembered.last_alive
    assert alive == clock.now()
    clock.advance(AWAY)
    with Peer(mosquitto.port) as peer:
        peer.publish("alarms/1", b"while away")
        again = make_broker(
            settings, clock=clock, remembered=Remembered(last_alive=alive)
        )
        async with running(again) as broker:
            queued = await receive(broker, 1)
            assert broker.remembered.last_alive == alive, "it is not settled yet"
            broker.acknowledge(queued)
            assert broker.remembered.last_alive == alive, "the broker may hold more"
            clock.advance(3)
            peer.publish("alarms/1", b"live")
            live = await receive(broker, 1)
            broker.acknowledge(live)
            assert broker.remembered.last_alive == clock.now()
    assert [d.alarm.absence for d in queued + live] == [AWAY, ZERO]


async def test_a_broker_that_restarts_leaves_us_away_since_it_was_last_heard(
    mosquitto: Mosquitto,
) -> None:
    clock = FakeClock()
    async with running(make_broker(settings_for(mosquitto), clock=clock)) as broker:
        clock.advance(3)
        with Peer(mosquitto.port) as peer:
            peer.publish("alarms/1", b"live")
        broker.acknowledge(await receive(broker, 1))
        mosquitto.stop()
        await until(broker, lambda: not broker.is_connected)
        clock.advance(AWAY)
        mosquitto.start()
        await until(broker, lambda: broker.is_subscribed)
        with Peer(mosquitto.port) as peer:
            peer.publish("alarms/1", b"at once")
        got = await receive(broker, 1)
        assert [d.alarm.absence for d in got] == [AWAY]
        broker.acknowledge(got)


async def test_a_new_session_has_no_absence_but_is_told(
    mosquitto_factory: MosquittoFactory,
) -> None:
    mosquitto = mosquitto_factory(is_persistent=False)
    clock, log = FakeClock(), Log()
    settings = settings_for(mosquitto)
    async with running(make_broker(settings, clock=clock, log=log)) as broker:
        assert broker.sessions_lost == 0
        left = Remembered(last_alive=broker.remembered.last_alive)
    assert log.events("error") == []
    mosquitto.stop()
    mosquitto.start()
    clock.advance(AWAY)
    broker = make_broker(settings, clock=clock, log=log, remembered=left)
    async with running(broker):
        with Peer(mosquitto.port) as peer:
            peer.publish("alarms/1", b"live")
        got = await receive(broker, 1)
        assert [d.alarm.absence for d in got] == [ZERO]
    assert broker.sessions_lost == 1
    (error,) = log.calls("error")
    assert "forgotten our session" in error["event"]
    assert error["away_since"] == "2026-11-23T06:00:00.000Z"


@pytest.mark.parametrize(
    "left",
    [
        Remembered(),
        Remembered(last_alive=START - timedelta(hours=2)),
        Remembered(last_alive=START + timedelta(days=3650)),  # the clock was ahead
    ],
)
async def test_a_session_nobody_remembers_is_as_old_as_it_may_be(
    mosquitto: Mosquitto, left: Remembered
) -> None:
    settings = settings_for(mosquitto, session_expiry=timedelta(hours=1))
    async with running(make_broker(settings)):
        pass
    with Peer(mosquitto.port) as peer:
        peer.publish("alarms/1", b"queued")
    async with running(make_broker(settings, remembered=left)) as broker:
        got = await receive(broker, 1)
        assert [d.alarm.absence for d in got] == [timedelta(hours=1)]


async def test_a_new_session_is_noted_before_anything_can_come_in_it(
    mosquitto_factory: MosquittoFactory,
) -> None:
    """And only then; a process that finds a session counts on from what is noted."""
    mosquitto = mosquitto_factory(is_persistent=False)
    noted: list[tuple[int, bool]] = []
    settings, left = settings_for(mosquitto), Remembered()
    for does_forget in (False, False, True):
        if does_forget:
            mosquitto.stop()
            mosquitto.start()
        broker = make_broker(settings, remembered=left)

        async def write(broker: Broker = broker) -> None:
            noted.append((broker.remembered.session, broker.is_subscribed))

        broker.note = write
        async with running(broker):
            left = Remembered(session=broker.remembered.session)
    assert noted == [(1, False), (2, False)]


async def test_without_a_note_it_subscribes_all_the_same(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidenced.mqtt.broker.NOTE_S", 0.0)
    broker = make_broker(settings_for(mosquitto))

    async def write() -> None:
        await asyncio.Event().wait()

    broker.note = write
    with Peer(mosquitto.port) as peer:
        async with running(broker):
            peer.publish("alarms/1", b"a")
            assert payloads(await receive(broker, 1)) == [b"a"]


async def test_confirmed_before_follows_the_acknowledgement(
    mosquitto: Mosquitto,
) -> None:
    clock = FakeClock()
    settings = settings_for(mosquitto)
    with Peer(mosquitto.port) as peer:
        async with running(make_broker(settings, clock=clock), is_crash=True) as broker:
            peer.publish("alarms/1", b"a")
            done = await receive(broker, 1)
            clock.advance(3)
            broker.acknowledge(done)
            deliveries = broker._inbox.deliveries
            assert deliveries.over.before == 0, "the broker cannot know yet"
            await _confirmed(broker, stamps(done)[0].number)
            peer.publish("alarms/1", b"b")
            await receive(broker, 1)
        # What was confirmed does not come again, what was not acknowledged does.
        async with running(make_broker(settings, clock=clock)) as broker:
            again = await receive(broker, 1)
            assert payloads(again) == [b"b"]
            clock.advance(3)
            assert broker._inbox.confirmable() is None, "a repeat is still open"
            broker.acknowledge(again)
            await _confirmed(broker, stamps(again)[0].number)


async def _confirmed(broker: Broker, delivery: int) -> None:
    """It is asked for by itself, about each second."""
    deliveries, answered = broker._inbox.deliveries, asyncio.Event()
    confirm = deliveries.confirm

    def confirmed(what: Confirmable) -> None:
        confirm(what)
        answered.set()

    deliveries.confirm = confirmed  # type: ignore[method-assign]
    async with asyncio.timeout(60):
        while deliveries.over.before <= delivery:
            await answered.wait()
            answered.clear()


async def test_others_see_online_offline_and_the_last_will(
    mosquitto: Mosquitto,
) -> None:
    settings = settings_for(mosquitto, base_topic="evidenced/site-1")
    with Peer(mosquitto.port) as peer:
        peer.subscribe("evidenced/site-1/status")
        async with running(make_broker(settings)):
            assert peer.next().payload == b"online"
        assert peer.next().payload == b"offline"
        async with running(make_broker(settings), is_crash=True):
            assert peer.next().payload == b"online"
        assert peer.next().payload == b"offline"
    with Peer(mosquitto.port) as late:
        late.subscribe("evidenced/#")
        message = late.next()
        assert (message.payload, message.retain) == (b"offline", True)


async def test_filters_that_change(mosquitto: Mosquitto) -> None:
    async with running(make_broker(settings_for(mosquitto), ["old", "both"])) as broker:
        broker.set_filters(["both", "new"])
        assert not broker.is_subscribed
        await until(broker, lambda: broker.is_subscribed)
        assert broker.remembered.filters == {"both", "new"}
        with Peer(mosquitto.port) as peer:
            for topic in ("old", "both", "new"):
                peer.publish(topic, topic)
        assert payloads(await receive(broker, 2)) == [b"both", b"new"]


async def test_filters_of_an_earlier_configuration_are_unsubscribed(
    mosquitto: Mosquitto,
) -> None:
    settings = settings_for(mosquitto)
    async with running(make_broker(settings, ["old", "both"])) as broker:
        left = Remembered(filters=broker.remembered.filters)
    again = make_broker(settings, ["both"], remembered=left)
    async with running(again) as broker:
        with Peer(mosquitto.port) as peer:
            peer.publish("old", b"old")
            peer.publish("both", b"both")
        assert payloads(await receive(broker, 1)) == [b"both"]


async def test_another_client_with_our_id_is_named_as_a_suspect(
    mosquitto: Mosquitto,
) -> None:
    """Mosquitto 2.0.11 closes the old connection without the reason 0x8E."""
    settings = settings_for(mosquitto, client_id="twin")
    async with running(make_broker(settings)) as broker:
        with Peer(mosquitto.port, client_id="twin", expiry_s=60):
            await until(broker, lambda: not broker.is_connected)
            assert "another client uses client_id 'twin'" in (broker.problem or "")


async def test_a_streak_of_failures_warns_once_and_tells_of_its_end(
    mosquitto: Mosquitto,
) -> None:
    log = Log()
    tries = asyncio.Event()
    async with running(make_broker(settings_for(mosquitto), log=log)) as broker:
        mosquitto.stop()
        await until(broker, lambda: len(log.calls("debug")) >= 2)
        tries.set()
        mosquitto.start()
        await until(broker, lambda: broker.is_subscribed)
    assert len(log.calls("warning")) == 1
    assert log.calls("info")[-1]["failures"] >= 3
    assert log.events("error") == []


async def test_stop_is_bounded_while_the_broker_hangs(mosquitto: Mosquitto) -> None:
    log = Log()
    broker = make_broker(settings_for(mosquitto), log=log)
    async with running(broker):
        mosquitto.freeze()
    mosquitto.thaw()
    assert log.events("warning") == ["the broker did not let us leave in time"]


async def test_a_broker_that_is_slow_to_answer_gets_our_disconnect_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("evidenced.mqtt.broker.GOODBYE_S", 0.05)
    slow, log = PlayedBroker(), Log()
    async with played(slow):
        settings = BrokerSettings(
            host="127.0.0.1", port=slow.port, client_id="c", base_topic="evidenced/s"
        )
        async with running(make_broker(settings, log=log)):
            slow.is_mute = True
        await slow.until(lambda: DISCONNECT in slow.asked)
    assert log.events("warning") == ["the broker did not let us leave in time"]
    assert ("evidenced/s/status", b"offline") in slow.published


def test_each_limit_of_the_goodbye_has_room_in_the_next() -> None:
    assert GOODBYE_S + TICK_S < STOP_TIMEOUT_S < GOODBYE_LIMIT.total_seconds()
    steps = ANSWERS_GRACE + GOODBYE_LIMIT + STEP_LIMIT + STEP_LIMIT
    assert steps < timedelta(seconds=10), "what a stop is promised to take at most"


async def test_stop_while_there_is_no_broker(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    broker = make_broker(settings_for(mosquitto))
    async with connecting(broker):
        await until(broker, lambda: "refuses" in (broker.problem or ""))
    assert not broker.is_connected


async def test_a_silent_broker_is_noticed(mosquitto: Mosquitto) -> None:
    settings = settings_for(mosquitto, keepalive=timedelta(seconds=1))
    async with running(make_broker(settings)) as broker:
        mosquitto.freeze()
        await until(broker, lambda: not broker.is_connected)
        assert "went silent" in (broker.problem or "")
        mosquitto.thaw()
        await until(broker, lambda: broker.is_subscribed)
