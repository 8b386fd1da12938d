"""What a plan commits before anything is sent."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.exports.bandwidth import Budget
from evidenced.core.ids import RecorderName
from evidenced.core.incidents.history import Change, Event
from evidenced.pipeline.planner import Capacity, Planner
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.incident import DOOR, LOBBY, ended, t
from fakes.world import make_site

SOUTH = RecorderName("south")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


async def test_two_recorders_never_export_into_one_folder(store: SqlStore) -> None:
    """Else the files of one prove the export of the other."""
    site = make_site()
    [main] = site.recorders.values()
    incident = ended(LOBBY, replace(DOOR, recorder=SOUTH))
    change = Change(before=None, after=incident, event=Event.OPENED)
    await store.write(lambda tx: tx.ledger.save([change], t("12:10")))
    capacity = Capacity(
        now=t("13:00"),
        offset=timedelta(0),
        slack=timedelta(0),
        budget=Budget(limit=0),
    )
    paths = []
    for settings in (main, replace(main, name=SOUTH)):
        [planned] = await store.write(Planner(site, settings, capacity).plan)
        paths.append(planned.export.path)
    first, second = paths
    assert second == f"{first}-2"
