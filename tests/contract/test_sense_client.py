"""The client against a server that answers what each test tells it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from evidenced.core.address import Handle
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.ids import SessionId
from evidenced.core.recorder import Answer, DeviceWindow, ExportOrder
from evidenced.core.window import Window
from evidenced.ports import RecorderPort
from evidenced.sense import Auth, SenseClient, SenseSettings
from evidenced.sense.address import ExportId, sense_address, sense_handle
from evidenced.sense.codes import EXPORT_CODES
from evidenced.sense.digest import compute_digest
from evidenced.sense.wire import render_order
from fakes.clock import START, FakeClock
from fakes.recorder_double import (
    BEGUN,
    EMPTY,
    INFO,
    PAGE,
    RecorderDouble,
    Say,
    code,
    recorder_double,
)

PASSWORD = "pa<ss&word"
NONCE = "AR5chsWVZagPfMpB"
WINDOW = Window(start=START, end=START + timedelta(minutes=1))
ORDER = ExportOrder(
    devices=(DeviceWindow(address=sense_address("1", "3"), window=WINDOW),),
    path=r"V:\evidence\1",
    bandwidth=1000,
)
SETTINGS = SenseSettings(
    name="main",
    url="",
    username="export",
    password=lambda: PASSWORD,
    nonce=NONCE,
    timeout=timedelta(seconds=20),
)
SHORT = timedelta(milliseconds=300)
Call = Callable[[SenseClient], Awaitable[object]]


def handle(number: str, session: str = "s1") -> Handle:
    made = sense_handle(ExportId(number), SessionId(session))
    assert made is not None
    return made


def a_client(
    url: str, settings: SenseSettings = SETTINGS, clock: FakeClock | None = None
) -> SenseClient:
    numbers = count(1)
    return SenseClient(
        replace(settings, url=url),
        clock or FakeClock(),
        lambda: SessionId(f"s{next(numbers)}"),
    )


@pytest.fixture
async def double() -> AsyncIterator[RecorderDouble]:
    async with recorder_double() as server:
        yield server


@pytest.fixture
async def client(double: RecorderDouble) -> AsyncIterator[SenseClient]:
    made = a_client(double.url)
    yield made
    await made.close()


@pytest.fixture
async def hasty(double: RecorderDouble) -> AsyncIterator[SenseClient]:
    made = a_client(double.url, replace(SETTINGS, timeout=SHORT))
    yield made
    await made.close()


async def fails(awaitable: Awaitable[object]) -> RecorderError:
    with pytest.raises(RecorderError) as raised:
        await awaitable
    text = str(raised.value)
    assert text.isprintable()
    assert 0 < len(text) < 500
    for secret in (PASSWORD, NONCE, "KEY1", "KEY2"):
        assert secret not in text
    return raised.value


def as_port(client: SenseClient) -> RecorderPort:
    """Type-checked: the client is what the pipeline wants."""
    return client


# --- session -------------------------------------------------------------------------


async def test_open_measures_the_clock_and_logs_in_by_it(
    double: RecorderDouble,
) -> None:
    clock = FakeClock(START)
    sent = timedelta(milliseconds=400)
    utc = b"<apiinfo><utc>2026-11-23 07:00:00</utc><version>2.7.3</version></apiinfo>"
    double.on("info", Say(body=utc, before=lambda: clock.advance(sent)))
    client = a_client(double.url, clock=clock)
    info = await client.open_session()
    await client.close()
    hour = timedelta(hours=1)
    assert (info.session, info.version) == ("s1", "2.7.3")
    assert info.offset is not None
    assert info.offset.lowest == hour - sent
    assert info.offset.highest == hour + timedelta(seconds=1)
    assert info.offset.measured_at == START + sent
    login = double.last("login")
    stamp = "2026-11-23 07:00:00"  # ours plus the middle of the interval, cut
    digest = compute_digest(
        username="export", password=PASSWORD, nonce=NONCE, timestamp=stamp
    )
    assert login.method == "POST"
    assert login.headers["Content-Type"] == "text/xml"
    assert login.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert f"<timestamp>{stamp}</timestamp>".encode() in login.body
    assert f"<digest>{digest}</digest>".encode() in login.body
    assert PASSWORD.encode() not in login.body


async def test_a_wall_clock_set_meanwhile_does_not_shrink_the_interval(
    double: RecorderDouble,
) -> None:
    clock = FakeClock(START)

    def jump() -> None:
        clock.advance(0.5)
        clock.jump(timedelta(seconds=-30))

    double.on("info", Say(body=INFO, before=jump))
    client = a_client(double.url, clock=clock)
    offset = (await client.open_session()).offset
    await client.close()
    assert offset is not None
    assert offset.highest - offset.lowest == timedelta(seconds=1.5)


async def test_an_older_recorder_has_no_info(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on("info", Say(status=404))
    info = await client.open_session()
    assert (info.offset, info.version) == (None, "")


async def test_open_again_measures_again_and_keeps_the_session(
    double: RecorderDouble, client: SenseClient
) -> None:
    first = await client.open_session()
    double.on("info", Say(body=INFO.replace(b"06:00:00", b"06:00:09")))
    second = await client.open_session()
    assert first.session == second.session
    assert first.offset
    assert second.offset
    assert second.offset.lowest - first.offset.lowest == timedelta(seconds=9)
    assert double.commands() == ["info", "login", "info"]


async def test_plain_login(double: RecorderDouble) -> None:
    client = a_client(double.url, replace(SETTINGS, auth=Auth.PLAIN))
    await client.open_session()
    await client.close()
    assert (
        b"<AuthenticateUser><username>export</username>"
        b"<password>pa&lt;ss&amp;word</password></AuthenticateUser>"
    ) in double.last("login").body


async def test_the_key_goes_into_the_cookie_header_and_no_other_cookie_does(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on(
        "login",
        Say(body=b"<result errorcode='0'/>", headers={"Set-Cookie": "SessionKey=K9"}),
    )
    double.on(
        "getDeviceList", Say(body=code(0), headers={"Set-Cookie": "tracker=1; path=/"})
    )
    await client.devices()
    await client.devices()
    assert "Cookie" not in double.last("login").headers
    assert double.last("getDeviceList").headers["Cookie"] == "sessionkey=K9"


REFUSED = (
    b"<result errorcode='-9'><description>pa&lt;ss&amp;word of export, AR5chsWVZagPfMpB"
    b"</description></result>"
)


@pytest.mark.parametrize(
    ("say", "reason", "part"),
    [
        (Say(body=REFUSED), Reason.LOGIN_REFUSED, "-9 *** of export"),
        (Say(body=code(0)), Reason.LOGIN_REFUSED, "no session key"),
        (Say(status=401), Reason.LOGIN_REFUSED, "HTTP 401"),
        (Say(body=REFUSED), Reason.LOGIN_REFUSED, "another program is logged in"),
        (Say(status=403), Reason.LOGIN_REFUSED, "another program is logged in"),
        (Say(status=302), Reason.LOGIN_REFUSED, "HTTP 302"),
        (Say(status=503), Reason.SERVER_ERROR, "HTTP 503"),
        (Say(body=PAGE), Reason.GARBAGE, "web pages"),
        (Say(cut=True), Reason.UNREACHABLE, "cut the connection"),
    ],
)
async def test_logins_that_fail(
    double: RecorderDouble, client: SenseClient, say: Say, reason: Reason, part: str
) -> None:
    double.on("login", say)
    for call in (client.open_session(), client.export(ORDER)):
        error = await fails(call)
        assert (error.reason, error.is_sent) == (reason, False)
        assert part in str(error)
    assert double.count("exportVideo") == 0


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (Say(status=500), Reason.SERVER_ERROR),
        (Say(status=403), Reason.GARBAGE),
        (Say(body=PAGE), Reason.GARBAGE),
        (Say(body=b"<apiinfo><utc>later</utc></apiinfo>"), Reason.GARBAGE),
    ],
)
async def test_info_that_fails(
    double: RecorderDouble, client: SenseClient, say: Say, reason: Reason
) -> None:
    double.on("info", say)
    assert (await fails(client.open_session())).reason is reason


async def test_a_password_that_cannot_be_read_is_told(double: RecorderDouble) -> None:
    def unreadable() -> str:
        raise FileNotFoundError(f"/run/{PASSWORD}")

    client = a_client(double.url, replace(SETTINGS, password=unreadable))
    error = await fails(client.open_session())
    await client.close()
    assert error.reason is Reason.LOGIN_REFUSED
    assert "recorders.main" in str(error)


async def test_callers_share_one_login(
    double: RecorderDouble, client: SenseClient
) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(client.devices())
    assert double.count("login") == 1
    double.on("getExportVideoStatus", *[Say(status=401)] * 5, Say(body=EMPTY))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client.exports()) for _ in range(5)]
    assert double.count("login") == 2
    assert {task.result().session for task in tasks} == {"s2"}


async def test_callers_share_a_login_that_fails(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on("login", Say(status=503))
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(fails(client.devices()))
    assert double.count("login") == 1
    await fails(client.devices())
    assert double.count("login") == 2


# --- export --------------------------------------------------------------------------


async def test_export_sends_the_documented_request(
    double: RecorderDouble, client: SenseClient
) -> None:
    info, answer = await client.export(ORDER)
    asked = double.last("exportVideo")
    assert answer == Answer(code="0", handle=handle("1"))
    assert info.session == "s1"
    assert (asked.method, asked.raw) == ("POST", "/command?command=exportVideo")
    assert asked.body == render_order(ORDER)
    assert asked.headers["Content-Type"] == "text/xml"
    assert asked.headers["Cookie"] == "sessionkey=KEY1"
    assert asked.headers["Connection"] == "close"
    assert asked.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("number", [-48, -2, -17, -58, -61, -60, -4, -1, -18, -99])
async def test_refusals_are_answers(
    double: RecorderDouble, client: SenseClient, number: int
) -> None:
    double.on("exportVideo", Say(body=code(number)))
    _, answer = await client.export(ORDER)
    assert answer.reason is EXPORT_CODES.get(number, Reason.RECORDER_FAULT)
    assert answer.code == str(number)
    assert double.count("exportVideo") == 1


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (Say(body=code(0)), Reason.GARBAGE),
        (Say(body=b""), Reason.GARBAGE),
        (Say(body=PAGE), Reason.GARBAGE),
        (Say(body=BEGUN[:-5]), Reason.GARBAGE),
        (Say(body=BEGUN, headers={"Content-Encoding": "gzip"}), Reason.GARBAGE),
        (Say(body=BEGUN + b" " * (1 << 20)), Reason.GARBAGE),
        (Say(status=302, headers={"Location": "/login"}), Reason.GARBAGE),
        (Say(status=404), Reason.GARBAGE),
        (Say(status=500), Reason.SERVER_ERROR),
        (Say(status=503, body=BEGUN), Reason.SERVER_ERROR),
        (Say(cut=True), Reason.UNREACHABLE),
    ],
)
async def test_an_unknown_outcome_is_told_and_never_repeated(
    double: RecorderDouble, client: SenseClient, say: Say, reason: Reason
) -> None:
    double.on("exportVideo", say)
    error = await fails(client.export(ORDER))
    assert (error.reason, error.is_sent) == (reason, True)
    assert double.count("exportVideo") == 1


async def test_no_answer_in_time_names_the_deadline(
    double: RecorderDouble, hasty: SenseClient
) -> None:
    double.on("exportVideo", Say(hang=True))
    error = await fails(hasty.export(ORDER))
    assert (error.reason, error.is_sent) == (Reason.TIMEOUT, True)
    assert "no answer to exportVideo" in str(error)
    assert "within 0.3 s (recorders.main.timeout)" in str(error)
    double.on("getExportVideoStatus", Say(hang=True))
    assert not (await fails(hasty.exports())).is_sent


@pytest.mark.parametrize("status", [401, 403])
async def test_a_clear_refusal_logs_in_and_repeats_the_export_once(
    double: RecorderDouble, client: SenseClient, status: int
) -> None:
    double.on("exportVideo", Say(body=BEGUN), Say(status=status), Say(body=BEGUN))
    before, _ = await client.export(ORDER)
    after, answer = await client.export(ORDER)
    assert answer.handle == handle("1", "s2")
    assert (before.session, after.session) == ("s1", "s2")
    assert double.last("exportVideo").headers["Cookie"] == "sessionkey=KEY2"
    assert double.count("exportVideo") == 3


async def test_refused_twice_is_told(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on("exportVideo", Say(status=401))
    error = await fails(client.export(ORDER))
    assert (error.reason, error.is_sent) == (Reason.LOGIN_REFUSED, False)
    assert double.count("exportVideo") == 2


async def test_after_a_login_page_for_an_export_the_next_call_logs_in(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on("exportVideo", Say(body=PAGE))
    await fails(client.export(ORDER))
    listing = await client.exports()
    assert listing.session == "s2"
    assert double.count("exportVideo") == 1


async def test_an_unexplained_code_is_looked_into_before_the_next_export(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on("exportVideo", Say(body=code(-18)), Say(body=BEGUN))
    double.on("getExportVideoStatus", Say(body=code(-18)), Say(body=EMPTY))
    assert (await client.export(ORDER))[1].code == "-18"
    info, answer = await client.export(ORDER)
    assert (info.session, answer.handle) == ("s2", handle("1", "s2"))
    assert double.commands()[2:] == [
        "exportVideo",
        "getExportVideoStatus",
        "info",
        "login",
        "getExportVideoStatus",
        "exportVideo",
    ]


async def test_a_session_that_holds_is_kept_after_an_unexplained_code(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on("exportVideo", Say(body=code(-18)), Say(body=code(-48)))
    await client.export(ORDER)
    await client.export(ORDER)
    await client.export(ORDER)
    assert double.count("login") == 1
    assert double.count("getExportVideoStatus") == 1


async def test_without_a_licence_exports_are_still_answered(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on("exportVideo", Say(body=code(-1)))
    double.on("getExportVideoStatus", Say(body=code(-1)))
    for _ in range(3):
        assert (await client.export(ORDER))[1].code == "-1"
    assert double.count("login") == 1


async def test_an_order_that_xml_cannot_carry_is_not_sent(
    double: RecorderDouble, client: SenseClient
) -> None:
    error = await fails(client.export(replace(ORDER, path="V:\\a\x07")))
    assert (error.reason, error.is_sent) == (Reason.BAD_REQUEST, False)
    assert double.asked == []


# --- delete --------------------------------------------------------------------------


async def test_delete_goes_to_the_open_session_only(
    double: RecorderDouble, client: SenseClient
) -> None:
    vanished = await fails(client.delete_export(handle("1")))
    assert vanished.reason is Reason.EXPORT_VANISHED
    info, _ = await client.export(ORDER)
    double.on("exportVideo", Say(body=code(-57)))
    answer = await client.delete_export(handle("1 &2", info.session))
    assert answer == Answer(reason=Reason.BAD_REQUEST, code="-57")
    asked = double.last("exportVideo")
    assert asked.method == "DELETE"
    assert asked.raw == "/command?command=exportVideo&exportid=1%20%262"
    other = await fails(client.delete_export(handle("1", "old")))
    assert (other.reason, other.is_sent) == (Reason.EXPORT_VANISHED, False)


async def test_delete_is_not_repeated_in_another_session(
    double: RecorderDouble, client: SenseClient
) -> None:
    info, _ = await client.export(ORDER)
    double.on("exportVideo", Say(status=401))
    error = await fails(client.delete_export(handle("1", info.session)))
    assert error.reason is Reason.EXPORT_VANISHED
    assert double.count("exportVideo") == 2
    assert (await client.exports()).session == "s2"


# --- calls that change nothing -------------------------------------------------------


@pytest.mark.parametrize(
    "say",
    [
        Say(status=401),
        Say(status=403),
        Say(status=302, headers={"Location": "/login.html"}),
        Say(body=PAGE),
        Say(body=b""),
        Say(body=code(-18)),
        Say(body=code(-10)),
    ],
)
async def test_an_ended_session_is_renewed_once_and_the_call_repeated(
    double: RecorderDouble, client: SenseClient, say: Say
) -> None:
    double.on("getExportVideoStatus", Say(body=EMPTY), say, Say(body=EMPTY))
    assert (await client.exports()).session == "s1"
    assert (await client.exports()).session == "s2"
    assert double.count("getExportVideoStatus") == 3


async def test_then_it_gives_up(double: RecorderDouble, client: SenseClient) -> None:
    double.on("getDeviceList", Say(body=PAGE))
    error = await fails(client.devices())
    assert (error.reason, error.is_sent) == (Reason.GARBAGE, False)
    assert double.count("getDeviceList") == 2


async def test_a_damaged_list_does_not_cost_the_session(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on("getExportVideoStatus", Say(body=EMPTY[:-4]), Say(body=EMPTY))
    assert (await fails(client.exports())).reason is Reason.GARBAGE
    assert (await client.exports()).session == "s1"


@pytest.mark.parametrize("number", [-1, -53, -18])
async def test_a_list_that_is_refused_from_the_start(
    double: RecorderDouble, client: SenseClient, number: int
) -> None:
    double.on("getExportVideoStatus", Say(body=code(number)))
    error = await fails(client.exports())
    assert (error.reason, error.is_sent) == (Reason.RECORDER_FAULT, False)
    assert str(number) in str(error)
    assert double.count("getExportVideoStatus") == 1


async def test_a_long_list_is_read_and_a_longer_one_refused(
    double: RecorderDouble, client: SenseClient
) -> None:
    export = b"<export><exportid>%d</exportid><path>V:\\a</path></export>"
    many = b"".join(export % n for n in range(10_000))
    double.on("getExportVideoStatus", Say(body=EMPTY.replace(b"/>", b">" + many, 1)))
    double.on(
        "getExportVideoStatus",
        Say(body=b"<result errorcode='0'><exports>" + many + b"</exports></result>"),
        Say(body=b"<result>" + b" " * (16 << 20)),
    )
    assert len((await client.exports()).exports) == 10_000
    error = await fails(client.exports())
    assert error.reason is Reason.GARBAGE
    assert "longer than 16 MiB" in str(error)


async def test_has_video_asks_for_one_image(
    double: RecorderDouble, client: SenseClient
) -> None:
    image = b"<result errorcode='0'><imagesequence><img/></imagesequence></result>"
    double.on("getImageSequence", Say(body=image), Say(body=code(-48)))
    ask = (sense_address("1", "a&b"), WINDOW)
    assert await client.has_video(*ask) is True
    assert await client.has_video(*ask) is False
    assert double.last("getImageSequence").raw == (
        "/command?command=getImageSequence&serverid=1&cameraid=a%26b"
        "&starttime=2026-11-23%2006%3A00%3A00.000"
        "&endtime=2026-11-23%2006%3A01%3A00.000&limit=1"
    )


async def test_a_cancelled_call_leaves_the_client_usable(
    double: RecorderDouble, client: SenseClient
) -> None:
    double.on("login", Say(hang=True))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(client.exports())
        await double.hanging.wait()
        task.cancel()
    double.on("login")
    assert (await client.exports()).session == "s1"


async def test_closing_twice_and_before_use(client: SenseClient) -> None:
    await client.close()
    await client.exports()
    await client.close()
    await client.close()


# --- the wire ------------------------------------------------------------------------

CALLS: dict[str, Call] = {
    "open": lambda client: client.open_session(),
    "export": lambda client: client.export(ORDER),
    "exports": lambda client: client.exports(),
    "devices": lambda client: client.devices(),
    "has_video": lambda client: client.has_video(sense_address("1", "3"), WINDOW),
    "delete": lambda client: client.delete_export(handle("1")),
}
RAW = [
    b"",
    b"\0" * 100,
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 abc OK\r\n\r\n",
    b"HTTP/9.9 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<result",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n<result",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n<result",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<result",
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: sessionkey=\xff\xfe\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: \0=;;;\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=\xff\r\n\r\n\xff\xfe\0",
    b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe\0<result/>",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
    b"HTTP/1.1 407 Proxy\r\nProxy-Authenticate: x\r\n\r\n",
    b"HTTP/1.1 999 Odd\r\n\r\n",
]


class RawServer:
    """Answers each connection with the same bytes, once it is told to be hostile."""

    def __init__(self, double: RecorderDouble) -> None:
        self.raw: bytes | None = None
        self.connections = 0
        self._port = int(double.url.rpartition(":")[2])

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        with suppress(ConnectionError):
            request = await reader.read(1 << 16)
            if self.raw is None:
                await self._forward(request, writer)
            else:
                writer.write(self.raw)
                await writer.drain()
        writer.close()

    async def _forward(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        upstream, out = await asyncio.open_connection("127.0.0.1", self._port)
        out.write(request)
        writer.write(await upstream.read(1 << 16))
        await writer.drain()
        out.close()


@pytest.fixture
async def hostile(double: RecorderDouble) -> AsyncIterator[tuple[RawServer, str]]:
    raw = RawServer(double)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    async with server:
        yield raw, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("name", CALLS)
async def test_any_bytes_on_the_wire_are_a_value_or_one_error(
    hostile: tuple[RawServer, str], name: str
) -> None:
    raw, url = hostile
    for answer in RAW:
        client = a_client(url, replace(SETTINGS, timeout=timedelta(seconds=5)))
        raw.raw = None
        await client.open_session()
        raw.raw = answer
        with suppress(RecorderError):
            await CALLS[name](client)
        raw.raw = None
        assert (await client.open_session()).session in {"s1", "s2"}
        await client.close()


@pytest.mark.parametrize("name", ["exports", "delete", "export", "has_video"])
async def test_nothing_is_repeated_when_a_connection_breaks(
    hostile: tuple[RawServer, str], name: str
) -> None:
    raw, url = hostile
    client = a_client(url)
    await client.open_session()
    raw.raw = b""
    before = raw.connections
    error = await fails(CALLS[name](client))
    await client.close()
    assert error.reason is Reason.UNREACHABLE
    assert error.is_sent is (name in {"export", "delete"})
    assert raw.connections == before + 1


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://[::1", "ftp://127.0.0.1", "nonsense", ""]
)
async def test_unreachable(url: str) -> None:
    client = a_client(url)
    for call in (client.open_session(), client.export(ORDER), client.devices()):
        error = await fails(call)
        assert (error.reason, error.is_sent) == (Reason.UNREACHABLE, False)
    await client.close()


def test_no_repr_shows_a_secret() -> None:
    client = a_client("http://127.0.0.1")
    for shown in (repr(client), repr(SETTINGS), str(SETTINGS)):
        assert PASSWORD not in shown
        assert NONCE not in shown
