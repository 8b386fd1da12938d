"""What the loops know of trouble, written down once it lasts."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports.line import Service
from evidenced.core.ids import DestinationName
from evidenced.core.incidents.lifecycle import open_incident
from evidenced.core.recorder import Answer, SessionInfo
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.trust import exactly
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.link import Link
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.troubles import AHEAD, Conditions, Troubles
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import START, FakeClock
from fakes.incident import LOBBY, Ids, happening
from fakes.running import Log
from fakes.world import FixedDice, ScriptedRecorder, ToldShare, make_world

NAS = DestinationName("nas")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


def refused() -> SessionInfo:
    raise RecorderError(Reason.UNREACHABLE, "connection refused", is_sent=False)


async def test_all_that_is_known_is_written_down_and_taken_back(
    store: SqlStore,
) -> None:
    clock, log = FakeClock(), Log()
    world, agenda = make_world(store, clock, log), Agenda(clock)
    [settings] = world.site.recorders.values()
    link = Link(settings, ScriptedRecorder(refused), clock, FixedDice(), log.bound)
    shares = Shares(world, ToldShare(), agenda, log.bound)
    broker: list[str] = []
    around = Conditions([link], shares, lambda: broker[0] if broker else None)
    troubles = Troubles(world, around, agenda, log.bound)
    watched = await troubles.start()
    shares.waiting[1] = NAS, "footage waits"
    assert around.conditions() == {(NoticeKind.SHARE, "nas"): "footage waits"}
    shares.waiting.clear()
    assert around.conditions() == {}  # not asked yet is no trouble
    await link.ready(Service.EXPORT)
    full = Answer(reason=Reason.DISK_FULL, code="-60", text="no room\nleft")
    link.holds.answered(NAS, full, link.patience(exactly(clock.now())))
    shares._closed.look({NAS: "/mnt is not mounted"})
    broker.append("connection lost")
    link.limit(START)
    assert around.conditions() == {
        (NoticeKind.RECORDER, "main"): "connection refused",
        (NoticeKind.DESTINATION, "nas"): (
            "the destination's disk is full, it says: no room\ufffdleft"
        ),
        (
            NoticeKind.QUEUE,
            "main",
        ): "limits.exports_per_recorder is reached; what is due "
        "goes on at 2026-11-23T06:00:00.000Z, nothing is lost",
        (NoticeKind.SHARE, "nas"): "/mnt is not mounted",
        (NoticeKind.BROKER, ""): "connection lost",
    }
    await troubles.once(watched)
    assert await store.read(lambda view: view.troubles.open()) == []
    clock.advance(60)
    await troubles.once(watched)
    open_ = await store.read(lambda view: view.troubles.open())
    assert {each.kind for each in open_} == {
        NoticeKind.RECORDER,
        NoticeKind.DESTINATION,
        NoticeKind.QUEUE,
        NoticeKind.SHARE,
        NoticeKind.BROKER,
    }
    broker.clear()
    clock.advance(60)
    await troubles.once(watched)
    left = await store.read(lambda view: view.troubles.open())
    assert {each.kind for each in open_} - {each.kind for each in left} == {
        NoticeKind.BROKER
    }
    entries = await store.read(lambda view: view.history.after(0, 99))
    events = [entry.event for _, entry in entries]
    assert events == ["trouble-begun"] * 5 + ["trouble-ended"]
    lasted = await store.read(
        lambda view: (
            view.figures.between(START, START + timedelta(hours=1), START).troubles
        )
    )
    [over] = [each for each in lasted if each.kind is NoticeKind.BROKER]
    assert over == replace(over, since=START, ended_at=START + timedelta(minutes=2))


async def test_an_incident_of_a_time_to_come_is_told(store: SqlStore) -> None:
    """Its alarm came while the clock was ahead; nobody knows its true time."""
    clock, log = FakeClock(), Log()
    world, agenda = make_world(store, clock, log), Agenda(clock)
    around = Conditions([], Shares(world, ToldShare(), agenda, log.bound), str)
    troubles = Troubles(world, around, agenda, log.bound)
    watched = await troubles.start()
    alarm = happening(clock.now() + timedelta(hours=1), LOBBY)
    change = open_incident(alarm, Ids())
    await store.write(lambda tx: tx.ledger.save([change], clock.now()))
    for _ in range(2):
        await troubles.once(watched)
        clock.advance(timedelta(minutes=1))
    [told] = await store.read(lambda view: view.troubles.open())
    assert (told.kind, told.name) == (NoticeKind.CLOCK, "")
    assert told.text.startswith("incident i1 is of a time that is still to come:")
    clock.advance(timedelta(hours=1) - AHEAD)
    await troubles.once(watched)
    assert await store.read(lambda view: view.troubles.open()) == []
