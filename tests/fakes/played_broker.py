"""A broker that a test plays: one session, whatever identifiers and flags it likes.

It reads real packets on a real socket and answers what has to be answered; messages are
sent when the test says so.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14
DEADLINE_S = 60.0


@dataclass
class PlayedBroker:
    """`acknowledged` are the identifiers of all PUBACKs, `asked` the packet types.

    With `is_deaf` it hears nothing more, with `is_mute` it hears and answers nothing.
    `properties` stand in
    each CONNACK of MQTT 5; with `hangs_up` a refused filter ends the connection, too.
    `refuses` gives the reason code for a filter or a topic.
    `on_connect` is called behind each CONNACK, to send what comes with it.
    """

    is_v5: bool = True
    has_session: bool = False
    properties: bytes = b""
    grants: Callable[[str], int] = lambda _name: 1
    accepts: Callable[[str], int | None] = lambda _topic: 0
    on_connect: Callable[["PlayedBroker"], None] = lambda _broker: None
    hangs_up: bool = False
    is_deaf: bool = False
    is_mute: bool = False
    port: int = 0
    acknowledged: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    published: list[tuple[str, bytes]] = field(default_factory=list)
    _writer: asyncio.StreamWriter | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def send(
        self, packet_id: int, payload: bytes, *, is_repeat: bool = False, qos: int = 1
    ) -> None:
        """A message on alarms/1, to the connection there is."""
        body = _text("alarms/1") + (packet_id.to_bytes(2, "big") if qos else b"")
        body += (b"\0" if self.is_v5 else b"") + payload
        self._answer(PUBLISH, body, flags=8 * is_repeat + 2 * qos)

    def cut(self) -> None:
        """The line breaks, and what is under way on it is lost."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.transport.abort()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for packets till it is so."""
        async with asyncio.timeout(DEADLINE_S):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._writer = writer
        try:
            while True:
                kind, flags = divmod((await reader.readexactly(1))[0], 16)
                body = await reader.readexactly(await _length(reader))
                if not self.is_deaf and writer is self._writer:
                    self._hear(kind, flags, body)
                self._news.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            self._news.set()

    def _hear(self, kind: int, flags: int, body: bytes) -> None:
        self.asked.append(kind)
        if kind == CONNECT:
            head = bytes([self.has_session, 0])
            self._answer(CONNACK, head + self._with(self.properties))
            self.on_connect(self)
        elif kind == PUBACK:
            self.acknowledged.append(int.from_bytes(body[:2], "big"))
        elif kind == SUBSCRIBE:
            codes = bytes(self.grants(name) for name in _filters(body, self.is_v5, 1))
            self._answer(SUBACK, body[:2] + self._with(b"") + codes)
            if self.hangs_up and max(codes) >= 0x80 and self._writer is not None:
                self._writer.close()
        elif kind == UNSUBSCRIBE:
            count = len(_filters(body, self.is_v5, 0)) if self.is_v5 else 0
            self._answer(UNSUBACK, body[:2] + self._with(b"") + bytes(count))
        elif kind == PUBLISH and flags & 6:
            self._take(body)
        elif kind == PINGREQ:
            self._answer(PINGRESP, b"")

    def _take(self, body: bytes) -> None:
        end = 2 + int.from_bytes(body[:2], "big")
        topic, number = body[2:end].decode(), body[end : end + 2]
        code = self.accepts(topic)
        if code is None:  # hangs up, as RabbitMQ does
            self.cut()
            return
        self.published.append((topic, body[end + 2 + self.is_v5 :]))
        self._answer(PUBACK, number + (bytes([code, 0]) if self.is_v5 else b""))

    def _with(self, properties: bytes) -> bytes:
        return bytes([len(properties)]) + properties if self.is_v5 else b""

    def _answer(self, kind: int, body: bytes, *, flags: int = 0) -> None:
        if self._writer is None or (self.is_mute and kind != PUBLISH):
            return
        assert len(body) < 1 << 14, "two bytes of length are enough here"
        low, high = len(body) % 128, len(body) // 128
        length = bytes([low | 128, high]) if high else bytes([low])
        self._writer.write(bytes([kind * 16 + flags]) + length + body)


async def _length(reader: asyncio.StreamReader) -> int:
    value = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value


def _text(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def _filters(body: bytes, is_v5: bool, options: int) -> list[str]:
    at, found = 2, []
    if is_v5:
        at += 1 + body[at]
    while at < len(body):
        end = at + 2 + int.from_bytes(body[at : at + 2], "big")
        found.append(body[at + 2 : end].decode())
        at = end + options
    return found


@asynccontextmanager
async def played(broker: PlayedBroker) -> AsyncIterator[PlayedBroker]:
    """It listens; its port is set."""
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        broker.cut()
        server.close()
