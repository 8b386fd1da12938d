"""What cannot go out holds up nothing that can."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from typing_extensions import override

from evidenced.core.errors import BadInput, Reason, RecorderError
from evidenced.core.exports.line import Service
from evidenced.core.ids import DestinationName, IncidentId, SessionId
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.recorder import Answer, ExportOrder, SessionInfo
from evidenced.core.trust import exactly
from evidenced.metrics import Metrics
from evidenced.pipeline import planner as planning
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.dispatch import Dispatch
from evidenced.pipeline.link import Link
from evidenced.pipeline.shares import Shares
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.incident import ended, s, t
from fakes.running import Log
from fakes.world import FixedDice, ScriptedRecorder, ToldShare, make_site, make_world

BAD = 9


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Silent(ScriptedRecorder):
    """Takes a request and gives no answer."""

    @override
    async def export(self, order: ExportOrder) -> tuple[SessionInfo, Answer]:
        raise RecorderError(Reason.TIMEOUT, f"no answer to {order}", is_sent=True)


class Bench:
    def __init__(self, store: SqlStore, now: datetime) -> None:
        self.clock, self.log = FakeClock(now), Log()
        site = make_site()
        world = make_world(store, self.clock, self.log, site)
        info = SessionInfo(session=SessionId("s"), offset=None, version="")
        settings = next(iter(site.recorders.values()))
        log = self.log.bound
        self.link = Link(settings, Silent(lambda: info), self.clock, FixedDice(), log)
        agenda = Agenda(self.clock)
        shares = Shares(world, ToldShare(), agenda, log)
        self.dispatch = Dispatch(world, self.link, agenda, Metrics("test"), log, shares)


async def save(store: SqlStore, *incidents: Incident) -> None:
    changes = [Change(before=None, after=i, event=Event.OPENED) for i in incidents]
    await store.write(lambda tx: tx.ledger.save(changes, t("06:00")))


def named(n: int) -> Incident:
    return replace(ended(), id=IncidentId(f"i{n:02}"))


async def test_paths_that_cannot_be_made_hold_up_nobody(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folder(incident: Incident, *_: object) -> str:
        if incident.id < named(BAD).id:
            raise BadInput("no folder can be made of it")
        return "V:\\evidence\\good"

    monkeypatch.setattr(planning, "folder_for", folder)
    await save(store, *(named(n) for n in range(BAD + 1)))
    bench = Bench(store, t("13:00"))
    async with asyncio.TaskGroup() as group:
        while await bench.dispatch.once(group):
            pass
    assert len(bench.link.in_flight) == 1
    assert len(bench.log.events("warning")) == BAD


async def test_a_held_destination_lets_the_next_clip_be_due_in_time(
    store: SqlStore,
) -> None:
    first = named(1)
    later = replace(
        named(2),
        clips=tuple(replace(c, due_at=t("13:00") + s(7)) for c in first.clips),
    )
    await save(store, first, later)
    bench = Bench(store, t("13:00"))
    await bench.link.ready(Service.EXPORT)
    held = DestinationName(first.terms.destination)
    full = Answer(reason=Reason.DISK_FULL, code="-60", text="full")
    patience = bench.link.patience(exactly(t("13:00")))
    bench.link.holds.answered(held, full, patience)
    async with asyncio.TaskGroup() as group:
        assert not await bench.dispatch.once(group)
    assert bench.dispatch._until == t("13:00") + s(7)
