"""What cannot go out holds up nothing that can."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from typing_extensions import override

from evidenced.core.address import Handle
from evidenced.core.errors import BadInput, Reason, RecorderError
from evidenced.core.exports.growth import Sighting
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


INFO = SessionInfo(session=SessionId("s"), offset=None, version="")


class Takes(ScriptedRecorder):
    """Takes every request."""

    def __init__(self) -> None:
        super().__init__(lambda: INFO)
        self.paths: asyncio.Queue[str] = asyncio.Queue()

    @override
    async def export(self, order: ExportOrder) -> tuple[SessionInfo, Answer]:
        self.paths.put_nowait(order.path)
        return INFO, Answer(code="0", handle=Handle("n=1"))


class Bench:
    def __init__(
        self,
        store: SqlStore,
        now: datetime,
        recorder: ScriptedRecorder | None = None,
        destination: str = "",
    ) -> None:
        self.clock, self.log, self.share = FakeClock(now), Log(), ToldShare()
        site = make_site(destination)
        world = make_world(store, self.clock, self.log, site)
        settings = next(iter(site.recorders.values()))
        log, recorder = self.log.bound, recorder or Silent(lambda: INFO)
        self.link = Link(settings, recorder, self.clock, FixedDice(), log)
        agenda = Agenda(self.clock)
        shares = Shares(world, self.share, agenda, log)
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


async def test_nothing_new_is_begun_where_another_node_is_to_go_on(
    store: SqlStore,
) -> None:
    await save(store, named(1))
    bench = Bench(store, t("13:00"), Takes())
    bench.link.drains = True
    async with asyncio.TaskGroup() as group:
        assert not await bench.dispatch.once(group)
        assert bench.link.in_flight == frozenset()
        bench.link.drains = False
        assert await bench.dispatch.once(group)
    assert len(bench.link.in_flight) == 1


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


@pytest.mark.parametrize("fault", [None, OSError("stale file handle")])
async def test_no_folder_with_footage_is_written_to(
    store: SqlStore, tmp_path: Path, fault: OSError | None
) -> None:
    """Seen after `restore`: exports of since then were ordered into the same folders,
    over the files that lay there."""
    mount, recorder = tmp_path / "mnt", Takes()
    bench = Bench(store, t("13:00"), recorder, f'mount = "{mount}"')
    folder = f"{named(1).rule}-{named(1).id}"
    seen = Sighting(files=1, size_bytes=1000)
    bench.share.seen = {mount / folder: seen, mount / f"{folder}-2": seen}
    bench.share.fault = fault
    await save(store, named(1))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(bench.dispatch.run())
        path = await recorder.paths.get()
        running.cancel()
    found = await store.read(lambda view: view.history.after(0, 99))
    texts = [e.detail["text"] for _, e in found if e.event == Event.TAKEN_BACK]
    base = rf"V:\evidence\{folder}"
    if fault is not None:  # nobody can see what lies there
        assert (path, texts) == (base, [])
        return
    assert path == f"{base}-3"
    assert texts == [
        f"footage lies in {base}{n} already, so it goes to another folder"
        for n in ("", "-2")
    ]
    assert bench.link.limited_until is None
