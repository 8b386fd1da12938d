"""An export is called exported once footage was seen; its row waits for its share."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.address import Handle
from evidenced.core.errors import Reason
from evidenced.core.exports import checking, exporting
from evidenced.core.exports.following import Verdict
from evidenced.core.exports.growth import Sighting
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.operating import cancel
from evidenced.core.incidents.states import ExportState
from evidenced.core.instants import SECOND
from evidenced.core.telling.notice import NoticeKind
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.checking import Checking
from evidenced.pipeline.shares import Shares
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.incident import DOOR, LOBBY, ended, patience, requested, states, t
from fakes.running import Log
from fakes.world import ToldShare, make_site, make_world

NOW = t("12:10")
FOOTAGE = Sighting(files=2, size_bytes=5_000_000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Bench:
    """An export that the recorder calls done, on a share that is mounted."""

    def __init__(self, store: SqlStore, mount: Path | None) -> None:
        self.store, self.mount = store, mount
        self.clock, self.log, self.share = FakeClock(NOW), Log(), ToldShare()
        self.incident, self.export = requested(ended(LOBBY, DOOR))
        self.restart()

    def restart(self) -> None:
        """What is in memory is gone."""
        site = make_site(f'mount = "{self.mount}"' if self.mount else "")
        world = make_world(self.store, self.clock, self.log, site)
        agenda, log = Agenda(self.clock), self.log.bound
        self.shares = shares = Shares(world, self.share, agenda, log)
        self.checking = Checking(world, shares, agenda, Metrics("test"), log)

    async def begin(self, failed: frozenset[int] = frozenset()) -> None:
        devices = self.export.devices
        every = {device.clip for device in devices}
        handle = Handle("n=1")
        adopted = exporting.adopt(self.incident, self.export, handle, NOW)
        verdict = Verdict(
            devices=devices, done=frozenset(every - failed), failed=failed
        )
        done = exporting.finish(
            adopted.after, adopted.exports[0], verdict, patience(NOW), is_checked=True
        )
        first = Change(
            before=None,
            after=self.incident,
            event=Event.REQUESTED,
            exports=(self.export,),
        )
        steps = [first, adopted, done]
        await self.store.write(lambda tx: tx.ledger.save(steps, NOW))

    async def look(self, times: int = 1) -> Incident:
        for _ in range(times):
            await self.checking.once()
            self.clock.advance(timedelta(minutes=2))
        found = await self.store.read(lambda v: v.incidents.get([self.incident.id]))
        return found[0]

    async def state(self) -> ExportState:
        found = await self.store.read(lambda v: v.exports.of([self.incident.id]))
        return found[0].state

    def put(self, sighting: Sighting) -> None:
        assert self.mount is not None
        self.share.seen[self.mount / "i1"] = sighting


async def test_footage_that_is_seen_makes_it_exported(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    assert await bench.state() is ExportState.CHECKING
    for kind, waits in ((NoticeKind.SHARE, 1), (NoticeKind.DESTINATION, 0)):
        key = kind, bench.export.destination
        assert await store.read(lambda v, k=key: v.facts.waiting(k)) == waits
    bench.put(FOOTAGE)
    assert states(await bench.look()) == ["exported", "exported"]
    assert await bench.state() is ExportState.EXPORTED
    [entry] = [
        e
        for _, e in await store.read(lambda v: v.history.after(0, 99))
        if e.event == Event.EXPORTED
    ]
    assert (entry.detail["files"], entry.detail["bytes"]) == (2, 5_000_000)
    assert not bench.log.events("warning")


async def test_an_empty_folder_is_asked_for_again(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    assert states(await bench.look(checking.LOOKS - 1)) == ["exporting", "exporting"]
    after = await bench.look()
    assert states(after) == ["due", "due"]
    assert {clip.reason for clip in after.clips} == {Reason.NO_FOOTAGE}
    assert await bench.state() is ExportState.EMPTY
    assert len(bench.log.events("warning")) == 1


async def test_footage_that_comes_late_is_no_loss(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    await bench.look(checking.LOOKS - 1)
    bench.put(FOOTAGE)
    assert states(await bench.look()) == ["exported", "exported"]


async def test_a_row_waits_for_its_share_over_a_restart(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    bench.share.fault = OSError(116, "Stale file handle")
    after = await bench.look(3 * checking.LOOKS)
    assert states(after) == ["exporting", "exporting"]
    assert set(bench.shares.troubles.values()) == {
        "footage waits to be looked at: Stale file handle"
    }
    assert bench.log.events("warning") == [
        "an export waits for its share to be looked at"
    ]
    bench.restart()
    bench.share.fault = None
    bench.put(FOOTAGE)
    assert states(await bench.look()) == ["exported", "exported"]
    assert not bench.shares.troubles


async def test_looks_that_found_nothing_do_not_count_across_an_absence(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    await bench.look(checking.LOOKS - 1)
    bench.share.why = "not mounted"
    await bench.look()
    bench.share.why = None
    assert states(await bench.look(checking.LOOKS - 1)) == ["exporting", "exporting"]


async def test_without_a_mount_the_recorder_s_word_counts(store: SqlStore) -> None:
    bench = Bench(store, None)
    await bench.begin()  # as if a reload had taken the mount away
    assert states(await bench.look()) == ["exported", "exported"]


async def test_it_is_missing_once_it_is_given_up(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    bench.clock.advance(timedelta(days=2))
    after = await bench.look(checking.LOOKS)
    assert states(after) == ["missing", "missing"]
    assert (after.state, after.reason) == ("failed", Reason.NO_FOOTAGE)


async def test_a_device_that_failed_goes_its_own_way(
    store: SqlStore, tmp_path: Path
) -> None:
    """What is asked for anew meanwhile is not called exported by the first folder."""
    bench = Bench(store, tmp_path)
    await bench.begin(failed=frozenset({2}))
    assert states(await bench.look()) == ["exporting", "due"]
    bench.put(FOOTAGE)
    assert states(await bench.look()) == ["exported", "due"]


async def test_what_is_far_too_small_is_told_and_no_loss(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    seconds = sum(clip.window.length / SECOND for clip in bench.incident.clips)
    least = int(seconds * checking.LEAST_RATE)
    bench.put(Sighting(files=1, size_bytes=least - 1))
    assert states(await bench.look()) == ["exported", "exported"]
    assert bench.log.events("warning") == [
        "an export is far too small to be all of its footage"
    ]
    whole = Sighting(files=1, size_bytes=least)
    assert not checking.is_too_small(replace(bench.export), whole)


async def test_a_cancelled_clip_stays_so(store: SqlStore, tmp_path: Path) -> None:
    bench = Bench(store, tmp_path)
    await bench.begin()
    [before] = await store.read(lambda v: v.incidents.get([bench.incident.id]))
    change = cancel(before, "ann", bench.clock.now())
    await store.write(lambda tx: tx.ledger.save([change], bench.clock.now()))
    bench.put(FOOTAGE)
    assert states(await bench.look()) == ["cancelled", "cancelled"]
    assert await bench.state() is ExportState.EXPORTED
