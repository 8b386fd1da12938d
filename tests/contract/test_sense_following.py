"""How exports are doing: by their numbers, and by the list where no number leads."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from evidenced.core.address import Handle
from evidenced.core.ids import DestinationName, IncidentId, RecorderName, SessionId
from evidenced.core.incidents.export import ExportedDevice, ExportRequest
from evidenced.core.incidents.states import ExportState
from evidenced.core.instants import ZERO
from evidenced.core.recorder import DeviceWindow
from evidenced.core.window import Window
from evidenced.sense import SenseClient, SenseSettings
from evidenced.sense.address import ExportId, sense_address, sense_handle
from fakes.clock import FakeClock
from fakes.recorder_double import EMPTY, RecorderDouble, Say, code, recorder_double

STATUS = "getExportVideoStatus"
START = datetime(2026, 11, 23, 6, tzinfo=UTC)
WINDOW = Window(start=START, end=START + timedelta(seconds=60))


def handle(number: str, session: str = "s1") -> Handle | None:
    return sense_handle(ExportId(number), SessionId(session))


def an_export(n: int, **changes: object) -> ExportRequest:
    address = sense_address("1001", "2001")
    export = ExportRequest(
        id=n,
        incident=IncidentId("i1"),
        recorder=RecorderName("main"),
        destination=DestinationName("nas"),
        n=n,
        path=rf"V:\evidence\{n}",
        bandwidth=0,
        devices=(
            ExportedDevice(clip=1, asked=DeviceWindow(address=address, window=WINDOW)),
        ),
        offset=ZERO,
        state=ExportState.EXPORTING,
        requested_at=START,
        handle=handle(str(n)),
    )
    return replace(export, **changes)  # type: ignore[arg-type]


def entry(n: int, path: str | None = None) -> bytes:
    path = path or rf"V:\evidence\{n}"
    return (
        f"<export><exportid>{n}</exportid><path>{path}</path>"
        "<status>busy</status><devices><device><serverid>1001</serverid>"
        "<deviceid>2001</deviceid><starttime>2026-11-23 06:00:00.000</starttime>"
        "<endtime>2026-11-23 06:01:00.000</endtime><progress>40</progress>"
        "</device></devices></export>"
    ).encode()


def listing(*entries: bytes) -> Say:
    inside = b"<exports>" + b"".join(entries) + b"</exports>"
    return Say(body=b"<result errorcode='0'>" + inside + b"</result>")


@pytest.fixture
async def double() -> AsyncIterator[RecorderDouble]:
    async with recorder_double() as server:
        yield server


@pytest.fixture
async def client(double: RecorderDouble) -> AsyncIterator[SenseClient]:
    settings = SenseSettings(
        name="main", url=double.url, username="u", password=lambda: "p", nonce="n"
    )
    numbers = count(1)
    made = SenseClient(
        settings, FakeClock(START), lambda: SessionId(f"s{next(numbers)}")
    )
    await made.open_session()
    yield made
    await made.close()


def asked(double: RecorderDouble) -> list[str | None]:
    """The numbers that were asked for; None for the whole list."""
    return [a.query.get("exportid") for a in double.asked if a.command == STATUS]


async def test_each_is_asked_for_by_its_number_and_the_list_never(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on(STATUS, listing(entry(1)), listing(entry(2)))
    followed = await client.follow([an_export(1), an_export(2)])
    assert followed.verdicts.keys() == {1, 2}
    assert followed.verdicts[2].handle == handle("2")
    assert followed.verdicts[2].devices[0].percent == 40
    assert asked(double) == ["1", "2"]


@pytest.mark.parametrize(
    "say",
    [
        listing(entry(1, r"V:\somebody\else")),
        listing(),
        Say(body=EMPTY),
        Say(body=code(-18)),
        Say(body=code(-57)),
    ],
    ids=["another's", "none", "no export", "code -18", "code -57"],
)
async def test_where_a_number_does_not_lead_to_it_the_list_tells(
    double: RecorderDouble, client: SenseClient, say: Say
) -> None:
    double.on(STATUS, say, listing(entry(7, r"V:\evidence\1")))
    followed = await client.follow([an_export(1)])
    assert followed.verdicts[1].handle == handle("7")
    assert asked(double) == ["1", None]
    assert double.count("login") == 1


@pytest.mark.parametrize("known_as", [None, handle("1", "s0")])
async def test_a_lost_answer_and_a_number_of_another_session_are_looked_for_in_the_list(
    double: RecorderDouble, client: SenseClient, known_as: Handle | None
) -> None:
    double.on(STATUS, listing(entry(4, r"V:\evidence\1"), entry(2)))
    exports = [an_export(1, handle=known_as), an_export(2)]
    followed = await client.follow(exports)
    assert followed.verdicts[1].handle == handle("4")
    assert asked(double) == [None]


async def test_one_that_lists_all_whatever_it_is_asked_is_asked_once(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on(STATUS, listing(entry(1), entry(2)))
    for _ in range(2):
        followed = await client.follow([an_export(1), an_export(2)])
        assert followed.verdicts.keys() == {1, 2}
    assert asked(double) == ["1", None, None]


async def test_a_session_that_ended_is_opened_again_by_the_list(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on(
        STATUS, Say(status=401), Say(status=401), listing(entry(9, r"V:/Evidence/1"))
    )
    followed = await client.follow([an_export(1)])
    assert (followed.session, followed.verdicts[1].handle) == ("s2", handle("9", "s2"))
    assert asked(double) == ["1", None, None]
