"""What becomes of an export that the recorder does not list any more."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from evidenced.core.errors import Reason
from evidenced.core.exports.following import Followed
from evidenced.core.exports.growth import Sighting
from evidenced.core.ids import SessionId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import IncidentState
from evidenced.core.recorder import SessionInfo
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.link import Link
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.track import Track
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.incident import ended, requested, t
from fakes.running import Log
from fakes.world import FixedDice, ScriptedRecorder, ToldShare, make_site, make_world

SESSION = SessionId("s")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Forgetful(ScriptedRecorder):
    """Lists nothing."""

    @override
    async def follow(self, exports: Sequence[ExportRequest]) -> Followed:
        return Followed(session=SESSION, verdicts={})


class Bench:
    """A recorder's tracking over an incident whose one export was asked for."""

    def __init__(self, store: SqlStore, mount: Path) -> None:
        self.store = store
        self.clock, self.log, self.share = FakeClock(t("12:10")), Log(), ToldShare()
        site = make_site(f'mount = "{mount}"')
        world = make_world(store, self.clock, self.log, site)
        agenda = Agenda(self.clock)
        log = self.log.bound
        self.shares = Shares(world, self.share, agenda, log)
        info = SessionInfo(session=SESSION, offset=None, version="")
        settings = next(iter(site.recorders.values()))
        recorder = Forgetful(lambda: info)
        self.link = Link(settings, recorder, self.clock, FixedDice(), log)
        self.track = Track(world, self.link, agenda, Metrics("test"), log, self.shares)
        self.incident, self.export = requested(ended())
        self.folder = mount / "i1"

    async def begin(self) -> None:
        change = Change(
            before=None,
            after=self.incident,
            event=Event.REQUESTED,
            exports=(self.export,),
        )
        await self.store.write(lambda tx: tx.ledger.save([change], self.clock.now()))
        await self.look()

    async def look(self) -> Incident:
        await self.track.once()
        self.clock.advance(timedelta(minutes=1))
        return (await self.store.read(lambda v: v.incidents.get([self.incident.id])))[0]

    async def slots(self) -> int:
        """How many exports count against the recorder's limit."""
        link = self.link
        name = link.settings.name
        running = await self.store.write(
            lambda tx: tx.exports.running(name, link.parked)
        )
        return len(running)


async def test_it_is_asked_for_again(store: SqlStore, tmp_path: Path) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    assert (await bench.look()).state is IncidentState.WAITING


async def test_files_that_no_longer_grow_prove_it(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    bench.share.seen[bench.folder] = Sighting(files=1, size_bytes=1)
    assert (await bench.look()).state is IncidentState.EXPORTING
    bench.share.seen[bench.folder] = Sighting(files=1, size_bytes=2)
    assert (await bench.look()).state is IncidentState.EXPORTING
    assert (await bench.look()).state is IncidentState.EXPORTED


async def test_files_that_never_grew_may_be_half_and_it_is_asked_for_again(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = Bench(store, tmp_path)
    bench.share.seen[bench.folder] = Sighting(files=1, size_bytes=1)
    await bench.begin()
    assert (await bench.look()).state is IncidentState.EXPORTING
    after = await bench.look()
    assert after.state is IncidentState.WAITING
    assert {clip.reason for clip in after.clips} == {Reason.EXPORT_VANISHED}


async def test_what_is_given_up_is_a_warning(store: SqlStore, tmp_path: Path) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    bench.clock.advance(timedelta(days=2))
    after = await bench.look()
    assert after.state is IncidentState.FAILED
    [told] = bench.log.calls("warning")
    assert told["event"] == "footage is given up: it could not be had until give_up"
    assert told["why"] == after.clips[0].message


async def test_what_is_under_way_is_counted(store: SqlStore, tmp_path: Path) -> None:
    bench = Bench(store, tmp_path)
    assert bench.link.live == 0
    await bench.begin()
    assert bench.link.live == 1
    await bench.look()
    await bench.look()
    assert bench.link.live == 0


async def test_the_percent_that_was_seen_last_is_told(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    devices = tuple(replace(each, percent=31.0) for each in bench.export.devices)
    moved = replace(bench.export, devices=devices)
    await store.write(lambda tx: tx.exports.save([moved]))
    [clip, *_] = (await bench.look()).clips
    assert (
        clip.message == "the recorder's list does not show it any more; it was at 31 %"
    )


@pytest.mark.parametrize("is_made", [True, False])
async def test_it_waits_for_a_share_that_cannot_be_looked_at(
    store: SqlStore, tmp_path: Path, *, is_made: bool
) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    assert await bench.slots() == 1
    bench.share.why = "not mounted"
    if is_made:
        bench.share.seen[bench.folder] = Sighting(files=1, size_bytes=1)
    for _ in range(3):
        assert (await bench.look()).state is IncidentState.EXPORTING
    assert await bench.slots() == 0
    assert bench.log.events("warning") == [
        "exports wait for a share that cannot be looked at"
    ]
    bench.share.why = None
    await bench.look()
    if is_made:
        bench.share.seen[bench.folder] = Sighting(files=1, size_bytes=2)
        await bench.look()
    after = await bench.look()
    expected = IncidentState.EXPORTED if is_made else IncidentState.WAITING
    assert after.state is expected
    assert bench.link.parked == frozenset()
