"""What a broker sends again is stored once, and a free identifier's next use is too.

The daemon's own connection, intake and store, against a broker that a test plays: with
the identifiers and flags that real ones were seen to use.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evidenced.metrics import Metrics
from evidenced.mqtt.broker import Broker
from evidenced.mqtt.settings import BrokerSettings
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.intake import Intake
from evidenced.ports import Tx
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.played_broker import CONNECT, UNSUBSCRIBE, PlayedBroker, played
from fakes.running import Log, make_broker, payloads, receive, running
from fakes.world import make_world


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


@dataclass
class House:
    """The daemon's way from the broker into the store."""

    broker: Broker
    store: SqlStore
    wrote: asyncio.Event

    async def kept(self) -> list[bytes]:
        found = await self.store.read(lambda view: view.inbox.oldest(99))
        return [alarm.payload for _, alarm in found]

    async def marked(self) -> bool:
        """Whether identifier 1 has a mark."""
        return bool(await self.store.write(lambda tx: tx.deliveries.marks([1], [])))

    async def until(self, look: Callable[[], Awaitable[bool]]) -> None:
        """Look anew after each commit."""
        async with asyncio.timeout(60):
            while not await look():
                await self.wrote.wait()
                self.wrote.clear()


def settings_of(broker: PlayedBroker) -> BrokerSettings:
    return BrokerSettings(
        host="127.0.0.1",
        port=broker.port,
        client_id="evidenced-test",
        protocol="5" if broker.is_v5 else "3.1.1",
    )


@asynccontextmanager
async def house(played_by: PlayedBroker, store: SqlStore) -> AsyncIterator[House]:
    clock, log = FakeClock(), Log()
    world = make_world(store, clock, log)
    wrote, write = asyncio.Event(), world.write

    async def watched(step: Callable[[Tx], Any]) -> Any:
        done = await write(step)
        wrote.set()
        return done

    world.write = watched  # type: ignore[method-assign]
    broker = make_broker(settings_of(played_by), clock=clock, log=log)

    async def note() -> None:
        def forget(tx: Tx, broker: Broker = broker) -> None:
            tx.deliveries.forget(broker.remembered.over)

        await world.write(forget)

    broker.note = note
    intake = Intake(world, broker, Agenda(clock), Metrics("test"), log.bound)
    async with running(broker):
        task = asyncio.create_task(intake.run())
        yield House(broker, store, wrote)
        task.cancel()
        await asyncio.wait({task})
    await store.write(lambda tx: tx.history.head())  # what was begun before is done


async def stored(
    broker: PlayedBroker, packet_id: int, payload: bytes, *, is_repeat: bool = False
) -> None:
    """Sent, stored and acknowledged."""
    before = len(broker.acknowledged)
    broker.send(packet_id, payload, is_repeat=is_repeat)
    await broker.until(lambda: len(broker.acknowledged) > before)


async def test_a_free_identifier_is_another_alarm_though_it_comes_with_dup(
    store: SqlStore,
) -> None:
    """HiveMQ gives the lowest free one at once.

    A press, acknowledged, and the broker's answer to our probe: it knows. The next one
    is lost with the line and comes again.
    """
    broker = PlayedBroker()
    async with played(broker), house(broker, store) as daemon:
        await stored(broker, 1, b"ALARM")
        await broker.until(lambda: UNSUBSCRIBE in broker.asked)
        await daemon.until(lambda: _not(daemon.marked()))
        broker.has_session = True
        broker.on_connect = lambda it: it.send(1, b"ALARM", is_repeat=True)
        broker.cut()
        await broker.until(lambda: broker.acknowledged == [1, 1])
        assert await daemon.kept() == [b"ALARM"] * 2


async def _not(question: Awaitable[bool]) -> bool:
    return not await question


async def test_a_free_identifier_that_was_seen_is_another_alarm() -> None:
    """It came without DUP and waits unread; then the line breaks."""
    broker = PlayedBroker()
    async with played(broker):
        inbox = make_broker(settings_of(broker))
        async with running(inbox):
            broker.send(1, b"ALARM")
            [first] = await receive(inbox, 1)
            inbox.acknowledge([first])
            await broker.until(lambda: broker.acknowledged == [1])
            broker.send(1, b"ALARM")
            await _heard(inbox)
            broker.has_session = True
            broker.on_connect = lambda it: it.send(1, b"ALARM", is_repeat=True)
            broker.cut()
            await broker.until(lambda: broker.asked.count(CONNECT) == 2)
            got = await receive(inbox, 2)
            assert payloads(got) == [b"ALARM"] * 2
            assert [each.alarm.stamp.is_repeat for each in got if each.alarm.stamp] == [
                False,
                True,
            ]


async def _heard(broker: Broker) -> None:
    """What was sent before the answer to this is here."""
    connection = broker._connection
    assert connection is not None
    await connection.unsubscribe(["nothing"])


async def _has(daemon: House, count: int) -> bool:
    return len(await daemon.kept()) >= count


ALARMS = tuple(b"%d" % n for n in range(5))
Again = Callable[[PlayedBroker], None]


def same(broker: PlayedBroker) -> None:
    """As mosquitto, NATS and ejabberd do."""
    for n, payload in enumerate(ALARMS, start=21):
        broker.send(n, payload, is_repeat=True)


def renumbered(broker: PlayedBroker) -> None:
    """As RabbitMQ does."""
    for n, payload in enumerate(ALARMS, start=1):
        broker.send(n, payload, is_repeat=True)


def unflagged(broker: PlayedBroker) -> None:
    """As aedes does."""
    for n, payload in enumerate(ALARMS, start=21):
        broker.send(n, payload)


@pytest.mark.parametrize("is_v5", [True, False])
@pytest.mark.parametrize("again", [same, renumbered, unflagged])
async def test_what_is_sent_again_is_stored_once(
    store: SqlStore, again: Again, is_v5: bool
) -> None:
    """The commit is done, the acknowledgements are lost with the line."""
    broker = PlayedBroker(is_v5=is_v5)
    async with played(broker), house(broker, store) as daemon:
        for n in range(1, 21):
            await stored(broker, n, b"before")
        await broker.until(lambda: UNSUBSCRIBE in broker.asked)
        broker.is_deaf = True
        for n, payload in enumerate(ALARMS, start=21):
            broker.send(n, payload)
        await daemon.until(lambda: _has(daemon, 25))
        broker.is_deaf, broker.has_session = False, True
        heard = len(broker.acknowledged)
        broker.on_connect = again
        broker.cut()
        await broker.until(lambda: len(broker.acknowledged) == heard + 5)
        assert (await daemon.kept())[20:] == [*ALARMS]
        await stored(broker, 99, ALARMS[0])
        assert len(await daemon.kept()) == 26, "a new one of the same text"


async def test_an_acknowledgement_given_twice_does_not_reach_the_next_message() -> None:
    """The broker takes the lowest free identifier again: a second PUBACK would hit."""
    broker = PlayedBroker()
    async with played(broker):
        ours = make_broker(settings_of(broker))
        async with running(ours):
            broker.send(1, b"first")
            first = await receive(ours, 1)
            ours.acknowledge(first)
            await broker.until(lambda: broker.acknowledged == [1])
            broker.send(1, b"second")
            second = await receive(ours, 1)
            ours.acknowledge(first)
            broker.send(2, b"third")
            ours.acknowledge(await receive(ours, 1))
            await broker.until(lambda: 2 in broker.acknowledged)
            assert broker.acknowledged == [1, 2], "the second is not ours to give away"
            ours.acknowledge(second)
            await broker.until(lambda: broker.acknowledged == [1, 2, 1])
