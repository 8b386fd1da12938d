"""Alarms that rely on a clock which is known not to be right say so."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.keeping.kept import Dossier, IncidentFilter
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.intake import accept
from evidenced.pipeline.interpret import Interpret
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import START, FakeClock
from fakes.running import Log
from fakes.world import make_world


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


async def taken(store: SqlStore, sync: bool | None) -> Dossier:
    clock, log = FakeClock(), Log()
    clock.sync = sync
    alarm = Alarm(topic="panic/north", payload=b"{}", received_at=START)
    await store.write(partial(accept, alarms=[alarm]))
    world = make_world(store, clock, log)
    assert await Interpret(world, Agenda(clock), Metrics("0"), log.bound).once()
    [incident] = await store.read(lambda view: view.incidents.search(IncidentFilter()))
    dossier = await store.read(lambda view: view.dossier(incident.id))
    assert dossier is not None
    return dossier


async def test_an_unsure_time_is_in_the_alarm_and_in_the_history(
    store: SqlStore,
) -> None:
    dossier = await taken(store, sync=False)
    source = "received; the host's clock was not in sync"
    assert [each.time_source for each in dossier.alarms] == [source]
    assert dossier.history[0].detail["time_source"] == source


@pytest.mark.parametrize("sync", [True, None])
async def test_what_is_right_or_not_known_is_no_doubt(
    store: SqlStore, sync: bool | None
) -> None:
    dossier = await taken(store, sync=sync)
    assert [each.time_source for each in dossier.alarms] == ["received"]
