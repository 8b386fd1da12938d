"""What waits to be read is bounded, and nothing is lost at the bound."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import pytest

from evidenced.core.alarms.alarm import Alarm, NotTaken
from evidenced.core.alarms.expression import Expression
from evidenced.core.alarms.payload import BEGINNING_BYTES, LATER_BYTES, Whole
from evidenced.core.errors import NotFound
from evidenced.core.keeping.kept import WHOLE_ALARMS, IncidentFilter
from evidenced.metrics import Metrics
from evidenced.pipeline import intake as taking_in
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.intake import STREAK_S, Intake, accept
from evidenced.pipeline.interpret import Interpret
from evidenced.ports import AlarmSource, Delivery, Tx
from evidenced.store import SqlStore, StoreSettings, open_store
from evidenced.store.recorded import open_recordings
from fakes.clock import START, FakeClock
from fakes.deliveries import delivered
from fakes.mosquitto import Mosquitto, Peer
from fakes.rule import read_alarm
from fakes.running import Log, make_broker, running, settings_for
from fakes.world import make_world

T = TypeVar("T")
FULL = "too much waits to be read; alarms wait at the broker"
AGAIN = "alarms are taken from the broker again"
ALARM = Alarm(topic="panic/north", payload=b"{}", received_at=START)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Bench:
    """A world with a small bound, and the two loops on either side of the inbox."""

    def __init__(self, store: SqlStore) -> None:
        self.log = Log()
        self.clock = FakeClock()
        self.world = make_world(store, self.clock, self.log)
        self._write, self._wrote = self.world.write, asyncio.Event()
        self.world.write = self.write  # type: ignore[method-assign]
        self.agenda = Agenda(self.clock)
        self.metrics = Metrics("test")
        self.interpret = Interpret(
            self.world, self.agenda, self.metrics, self.log.bound
        )

    def intake(self, source: AlarmSource) -> Intake:
        return Intake(self.world, source, self.agenda, self.metrics, self.log.bound)

    async def waiting(self) -> int:
        return await self.world.read(lambda view: view.inbox.waiting().bytes)

    async def taken(self) -> int:
        found = await self.world.read(
            lambda view: view.incidents.search(IncidentFilter())
        )
        return sum(each.alarms for each in found)

    async def write(self, step: Callable[[Tx], T]) -> T:
        done = await self._write(step)
        self._wrote.set()
        return done

    async def until(self, event: str, times: int = 1) -> None:
        await self.log.until("warning", event, times)

    async def until_bytes(self, is_so: Callable[[int], bool]) -> None:
        await self.until_so(self.waiting, is_so)

    async def until_so(
        self, look: Callable[[], Awaitable[int]], is_so: Callable[[int], bool]
    ) -> None:
        """Look anew after each commit."""
        async with asyncio.timeout(60):
            while True:
                self._wrote.clear()
                if is_so(await look()):
                    return
                await self._wrote.wait()


async def test_beyond_the_bytes_alarms_wait_at_the_broker_and_none_is_lost(
    store: SqlStore, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound, size, sent, inflight = 400_000, 100_000, 40, 4
    monkeypatch.setattr(taking_in, "MAX_INBOX_BYTES", bound)
    bench = Bench(store)
    broker = make_broker(settings_for(mosquitto, inflight=inflight), ["panic/+"])
    async with running(broker):
        intake = bench.intake(broker)
        tasks = [asyncio.create_task(intake.run())]
        with Peer(mosquitto.port) as peer:
            payloads = [b'{"n": %d}' % (100 + n) + b" " * size for n in range(sent)]
            await asyncio.to_thread(peer.publish_all, "panic/north", payloads)
        await bench.until(FULL)
        assert bound <= await bench.waiting() <= bound + (inflight + 1) * size
        assert mosquitto.log.count("Received PUBACK from evidenced") <= 2 * inflight
        assert broker.is_connected
        assert "alarms wait at the broker" in str(intake.problem)
        tasks.append(asyncio.create_task(bench.interpret.run()))
        await bench.until_so(bench.taken, lambda taken: taken >= sent)
        await bench.interpret.drain()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert await bench.taken() == sent
    assert await bench.waiting() == 0
    assert intake.problem is None
    assert mosquitto.log.count("Received PUBACK from evidenced") == sent
    assert bench.log.events("warning") == [FULL], "once, however often it was met"
    assert bench.log.events("info").count(AGAIN) == 1


class Hose:
    """A source that gives as many alarms of a thousand bytes as it was told to."""

    def __init__(self) -> None:
        self.alarm = replace(ALARM, payload=bytes(1000))
        self.left = asyncio.Semaphore(0)

    def open(self, alarms: int) -> None:
        for _ in range(alarms):
            self.left.release()

    async def receive(self, _limit: int) -> list[Delivery]:
        await self.left.acquire()
        return [self]

    def acknowledge(self, _deliveries: list[Delivery]) -> None:
        pass


@pytest.mark.parametrize(("pause", "told"), [(STREAK_S, 2), (STREAK_S - 1, 1)])
async def test_a_bound_that_is_met_again_later_is_told_again(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, pause: float, told: int
) -> None:
    monkeypatch.setattr(taking_in, "MAX_INBOX_BYTES", 10_000)
    bench, source = Bench(store), Hose()
    task = asyncio.create_task(bench.intake(source).run())
    for round_ in (1, 2):
        source.open(11)  # the last one has to wait
        if round_ == 1 or told == 2:
            await bench.until(FULL, round_)
        else:
            await bench.until_bytes(lambda size: size >= 10_000)
        await bench.interpret.once()
        await bench.until_bytes(lambda size: 0 < size < 10_000)
        await bench.interpret.once()
        bench.clock.advance(pause)
    assert bench.log.events("warning").count(FULL) == told
    assert bench.log.events("info").count(AGAIN) == told
    task.cancel()
    await asyncio.wait({task})


# ---- what is kept of payloads


async def storm(
    store: SqlStore, payloads: list[bytes], topic: str = ALARM.topic
) -> Bench:
    bench = Bench(store)
    alarms = [replace(ALARM, payload=payload, topic=topic) for payload in payloads]
    await store.write(partial(accept, alarms=alarms))
    while await bench.interpret.once():
        pass
    return bench


async def test_the_first_alarms_are_kept_whole_and_later_ones_cut(
    store: SqlStore, tmp_path: Path
) -> None:
    size = 100_000
    sent = [b'{"n": %d}' % (100 + n) + b" " * size for n in range(WHOLE_ALARMS + 3)]
    bench = await storm(store, sent)
    [incident] = await store.read(lambda view: view.incidents.search(IncidentFilter()))
    dossier = await bench.world.read(lambda view: view.dossier(incident.id, whole=True))
    assert dossier is not None
    kept = [each.payload for each in dossier.alarms]
    assert kept[:WHOLE_ALARMS] == sent[:WHOLE_ALARMS]
    assert kept[WHOLE_ALARMS:] == [each[:LATER_BYTES] for each in sent[WHOLE_ALARMS:]]
    assert [each.whole for each in dossier.alarms] == [None] * WHOLE_ALARMS + [
        Whole(size=len(each), sha256=sha256(each).hexdigest())
        for each in sent[WHOLE_ALARMS:]
    ]
    with open_recordings(StoreSettings(directory=tmp_path / "state")) as found:
        cut = found.find(f"{incident.id}/{WHOLE_ALARMS + 1}").alarm
        whole = found.find(f"{incident.id}/1").alarm
        for part in (incident.id[-8:], incident.id[:18]):
            assert found.find(f"{part}/1").alarm == whole
        for name in ("/1", "nowhere/1", f"{incident.id[-8:]}/99"):
            with pytest.raises(NotFound, match="no message is kept"):
                found.find(name)
    when = Expression.parse("n")
    rules = [replace(each, when=when) for each in bench.world.site.rules]
    assert not isinstance(read_alarm(rules, whole), NotTaken)
    verdict = read_alarm(rules, cut)
    assert isinstance(verdict, NotTaken)
    assert "of the payload's 100010 bytes were kept" in verdict.detail


async def test_a_small_later_alarm_is_whole(store: SqlStore) -> None:
    sent = [b'{"n": %d}' % (100 + n) for n in range(WHOLE_ALARMS + 3)]
    bench = await storm(store, sent)
    [incident] = await store.read(lambda view: view.incidents.search(IncidentFilter()))
    dossier = await bench.world.read(lambda view: view.dossier(incident.id))
    assert dossier is not None
    assert [each.payload for each in dossier.alarms] == sent
    assert {each.whole for each in dossier.alarms} == {None}


async def test_a_refused_message_remembers_what_it_was(store: SqlStore) -> None:
    large = b"x" * 5000
    await storm(store, [large, b"y"], topic="nobody/reads")
    found = await store.read(lambda view: view.refused.newest(9))
    assert [each.whole for each in found] == [
        None,
        Whole(size=5000, sha256=sha256(large).hexdigest()),
    ]


async def test_too_large_messages_are_repeats_only_if_all_of_them_is_the_same(
    store: SqlStore,
) -> None:
    """Their beginnings are alike."""
    first = replace(
        ALARM,
        payload=b"a" * BEGINNING_BYTES,
        whole=Whole(size=300_000, sha256="1" * 64),
    )
    other = replace(first, whole=Whole(size=300_000, sha256="2" * 64))
    await store.write(partial(accept, alarms=[delivered(first)]))
    for alarm, repeats in ((other, 0), (other, 1)):
        again = delivered(alarm, is_repeat=True)
        step = partial(accept, alarms=[again])
        assert (await store.write(step)).repeats == repeats
    waiting = await store.read(lambda view: view.inbox.oldest(9))
    assert [each.whole for _, each in waiting] == [first.whole, other.whole]
