"""How cameras and shares have done of late: kept as they go, and a forecast of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidenced.core.ids import CameraName, DestinationName
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import DAY, HOUR, MINUTE
from evidenced.core.keeping.health import (
    FAILURES_FOR,
    ROOM_FOR,
    CameraTally,
    Room,
    RoomSeen,
    full_in,
)
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import START
from fakes.incident import DOOR, LOBBY, ended

NAS = DestinationName("nas")
LOBBY_NAME = CameraName("lobby")
TOTAL = 1_000_000_000


def seen(hours: float, free: int) -> RoomSeen:
    return RoomSeen(destination=NAS, at=START + hours * HOUR, free=free, total=TOTAL)


def falling(per_hour: int, hours: int = 48, first: int = 500_000_000) -> list[RoomSeen]:
    return [seen(n, first - n * per_hour) for n in range(hours + 1)]


def test_a_share_that_fills_is_full_in_so_long() -> None:
    found = falling(1_000_000)
    now = found[-1].at
    assert full_in(found, 0, now) == 452 * HOUR
    assert full_in(found, 52_000_000, now) == 400 * HOUR
    assert full_in(found, 0, now + HOUR) == 451 * HOUR
    assert full_in(found, TOTAL, now) == timedelta(0)


def test_nobody_knows_what_is_too_new_grows_or_lasts_for_years() -> None:
    assert full_in([], 0, START) is None
    assert full_in(falling(1_000_000, hours=11), 0, START + 11 * HOUR) is None
    assert full_in(falling(-1_000_000), 0, START + 48 * HOUR) is None
    assert full_in(falling(1), 0, START + 48 * HOUR) is None


def test_where_somebody_has_deleted_what_was_before_counts_for_nothing() -> None:
    before = falling(9_000_000, hours=24)
    after = [replace(each, at=each.at + 25 * HOUR) for each in falling(1_000_000)]
    now = after[-1].at
    assert full_in([*before, *after], 0, now) == full_in(after, 0, now)


@given(st.lists(st.integers(0, TOTAL), max_size=40), st.integers(0, TOTAL))
def test_a_forecast_is_never_in_the_past(free: list[int], least: int) -> None:
    found = [seen(n, each) for n, each in enumerate(free)]
    now = START + len(free) * HOUR
    left = full_in(found, least, now)
    assert left is None or left >= timedelta(0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


def without_video(incident: Incident, n: int) -> Incident:
    [clip] = [each for each in incident.clips if each.n == n]
    return incident.with_clips(replace(clip, no_video=clip.no_video + 1))


def moved(incident: Incident, n: int, *states: ClipState) -> Incident:
    [clip] = [each for each in incident.clips if each.n == n]
    for state in states:
        clip: Clip = clip.moved(state)
    return incident.with_clips(clip)


async def step(
    store: SqlStore, before: Incident | None, after: Incident, at: datetime
) -> None:
    change = Change(before=before, after=after, event=Event.OPENED)
    await store.write(lambda tx: tx.ledger.save([change], at))


async def test_what_clips_come_to_is_known_of_their_cameras(store: SqlStore) -> None:
    first = ended(LOBBY, DOOR)
    tried = without_video(first, 1)
    lost = moved(tried, 1, ClipState.MISSING)
    over = moved(lost, 2, ClipState.EXPORTED).settled(START + 2 * HOUR)
    await step(store, None, first, START)
    await step(store, first, tried, START + HOUR)
    await step(store, tried, lost, START + 2 * HOUR)
    await step(store, lost, over, START + 3 * HOUR)
    tallies = await store.read(lambda view: view.health.tallies())
    assert tallies == {
        "lobby": CameraTally(camera=LOBBY_NAME, no_video_at=START + HOUR),
        "door": CameraTally(camera=CameraName("door"), exported_at=START + 3 * HOUR),
    }
    failures = await store.read(lambda view: view.health.failures(START + DAY))
    assert failures == {"lobby": 1}
    later = START + FAILURES_FOR + 2 * DAY
    assert await store.read(lambda view: view.health.failures(later)) == {}
    await store.write(lambda tx: tx.health.prune(later, [LOBBY_NAME]))
    assert list(await store.read(lambda view: view.health.tallies())) == ["lobby"]


async def look(store: SqlStore, at: datetime) -> None:
    room = Room(free=TOTAL, total=TOTAL)
    await store.write(lambda tx: tx.health.see({NAS: room}, at))


async def test_room_is_kept_once_an_hour_and_for_two_weeks(store: SqlStore) -> None:
    for minutes in range(0, 181, 15):
        await look(store, START + minutes * MINUTE)
    rooms = await store.read(lambda view: view.health.rooms(NAS))
    assert [each.at - START for each in rooms] == [n * HOUR for n in range(4)]
    later = START + ROOM_FOR + 90 * HOUR / 60
    await store.write(lambda tx: tx.health.prune(later, []))
    assert len(await store.read(lambda view: view.health.rooms(NAS))) == 2
