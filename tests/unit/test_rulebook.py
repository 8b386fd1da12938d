"""Which rules read a message that was stored before a reload and is read after."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.keeping.kept import IncidentFilter
from evidenced.core.site import Site
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.intake import accept
from evidenced.pipeline.interpret import Interpret
from evidenced.pipeline.rulebook import Rulebooks
from evidenced.pipeline.world import World
from evidenced.ports import Session
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import START, FakeClock
from fakes.running import Log
from fakes.world import make_site, make_world

MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


def without_rules(site: Site) -> Site:
    return replace(site, rules=())


async def read(store: SqlStore, world: World, held: datetime | None = None) -> int:
    """Read what waits; how many incidents there are then."""
    log = Log()
    broker = cast("Session", SimpleNamespace(held_since=held))
    loop = Interpret(world, Agenda(world.clock), Metrics("test"), log.bound, broker)
    while await loop.once():
        pass
    return len(await store.read(lambda view: view.incidents.search(IncidentFilter())))


async def keep(store: SqlStore, world: World) -> None:
    now = world.clock.now()
    alarm = Alarm(topic="panic/north", payload=b"{}", received_at=now)
    await store.write(partial(accept, alarms=[alarm]))


async def test_what_came_before_a_reload_is_read_by_the_rules_of_then(
    store: SqlStore,
) -> None:
    clock = FakeClock()
    world = make_world(store, clock)
    await keep(store, world)
    clock.advance(MINUTE)
    world.adopt(without_rules(world.site))
    clock.advance(MINUTE)
    await keep(store, world)
    assert await read(store, world) == 1


async def test_a_rule_that_is_new_takes_no_alarm_from_before(store: SqlStore) -> None:
    clock = FakeClock()
    whole = make_site()
    world = make_world(store, clock, None, without_rules(whole))
    await keep(store, world)
    clock.advance(MINUTE)
    world.adopt(whole)
    assert await read(store, world) == 0


async def test_what_intake_still_holds_at_a_reload_keeps_its_rules(
    store: SqlStore,
) -> None:
    """Seed 141334: it came just before, and the inbox was empty for a moment."""
    clock = FakeClock()
    world = make_world(store, clock)
    came = clock.now()
    clock.advance(MINUTE)
    world.adopt(without_rules(world.site))
    assert await read(store, world, held=came) == 0
    alarm = Alarm(topic="panic/north", payload=b"{}", received_at=came)
    await store.write(partial(accept, alarms=[alarm]))
    assert await read(store, world) == 1


def test_old_rules_are_forgotten_once_nothing_of_theirs_waits() -> None:
    first, second, third = (make_site() for _ in range(3))
    books = Rulebooks(first)
    books.replace(second, START)
    books.replace(third, START + MINUTE)
    assert books.of(START - MINUTE) is first
    assert books.of(START) is second
    assert books.of(START + MINUTE) is third
    books.read_up_to(START)
    assert books.of(START - MINUTE) is second, "a clock that was set back"
    books.read_up_to(None)
    assert books.of(START - MINUTE) is third
