"""The simulator behind HTTP: carries out on real sockets what it decides."""

import asyncio
import socket
import ssl
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Self

from aiohttp import web

from evidenced.simulator.exchange import Cut, Hang, NoConnection, Request, SentReply
from evidenced.simulator.recorder import Simulator

TICK_S = 0.2
"""How often files grow and the listener follows a `refuse` fault."""
READ_S = 30.0
"""A client that does not finish its request in this time is cut off."""
HANG_S = 3600.0
"""A hang ends when the client leaves; this is for clients that never do."""
BODY_LIMIT = 2 << 20
CHUNK = b" " * (64 << 10)


class SimulatorServer:
    """A running HTTP server in front of a simulator; `port` 0 takes a free one.

    With `tls` it speaks HTTPS.
    """

    def __init__(
        self,
        simulator: Simulator,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self._simulator = simulator
        self._host = host
        self._port = port
        self._closing = asyncio.Event()
        self._stack = AsyncExitStack()
        self._site: web.TCPSite | None = None
        self.listening = asyncio.Event()
        """Set while connections are taken."""
        self.silent = asyncio.Event()
        """Set while nobody listens: a `refuse` fault."""

    @property
    def url(self) -> str:
        """`http://host:port` (or https), known once it is entered."""
        scheme = "https" if self._tls else "http"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self._port}"

    async def __aenter__(self) -> Self:
        """Listening.

        Raises:
            OSError: the address cannot be listened on.
        """
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0
        )
        async with AsyncExitStack() as stack:
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await self._listen(runner)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            ticker = group.create_task(self._tick(runner), name="simulator-ticker")
            stack.callback(ticker.cancel)
            stack.callback(self._closing.set)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _listen(self, runner: web.AppRunner) -> None:
        site = web.TCPSite(
            runner,
            self._host,
            self._port,
            ssl_context=self._tls,
            reuse_address=True,
        )
        await site.start()
        self._site = site
        self.silent.clear()
        self.listening.set()
        if not self._port:
            self._port = int(runner.addresses[0][1])

    async def _tick(self, runner: web.AppRunner) -> None:
        while not self._closing.is_set():
            self._simulator.tick()
            if self._simulator.is_refusing and self._site:
                await self._site.stop()
                self._site = None
                self.listening.clear()
                self.silent.set()
            elif not self._simulator.is_refusing and not self._site:
                with suppress(OSError):  # the port is taken: again at the next tick
                    await self._listen(runner)
            await asyncio.sleep(TICK_S)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(READ_S):
                body = await request.read()
        except TimeoutError:
            return web.Response(status=408)
        asked = Request(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        match self._simulator.handle(asked):
            case SentReply() as reply:
                return await self._reply(request, reply)
            case Cut() | NoConnection():
                _abort(request)
            case Hang():
                await self._wait(HANG_S)
                _abort(request)
        return web.Response()  # nobody reads it: the connection is gone

    async def _reply(
        self, request: web.Request, reply: SentReply
    ) -> web.StreamResponse:
        await self._wait(reply.delay.total_seconds())
        response = web.StreamResponse(status=reply.status)
        for name, value in reply.headers:
            response.headers.add(name, value)
        response.content_length = len(reply.body) + reply.padding
        await response.prepare(request)
        if reply.cut_after is not None:
            await response.write(reply.body[: reply.cut_after])
            if request.transport:
                request.transport.close()  # what was written still goes out
            return response
        await response.write(reply.body)
        for start in range(0, reply.padding, len(CHUNK)):
            await response.write(CHUNK[: reply.padding - start])
        await response.write_eof()
        return response

    async def _wait(self, seconds: float) -> None:
        """Ends early when the server closes; cancelled when the client leaves."""
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return


def _abort(request: web.Request) -> None:
    """Reset the connection instead of closing it."""
    transport = request.transport
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # on, 0 s: close sends a reset
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
