"""The client against the strict double, in every dialect that the double speaks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import count

import pytest

from evidenced.core.address import known_as
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.ids import SessionId
from evidenced.core.keeping.jpeg import picture_size
from evidenced.core.recorder import DeviceWindow, ExportOrder
from evidenced.core.window import Window
from evidenced.sense import Auth, SenseClient, SenseSettings
from evidenced.sense.address import sense_address
from evidenced.sense.listed import DeviceProgress
from evidenced.simulator import Action, Scenario, Simulator, SimulatorServer, Strike
from evidenced.simulator.scenario import (
    ExportsScenario,
    InfoScenario,
    LoginScenario,
    OwnClock,
    Recording,
    SessionScenario,
    Xml,
)
from fakes.clock import START, FakeClock

WINDOW = Window(start=START - timedelta(minutes=2), end=START - timedelta(minutes=1))
PATH = r"V:\evidence\Ünit & (1) 'a'\2"
LOBBY = sense_address("1001", "2001")


def an_order(*devices: str, window: Window = WINDOW) -> ExportOrder:
    return ExportOrder(
        devices=tuple(
            DeviceWindow(address=sense_address("1001", device), window=window)
            for device in devices or ("2001", "2002")
        ),
        path=PATH,
        bandwidth=1_000_000,
    )


class Bench:
    """A client, the simulator that it talks to, its server, and the clock of all."""

    def __init__(
        self,
        client: SenseClient,
        simulator: Simulator,
        server: SimulatorServer,
        clock: FakeClock,
    ) -> None:
        self.client = client
        self.simulator = simulator
        self.server = server
        self.clock = clock

    def count(self, command: str) -> int:
        return sum(r.command == command for r in self.simulator.journal.requests)


@asynccontextmanager
async def bench(
    scenario: Scenario,
    *,
    auth: Auth = Auth.DIGEST,
    timeout: timedelta = timedelta(seconds=20),
) -> AsyncIterator[Bench]:
    clock = FakeClock(START)
    simulator = Simulator(scenario, clock)
    numbers = count(1)
    async with SimulatorServer(simulator, "127.0.0.1", 0) as server:
        settings = SenseSettings(
            name="main",
            url=server.url,
            username="export",
            password=lambda: "secret",
            auth=auth,
            nonce="AR5chsWVZagPfMpB",
            timeout=timeout,
        )
        client = SenseClient(settings, clock, lambda: SessionId(f"s{next(numbers)}"))
        try:
            yield Bench(client, simulator, server, clock)
        finally:
            await client.close()


async def fails(awaitable: Awaitable[object]) -> RecorderError:
    with pytest.raises(RecorderError) as raised:
        await awaitable
    assert "secret" not in str(raised.value)
    return raised.value


DIALECTS = {
    "plain": Xml(),
    "upper": Xml(tag_case="upper"),
    "title": Xml(tag_case="title"),
    "extra": Xml(extra_nodes=True),
    "terse": Xml(descriptions=False),
    "positive": Xml(success_code=7),
    "malformed": Xml(malformed_list=True),
    "malformed-upper": Xml(malformed_list=True, tag_case="upper", extra_nodes=True),
    "seconds": Xml(times="s"),
    "decimal": Xml(progress="decimal"),
    "sign": Xml(progress="sign"),
    "description": Xml(status_as="description"),
    "blanks": Xml(trailing_blanks=True),
    "image": Xml(image_entry="image"),
    "image-attribute": Xml(image_time="attribute"),
}


@pytest.mark.parametrize("name", DIALECTS)
async def test_the_whole_way_in_every_dialect(name: str) -> None:
    async with bench(Scenario(xml=DIALECTS[name])) as b:
        session = await b.client.open_session()
        assert session.version == "2.7.3"
        devices = await b.client.devices()
        assert [(d.address, d.name) for d in devices] == [
            (sense_address("1001", f"200{n}"), f"Camera {n}") for n in range(1, 5)
        ]
        assert (await b.client.fitness(session)).is_fit is True
        assert await b.client.has_video(LOBBY, WINDOW) is True
        images = await b.client.recorded(LOBBY, WINDOW)
        assert images
        data = await b.client.picture(LOBBY, images[0])
        assert data is not None
        assert picture_size(data) == (640, 360)
        assert await b.client.picture(LOBBY, START + timedelta(days=1)) is None
        later = WINDOW.shifted(timedelta(hours=1))
        assert not await b.client.has_video(LOBBY, later)
        found = await b.client.recorded(LOBBY, WINDOW)
        assert found is not None
        assert found[0] - WINDOW.start < timedelta(seconds=2)
        assert len(found) >= WINDOW.length.total_seconds() - 1
        assert await b.client.recorded(LOBBY, later) == ()
        assert await b.client.recorded(sense_address("1001", "9"), WINDOW) is None

        _, refused = await b.client.export(an_order(window=later))
        assert (refused.code, refused.handle) == ("-48", None)
        info, begun = await b.client.export(an_order())
        assert begun.reason is None
        assert known_as(begun.handle) == "1"

        b.clock.advance(30)
        listing = await b.client.exports()
        assert listing.session == info.session == session.session
        (export,) = listing.exports
        assert (export.exportid, export.path) == ("1", PATH)
        assert (export.bandwidth, export.progress) == (
            1_000_000,
            DeviceProgress.RUNNING,
        )
        assert [(d.address, d.window) for d in export.devices] == [
            (sense_address("1001", "2001"), WINDOW),
            (sense_address("1001", "2002"), WINDOW),
        ]
        assert 0 < sum(d.percent or 0 for d in export.devices) < 200
        b.clock.advance(60)
        (export,) = (await b.client.exports()).exports
        assert export.progress is DeviceProgress.DONE
        assert {d.progress for d in export.devices} == {DeviceProgress.DONE}


async def test_a_list_in_local_time_is_given_as_it_stands() -> None:
    async with bench(Scenario(xml=Xml(zone="Europe/Amsterdam"))) as b:
        await b.client.export(an_order("2001"))
        (export,) = (await b.client.exports()).exports
        assert export.devices[0].window == WINDOW.shifted(timedelta(hours=1))


async def test_progress_that_is_not_told() -> None:
    async with bench(Scenario(xml=Xml(progress="absent"))) as b:
        await b.client.export(an_order("2001"))
        (export,) = (await b.client.exports()).exports
        assert export.devices[0].percent is None


@pytest.mark.parametrize("auth", Auth)
@pytest.mark.parametrize(
    "key_in",
    [
        "element",
        "nested-element",
        "session-element",
        "attribute",
        "key-attribute",
        "cookie",
    ],
)
async def test_the_key_wherever_it_stands(key_in: str, auth: Auth) -> None:
    login = LoginScenario.model_validate({"key_in": key_in})
    async with bench(Scenario(login=login), auth=auth) as b:
        assert len(await b.client.devices()) == 4


@pytest.mark.parametrize("offset", [-86_400, -3.5, 3600, 40_000_000])
async def test_the_digest_is_made_by_the_recorders_clock(offset: float) -> None:
    clock = OwnClock(offset=timedelta(seconds=offset))
    async with bench(Scenario(clock=clock)) as b:
        info = await b.client.open_session()
        assert info.offset is not None
        assert info.offset.lowest <= timedelta(seconds=offset) <= info.offset.highest


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ("code", Reason.LOGIN_REFUSED),
        ("401", Reason.LOGIN_REFUSED),
        ("403", Reason.LOGIN_REFUSED),
        ("no-key", Reason.LOGIN_REFUSED),
        ("html", Reason.GARBAGE),
    ],
)
async def test_a_login_refused_in_every_form(failure: str, reason: Reason) -> None:
    login = LoginScenario.model_validate({"failure": failure, "users": {"other": "x"}})
    async with bench(Scenario(login=login)) as b:
        assert (await fails(b.client.open_session())).reason is reason


async def test_info_malformed_or_absent() -> None:
    async with bench(Scenario(info=InfoScenario(form="malformed"))) as b:
        info = await b.client.open_session()
        assert info.offset is not None
        assert info.version == "2.7.3"
    async with bench(Scenario(info=InfoScenario(form="absent"))) as b:
        info = await b.client.open_session()
        assert (info.offset, info.version) == (None, "")
        assert (await b.client.export(an_order()))[1].reason is None


EXPIRIES = ["401", "403", "302", "html", "code"]


@pytest.mark.parametrize("expiry", EXPIRIES)
async def test_reading_calls_outlive_their_session(expiry: str) -> None:
    session = SessionScenario.model_validate({"expiry": expiry})
    async with bench(Scenario(session=session)) as b:
        await b.client.export(an_order())
        assert (await b.client.exports()).session == "s1"
        assert len(await b.client.devices()) == 4
        b.simulator.end_sessions()
        listing = await b.client.exports()
        assert listing.session == "s2"
        assert len(listing.exports) == 1
        b.simulator.end_sessions()
        assert len(await b.client.devices()) == 4
        assert b.count("login") == 3


@pytest.mark.parametrize("expiry", EXPIRIES)
async def test_an_export_in_an_ended_session_happens_once_in_the_end(
    expiry: str,
) -> None:
    session = SessionScenario.model_validate({"expiry": expiry})
    async with bench(Scenario(session=session)) as b:
        await b.client.open_session()
        b.simulator.end_sessions()
        is_begun = False
        for _ in range(3):  # as the pipeline would: again, after a look at the list
            try:
                _, answer = await b.client.export(an_order())
            except RecorderError as error:
                assert error.is_sent  # noqa: PT017 - only some expiries raise
                assert (await b.client.exports()).exports == ()
            else:
                is_begun = answer.handle is not None
            if is_begun:
                break
        assert is_begun
        assert len(b.simulator.journal.exports) == 1
        assert b.count("exportVideo") == 2
        assert b.count("login") == 2


@pytest.mark.parametrize("expiry", EXPIRIES)
async def test_sessions_that_end_before_each_try_hold_up_one_try_only(
    expiry: str,
) -> None:
    session = SessionScenario.model_validate({"expiry": expiry})
    async with bench(Scenario(session=session)) as b:
        await b.client.open_session()
        b.simulator.end_sessions()
        with suppress(RecorderError):
            await b.client.export(an_order("2001"))
        for n, device in enumerate(("2002", "2003"), start=1):
            b.simulator.end_sessions()
            _, answer = await b.client.export(an_order(device))
            assert answer.handle is not None
            assert len(b.simulator.journal.exports) >= n


async def test_delete() -> None:
    async with bench(Scenario()) as b:
        _, answer = await b.client.export(an_order())
        assert answer.handle
        deleted = await b.client.delete_export(answer.handle)
        assert deleted.reason is None
        assert (await b.client.exports()).exports == ()
        again = await b.client.delete_export(answer.handle)
        assert again.reason is not None


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (an_order("2001", "9999"), -2),
        (an_order("2001", window=WINDOW.shifted(timedelta(hours=1))), -48),
    ],
)
async def test_refusals_are_answers(order: ExportOrder, code: int) -> None:
    async with bench(Scenario()) as b:
        assert (await b.client.export(order))[1].code == str(code)


@pytest.mark.parametrize(
    ("exports", "code"),
    [
        (ExportsScenario(roots=("W:\\",)), -58),
        (ExportsScenario(unwritable=("V:\\",)), -61),
        (ExportsScenario(disk_space=1), -60),
    ],
)
async def test_destinations_that_do_not_take_it(
    exports: ExportsScenario, code: int
) -> None:
    async with bench(Scenario(exports=exports)) as b:
        assert (await b.client.export(an_order()))[1].code == str(code)


async def test_without_a_licence() -> None:
    async with bench(Scenario(licensed=False)) as b:
        for _ in range(2):
            assert (await b.client.export(an_order()))[1].code == "-1"
        error = await fails(b.client.exports())
        assert error.reason is Reason.RECORDER_FAULT
        assert len(await b.client.devices()) == 4
        assert (await b.client.fitness(await b.client.open_session())).is_fit is False
        assert b.count("login") == 1


FAULTS = [
    (Strike(action=Action.CUT), Reason.UNREACHABLE),
    (Strike(action=Action.CUT, after=True), Reason.UNREACHABLE),
    (Strike(action=Action.CUT_MIDDLE), Reason.GARBAGE),
    (Strike(action=Action.STATUS, status=500), Reason.SERVER_ERROR),
    (Strike(action=Action.STATUS, status=503, after=True), Reason.SERVER_ERROR),
    (Strike(action=Action.GARBAGE), Reason.GARBAGE),
    (Strike(action=Action.TRUNCATE), Reason.GARBAGE),
    (Strike(action=Action.HTML, after=True), Reason.GARBAGE),
    (Strike(action=Action.HUGE), Reason.GARBAGE),
    (Strike(action=Action.HANG), Reason.TIMEOUT),
]


@pytest.mark.parametrize(
    ("fault", "reason"), FAULTS, ids=[f"{f.action}-{f.after}" for f, _ in FAULTS]
)
async def test_a_fault_of_an_export_leaves_its_outcome_unknown(
    fault: Strike, reason: Reason
) -> None:
    struck = fault.model_copy(update={"command": "exportVideo"})
    async with bench(Scenario(faults=(struck,)), timeout=timedelta(seconds=2)) as b:
        error = await fails(b.client.export(an_order()))
        assert (error.reason, error.is_sent) == (reason, True)
        assert b.count("exportVideo") == 1
        began = len(b.simulator.journal.exports)
        assert len((await b.client.exports()).exports) == began


@pytest.mark.parametrize(
    ("fault", "reason"), FAULTS, ids=[f"{f.action}-{f.after}" for f, _ in FAULTS]
)
async def test_a_fault_of_a_reading_call_is_told_and_passes(
    fault: Strike, reason: Reason
) -> None:
    name = "getExportVideoStatus"
    struck = fault.model_copy(update={"command": name, "times": 2})
    async with bench(Scenario(faults=(struck,)), timeout=timedelta(seconds=2)) as b:
        error = await fails(b.client.exports())
        assert (error.reason, error.is_sent) == (reason, False)
        while b.count(name) < 2:
            await fails(b.client.exports())
        assert (await b.client.exports()).exports == ()


async def test_nobody_listens_for_a_while() -> None:
    async with bench(Scenario()) as b:
        await b.client.open_session()
        b.simulator.inject(Strike(action=Action.REFUSE, lasts=timedelta(seconds=5)))
        async with asyncio.timeout(60):
            await b.server.silent.wait()
            while True:
                error = await fails(b.client.export(an_order()))
                assert error.reason is Reason.UNREACHABLE
                if not error.is_sent:
                    break
        assert b.simulator.journal.exports == type(b.simulator.journal.exports)()


async def test_a_recorder_that_lags_and_drifts() -> None:
    scenario = Scenario(
        recording=Recording(lag=timedelta(seconds=30)),
        clock=OwnClock(offset=timedelta(minutes=7), drift_ppm=500),
    )
    async with bench(scenario) as b:
        offset = (await b.client.open_session()).offset
        assert offset
        window = Window(start=START, end=START + timedelta(seconds=10)).shifted(
            offset.applied
        )
        codes = []
        for _ in range(5):
            b.clock.advance(10)
            codes.append((await b.client.export(an_order(window=window)))[1].code)
            if codes[-1] == "0":
                break
        assert codes[0] == "-48"
        assert codes[-1] == "0"
