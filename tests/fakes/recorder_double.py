"""An HTTP server that answers what a test tells it, and remembers what it was asked."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

OK_LOGIN = b"<result errorcode='0'><sessionkey>KEY%d</sessionkey></result>"
INFO = b"<apiinfo><utc>2026-11-23 06:00:00</utc><version>2.7.3</version></apiinfo>"
BEGUN = b"<result errorcode='0'><export><exportid>1</exportid></export></result>"
EMPTY = b"<result errorcode='0'><exports count='0'/></result>"
PAGE = b"<!DOCTYPE html><html><body>Please log in<br></body></html>"


def code(number: int) -> bytes:
    return b"<result errorcode='%d'/>" % number


@dataclass(frozen=True, kw_only=True)
class Say:
    """One answer; `before` runs when the request is there."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] = lambda: None
    hang: bool = False
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    method: str
    command: str
    raw: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class RecorderDouble:
    """`on(command, ...)` gives answers in order; the last one is repeated."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self.hanging = asyncio.Event()
        self._answers: dict[str, list[Say]] = defaultdict(list)
        self._logins = 0
        self.on("info", Say(body=INFO))
        self.on("exportVideo", Say(body=BEGUN))
        self.on("getExportVideoStatus", Say(body=EMPTY))
        self.on("getDeviceList", Say(body=b"<result errorcode='0'><devices/></result>"))

    def on(self, command: str, *answers: Say) -> None:
        self._answers[command] = list(answers)

    def count(self, command: str) -> int:
        return sum(asked.command == command for asked in self.asked)

    def commands(self) -> list[str]:
        return [asked.command for asked in self.asked]

    def last(self, command: str) -> Asked:
        return [asked for asked in self.asked if asked.command == command][-1]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        names = {"/info": "info", "/webservice": "login"}
        command = names.get(request.path) or request.query.get("command", "?")
        self.asked.append(
            Asked(
                method=request.method,
                command=command,
                raw=request.raw_path,
                query=dict(request.query),
                headers=dict(request.headers),
                body=await request.read(),
            )
        )
        answers = self._answers[command]
        say = answers.pop(0) if len(answers) > 1 else next(iter(answers), None)
        if say is None:
            self._logins += 1
            say = Say(body=OK_LOGIN % self._logins)
        say.before()
        if say.hang:
            self.hanging.set()
            await asyncio.sleep(60)
        if say.cut and request.transport is not None:
            request.transport.abort()
        return web.Response(status=say.status, body=say.body, headers=say.headers)


@asynccontextmanager
async def recorder_double() -> AsyncIterator[RecorderDouble]:
    double = RecorderDouble()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", double.serve)
    runner = web.AppRunner(
        app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        double.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield double
    finally:
        await runner.cleanup()
