"""What the watchdog and /healthz are told of loops that do not move."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from evidenced.condition import DaemonCondition
from evidenced.core.telling.judgement import Matter, Mood
from evidenced.evidence import RecordPage, SharedRecords, ShareFolders, Signer
from evidenced.metrics import Metrics
from evidenced.mqtt.broker import Broker
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.drafting import Desk
from evidenced.pipeline.engine import LOOK_DEADLINE, Engine, Outside
from evidenced.pipeline.link import Link
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.running import Log
from fakes.world import ToldShare, make_world

LATER = LOOK_DEADLINE + timedelta(seconds=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


def control_of(store: SqlStore, clock: FakeClock) -> DaemonCondition:
    world, log = make_world(store, clock), Log()
    broker = cast(
        "Broker", SimpleNamespace(problem=None, shortfalls=[], held_since=None)
    )
    outside = Outside(
        broker=broker,
        link=lambda each: Link(each, cast("Any", None), clock, world.dice, log.bound),
        share=ToldShare(),
        desk=Desk(
            folders=ShareFolders(),
            signer=Signer(None),
            page=RecordPage(),
            reader=SharedRecords(),
            versions=dict,
        ),
    )
    engine = Engine(world, outside, Agenda(clock), Metrics("test"), log.bound)
    return DaemonCondition(store=store, broker=broker, engine=engine)


async def test_loops_that_do_not_move_are_told_each(store: SqlStore) -> None:
    clock = FakeClock()
    control = control_of(store, clock)
    assert await control.stuck() == []
    clock.advance(LATER)
    assert len(await control.stuck()) == 2
    told = await control.engine.judge.judge()
    assert (told.mood, told.causes[0].matter) == (Mood.BAD, Matter.DAEMON)
    assert told.text == (
        "The daemon stands still: due moments have not been looked at for two minutes."
    )
    await control.engine.turn.once()
    assert await control.stalled() == [
        "stored alarms have not been looked at for two minutes"
    ]
    await control.engine.interpret.once()
    assert await control.stuck() == []
    assert (await control.engine.judge.judge()).mood is Mood.GOOD


async def test_a_store_that_says_why_it_does_not_write_is_no_stall(
    store: SqlStore,
) -> None:
    clock = FakeClock()
    control = control_of(store, clock)
    control.engine.world._store_failed("write", "disk full")
    clock.advance(LATER)
    assert len(await control.stuck()) == 2
    assert await control.stalled() == []
    told = await control.engine.judge.judge()
    assert [each.matter for each in told.causes] == [Matter.STORE]


async def test_alarms_that_are_not_taken_are_why_it_is_not_ready(
    store: SqlStore,
) -> None:
    control = control_of(store, FakeClock())
    control = replace(control, broker=cast("Broker", SimpleNamespace(problem=None)))
    assert control.unready() == []
    control.engine.intake.problem = "the inbox is full"
    assert control.unready() == ["the inbox is full"]
