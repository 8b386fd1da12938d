"""What holds for every kind of recorder, and for the pipeline with any of them.

Both are made by the one factory from a file: the one that the product was written for,
played by its simulator over HTTP, and a made-up one that nothing knows but `pulled/`.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from typing_extensions import override

from evidenced.config.compile import build_site
from evidenced.config.load import load_text
from evidenced.config.models import Config
from evidenced.connections import recorder_for
from evidenced.core.address import Address, handle_of, known_as
from evidenced.core.camera import Camera
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.ids import CameraName, IncidentId, RecorderName, SessionId
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.operating import cancel
from evidenced.core.incidents.states import ClipState, ExportState
from evidenced.core.keeping.tag import TagOrder
from evidenced.core.recorder import Answer, DeviceWindow, ExportOrder
from evidenced.core.window import Window
from evidenced.kinds import KINDS
from evidenced.ports import RecorderPort
from evidenced.simulator import Action, Scenario, Simulator, SimulatorServer, Strike
from evidenced.simulator.scenario import CameraScenario
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.exporting import Exporting
from fakes.incident import ended, t
from pulled.archive import ARCHIVES, Archive
from pulled.kind import PULLED

LOBBY, DOOR = "2001", "2002"
NOW = t("13:00")
EVERY = timedelta(seconds=5)
WINDOW = Window(start=t("12:00"), end=t("12:01"))
TOML = """
[mqtt]
url = "mqtt://127.0.0.1"
[recorders.main]
kind = "{kind}"
url = "{url}"
username = "{username}"
password = {{ env = "PASSWORD" }}
nonce = "AR5chsWVZagPfMpB"
timeout = "2s"
[cameras.lobby]
server = "1001"
device = "2001"
[cameras.door]
server = "1001"
device = "2002"
[destinations.nas]
path = 'V:\\evidence\\{{rule}}-{{id}}'
[[rules]]
name = "panic"
topics = ["panic/#"]
cameras = ["lobby"]
"""


class Played(ABC):
    """A recorder of some kind that a test plays."""

    kind: str
    clock: FakeClock
    port: RecorderPort
    config: Config

    def make(self, url: str, username: str = "export") -> None:
        text = TOML.format(kind=self.kind, url=url, username=username)
        self.config = load_text(text).config
        numbers = count(1)
        self.port = recorder_for(
            self.config,
            RecorderName("main"),
            self.clock,
            lambda: SessionId(f"s{next(numbers)}"),
        )

    @abstractmethod
    def lose_next_answer(self) -> None:
        """The next export is begun, and its answer never arrives."""

    @abstractmethod
    async def be_gone(self) -> None:
        """Nobody listens."""

    @abstractmethod
    async def be_back(self) -> None:
        """Somebody does again."""

    @abstractmethod
    def lack(self, device: str) -> None:
        """Nothing is recorded of this device."""

    @abstractmethod
    def record(self) -> None:
        """What lacked is there now."""

    @abstractmethod
    def begun(self) -> int:
        """How many exports it has ever begun."""

    @abstractmethod
    def running(self) -> int:
        """How many it knows now."""


class PlayedSense(Played):
    kind = "sense"

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.simulator = Simulator(self._scenario(), clock)
        self.server = SimulatorServer(self.simulator, "127.0.0.1", 0)

    def _scenario(self, lacking: frozenset[str] = frozenset()) -> Scenario:
        devices = tuple(
            CameraScenario(
                server="1001",
                device=device,
                dead=device in lacking,
            )
            for device in (LOBBY, DOOR)
        )
        return Scenario(devices=devices)

    @override
    def lose_next_answer(self) -> None:
        lost = Strike(action=Action.CUT, command="exportVideo", after=True, times=1)
        self.simulator.inject(lost)

    @override
    async def be_gone(self) -> None:
        self.simulator.inject(Strike(action=Action.REFUSE, lasts=timedelta(minutes=2)))
        async with asyncio.timeout(60):
            await self.server.silent.wait()

    @override
    async def be_back(self) -> None:
        self.clock.advance(timedelta(minutes=2))
        async with asyncio.timeout(60):
            await self.server.listening.wait()

    @override
    def lack(self, device: str) -> None:
        self._set(self._scenario(frozenset({device})))

    @override
    def record(self) -> None:
        self._set(self._scenario())

    def _set(self, scenario: Scenario) -> None:
        self.simulator = Simulator(scenario, self.clock)
        self.server._simulator = self.simulator

    @override
    def begun(self) -> int:
        return len(self.simulator.journal.exports)

    @override
    def running(self) -> int:
        return len(self.simulator._table.listed(""))


class PlayedArchive(Played):
    kind = "pulled"

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.archive = Archive(clock, {1: "Lobby", 2: "Door"})

    @override
    def lose_next_answer(self) -> None:
        self.archive.loses_next_answer = True

    @override
    async def be_gone(self) -> None:
        self.archive.is_there = False

    @override
    async def be_back(self) -> None:
        self.archive.is_there = True
        self.clock.advance(timedelta(minutes=2))

    @override
    def lack(self, device: str) -> None:
        self.archive.empty = {int(device) - 2000}

    @override
    def record(self) -> None:
        self.archive.empty = set()

    @override
    def begun(self) -> int:
        return len(self.archive.begun)

    @override
    def running(self) -> int:
        return len(self.archive.baskets)


@asynccontextmanager
async def played(kind: str) -> AsyncIterator[Played]:
    clock = FakeClock(NOW)
    if kind == "sense":
        sense = PlayedSense(clock)
        async with sense.server:
            sense.make(sense.server.url)
            yield sense
            await sense.port.close()
    else:
        archive = PlayedArchive(clock)
        ARCHIVES["http://archive.example"] = archive.archive
        archive.make("http://archive.example")
        yield archive
        await archive.port.close()


@pytest.fixture(params=["sense", "pulled"])
async def it(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Played]:
    monkeypatch.setenv("PASSWORD", "secret")
    monkeypatch.setitem(KINDS, "pulled", PULLED)
    async with played(request.param) as recorder:
        yield recorder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


def address_in(it: Played, device: str) -> Address:
    name = "lobby" if device == LOBBY else "door"
    return it.config.cameras[name].address


def an_order(it: Played, *devices: str) -> ExportOrder:
    windows = tuple(
        DeviceWindow(address=address_in(it, device), window=WINDOW)
        for device in devices or (LOBBY,)
    )
    has_path = KINDS[it.kind].can.has_path
    path = r"V:\evidence\one" if has_path else ""
    return ExportOrder(devices=windows, path=path, bandwidth=0)


async def fails(awaitable: object) -> RecorderError:
    with pytest.raises(RecorderError) as raised:
        await awaitable  # type: ignore[misc]
    assert "secret" not in str(raised.value)
    return raised.value


async def test_a_session_tells_its_clock(it: Played) -> None:
    info = await it.port.open_session()
    assert info.offset is not None
    assert info.offset.applied == timedelta(0)
    assert info.version
    assert (await it.port.fitness(info)).is_fit is not False


async def test_a_wrong_account_is_a_refused_login(it: Played) -> None:
    url = it.config.recorders[RecorderName("main")].url
    it.make(url, username="nobody")
    error = await fails(it.port.open_session())
    assert (error.reason, error.is_sent) == (Reason.LOGIN_REFUSED, False)


async def test_an_order_is_taken_and_known_by_a_handle(it: Played) -> None:
    await it.port.open_session()
    _, answer = await it.port.export(an_order(it, LOBBY, DOOR))
    assert answer.reason is None
    assert known_as(answer.handle)
    assert it.begun() == it.running() == 1


async def test_what_is_not_recorded_is_refused_for_that_reason(it: Played) -> None:
    it.lack(LOBBY)
    _, answer = await it.port.export(an_order(it))
    assert (answer.reason, answer.handle) == (Reason.NO_VIDEO, None)
    assert answer.code
    assert await it.port.has_video(address_in(it, LOBBY), WINDOW) is False
    assert await it.port.has_video(address_in(it, DOOR), WINDOW) is True


async def test_a_camera_that_is_not_there_is_refused_for_that_reason(
    it: Played,
) -> None:
    nobody = it.config.cameras["lobby"].model_copy(update={"device": "2999"})
    order = an_order(it)
    device = replace(order.devices[0], address=nobody.address)
    _, answer = await it.port.export(replace(order, devices=(device,)))
    assert (answer.reason, answer.handle) == (Reason.NO_DEVICE, None)


async def test_an_export_is_deleted_by_its_handle_and_by_no_other(
    it: Played,
) -> None:
    _, answer = await it.port.export(an_order(it))
    assert answer.handle is not None
    try:
        other = await it.port.delete_export(handle_of({"somebody": "else's"}))
    except RecorderError as error:
        other = Answer(reason=error.reason)
    assert other.reason is Reason.EXPORT_VANISHED
    assert it.running() == 1
    assert (await it.port.delete_export(answer.handle)).reason is None
    assert it.running() == 0


async def test_one_that_is_away_got_nothing(it: Played) -> None:
    await it.port.open_session()
    await it.be_gone()
    error = await fails(it.port.open_session())
    assert (error.reason, error.is_sent) == (Reason.UNREACHABLE, False)


async def test_a_lost_answer_may_have_acted(it: Played) -> None:
    await it.port.open_session()
    it.lose_next_answer()
    error = await fails(it.port.export(an_order(it)))
    assert error.is_sent
    assert it.begun() == 1


async def test_its_cameras_can_be_asked_for(it: Played) -> None:
    found = {device.address for device in await it.port.devices()}
    assert {address_in(it, LOBBY), address_in(it, DOOR)} <= found


async def test_a_request_is_shown_and_not_sent(it: Played) -> None:
    shown = it.port.describe(an_order(it))
    assert shown.head
    assert shown.body
    assert it.begun() == 0


async def test_one_that_cannot_protect_is_asked_for_nothing(it: Played) -> None:
    if KINDS[it.kind].can.furthest_tag is not None:
        pytest.skip("it can")
    order = TagOrder(
        address=address_in(it, LOBBY), window=WINDOW, title="t", comment="c"
    )
    error = await fails(it.port.tag(order))
    assert (error.reason, error.is_sent) == (Reason.BAD_REQUEST, False)
    assert await it.port.tagged([]) == {}


# the pipeline with it


def cameras(it: Played) -> list[Camera]:
    return [
        Camera(
            name=CameraName(name),
            recorder=RecorderName("main"),
            address=section.address,
            label=name.title(),
        )
        for name, section in it.config.cameras.items()
    ]


async def waiting(it: Played, store: SqlStore, number: int = 1) -> Exporting:
    """Its loops, and an incident whose clips of so many cameras are due."""
    site = build_site(it.config)
    bench = Exporting(store, it.port, it.clock, site)
    await bench.wait_for("i0", like=ended(*cameras(it)[:number]))
    return bench


async def incident(bench: Exporting) -> Incident:
    [found] = await bench.store.read(lambda v: v.incidents.get([IncidentId("i0")]))
    return found


async def test_footage_is_exported(it: Played, store: SqlStore) -> None:
    bench = await waiting(it, store, number=2)
    await bench.go(timedelta(minutes=10), EVERY)
    assert [c.state for c in (await incident(bench)).clips] == [ClipState.EXPORTED] * 2
    [export] = await bench.exports("i0")
    assert export.state is ExportState.EXPORTED
    assert bool(export.path) is KINDS[it.kind].can.has_path
    assert it.begun() == 1
    assert await bench.events() == ["opened", "requested", "accepted", "exported"]


async def test_footage_that_comes_late_is_asked_for_again(
    it: Played, store: SqlStore
) -> None:
    it.lack(LOBBY)
    bench = await waiting(it, store)
    await bench.go(timedelta(minutes=2), EVERY)
    [clip] = (await incident(bench)).clips
    assert (clip.state, clip.reason) == (ClipState.DUE, Reason.NO_VIDEO)
    assert clip.code
    it.record()
    await bench.go(timedelta(minutes=15), EVERY)
    [clip] = (await incident(bench)).clips
    assert clip.state is ClipState.EXPORTED
    assert it.begun() == 1


async def test_a_camera_without_video_holds_up_no_other(
    it: Played, store: SqlStore
) -> None:
    it.lack(DOOR)
    bench = await waiting(it, store, number=2)
    await bench.go(timedelta(minutes=20), EVERY)
    lobby, door = (await incident(bench)).clips
    assert lobby.state is ClipState.EXPORTED
    assert (door.state, door.reason) == (ClipState.DUE, Reason.NO_VIDEO)


async def test_a_lost_answer_leads_to_one_export(it: Played, store: SqlStore) -> None:
    bench = await waiting(it, store)
    it.lose_next_answer()
    await bench.go(timedelta(minutes=10), EVERY)
    [clip] = (await incident(bench)).clips
    assert (clip.state, it.begun()) == (ClipState.EXPORTED, 1)
    assert "adopted" in await bench.events()


async def test_an_outage_loses_nothing(it: Played, store: SqlStore) -> None:
    bench = await waiting(it, store)
    await it.be_gone()
    await bench.go(timedelta(minutes=1), EVERY)
    assert not bench.link.is_up
    await it.be_back()
    await bench.go(timedelta(minutes=10), EVERY)
    [clip] = (await incident(bench)).clips
    assert (clip.state, it.begun()) == (ClipState.EXPORTED, 1)


async def test_what_nobody_wants_any_more_is_deleted_there(
    it: Played, store: SqlStore
) -> None:
    bench = await waiting(it, store)
    await bench.send()
    assert it.running() == 1
    change = cancel(await incident(bench), "ann", it.clock.now())
    await store.write(lambda tx: tx.ledger.save([change], it.clock.now()))
    await bench.track.once()
    assert it.running() == 0
    [export] = await bench.exports("i0")
    assert export.state is ExportState.CANCELLED
