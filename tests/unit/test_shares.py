from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidenced.core.ids import DestinationName
from evidenced.core.sighting import Sighting
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


async def test_a_destination_without_a_mount_is_not_looked_at(store: SqlStore) -> None:
    shares, share, _ = shares_of(store, None)
    share.why = "never asked"
    await shares.once()
    assert shares.problems == {}
    _, export = requested(ended())
    assert not shares.covers(export)
    assert await shares.sightings([export]) == {}


async def test_files_are_looked_for_where_the_export_went(
    store: SqlStore, tmp_path: Path
) -> None:
    shares, share, _ = shares_of(store, tmp_path)
    _, export = requested(ended())
    export = replace(export, path=r"v:\Evidence\panic-1\sub")
    seen = Sighting(files=2, size_bytes=9)
    share.seen[tmp_path / "panic-1" / "sub"] = seen
    assert shares.covers(export)
    assert await shares.sightings([export]) == {export.id: seen}
    elsewhere = replace(export, path=r"W:\other\panic-1")
    assert not shares.covers(elsewhere)
