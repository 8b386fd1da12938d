"""Silences over a real store: what arrives under one, and what the history says."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.errors import NotFound, Reason, Refused
from evidenced.core.ids import SilenceId
from evidenced.core.incidents.history import Entry
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence, SilenceOrder, Subject
from evidenced.core.incidents.states import IncidentState
from evidenced.core.keeping.records import IncidentFilter
from evidenced.metrics import Metrics
from evidenced.pipeline import silencing
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.intake import accept
from evidenced.pipeline.interpret import Interpret
from evidenced.pipeline.silencing import Silencing
from evidenced.pipeline.turn import Turn
from evidenced.pipeline.world import World
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import START, FakeClock
from fakes.running import Log
from fakes.world import make_world

HOUR = timedelta(hours=1)
ALARM = Alarm(topic="panic/north", payload=b"{}", received_at=START)


def order(
    subject: Subject = Subject.RULE, name: str = "panic", until: datetime = START + HOUR
) -> SilenceOrder:
    return SilenceOrder(subject=subject, name=name, until=until, comment="a drill")


class Bench:
    """The loops that silences concern, by hand."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock()
        self.log = Log()
        self.metrics = Metrics("test")
        self.directory = directory
        self.open()

    def open(self) -> None:
        self.store: SqlStore = open_store(StoreSettings(directory=self.directory))
        self.world: World = make_world(self.store, self.clock, self.log)
        agenda = Agenda(self.clock)
        self.silencing = Silencing(self.world, agenda)
        self.turn = Turn(self.world, agenda, self.log.bound)
        self.interpret = Interpret(self.world, agenda, self.metrics, self.log.bound)

    async def alarm(self, at: datetime, topic: str = "panic/north") -> Incident:
        """One that arrives then; the incident that is the newest after it."""
        each = replace(ALARM, received_at=at, topic=topic)
        await self.store.write(partial(accept, alarms=[each]))
        assert await self.interpret.once()
        [newest] = await self.store.read(
            lambda view: view.incidents.search(IncidentFilter(limit=1))
        )
        return newest

    async def pass_to(self, at: datetime) -> None:
        self.clock.advance(at - self.clock.now())
        await self.turn.once()

    async def entries(self) -> list[Entry]:
        found = await self.store.read(lambda view: view.history.after(0, 99))
        return [entry for _, entry in found if entry.incident is None]

    async def in_force(self) -> list[Silence]:
        now = self.clock.now()
        return await self.store.read(lambda view: view.silences.ending_after(now))

    def counted(self, outcome: str) -> float:
        return float(self.metrics.alarms.labels("panic", outcome)._value.get())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "state")
    yield made
    made.store.close()


async def test_what_arrives_under_a_silence_is_recorded_and_exports_nothing(
    bench: Bench,
) -> None:
    await bench.silencing.begin(order(), "ann")
    await bench.alarm(START)
    incident = await bench.alarm(START + timedelta(seconds=20))
    assert (incident.state, incident.alarms) == (IncidentState.RECORDING, 2)
    assert (bench.counted("silenced"), bench.counted("opened")) == (2, 0)
    await bench.pass_to(START + timedelta(minutes=30))
    dossier = await bench.store.read(lambda view: view.dossier(incident.id))
    assert dossier is not None
    assert dossier.incident.state is IncidentState.CANCELLED
    assert dossier.incident.reason is Reason.SILENCED
    opened, *_, ended = dossier.history
    text = "lobby: silenced by ann until 2026-11-23T07:00:00.000Z: a drill"
    assert opened.detail["silenced"] == [text]
    assert ended.detail["state"] == {"from": "recording", "to": "cancelled"}


async def test_a_batch_after_the_end_is_told_apart_by_receipt(bench: Bench) -> None:
    """The rules may read a message long after it came."""
    await bench.silencing.begin(order(), "ann")
    await bench.pass_to(START + 2 * HOUR)
    under = await bench.alarm(START + timedelta(minutes=59))
    after = await bench.alarm(START + HOUR)
    assert under.wanted == ()
    assert len(after.wanted) == 1


async def test_an_end_by_hand_counts_from_then_on(bench: Bench) -> None:
    made = await bench.silencing.begin(order(), "ann")
    bench.clock.advance(60)
    await bench.silencing.end(made.id, "bob")
    assert await bench.in_force() == []
    assert (await bench.alarm(START)).wanted == ()
    assert (await bench.alarm(START + HOUR / 2)).wanted != ()
    begun, ended = await bench.entries()
    assert (begun.event, ended.event) == ("silence-begun", "silence-ended")
    assert begun.detail == {
        "silence": made.id,
        "rule": "panic",
        "until": "2026-11-23T07:00:00.000Z",
        "by": "ann",
        "author": "ann",
        "comment": "a drill",
    }
    assert ended.detail["by"] == "bob"


async def test_time_ends_one_once_and_the_turn_wakes_for_it(bench: Bench) -> None:
    made = await bench.silencing.begin(order(), "ann")
    assert await bench.store.read(lambda view: view.queue.next_turn()) == made.ends_at
    for at in (START + HOUR - timedelta(seconds=1), START + HOUR, START + 2 * HOUR):
        await bench.pass_to(at)
    begun, ended = await bench.entries()
    assert (ended.event, ended.detail["by"]) == ("silence-ended", "time")
    assert ended.at == START + HOUR
    assert begun.at == START
    assert await bench.store.read(lambda view: view.queue.next_turn()) is None


async def test_one_survives_a_restart(bench: Bench) -> None:
    made = await bench.silencing.begin(order(Subject.TOPIC, "panic/+"), "ann")
    bench.store.close()
    bench.open()
    assert await bench.in_force() == [made]
    assert (await bench.alarm(START)).wanted == ()


async def test_a_silence_of_another_topic_is_not_this_ones(bench: Bench) -> None:
    await bench.silencing.begin(order(Subject.TOPIC, "panic/south"), "ann")
    assert len((await bench.alarm(START)).wanted) == 1


@pytest.mark.parametrize(
    ("subject", "name", "says"),
    [
        (Subject.RULE, "panik", "there is no rule 'panik'"),
        (Subject.CAMERA, "loby", "there is no camera 'loby'"),
    ],
)
async def test_a_misspelt_name_is_told(
    bench: Bench, subject: Subject, name: str, says: str
) -> None:
    with pytest.raises(NotFound, match=says):
        await bench.silencing.begin(order(subject, name), "ann")
    with pytest.raises(NotFound, match="there is no silence 'x'"):
        await bench.silencing.end(SilenceId("x"), "ann")
    assert await bench.entries() == []


async def test_there_are_so_many_and_no_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silencing, "MOST_IN_FORCE", 1)
    first = await bench.silencing.begin(order(), "ann")
    with pytest.raises(Refused, match="1 silences are in force"):
        await bench.silencing.begin(order(), "ann")
    await bench.pass_to(first.ends_at)
    monkeypatch.setattr(bench.world.dice, "token", lambda: "bbbbbbbb")
    later = order(until=START + 2 * HOUR)
    assert (await bench.silencing.begin(later, "ann")).starts_at == first.ends_at


async def test_past_ones_are_listed_bounded_and_pruned(bench: Bench) -> None:
    made = await bench.silencing.begin(order(), "ann")
    now = START + 2 * HOUR
    await bench.pass_to(now)
    past = await bench.store.read(lambda view: view.silences.past(now, 9))
    assert past == [replace(made, is_over=True)]
    assert await bench.store.read(lambda view: view.silences.past(now, 0)) == []
    await bench.store.write(lambda tx: tx.past.prune(now, 9))
    assert await bench.store.read(lambda view: view.silences.past(now, 9)) == []
