from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from evidenced.core.alarms.alarm import Alarm, Outcome
from evidenced.core.alarms.deliveries import BrokerLine, Over
from evidenced.core.incidents.states import IncidentState
from evidenced.core.keeping.kept import IncidentFilter
from evidenced.metrics import Metrics
from evidenced.pipeline import interpret as interpreting
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.intake import accept
from evidenced.pipeline.interpret import Interpret
from evidenced.pipeline.taking import Understood
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import START, FakeClock
from fakes.deliveries import delivered
from fakes.running import Log
from fakes.world import make_site, make_world

ALARM = Alarm(topic="panic/north", payload=b"{}", received_at=START)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


async def kept(store: SqlStore, *alarms: Alarm) -> int:
    return (await store.write(partial(accept, alarms=alarms))).repeats


async def waiting(store: SqlStore) -> list[Alarm]:
    return [alarm for _, alarm in await store.read(lambda view: view.inbox.oldest(99))]


async def test_what_is_accepted_waits_in_order_as_it_came(store: SqlStore) -> None:
    other = Alarm(topic="x", payload=b"\xff\x00", received_at=START, retained=True)
    assert await kept(store, ALARM, other) == 0
    assert await waiting(store) == [ALARM, other]
    assert await store.read(lambda view: view.inbox.waiting().messages) == 2


async def test_a_repeated_delivery_is_not_stored_again(store: SqlStore) -> None:
    await kept(store, delivered(ALARM))
    assert await kept(store, delivered(ALARM, is_repeat=True)) == 1
    assert await kept(store, delivered(ALARM, is_repeat=True)) == 1
    assert len(await waiting(store)) == 1


async def test_a_repeated_delivery_is_listed(store: SqlStore) -> None:
    await kept(store, delivered(ALARM))
    await kept(store, delivered(ALARM, is_repeat=True))
    [again] = await store.read(lambda view: view.refused.newest(9))
    assert (again.outcome, again.topic) == (Outcome.DUPLICATE, ALARM.topic)
    assert again.detail == "the broker delivered it a second time; the first is kept"


async def test_a_repeat_in_the_same_batch_is_not_stored_again(store: SqlStore) -> None:
    """Seed 150: the broker sent it anew and again while the store was down."""
    other = partial(delivered, replace(ALARM, payload=b"2"), 8, is_repeat=True)
    again = partial(delivered, ALARM, is_repeat=True)
    batch = [delivered(ALARM), again(), other(), other(), again()]
    assert await kept(store, *batch) == 3
    assert len(await waiting(store)) == 2


@pytest.mark.parametrize(
    "other",
    [
        delivered(ALARM),
        delivered(ALARM, 8, is_repeat=True),
        delivered(replace(ALARM, payload=b"{} "), is_repeat=True),
        delivered(replace(ALARM, topic="panic/north2"), is_repeat=True),
        delivered(ALARM, is_repeat=True, line=BrokerLine(session=1)),
    ],
)
async def test_a_repeated_alarm_is_another_one(store: SqlStore, other: Alarm) -> None:
    await kept(store, delivered(ALARM))
    assert await kept(store, other) == 0


async def test_what_was_over_when_it_came_has_no_repeat(store: SqlStore) -> None:
    """Whatever stands in the store: its mark may go a moment later."""
    first = delivered(ALARM)
    await kept(store, first)
    again = delivered(ALARM, is_repeat=True)
    assert first.stamp is not None
    assert again.stamp is not None
    knows = again.stamp._replace(over=Over(0, first.stamp.number + 1))
    assert await kept(store, replace(again, stamp=knows)) == 0


def interpret_of(store: SqlStore, log: Log | None = None) -> Interpret:
    clock, log = FakeClock(), log or Log()
    world = make_world(store, clock, log)
    return Interpret(world, Agenda(clock), Metrics("test"), log.bound)


async def test_the_inbox_becomes_incidents_and_is_empty_after(store: SqlStore) -> None:
    await kept(store, ALARM, ALARM)
    interpret = interpret_of(store)
    assert await interpret.once()
    assert not await interpret.once()
    incidents = await store.read(lambda view: view.incidents.search(IncidentFilter()))
    assert [(each.state, each.alarms) for each in incidents] == [
        (IncidentState.RECORDING, 2)
    ]


async def test_a_message_that_trips_over_a_fault_of_ours_is_set_aside(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others of its batch become what they mean; none is lost, none waits."""
    original = interpreting.take

    def tripping(
        tx: object, batch: list[Understood], *rest: object, **more: object
    ) -> object:
        if any(b"poison" in each.alarm.payload and each.rule for each in batch):
            raise ZeroDivisionError("a bug")
        return original(tx, batch, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(interpreting, "take", tripping)
    poison = replace(ALARM, payload=b'"poison"')
    await kept(store, ALARM, poison, ALARM)
    assert await interpret_of(store).once()
    assert await waiting(store) == []
    incidents = await store.read(lambda view: view.incidents.search(IncidentFilter()))
    assert [each.alarms for each in incidents] == [2]
    with store._reading.connect() as connection:
        query = text("SELECT outcome, detail, payload FROM refused_alarms")
        rows = [tuple(row) for row in connection.execute(query)]
    fault = "fault in evidenced: ZeroDivisionError: a bug"
    assert rows == [("invalid", fault, '"poison"')]


async def test_an_unknown_camera_is_told_once_an_incident(store: SqlStore) -> None:
    """Also where it joins an incident whose other cameras are known."""
    log = Log()
    clock = FakeClock()
    site = make_site(cameras='"lobby", "{zone}"')
    interpret = Interpret(
        make_world(store, clock, log, site), Agenda(clock), Metrics("test"), log.bound
    )
    for zone in ("lobby", "attic", "attic"):
        alarm = replace(ALARM, topic=f"panic/{zone}")
        await kept(store, alarm)
        assert await interpret.once()
    told = log.calls("warning")
    assert [call["cameras"] for call in told] == [["attic"]]
    assert told[0]["incident"]
