import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from evidenced.core.exports.growth import Search, Sighting
from evidenced.core.ids import DestinationName
from evidenced.core.keeping.health import Room
from evidenced.host.threads import on_thread
from evidenced.pipeline import shares as sharing
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.shares import Shares
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.incident import ended, requested
from fakes.running import Log
from fakes.world import ToldShare, make_site, make_world

NAS = DestinationName("nas")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


def shares_of(store: SqlStore, mount: Path | None) -> tuple[Shares, ToldShare, Log]:
    clock, log, share = FakeClock(), Log(), ToldShare()
    site = make_site(f'mount = "{mount}"' if mount else "")
    world = make_world(store, clock, log, site)
    return Shares(world, share, Agenda(clock), log.bound), share, log


async def test_a_share_that_is_gone_closes_its_destination(
    store: SqlStore, tmp_path: Path
) -> None:
    shares, share, log = shares_of(store, tmp_path)
    share.why = "not mounted"
    await shares.once()
    await shares.once()
    assert shares.problems == {NAS: "not mounted"}
    assert len(log.events("warning")) == 1
    share.why = None
    await shares.once()
    assert shares.problems == {}
    assert log.events("info") == ["share is back"]


async def test_a_share_that_cannot_be_listed_is_told_and_sent_to(
    store: SqlStore, tmp_path: Path
) -> None:
    """It is this host's mount that is ill: the recorder has a way of its own."""
    shares, share, log = shares_of(store, tmp_path)
    share.blind = "stale"
    for _ in range(2):
        await shares.once()
    assert (shares.problems, shares.blind) == ({}, {NAS: "stale"})
    assert log.events("warning") == ["share cannot be listed; exports go there unseen"]
    share.why = "not mounted"
    await shares.once()
    assert (shares.problems, shares.blind) == ({NAS: "not mounted"}, {})
    share.why = share.blind = None
    await shares.once()
    assert (shares.problems, shares.blind) == ({}, {})
    assert "share can be listed again" in log.events("info")


async def test_a_destination_without_a_mount_is_not_looked_at(store: SqlStore) -> None:
    shares, share, _ = shares_of(store, None)
    share.why = "never asked"
    await shares.once()
    assert shares.problems == {}
    _, export = requested(ended())
    assert not shares.covers(export)
    assert await shares.search([export]) == Search()


async def test_files_are_looked_for_where_the_export_went(
    store: SqlStore, tmp_path: Path
) -> None:
    shares, share, _ = shares_of(store, tmp_path)
    _, export = requested(ended())
    export = replace(export, path=r"v:\Evidence\panic-1\sub")
    seen = Sighting(files=2, size_bytes=9)
    share.seen[tmp_path / "panic-1" / "sub"] = seen
    assert shares.covers(export)
    assert await shares.search([export]) == Search(found={export.id: seen})
    elsewhere = replace(export, path=r"W:\other\panic-1")
    assert not shares.covers(elsewhere)
    other = replace(export, destination=DestinationName("other"))
    assert shares.covers(other)  # perhaps it is called nas now


@pytest.mark.parametrize("fault", ["known", "since", "unreadable"])
async def test_a_share_that_cannot_be_looked_at_proves_nothing(
    store: SqlStore, tmp_path: Path, fault: str
) -> None:
    shares, share, _ = shares_of(store, tmp_path)
    _, export = requested(ended())
    if fault == "unreadable":
        share.fault = PermissionError("denied")
    else:
        share.why = "not mounted"
    if fault == "known":
        await shares.once()
    assert shares.covers(export)
    assert await shares.search([export]) == Search(unknown=frozenset({export.id}))


class HangingShare(ToldShare):
    """Hangs in every look until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.let_go = threading.Event()

    @override
    def problem(self, mount: Path, marker: str | None, min_free: int = 0) -> str | None:
        self.looks += 1
        self.let_go.wait(60)
        return super().problem(mount, marker, min_free)


async def test_a_share_that_hangs_costs_one_thread_of_its_own(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "LOOK_LIMIT", timedelta(milliseconds=20))
    share = HangingShare()
    world = make_world(store, FakeClock(), None, make_site(f'mount = "{tmp_path}"'))
    shares = Shares(world, share, Agenda(FakeClock()), Log().bound)
    for _ in range(40):
        await shares.once()
    assert share.looks == 1
    assert "has not answered" in shares.problems[NAS]
    assert await asyncio.to_thread(lambda: "free") == "free"
    share.let_go.set()
    async with asyncio.timeout(60):
        while shares.problems:
            await on_thread(lambda: None)  # behind the look that has been let go
            await shares.once()


async def test_a_share_that_fills_up_is_told_before_it_is_closed(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares, share, _ = shares_of(store, tmp_path)
    site = shares._world.site
    nas = replace(site.destinations[NAS], min_free=400_000)
    shares._world.adopt(replace(site, destinations={NAS: nas}))
    room = Room(free=1_200_000, total=9_000_000)
    monkeypatch.setattr(share, "room", lambda _mount: room)
    await shares.once()
    assert shares.notes() == []
    room = Room(free=1_199_999, total=9_000_000)
    await shares.once()
    assert shares.notes() == [
        (
            "share nas is filling up: 1.2 MB free, and nothing is sent there below "
            "400.0 kB (min_free)"
        )
    ]


async def test_a_node_that_stood_still_changes_no_files(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its older record would take the place of the one that another node wrote."""
    shares, _, _ = shares_of(store, tmp_path)
    file = tmp_path / "incident.json"
    file.write_text("newer")
    with monkeypatch.context() as patch:
        patch.setattr(store, "left", lambda _lease: timedelta())
        with pytest.raises(OSError, match="another node may do the work now"):
            await shares.change(tmp_path, lambda: file.write_text("older"))
    assert file.read_text() == "newer"
    await shares.change(tmp_path, lambda: file.write_text("newest"))
    assert file.read_text() == "newest"
