"""Listening, monitoring and live events over real sockets."""

import asyncio
import json
import re
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from evidenced.core.errors import BadInput, Reason
from evidenced.core.exports.hold import Hold
from evidenced.core.ids import DestinationName, RecorderName
from evidenced.core.incidents.history import Entry, Told
from evidenced.ports.control import RecorderStatus
from evidenced.web import DoorLimits, StreamLimits, WebServer, make_app
from fakes.clock import START
from fakes.site import DEADLINE_S, Site, numbered, serving


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        yield site


def told(seq: int) -> Told:
    entry = Entry(
        incident=numbered(1), at=START, event="opened", detail={"topic": "a\nb"}
    )
    return Told(seq=seq, entry=entry)


@asynccontextmanager
async def listening(site: Site) -> AsyncIterator[aiohttp.StreamReader]:
    """A live stream whose first comment has come."""
    assert site.client is not None
    async with (
        asyncio.timeout(DEADLINE_S),
        site.client.get(site.url + "/api/events") as got,
    ):
        assert got.status == 200
        assert got.headers["Content-Type"].startswith("text/event-stream")
        assert got.headers["Cache-Control"] == "no-store"
        assert await block(got.content) == ": still here\n\n"
        yield got.content


async def block(stream: aiohttp.StreamReader) -> str:
    return (await stream.readuntil(b"\n\n")).decode()


async def test_health(site: Site) -> None:
    got = await site.get("/healthz")
    assert (got.status, got.json()) == (200, {"status": "ok", "reasons": []})
    site.control.why_stuck = ["the intake loop has not turned for 90 s"]
    got = await site.get("/healthz")
    assert got.status == 503
    assert got.json() == {"status": "failing", "reasons": site.control.why_stuck}
    assert (await site.get("/readyz")).status == 200
    site.control.why_unready = ["the broker is not connected"]
    got = await site.get("/readyz")
    assert got.status == 503
    assert got.json() == {
        "status": "failing",
        "reasons": site.control.why_unready,
        "notes": [],
    }


async def test_what_only_delays_footage_is_a_note(site: Site) -> None:
    hold = Hold(
        reason=Reason.DISK_FULL,
        text="Not enough disk space",
        since=START,
        failures=2,
        next_try=START,
        wait=timedelta(hours=1),
    )
    site.control.status = [
        RecorderStatus(
            name=RecorderName("main"),
            is_up=False,
            problem="the login was refused",
            holds={DestinationName("nas"): hold},
        )
    ]
    got = await site.get("/readyz")
    assert got.status == 200
    assert got.json()["notes"] == [
        "recorder main: the login was refused",
        "recorder main, destination nas is held (disk-full): Not enough disk space",
    ]
    shown = (await site.get("/api/recorders")).json()["recorders"][0]["holds"]
    assert shown[0]["destination"] == "nas"
    assert shown[0]["refusals"] == 2


async def test_a_check_that_hangs_says_stuck(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang() -> list[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr("evidenced.web.health.CHECK_S", 0.01)
    monkeypatch.setattr(site.control, "stuck", hang)
    got = await site.get("/healthz")
    assert got.status == 503
    assert "did not finish" in got.json()["reasons"][0]


async def test_metrics(site: Site) -> None:
    await site.open(1)
    await site.end(await site.open(2))
    site.clock.advance(timedelta(minutes=3))
    site.control.status = [
        RecorderStatus(
            name=RecorderName("main"), is_up=True, offset=timedelta(seconds=-4)
        ),
        RecorderStatus(name=RecorderName("gone"), is_up=False),
    ]
    got = await site.get("/metrics")
    assert got.headers["Content-Type"].startswith("text/plain; version=")
    lines = got.body.decode().splitlines()
    for line in (
        'evidenced_incidents{state="recording"} 1.0',
        'evidenced_incidents{state="waiting"} 1.0',
        'evidenced_incidents{state="failed"} 0.0',
        "evidenced_oldest_due_seconds 45.0",
        'evidenced_recorder_up{recorder="main"} 1.0',
        'evidenced_recorder_up{recorder="gone"} 0.0',
        'evidenced_recorder_clock_offset_seconds{recorder="main"} -4.0',
        'evidenced_build_info{version="1.2.3"} 1.0',
    ):
        assert line in lines
    assert 'offset_seconds{recorder="gone"}' not in got.body.decode()
    squeezed = await site.get("/metrics", **{"Accept-Encoding": "gzip"})
    assert squeezed.headers["Content-Encoding"] == "gzip"
    site.control.status = []
    assert "recorder_up{" not in (await site.get("/metrics")).body.decode()


async def test_what_is_not_due_yet_has_no_age(site: Site) -> None:
    await site.end(await site.open(1))
    lines = (await site.get("/metrics")).body.decode().splitlines()
    assert "evidenced_oldest_due_seconds 0.0" in lines


async def test_the_page_is_whole_without_a_script(site: Site) -> None:
    incident = await site.open(1)
    got = await site.get("/")
    page = got.body.decode()
    assert got.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f'href="/incidents/{incident.id}"' in page
    for link in ("/readyz", "/metrics", "/api/incidents", "/recorders", "/refused"):
        assert f'href="{link}"' in page
        assert (await site.get(link)).status == 200
    for kind in (r'href="(/static/page-\w+\.css)"', r'src="(/static/live-\w+\.js)"'):
        [address] = re.findall(kind, page)
        kept = await site.get(address)
        assert (kept.status, kept.headers["Cache-Control"]) == (
            200,
            "public, max-age=31536000, immutable",
        )


async def test_events_come_as_they_happen(site: Site) -> None:
    async with listening(site) as stream:
        site.control.tell(told(4))
        site.control.tell(told(5))
        first = (await block(stream)).splitlines()
        assert first[:2] == ["id: 4", "event: opened"]
        assert json.loads(first[2].removeprefix("data: ")) == {
            "incident": numbered(1),
            "at": "2026-11-23T06:00:00.000Z",
            "event": "opened",
            "detail": {"topic": "a\nb"},
        }
        assert (await block(stream)).startswith("id: 5\n")


async def test_a_pulse_says_that_something_changed_and_how_often_does_not_matter(
    tmp_path: Path,
) -> None:
    limits = StreamLimits(pulse_s=0.02, keep_alive_s=0.06)
    async with serving(tmp_path, limits=limits) as site:
        assert site.client is not None
        async with site.client.get(f"{site.url}/api/events?pulse=1") as got:
            assert await got.content.readuntil(b"\n\n") == b": still here\n\n"
            for _ in range(1000):
                site.control.tell(None)
            pulse = b"event: changed\ndata: {}\n\n"
            assert await got.content.readuntil(b"\n\n") == pulse
            assert await got.content.readuntil(b"\n\n") == b": still here\n\n"
        assert site.control.feeds == set()


async def test_a_reader_that_was_too_slow_is_let_go(site: Site) -> None:
    async with listening(site) as stream:
        site.control.tell(None)
        assert await stream.read() == b""
    assert site.control.feeds == set()


async def test_a_silent_stream_is_kept_alive(tmp_path: Path) -> None:
    limits = StreamLimits(keep_alive_s=0.01)
    async with serving(tmp_path, limits=limits) as site, listening(site) as stream:
        assert await block(stream) == ": still here\n\n"


async def test_streams_are_few_and_places_are_given_back(tmp_path: Path) -> None:
    limits = StreamLimits(streams=1, keep_alive_s=0.01)
    async with serving(tmp_path, limits=limits) as site:
        async with listening(site):
            got = await site.get("/api/events")
            assert got.error()[:2] == (503, "too-many-streams")
        async with asyncio.timeout(DEADLINE_S):
            await site.control.left.acquire()
        async with listening(site):
            pass


async def test_a_client_that_does_not_read_ends_its_stream(tmp_path: Path) -> None:
    async with serving(tmp_path, door=DoorLimits(write_s=0.05)) as site:
        entry = Entry(
            incident=None, at=START, event="opened", detail={"x": "y" * 1_000_000}
        )
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            host, port = site.url.removeprefix("http://").split(":")
            client.connect((host, int(port)))
            client.sendall(b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            async with asyncio.timeout(DEADLINE_S):
                await site.control.subscribed.acquire()
                for seq in range(40):
                    site.control.tell(Told(seq=seq, entry=entry))
                await site.control.left.acquire()
        assert site.control.feeds == set()


async def test_a_stop_ends_streams(tmp_path: Path) -> None:
    async with serving(tmp_path) as site, listening(site) as stream:
        assert site.server is not None
        async with asyncio.timeout(DEADLINE_S):
            await site.server.stop()
            assert await stream.read() == b""
        await site.server.stop()


POST = (
    b"POST /api/incidents HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{"
)


async def raw(site: Site) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = site.url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def test_a_body_that_never_comes_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidenced.web.bodies.BODY_S", 0.01)
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await raw(site)
        writer.write(POST)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"the body did not arrive within" in await reader.readuntil(b"}}")
        writer.close()
        await writer.wait_closed()


async def test_a_client_that_leaves_midway_is_no_error(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async with asyncio.timeout(DEADLINE_S):
        _, writer = await raw(site)
        writer.write(POST)
        await writer.drain()
        assert (await site.get("/healthz")).status == 200
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()
        assert (await site.get("/healthz")).status == 200
    assert site.server is not None
    await site.server.stop()
    assert caplog.records == []


HOST = b"Host: 127.0.0.1\r\n"


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"\x00" * 100 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\x01\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"no colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b" folded: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"B\xc3\xa4d: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 500 + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET /?" + b"q" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /" + b"p" * 9_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /%ff%00 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http://[::1/ HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http://other.example:99999/ HTTP/1.1\r\n" + HOST + b"\r\n",
        b"G<T / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /api/incidents HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n",
        b"POST /api/incidents HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n",
        b"POST /api/incidents HTTP/1.1\r\n" + HOST + b"X-Evidenced: 1\r\n"
        b"Content-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"Expect: wonders\r\n\r\n",
    ],
)
async def test_garbage_is_refused_in_plain_words(
    site: Site, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no news to the log, and who sends it learns nothing of what we are."""
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await raw(site)
        writer.write(garbage)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = int(re.findall(r"Content-Length: (\d+)", head)[0])
        said = (await reader.readexactly(size)).decode()
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()
    assert head.split(" ")[1][:1] == "4"
    assert "\r\nServer: evidenced\r\n" in head
    assert "\r\nX-Content-Type-Options: nosniff\r\n" in head
    for word in ("aiohttp", "Python", "Traceback", "File "):
        assert word not in head + said
    assert (await site.get("/healthz")).status == 200
    assert caplog.records == []


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/incidents", "/nowhere"])
async def test_who_hangs_up_at_once_is_no_news(
    site: Site, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is there to be told to continue: no bug, and nothing for the log."""
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await raw(site)
        head = f"POST {path} HTTP/1.1\r\n".encode() + HOST
        writer.write(head + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    # from Python 3.12 on who only ends what they say may still be answered
    assert not answer or answer.startswith(b"HTTP/1.1 100 ")
    assert (await site.get("/healthz")).status == 200
    assert caplog.records == []


async def test_a_taken_port_is_one_sentence(site: Site) -> None:
    listen = site.url.removeprefix("http://")
    app = make_app(site.store, site.control.whole, site.metrics, site.clock)
    with pytest.raises(BadInput) as caught:
        await WebServer(app, listen).start()
    assert str(caught.value) == (
        f'web.listen "{listen}" is taken by another program; stop it or choose another'
    )


@pytest.mark.parametrize(
    "listen", ["nonsense", "127.0.0.1", "192.0.2.1:8470", "unix:/nowhere/at/all.sock"]
)
async def test_an_address_that_cannot_be_had(site: Site, listen: str) -> None:
    app = make_app(site.store, site.control.whole, site.metrics, site.clock)
    with pytest.raises(BadInput, match=f'web.listen "{listen}"') as caught:
        await WebServer(app, listen).start()
    assert "\n" not in str(caught.value)


async def test_a_socket_file(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))  # what a killed daemon leaves behind

    def make() -> WebServer:
        app = make_app(site.store, site.control.whole, site.metrics, site.clock)
        return WebServer(app, f"unix:{path}")

    server = make()
    await server.start()
    try:
        assert server.address == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        connector = aiohttp.UnixConnector(str(path))
        site.control.answer = incident = await site.open(1)
        async with (
            aiohttp.ClientSession(connector=connector) as client,
            client.post(
                f"http://localhost/api/incidents/{incident.id}/retry",
                headers={"X-Evidenced": "1"},
            ) as got,
        ):
            assert got.status == 200
        assert site.control.asked[0][-1] == "unnamed at the local socket"
        with pytest.raises(BadInput, match="is taken by another program"):
            await make().start()
        assert path.is_socket()
    finally:
        await server.stop()
    assert not path.exists()


async def test_a_file_that_is_no_socket_is_left_alone(
    site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "control.sock"
    path.write_text("precious")
    app = make_app(site.store, site.control.whole, site.metrics, site.clock)
    with pytest.raises(BadInput, match="is taken"):
        await WebServer(app, f"unix:{path}").start()
    assert path.read_text() == "precious"
