"""The verdict as the daemon gives it, also of what it cannot look at."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from evidenced.core.ids import RecorderName
from evidenced.core.incidents.lifecycle import open_incident
from evidenced.core.telling.judgement import Judgement, Matter, Mood
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import Trouble
from evidenced.metrics import Metrics
from evidenced.pipeline import judging
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.intake import Intake
from evidenced.pipeline.judging import Judge
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.troubles import Conditions
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.incident import LOBBY, Ids, happening, t
from fakes.played_broker import PlayedBroker
from fakes.running import Log
from fakes.world import ToldShare, make_world


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Court:
    """A judge with nothing around that is wrong."""

    def __init__(self, store: SqlStore) -> None:
        self.clock, log = FakeClock(), Log()
        self.agenda = Agenda(self.clock)
        self.world = make_world(store, self.clock, log)
        broker = PlayedBroker()
        self.shares = shares = Shares(self.world, ToldShare(), self.agenda, log.bound)
        intake = Intake(self.world, broker, self.agenda, Metrics("test"), log.bound)
        self.unheard = set[RecorderName]()
        around = Conditions([], shares, lambda: None)
        self.judge = Judge(
            self.world, around, intake, list, lambda: frozenset(self.unheard)
        )


async def test_a_dead_recorder_is_told_on_after_a_restart(store: SqlStore) -> None:
    """Whether it answers by now takes a while to find out."""
    court = Court(store)
    known = Trouble(
        kind=NoticeKind.RECORDER, name="main", text="refused", since=t("06:00")
    )
    await store.write(lambda tx: tx.troubles.save([known]))
    assert (await court.judge.judge()).mood is Mood.GOOD
    court.unheard.add(RecorderName("main"))
    found = await court.judge.judge()
    assert (found.mood, found.causes[0].matter) == (Mood.WARN, Matter.RECORDER)
    assert found.text.startswith("Recorder main has not answered since 06:00")
    over = replace(known, ended_at=t("07:00"))
    await store.write(lambda tx: tx.troubles.save([over]))
    assert (await court.judge.judge()).mood is Mood.GOOD


async def test_a_share_that_hung_is_told_on_until_it_was_looked_at(
    store: SqlStore,
) -> None:
    """A mount that hangs answers no look for a while, and nothing is green then."""
    court = Court(store)
    known = Trouble(kind=NoticeKind.SHARE, name="nas", text="hangs", since=t("06:00"))
    await store.write(lambda tx: tx.troubles.save([known]))
    found = await court.judge.judge()
    assert (found.mood, found.causes[0].matter) == (Mood.WARN, Matter.SHARE)
    await court.shares.once()
    assert (await court.judge.judge()).mood is Mood.GOOD


async def test_a_clock_that_was_set_is_no_green_verdict(store: SqlStore) -> None:
    court = Court(store)
    assert (await court.judge.judge()).mood is Mood.GOOD
    court.clock.jump(timedelta(days=400))
    found = await court.judge.judge()
    assert (found.mood, found.causes[0].matter) == (Mood.WARN, Matter.CLOCK)
    assert "this host's clock was set" in found.text
    court.clock.advance(timedelta(hours=1))
    assert (await court.judge.judge()).mood is Mood.GOOD


async def test_an_incident_from_the_future_is_no_green_verdict(store: SqlStore) -> None:
    court = Court(store)
    alarm = happening(court.clock.now() + timedelta(hours=1), LOBBY)
    change = open_incident(alarm, Ids())
    await store.write(lambda tx: tx.ledger.save([change], court.clock.now()))
    found = await court.judge.judge()
    assert (found.mood, found.causes[0].matter) == (Mood.WARN, Matter.CLOCK)
    assert "incident i1 is of a time that is still to come" in found.text


class Told:
    """Takes what is published."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    async def publish(
        self, _topic: str, payload: bytes, *, retain: bool = True
    ) -> None:
        assert retain
        self.told.put_nowait(json.loads(payload))


async def test_a_store_that_does_not_answer_takes_the_green_verdict_back(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    court, publisher = Court(store), Told()
    answers = asyncio.Event()
    answers.set()

    class Slow(Judge):
        @override
        async def judge(self) -> Judgement:
            await answers.wait()
            return Judgement(mood=Mood.GOOD, text="All footage is safe.")

    court.judge.__class__ = Slow
    monkeypatch.setattr(judging, "ANSWER_LIMIT", timedelta(milliseconds=10))
    monkeypatch.setattr(judging, "TELL_EVERY", timedelta(0))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(court.judge.tell(publisher, court.agenda))
        assert (await publisher.told.get())["mood"] == Mood.GOOD
        answers.clear()
        blind = await publisher.told.get()
        assert blind["mood"] == Mood.BAD
        assert "the store does not answer" in str(blind["text"])
        answers.set()
        assert (await publisher.told.get())["mood"] == Mood.GOOD
        task.cancel()
