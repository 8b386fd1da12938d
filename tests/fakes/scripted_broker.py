"""A server that says exactly these bytes, as no well-behaved broker would."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

CONNACK = bytes.fromhex("2003000000")
"""MQTT 5: accepted, no session."""

TAKEN_OVER = bytes.fromhex("e0018e")
"""MQTT 5 DISCONNECT: another client took over the session."""


@asynccontextmanager
async def scripted_broker(
    replies: Sequence[bytes], *, is_held_open: bool = False
) -> AsyncIterator[int]:
    """Yields its port. Each packet that arrives is answered with the next reply.

    After the last one the connection is closed, or held open and silent.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for reply in replies:
                await reader.read(65536)
                writer.write(reply)
                await writer.drain()
            if is_held_open:
                await reader.read()
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        port: int = server.sockets[0].getsockname()[1]
        yield port
    finally:
        server.close()
