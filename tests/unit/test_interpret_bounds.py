"""What hostile or unlucky messages in the inbox may cost: themselves, nothing else."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.incidents.cutting import NewId
from evidenced.core.incidents.happening import Happening
from evidenced.core.keeping.kept import IncidentFilter
from evidenced.core.site import Site
from evidenced.core.trust import Now
from evidenced.metrics import Metrics
from evidenced.pipeline import interpret as interpreting
from evidenced.pipeline import taking
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.intake import accept
from evidenced.pipeline.interpret import Interpret
from evidenced.pipeline.rationing import Ration
from evidenced.pipeline.understanding import Understood, understand
from evidenced.ports import Tx
from evidenced.store import SqlStore, StoreSettings, open_store
from evidenced.store.messages import INBOX_BYTES
from fakes.clock import START, FakeClock
from fakes.running import Log
from fakes.world import make_world

ALARM = Alarm(topic="panic/north", payload=b"{}", received_at=START)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


async def keep(store: SqlStore, *alarms: Alarm) -> None:
    await store.write(partial(accept, alarms=alarms))


async def test_large_messages_are_not_all_read_at_once(store: SqlStore) -> None:
    large = replace(ALARM, payload=b"x" * (INBOX_BYTES // 2))
    await keep(store, large, large, large, ALARM)
    assert len(await store.read(lambda view: view.inbox.oldest(9))) == 2


async def test_the_largest_message_is_read_alone(store: SqlStore) -> None:
    await keep(store, replace(ALARM, payload=b"x" * (INBOX_BYTES + 1)), ALARM)
    assert len(await store.read(lambda view: view.inbox.oldest(9))) == 1


async def test_a_fault_in_reading_one_alarm_costs_only_that_one(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(site: Site, alarm: Alarm, now: Now, **keys: Any) -> list[Understood]:
        if alarm.payload == b"poison":
            raise RecursionError("too deep")
        return understand(site, alarm, now, **keys)

    monkeypatch.setattr(interpreting, "understand", faulty)
    await keep(store, replace(ALARM, payload=b"poison"), ALARM)
    clock, log = FakeClock(), Log()
    world = make_world(store, clock, log)
    interpret = Interpret(world, Agenda(clock), Metrics("test"), log.bound)
    assert await interpret.once()
    assert not await interpret.once()
    assert (
        len(await store.read(lambda view: view.incidents.search(IncidentFilter()))) == 1
    )
    [told] = log.calls("warning")
    assert told["why"] == "fault in evidenced: RecursionError: too deep"


async def test_rows_that_the_store_refuses_cost_only_their_alarm(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were taken for a disk that fails, and everything waited for it to work."""
    honest = taking.take

    def faulty(
        tx: Tx,
        batch: list[Understood],
        now: datetime,
        new_id: NewId,
        ration: Ration,
        *,
        is_storm: bool,
    ) -> object:
        if any(
            each.alarm.payload == b'"poison"' and isinstance(each.result, Happening)
            for each in batch
        ):
            tx.notes.save("key", cast("str", None))
        return honest(tx, batch, now, new_id, ration, is_storm=is_storm)

    monkeypatch.setattr(interpreting, "take", faulty)
    await keep(store, ALARM, replace(ALARM, payload=b'"poison"'))
    clock, log = FakeClock(), Log()
    world = make_world(store, clock, log)
    interpret = Interpret(world, Agenda(clock), Metrics("test"), log.bound)
    async with asyncio.timeout(60):
        assert await interpret.once()
    assert await store.read(lambda view: view.inbox.waiting().messages) == 0
    assert (
        len(await store.read(lambda view: view.incidents.search(IncidentFilter()))) == 1
    )
    assert world.store_problem is None
