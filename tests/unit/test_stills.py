"""Stills: which are wanted, how they are fetched, and that each comes to an end."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from evidenced.core.address import Address
from evidenced.core.camera import Camera
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.ids import IncidentId, RecorderName, SessionId
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.operating import cancel
from evidenced.core.instants import DAY, SECOND, ZERO
from evidenced.core.keeping.evidence import (
    Record,
    RecordState,
    is_own,
    is_still,
    still_name,
)
from evidenced.core.keeping.jpeg import picture_size
from evidenced.core.keeping.still import (
    MOST,
    MOST_BYTES,
    NO_ROOM,
    NOT_TOLD,
    NOTHING,
    REACH,
    TRIES,
    Still,
    StillState,
    take,
    telling,
)
from evidenced.core.recorder import SessionInfo
from evidenced.core.telling.objects import incident_object
from evidenced.core.window import Window
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.link import Link
from evidenced.pipeline.stills import Stills, draw_up
from evidenced.pipeline.stranding import strand_step
from evidenced.ports import Tx
from evidenced.simulator.drawn import draw
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.incident import DOOR, LOBBY, ended, pictured, t
from fakes.running import Log
from fakes.stills import stills_after
from fakes.world import FixedDice, ScriptedRecorder, make_world

NOON = t("12:00")
PICTURE = draw("lobby", NOON)
LATER = t("12:10")


def wanted(number: int = 3, *cameras: Camera) -> list[Still]:
    return stills_after(None, pictured(ended(*cameras), number), NOON)


def test_each_camera_is_pictured_around_the_alarm() -> None:
    stills = wanted(3, LOBBY, DOOR)
    assert [each.camera for each in stills] == ["lobby"] * 3 + ["door"] * 3
    assert [each.wanted_at - NOON for each in stills[:3]] == [
        -2 * SECOND,
        ZERO,
        2 * SECOND,
    ]
    assert len({each.n for each in stills}) == 6
    assert all(each.due_at == max(each.wanted_at, NOON) for each in stills)
    assert wanted(0) == []
    assert len(wanted(99)) == MOST


def test_a_camera_that_joins_is_pictured_and_no_other_anew() -> None:
    before, after = pictured(ended(LOBBY)), pictured(ended(LOBBY, DOOR))
    assert {each.camera for each in stills_after(before, after, NOON)} == {"door"}
    assert stills_after(after, after, NOON) == []


def test_no_picture_is_wanted_of_what_is_not_filmed() -> None:
    incident = pictured(ended(LOBBY), MOST)
    [clip] = incident.clips
    short = Window(start=NOON - SECOND, end=NOON + 3 * SECOND)
    found = stills_after(None, incident.with_clips(replace(clip, window=short)), NOON)
    assert [each.wanted_at for each in found] == [NOON, NOON + 2 * SECOND]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is no whole JPEG"),
        (b"<html>", "is no whole JPEG"),
        (PICTURE[:-2], "is no whole JPEG"),
        (PICTURE + b"<script>", "is no whole JPEG"),
        (b"\xff\xd8\xff\xd9", "is a broken JPEG"),
        (b"\xff\xd8\xff\xe0\x00\x01\xff\xd9", "is a broken JPEG"),
        (b"\xff\xd8\xff\xe0\xff\xff\xff\xd9", "is a broken JPEG"),
        (b"\xff\xd8\xff\xda\x00\x02\xff\xd9", "is a JPEG without a frame"),
        (PICTURE.replace(b"\xff\xc0", b"\xff\xc3", 1), "browsers do not show"),
        (PICTURE.replace(b"\x01\x68\x02\x80", b"\xff\xff\xff\xff", 1), "more than"),
        (PICTURE.replace(b"\x01\x68\x02\x80", b"\0\0\0\0", 1), "more than"),
    ],
)
def test_what_is_no_picture_is_not_kept_and_says_why(data: bytes, why: str) -> None:
    [first, *_] = wanted()
    found = take(first, NOON, data)
    assert (found.state, found.due_at) == (StillState.NONE, None)
    assert why in found.message


def test_a_picture_is_kept_with_its_hash_and_one_that_is_too_large_is_not() -> None:
    [first, *_] = wanted()
    found = take(first, NOON, PICTURE)
    assert (found.state, found.width, found.height) == (StillState.KEPT, 640, 360)
    assert (len(found.sha256), found.size_bytes) == (64, len(PICTURE))
    large = PICTURE[:-2] + bytes(MOST_BYTES) + PICTURE[-2:]
    assert take(first, NOON, large).state is StillState.NONE


@given(st.binary(max_size=300), st.integers(0, len(PICTURE)))
def test_any_bytes_are_a_picture_or_a_sentence(junk: bytes, at: int) -> None:
    for data in (junk, b"\xff\xd8" + junk + b"\xff\xd9", PICTURE[:at] + junk):
        try:
            width, height = picture_size(data)
        except ValueError as error:
            assert str(error).startswith("is ")  # noqa: PT017 - either is right
        else:
            assert width * height > 0


@pytest.mark.parametrize("name", ["incident.still-10.jpg", still_name(0)])
def test_names_of_pictures_are_the_record_s_own(name: str) -> None:
    assert is_still(name)
    assert is_own(name)


@pytest.mark.parametrize(
    "name", ["incident.still-.jpg", "incident.still-1.jpeg", "a/incident.still-1.jpg"]
)
def test_other_names_are_not(name: str) -> None:
    assert not is_still(name)


class Picturing(ScriptedRecorder):
    """Has images at these instants, or fails."""

    def __init__(self) -> None:
        super().__init__(
            lambda: SessionInfo(session=SessionId("s"), offset=None, version="")
        )
        self.images: Sequence[datetime] | None = [
            NOON + n * SECOND / 2 for n in range(-60, 60)
        ]
        self.data: bytes | None = PICTURE
        self.error: RecorderError | None = None
        self.asked: list[datetime] = []

    @override
    async def recorded(
        self, address: Address, window: Window
    ) -> tuple[datetime, ...] | None:
        if self.error is not None:
            raise self.error
        if self.images is None:
            return None
        return tuple(at for at in self.images if window.start <= at < window.end)

    @override
    async def picture(self, address: Address, at: datetime) -> bytes | None:
        self.asked.append(at)
        return self.data


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Bench:
    def __init__(self, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("evidenced.pipeline.stills.PAUSE", ZERO)
        self.store, self.recorder = store, Picturing()
        self.clock, self.log = FakeClock(LATER), Log()
        self.start()

    def start(self) -> None:
        world = make_world(self.store, self.clock, self.log)
        [settings] = world.site.recorders.values()
        log = self.log.bound
        self.link = Link(settings, self.recorder, self.clock, FixedDice(), log)
        self.loop = Stills(world, self.link, Agenda(self.clock), log)

    async def open(self) -> None:
        incident = pictured(ended())
        change = Change(before=None, after=incident, event=Event.OPENED)
        await self.store.write(lambda tx: tx.ledger.save([change], NOON))

    async def open_in_a_storm(self, incident: Incident) -> None:
        change = Change(before=None, after=incident, event=Event.OPENED)
        await self.store.write(lambda tx: tx.ledger.save([change], NOON, is_storm=True))

    async def stills(self) -> list[Still]:
        return await self.store.read(lambda v: v.stills.of([IncidentId("i1")]))

    async def run(self, hours: float = 0) -> list[Still]:
        end = self.clock.now() + timedelta(hours=hours)
        while True:
            while await self.loop.once():
                pass
            if self.clock.now() >= end:
                return await self.stills()
            self.clock.advance(timedelta(minutes=5))


@pytest.fixture
async def bench(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench(store, monkeypatch)
    await bench.open()
    return bench


async def test_pictures_are_kept_and_told(bench: Bench) -> None:
    found = await bench.run()
    assert [each.state for each in found] == [StillState.KEPT] * 3
    assert [each.at for each in found] == [each.wanted_at for each in found]
    assert bench.recorder.asked == [each.at for each in found]
    data = await bench.store.read(lambda v: v.stills.picture(found[0].incident, 10))
    assert data == PICTURE
    dossier = await bench.store.read(lambda v: v.dossier(found[0].incident))
    assert dossier is not None
    [entry] = [e for e in dossier.history if e.event == Event.PICTURED]
    assert (entry.detail["pictures"], "lacking" in entry.detail) == (3, False)
    [clip] = incident_object(dossier)["clips"]  # type: ignore[misc]
    assert [each["sha256"] for each in clip["stills"]] == [e.sha256 for e in found]
    middle = telling(found, dossier.incident.opened_at)
    assert middle is not None
    assert middle.wanted_at == NOON
    await bench.run(1)
    assert len(bench.recorder.asked) == 3  # nothing is fetched twice


async def test_nothing_is_asked_before_the_recorder_has_written_it(
    bench: Bench,
) -> None:
    bench.clock.advance(NOON + SECOND - LATER)
    await bench.run()
    assert bench.recorder.asked == []
    assert [s.state for s in await bench.run(0.5)] == [StillState.KEPT] * 3


async def test_what_the_recorder_does_not_have_is_asked_for_a_few_times(
    bench: Bench,
) -> None:
    bench.recorder.images = [NOON - 2 * REACH - 3 * SECOND]
    found = await bench.run(3)
    assert {(s.state, s.message, s.tries) for s in found} == {
        (StillState.NONE, NOTHING, TRIES - 1)
    }
    assert bench.recorder.asked == []


async def test_a_recorder_that_gives_none_says_so(bench: Bench) -> None:
    bench.recorder.images = None
    assert {s.message for s in await bench.run(3)} == {NOT_TOLD}


async def test_a_failure_costs_no_export_its_line_and_pictures_come_later(
    bench: Bench,
) -> None:
    error = RecorderError(Reason.SERVER_ERROR, "HTTP 500", is_sent=True)
    bench.recorder.error = error
    assert {s.message for s in await bench.run()} == {"HTTP 500"}
    assert bench.link.is_up
    bench.recorder.error = None
    assert {s.state for s in await bench.run(0.5)} == {StillState.KEPT}


async def test_after_an_outage_that_lasts_nothing_is_waited_for(bench: Bench) -> None:
    def away() -> SessionInfo:
        raise RecorderError(Reason.UNREACHABLE, "no route", is_sent=False)

    bench.recorder._open = away
    bench.clock.advance(DAY / 2)
    assert {s.state for s in await bench.run()} == {StillState.WANTED}
    bench.clock.advance(DAY)
    assert {s.message for s in await bench.run()} == {"no route"}


async def test_no_request_goes_while_an_export_is_asked_for(bench: Bench) -> None:
    bench.link.left(1)
    await bench.run()
    assert bench.recorder.asked == []
    bench.link.landed([1])
    assert {s.state for s in await bench.run()} == {StillState.KEPT}


async def test_a_restart_loses_none(bench: Bench) -> None:
    bench.recorder.images = []
    await bench.run()
    bench.recorder.images = [NOON]
    bench.start()
    assert {s.state for s in await bench.run(0.5)} == {StillState.KEPT}


async def test_a_record_from_before_the_last_picture_is_written_once_more(
    bench: Bench,
) -> None:
    name = IncidentId("i1")
    record = Record(
        incident=name, state=RecordState.WRITTEN, wanted_at=NOON, due_at=None
    )
    await bench.store.write(lambda tx: tx.evidence.save(record))
    await bench.run()
    [after] = await bench.store.read(lambda view: view.evidence.of([name]))
    assert after.state is RecordState.WANTED


async def test_they_go_with_their_incident(bench: Bench) -> None:
    await bench.run()
    now = LATER + 400 * DAY

    def prune(tx: Tx) -> None:
        [incident] = tx.incidents.get([IncidentId("i1")])
        tx.ledger.save([cancel(incident, "ann", LATER)], LATER)
        assert tx.past.prune(now - DAY, now, 9)

    await bench.store.write(prune)
    assert await bench.stills() == []
    name = IncidentId("i1")
    assert await bench.store.read(lambda v: v.stills.picture(name, 10)) is None


async def test_a_recorder_that_is_configured_no_more_is_waited_for_no_longer(
    bench: Bench,
) -> None:
    gone = RecorderName("main")
    needed = await bench.store.read(lambda view: view.queue.recorders_needed())
    assert gone in needed
    await bench.store.write(lambda tx: strand_step(tx, gone, LATER))
    assert {(s.state, s.due_at) for s in await bench.stills()} == {
        (StillState.NONE, None)
    }


async def test_pictures_never_take_the_room_that_alarms_need(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidenced.pipeline.stills.MOST_KEPT", 1)
    bench.recorder.images = [NOON - 6 * SECOND]
    await bench.run()  # one is kept, and that is more than may be
    bench.recorder.images = [NOON, NOON + 2 * SECOND]
    found = await bench.run(0.5)
    assert [s.message for s in found] == ["", NO_ROOM, NO_ROOM]
    assert len(bench.recorder.asked) == 1


async def test_those_of_a_storm_are_drawn_up_after_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, incident = Bench(store, monkeypatch), pictured(ended(LOBBY, DOOR))
    await bench.open_in_a_storm(incident)
    assert await bench.stills() == []
    for _ in range(2):  # the second finds nothing to do
        await store.write(draw_up)
        assert await bench.stills() == stills_after(None, incident, NOON)
    assert await store.read(lambda view: view.stills.wishes(9)) == []


async def test_an_incident_may_go_before_its_stills_were_drawn_up(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, incident = Bench(store, monkeypatch), pictured(ended())
    await bench.open_in_a_storm(incident)
    now = LATER + 400 * DAY

    def prune(tx: Tx) -> None:
        tx.ledger.save([cancel(incident, "ann", LATER)], LATER)
        assert tx.past.prune(now - DAY, now, 9)

    await store.write(prune)
    await store.write(draw_up)
    assert await bench.stills() == []
