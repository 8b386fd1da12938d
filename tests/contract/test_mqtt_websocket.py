"""MQTT over WebSocket, plain and over TLS, at mosquitto's listener for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from conftest import MosquittoFactory
from evidenced.config import load_text
from evidenced.connections import broker_settings
from evidenced.mqtt.settings import BrokerSettings
from fakes.brokercertificates import BrokerCertificates
from fakes.mosquitto import Mosquitto, Peer, free_port
from fakes.running import (
    connecting,
    make_broker,
    payloads,
    receive,
    running,
    settings_for,
    until,
)

LARGE = b"x" * 200_000  # many frames and TLS records: none may stay in a buffer


@pytest.fixture(params=["ws", "wss"])
def over(
    request: pytest.FixtureRequest, mosquitto_factory: MosquittoFactory, tmp_path: Path
) -> tuple[Mosquitto, BrokerSettings]:
    if request.param == "ws":
        server = mosquitto_factory(is_websocket=True)
        return server, settings_for(server, websocket_path="/mqtt")
    certificates = BrokerCertificates(tmp_path)
    server = mosquitto_factory(is_websocket=True, tls=certificates.server())
    ca_file = certificates.ca_file
    return server, settings_for(
        server, websocket_path="/mqtt", tls=True, ca_file=ca_file
    )


async def test_alarms_come_and_are_acknowledged(
    over: tuple[Mosquitto, BrokerSettings],
) -> None:
    server, settings = over
    sent = [f"{n}".encode() for n in range(200)]
    async with running(make_broker(settings)) as broker:
        with Peer(server.plain_port) as peer:
            for payload in [*sent, LARGE]:
                peer.publish("alarms/1", payload)
        got = await receive(broker, len(sent) + 1)
        assert payloads(got) == [*sent, LARGE]
        broker.acknowledge(got)
    with Peer(server.plain_port) as peer:
        peer.publish("alarms/1", b"while away")
    async with running(make_broker(settings)) as broker:
        assert payloads(await receive(broker, 1)) == [b"while away"]


async def test_the_session_outlives_the_broker(
    over: tuple[Mosquitto, BrokerSettings],
) -> None:
    server, settings = over
    async with running(make_broker(settings)) as broker:
        server.stop()
        await until(broker, lambda: not broker.is_connected)
        server.start()
        await until(broker, lambda: broker.is_subscribed)
        with Peer(server.plain_port) as peer:
            peer.publish("alarms/1", b"after")
        assert payloads(await receive(broker, 1)) == [b"after"]


ANSWERS = [
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 101 Odd\r\nConnection: Upgrade\r\nSec-WebSocket-Accept\r\n\r\n",
    b"HTTP/1.1 101 Odd\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: a\r\n\r\n",
    b"\xff\xfe\r\n\r\n",
    b"",
]


@asynccontextmanager
async def answering(raw: bytes, port: int) -> AsyncIterator[None]:
    """A web server that knows no MQTT."""

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    async with server:
        yield


@pytest.mark.parametrize("raw", ANSWERS)
async def test_what_is_no_websocket_is_one_sentence(raw: bytes) -> None:
    port = free_port()
    settings = BrokerSettings(
        host="127.0.0.1", port=port, client_id="t", websocket_path="/elsewhere"
    )
    async with answering(raw, port):
        broker = make_broker(settings)
        async with connecting(broker):
            await until(broker, lambda: broker.has_failed)
    assert broker.problem is not None
    assert "no WebSocket in at '/elsewhere'" in broker.problem


@pytest.mark.parametrize(
    ("url", "path", "port", "is_tls"),
    [
        ("ws://broker.example", "/mqtt", 80, False),
        ("wss://broker.example/", "/mqtt", 443, True),
        ("wss://broker.example:8443/ws", "/ws", 8443, True),
        ("mqtts://broker.example", "", 8883, True),
    ],
)
def test_an_address_says_how(url: str, path: str, port: int, is_tls: bool) -> None:
    settings = broker_settings(load_text(f'[mqtt]\nurl = "{url}"\n').config)
    found = settings.websocket_path, settings.port, settings.tls
    assert found == (path, port, is_tls)
