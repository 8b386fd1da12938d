"""What is wanted is opened, what cannot be had is told and tried again."""

import asyncio
import socket
import ssl
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.web_protocol import RequestHandler

from evidenced.config import load_text
from evidenced.config.tomltext import to_toml
from evidenced.config.web import WebConfig
from evidenced.metrics import Metrics
from evidenced.store import StoreSettings, open_store
from evidenced.web import Front, make_app
from evidenced.web import front as fronts
from fakes.certificates import Certificates
from fakes.clock import START, FakeClock
from fakes.control import FakeControl
from fakes.mosquitto import free_port
from fakes.running import Log
from fakes.site import DEADLINE_S, HASHED, OTHER_HASHED, PASSWORD

REST = r"""
[mqtt]
url = "mqtts://broker.example"
[recorders.main]
url = "https://sense.example"
username = "export"
password = { credential = "sense-password" }
nonce = "AR5chsWVZagPfMpB"
[cameras.lobby]
server = "1001"
device = "2001"
[destinations.nas]
path = 'V:\evidence\{rule}-{id}'
[[rules]]
name = "panic-button"
topics = ["panic/{zone}"]
cameras = ["lobby"]
"""
LATER = START + timedelta(days=99)


class Opened:
    """A front over a store, and what a test sees of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = Log()
        self.clock = FakeClock()
        self.control = FakeControl()
        self.front: Front

    def wants(self, **changes: Any) -> WebConfig:
        web = {"listen": f"127.0.0.1:{self.port}", **changes}
        return load_text(f"web = {to_toml(web)}\n{REST}").config.web

    @property
    def file(self) -> Path:
        return self.folder / "control.sock"

    async def ask(
        self,
        path: str = "/healthz",
        *,
        tls: ssl.SSLContext | None = None,
        unix: Path | None = None,
        **options: Any,
    ) -> tuple[int, Any]:
        connector = aiohttp.UnixConnector(str(unix)) if unix else None
        scheme = "https" if tls else "http"
        place = "localhost" if unix else f"127.0.0.1:{self.port}"
        async with (
            aiohttp.ClientSession(connector=connector) as client,
            asyncio.timeout(DEADLINE_S),
            client.get(f"{scheme}://{place}{path}", ssl=tls or True, **options) as got,
        ):
            return got.status, await got.json()


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Opened]:
    store = open_store(StoreSettings(directory=folder))
    made = Opened(folder)

    def make(config: WebConfig, sessions: Any) -> Any:
        return make_app(
            store,
            made.control.whole,
            Metrics("1"),
            made.clock,
            config.users,
            sessions=sessions,
        )

    made.front = Front(made.wants(), made.file, make, made.clock, made.log.bound)
    try:
        yield made
    finally:
        await made.front.stop()
        store.close()


async def test_a_taken_port_is_told_and_tried_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        with socket.socket() as other:
            other.bind(("127.0.0.1", here.port))
            other.listen()
            await here.front.look()
            await here.front.look()
            [problem] = here.front.problems.values()
            assert problem == (
                f'web.listen "127.0.0.1:{here.port}" is taken by another program; '
                "stop it or choose another"
            )
            assert len(here.log.events("warning")) == 1
            # commands are taken all the same
            assert (await here.ask(unix=here.file))[0] == 200
        await here.front.look()
        assert here.front.problems == {}
        assert (await here.ask())[0] == 200


async def test_it_is_tried_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fronts, "AGAIN_S", 0.01)
    async with opened(tmp_path) as here, asyncio.timeout(DEADLINE_S):
        with socket.socket() as other:
            other.bind(("127.0.0.1", here.port))
            other.listen()
            await here.front.look()
            running = asyncio.create_task(here.front.run())
        await here.log.until("info", "page and API listen")
        running.cancel()
        assert (await here.ask())[0] == 200


async def test_without_a_page_commands_are_taken(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        here.front.adopt(here.wants(listen=""))
        await here.front.look()
        assert (await here.ask(unix=here.file))[0] == 200
        assert stat.S_IMODE(here.file.stat().st_mode) == 0o600
        with pytest.raises(aiohttp.ClientConnectionError):
            await here.ask()
    assert not here.file.exists()


async def test_a_folder_may_lie_deep(tmp_path: Path) -> None:
    """The address of a socket has room for 108 bytes of a path."""
    folder = tmp_path / ("deep" * 15) / ("deeper" * 15)
    folder.mkdir(parents=True)
    async with opened(folder) as here:
        await here.front.look()
        assert here.front.problems == {}
        near = tmp_path / "near"
        near.symlink_to(folder)
        assert (await here.ask(unix=near / "control.sock"))[0] == 200


@pytest.mark.parametrize(("user", "is_in"), [(0, True), (12345, False)])
async def test_commands_are_taken_from_root_and_ourselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, is_in: bool
) -> None:
    """The mode keeps others out already; a mode can be changed."""
    async with opened(tmp_path) as here:
        here.front.adopt(here.wants(users={"anna": HASHED}))
        await here.front.look()
        monkeypatch.setattr(fronts, "peer_of", lambda _: user)
        if is_in:
            status, found = await here.ask("/api/incidents", unix=here.file)
            assert (status, found["incidents"]) == (200, [])
        else:
            with pytest.raises(aiohttp.ClientConnectionError):
                await here.ask(unix=here.file)


async def test_tls_and_nothing_else(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    files.issue(until=LATER)
    tls = {"certificate": str(files.certificate), "key": {"file": str(files.key)}}
    async with opened(tmp_path) as here:
        here.front.adopt(here.wants(tls=tls))
        await here.front.look()
        assert here.front.problems == {}
        assert (await here.ask(tls=files.trusting()))[0] == 200
        [line] = [
            each
            for each in here.log.calls("info")
            if each["event"] == "page and API listen"
        ]
        assert line["address"] == f"https://127.0.0.1:{here.port}"
        with pytest.raises(aiohttp.ClientError):
            await here.ask()


async def test_answers_come_by_tls_as_they_do_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncio's TLS pauses a writer at its bound, not beyond it as TCP does.

    With a bound of nothing it did so with nothing to write, every other time.
    """
    arrived, receive = asyncio.Event(), RequestHandler.data_received

    def noted(handler: RequestHandler, data: bytes) -> None:
        receive(handler, data)
        arrived.set()

    monkeypatch.setattr(RequestHandler, "data_received", noted)
    files = Certificates(tmp_path)
    files.issue(until=LATER)
    tls = {"certificate": str(files.certificate), "key": {"file": str(files.key)}}
    async with opened(tmp_path) as here, asyncio.timeout(DEADLINE_S):
        here.front.adopt(here.wants(tls=tls))
        await here.front.look()
        for pieces in range(1, 4):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", here.port, ssl=files.trusting()
            )
            for _ in range(3):
                for n in range(pieces):  # each is a record, and read by itself
                    arrived.clear()
                    writer.write(
                        b"X: %d\r\n" % n if n else b"GET /healthz HTTP/1.1\r\n"
                    )
                    await arrived.wait()
                writer.write(b"Host: 127.0.0.1\r\n\r\n")
                assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
                await reader.readuntil(b"}")
            writer.close()
            await writer.wait_closed()


async def test_a_certificate_is_replaced_and_a_bad_one_is_not_taken(
    tmp_path: Path,
) -> None:
    files = Certificates(tmp_path)
    files.issue(until=LATER)
    tls = {"certificate": str(files.certificate), "key": {"file": str(files.key)}}
    async with opened(tmp_path) as here:
        here.front.adopt(here.wants(tls=tls))
        await here.front.look()

        async def shown() -> bytes | None:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", here.port, ssl=files.trusting()
            )
            found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.close()
            await writer.wait_closed()
            assert isinstance(found, bytes)
            return found

        first = await shown()
        key = files.key.read_text()
        files.key.write_text("half a k")
        await here.front.look()
        assert here.front.problems == {
            "certificate": "web.tls: the key is no private key in PEM"
        }
        assert await shown() == first
        files.key.write_text(key)
        await here.front.look()
        assert here.front.problems == {}
        files.issue(until=START + timedelta(days=29))
        await here.front.look()
        assert await shown() != first
        assert here.front.problems == {
            "certificate": f"{files.certificate} ends on 2026-12-22; renew it"
        }


async def test_without_its_certificate_the_page_stays_shut(tmp_path: Path) -> None:
    """Passwords never go over the network unencrypted by mistake."""
    files = Certificates(tmp_path)
    tls = {"certificate": str(files.certificate), "key": {"file": str(files.key)}}
    async with opened(tmp_path) as here:
        here.front.adopt(here.wants(tls=tls))
        await here.front.look()
        assert "cannot be read" in here.front.problems["certificate"]
        with pytest.raises(aiohttp.ClientConnectionError):
            await here.ask()
        files.issue(until=LATER)
        await here.front.look()
        assert (await here.ask(tls=files.trusting()))[0] == 200


async def test_a_login_ends_with_its_password(tmp_path: Path) -> None:
    """And its stream with it; those of other users go on."""
    secret = tmp_path / "anna"
    secret.write_text(HASHED)
    users = {"anna": {"file": str(secret)}, "bert": HASHED}
    async with opened(tmp_path) as here, asyncio.timeout(DEADLINE_S):
        here.front.adopt(here.wants(users=users))
        await here.front.look()
        url = f"http://127.0.0.1:{here.port}"
        jar = {name: aiohttp.CookieJar(unsafe=True) for name in users}
        async with (
            aiohttp.ClientSession(cookie_jar=jar["anna"]) as anna,
            aiohttp.ClientSession(cookie_jar=jar["bert"]) as bert,
        ):
            for name, client in (("anna", anna), ("bert", bert)):
                await client.post(
                    f"{url}/login",
                    data={"name": name, "password": PASSWORD},
                    headers={"Origin": url},
                    allow_redirects=False,
                )
            stream = await anna.get(f"{url}/api/events")
            assert stream.status == 200
            secret.write_text(OTHER_HASHED)
            await here.front.look()
            assert (await stream.read()).replace(b": still here\n\n", b"") == b""
            assert (await anna.get(f"{url}/api/incidents")).status == 401
            assert (await bert.get(f"{url}/api/incidents")).status == 200
            here.front.adopt(here.wants(users={"anna": {"file": str(secret)}}))
            await here.front.look()
            assert (await bert.get(f"{url}/api/incidents")).status == 401


async def test_a_hash_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        gone = tmp_path / "gone"
        here.front.adopt(here.wants(users={"anna": {"file": str(gone)}}))
        await here.front.look()
        assert here.front.problems["users"].startswith("anna cannot log in: the secret")
        gone.write_text(HASHED)
        await here.front.look()
        assert here.front.problems == {}
