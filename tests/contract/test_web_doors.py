"""Connections over real sockets: how many there are, how long, and for whom."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from evidenced.core.account import Account, Role
from evidenced.core.incidents.history import Entry, Told
from evidenced.web import DoorLimits, StreamLimits, doors
from evidenced.web.sessions import IDLE_S
from fakes.clock import START
from fakes.site import DEADLINE_S, HASHED, PASSWORD, Site, numbered, serving

USERS = {
    "anna": Account(password=HASHED),
    "guard": Account(password=HASHED, role=Role.VIEWER),
}
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def place(site: Site) -> tuple[str, int]:
    host, port = site.url.removeprefix("http://").split(":")
    return host, int(port)


def basic(name: str) -> dict[str, str]:
    said = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
    return {"Authorization": f"Basic {said}"}


async def connect(site: Site) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(*place(site))


async def ended(*readers: asyncio.StreamReader) -> None:
    """Returns when each of them is closed by the other side."""
    async with asyncio.timeout(DEADLINE_S):
        for reader in readers:
            with suppress(ConnectionError):
                await reader.read()


def told(seq: int, size: int = 1) -> Told:
    entry = Entry(
        incident=numbered(1), at=START, event="opened", detail={"x": "y" * size}
    )
    return Told(seq=seq, entry=entry)


async def test_idle_connections_make_room(tmp_path: Path) -> None:
    door = DoorLimits(connections=6, of_address=4)
    async with serving(tmp_path, door=door) as site:
        idle = [await connect(site) for _ in range(9)]
        assert (await site.get("/healthz")).status == 200
        await ended(*(reader for reader, _ in idle[:5]))
        for _, writer in idle:
            writer.close()


async def test_requests_in_hand_keep_newcomers_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are answered, however many others come meanwhile."""
    go_on, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def wait() -> list[str]:
        begun.release()
        await go_on.wait()
        return []

    async with serving(tmp_path, door=DoorLimits(of_address=2)) as site:
        monkeypatch.setattr(site.control, "stuck", wait)
        asking = []
        for _ in range(2):
            reader, writer = await connect(site)
            writer.write(HEALTH)
            asking.append((reader, writer))
            async with asyncio.timeout(DEADLINE_S):
                await begun.acquire()
        late, writer = await connect(site)
        await ended(late)
        writer.close()
        go_on.set()
        for reader, writer in asking:
            async with asyncio.timeout(DEADLINE_S):
                assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            writer.close()
        assert (await site.get("/healthz")).status == 200


async def test_who_sends_no_request_is_let_go(tmp_path: Path) -> None:
    async with serving(tmp_path, door=DoorLimits(request_s=0.05)) as site:
        silent, slow = await connect(site), await connect(site)
        slow[1].write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Dri")
        await ended(silent[0], slow[0])
        silent[1].close()
        slow[1].close()


async def test_who_reads_no_answer_is_let_go(tmp_path: Path) -> None:
    """Whatever the answer is; and no further request of theirs is looked at."""
    async with serving(tmp_path, door=DoorLimits(write_s=0.2)) as site:
        looked: list[int] = []
        site.control.why_stuck = ["x" * 100_000]
        stuck = site.control.stuck

        async def count() -> list[str]:
            looked.append(1)
            return await stuck()

        site.control.stuck = count  # type: ignore[method-assign]
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(place(site))
            client.settimeout(0)
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(DEADLINE_S):
                with suppress(ConnectionError):
                    while True:  # until we are let go
                        await loop.sock_sendall(client, HEALTH * 1000)
        # so much as the kernel takes for a client that reads nothing
        assert 1 <= len(looked) < 200


async def test_who_reads_slowly_but_reads_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of it before each look, for longer than one who reads nothing has."""
    looked, look = asyncio.Event(), doors.Visit._look

    def noted(visit: doors.Visit) -> None:
        look(visit)
        looked.set()

    monkeypatch.setattr(doors.Visit, "_look", noted)
    door = DoorLimits(write_s=0.5, least=1)
    async with serving(tmp_path, door=door) as site:
        site.control.why_stuck = ["x" * 40_000_000]
        reader, writer = await connect(site)
        writer.write(HEALTH)
        async with asyncio.timeout(DEADLINE_S):
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
            part = size // 4
            for _ in range(3):
                await reader.readexactly(part)
                looked.clear()
                await looked.wait()
            assert len(await reader.readexactly(size - 3 * part)) > 0
        writer.close()


async def test_one_user_has_so_many_requests_in_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> list[str]:
        begun.set()
        await go_on.wait()
        return []

    async with serving(tmp_path, users=USERS, door=DoorLimits(of_user=1)) as site:
        monkeypatch.setattr(site.control, "stuck", wait)
        async with asyncio.TaskGroup() as group, asyncio.timeout(DEADLINE_S):
            group.create_task(site.get("/healthz", **basic("guard")))
            await begun.wait()
            got = await site.get("/readyz", **basic("guard"))
            assert got.error()[:2] == (429, "too-many-requests")
            assert (await site.get("/readyz", **basic("anna"))).status == 200
            go_on.set()
        assert (await site.get("/readyz", **basic("guard"))).status == 200


@asynccontextmanager
async def browser(site: Site) -> AsyncIterator[aiohttp.ClientSession]:
    """One that has logged in as anna."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as client:
        got = await client.post(
            f"{site.url}/login",
            data={"name": "anna", "password": PASSWORD, "next": "/"},
            headers={"Origin": site.url},
            allow_redirects=False,
        )
        assert got.status == 303
        yield client


@asynccontextmanager
async def stream(
    site: Site, client: aiohttp.ClientSession, path: str = "/api/events"
) -> AsyncIterator[aiohttp.StreamReader]:
    async with asyncio.timeout(DEADLINE_S), client.get(site.url + path) as got:
        assert got.status == 200
        assert await got.content.readuntil(b"\n\n") == b": still here\n\n"
        yield got.content


async def test_a_stream_ends_with_the_logout(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, users=USERS) as site,
        browser(site) as client,
        stream(site, client) as events,
    ):
        site.control.tell(told(1))
        assert b"id: 1\n" in await events.readuntil(b"\n\n")
        await client.post(
            f"{site.url}/logout",
            headers={"Origin": site.url},
            allow_redirects=False,
        )
        site.control.tell(told(2))
        assert await events.read() == b""


@pytest.mark.parametrize("path", ["/api/events", "/api/events?pulse=1"])
async def test_a_silent_stream_ends_when_its_login_has_run_out(
    tmp_path: Path, path: str
) -> None:
    limits = StreamLimits(keep_alive_s=0.05, pulse_s=0.05)
    async with (
        serving(tmp_path, users=USERS, limits=limits) as site,
        browser(site) as client,
        stream(site, client, path) as events,
    ):
        site.clock.advance(IDLE_S + 1)
        assert (await events.read()).replace(b": still here\n\n", b"") == b""


async def test_one_user_does_not_take_all_streams(tmp_path: Path) -> None:
    limits = StreamLimits(streams=3, of_user=1)
    async with serving(tmp_path, users=USERS, limits=limits) as site:
        assert site.client is not None
        url = f"{site.url}/api/events"
        async with site.client.get(url, headers=basic("guard")) as first:
            assert first.status == 200
            got = await site.get("/api/events", **basic("guard"))
            assert got.error() == (
                503,
                "too-many-streams",
                "guard has 1 streams open; close one",
            )
            async with site.client.get(url, headers=basic("anna")) as other:
                assert other.status == 200
