"""An export that stands still is told by name and gives its slot away."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from evidenced.core.address import Handle
from evidenced.core.exports import exporting
from evidenced.core.exports.following import Followed, Verdict
from evidenced.core.exports.growth import Sighting
from evidenced.core.exports.standstill import still
from evidenced.core.ids import SessionId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event
from evidenced.core.recorder import SessionInfo
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.trust import exactly
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.link import Link
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.track import Track
from evidenced.pipeline.troubles import Conditions
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.incident import ended, m, requested, t
from fakes.running import Log
from fakes.world import FixedDice, ScriptedRecorder, ToldShare, make_site, make_world

SESSION, HANDLE = SessionId("s"), Handle("s 7")
TOLD = "an export stands still; its slot is given to others"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Slow(ScriptedRecorder):
    """Lists every export at a percentage."""

    percent: float | None = 40.0

    @override
    async def follow(self, exports: Sequence[ExportRequest]) -> Followed:
        verdicts = {
            each.id: Verdict(
                devices=tuple(replace(d, percent=self.percent) for d in each.devices),
                done=frozenset(),
                failed=frozenset(),
                handle=HANDLE,
            )
            for each in exports
        }
        return Followed(session=SESSION, verdicts=verdicts)


class Bench:
    """A recorder's tracking over one export that it took."""

    def __init__(self, store: SqlStore, mount: Path | None = None) -> None:
        self.store = store
        self.clock, self.log, self.share = FakeClock(t("12:10")), Log(), ToldShare()
        self.site = make_site(f'mount = "{mount}"' if mount else "")
        self.mount = mount
        self.incident, self.export = requested(ended())
        self.restart()

    def restart(self) -> None:
        world = make_world(self.store, self.clock, self.log, self.site)
        log = self.log.bound
        agenda = Agenda(self.clock)
        shares = Shares(world, self.share, agenda, log)
        info = SessionInfo(session=SESSION, offset=None, version="")
        [settings] = self.site.recorders.values()
        self.recorder = Slow(lambda: info)
        self.link = Link(settings, self.recorder, self.clock, FixedDice(), log)
        self.track = Track(world, self.link, agenda, Metrics("test"), log, shares)
        self.around = Conditions([self.link], shares, lambda: None)

    async def begin(self) -> None:
        change = Change(
            before=None,
            after=self.incident,
            event=Event.REQUESTED,
            exports=(self.export,),
        )
        taken = exporting.adopt(self.incident, self.export, HANDLE, self.clock.now())
        steps = [change, taken]
        await self.store.write(lambda tx: tx.ledger.save(steps, self.clock.now()))

    async def look(self, minutes: float, every: float = 1) -> None:
        for _ in range(round(minutes / every)):
            await self.track.once()
            self.clock.advance(timedelta(minutes=every))

    @property
    def told(self) -> int:
        return self.log.events("warning").count(TOLD)


async def test_one_that_stands_still_is_told_once_and_holds_no_slot(
    store: SqlStore,
) -> None:
    bench = Bench(store)
    await bench.begin()
    await bench.look(30)
    assert (bench.link.stuck, bench.link.parked) == ((), frozenset())
    await bench.look(10)
    assert bench.link.parked == {bench.export.id}
    assert bench.told == 1
    [(kind, name), text] = next(iter(bench.around.conditions().items()))
    assert (kind, name) == (NoticeKind.STUCK, bench.export.path)
    assert text.startswith("the export of incident i1 at recorder main to ")


async def test_it_is_watched_on_and_moves_again(store: SqlStore) -> None:
    bench = Bench(store)
    await bench.begin()
    await bench.look(40)
    bench.recorder.percent = 41.0
    await bench.look(1)
    assert bench.link.parked == frozenset()
    assert bench.around.conditions() == {}


async def test_a_restart_forgets_nothing_and_a_recorder_that_was_away_is_not_stuck(
    store: SqlStore,
) -> None:
    bench = Bench(store)
    await bench.begin()
    await bench.look(40)
    bench.restart()
    await bench.look(2)
    assert bench.link.parked == {bench.export.id}
    bench.restart()
    bench.clock.advance(timedelta(hours=5))
    bench.recorder.percent = 50.0
    await bench.look(5)
    assert bench.link.parked == frozenset()


async def test_files_that_grow_are_progress(store: SqlStore, tmp_path: Path) -> None:
    bench = Bench(store, tmp_path)
    bench.recorder.percent = None
    await bench.begin()
    for minute in range(90):
        bench.share.seen[tmp_path / "i1"] = Sighting(files=1, size_bytes=1 + minute)
        await bench.look(1)
        assert bench.link.parked == frozenset()
    await bench.look(40)
    assert bench.link.parked == {bench.export.id}


def test_one_that_waits_for_an_earlier_one_is_not_stuck() -> None:
    _, first = requested(ended())
    moving = replace(first, moved_at=t("12:40"))
    behind = replace(first, id=2, moved_at=t("12:00"))
    now = exactly(t("12:45"))
    assert still([moving, behind], now, m(30)) == []
    begun = tuple(replace(each, percent=3.0) for each in behind.devices)
    passed = replace(behind, devices=begun)
    assert still([moving, passed], now, m(30)) == [passed]
    assert still([replace(moving, moved_at=t("12:01")), behind], now, m(30)) == [
        replace(moving, moved_at=t("12:01")),
        behind,
    ]
