"""Accepting connections within bounds, and letting go those whose clients do not.

aiohttp and asyncio's servers take whatever comes: some thousand idle connections and
no file can be opened any more, neither the recorder's connection nor the store's files
(and CPython logs each refused accept with a traceback: python/cpython#151615). So this
accepts by itself, before a TLS handshake too, and asks the `Visitors` about each. A
client that does not read is let go by its connection: by any answer, of whatever kind.
"""

import asyncio
import re
import resource
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger
from typing_extensions import override

from evidenced.web.answers import HEADERS, Handler, answer, tell_bug
from evidenced.web.peers import LOCAL
from evidenced.web.visitors import DoorLimits, Visitors

BACKLOG = 128
FAULT_PAUSE_S = 0.5
"""After an accept that failed: for want of files, say, which the next one would too."""
TELL_EVERY_S = 600.0
FOR = "X-Evidenced-For"
"""Heard from the control socket only."""

CountedBy = Callable[[str], str]
"""What connections from an address are counted by."""
Tls = Callable[[], ssl.SSLContext]
Admit = Callable[[socket.socket], str | None]
"""On whose account of this host a connection comes; None: it does not come in."""


def nobodys(_connection: socket.socket) -> str:
    """Whoever it is: requests say who asks."""
    return ""


SOCKET_MODE = 0o660
"""Owner and group: who may talk to the page's socket file is who may act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """How one comes in: the key that says where, and the mode of a socket file there.

    `tls` is asked for each connection, so that a new certificate counts at once;
    `admit` says whether a connection comes in, and on whose account.
    """

    key: str = "web.listen"
    limits: DoorLimits = field(default_factory=DoorLimits)
    mode: int = SOCKET_MODE
    tls: Tls | None = None
    admit: Admit = nobodys


class Visit(web.RequestHandler):
    """One connection: aiohttp's, which its door may let go at any moment."""

    __slots__ = (
        "_door",
        "_head",
        "_left",
        "_reading",
        "_wire",
        "account",
        "has_begun",
        "has_read",
        "task",
    )

    def __init__(self, door: "Door", server: web.Server, account: str) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type] # as aiohttp does itself
            keepalive_timeout=door.limits.idle_s,
            auto_decompress=False,  # a small body stays a small one
        )
        self.account = account
        self._door = door
        self._wire: asyncio.Transport | None = None
        self._head: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._left = 0
        self.task: asyncio.Task[None] | None = None
        self.has_begun = False
        self.has_read = asyncio.Event()
        """Whether its client took all that was sent: what waits here takes memory."""
        self.has_read.set()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream's
        # Paused as soon as anything waits here for the client to read it. Not 0: with
        # that TLS says that it is paused while nothing waits.
        transport.set_write_buffer_limits(high=1, low=0)
        self._wire = transport
        self._head = self._after(self._door.limits.request_s, self.let_go)
        super().connection_made(transport)

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_timers()
        self._wire = None
        self.has_read.set()
        self._door.visitors.leave(self)
        super().connection_lost(exc)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self.has_read.clear()
        self._watch()

    @override
    def resume_writing(self) -> None:
        _stop(self._reading)
        super().resume_writing()
        self.has_read.set()

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no HTTP gets a sentence; it is no news to the log, a bug is."""
        if isinstance(exc, HttpProcessingError):
            said, code = "this is no request that can be read", "bad-http"
        else:
            tell_bug(exc)
            said, code = "a bug: the daemon's log has the details", "internal"
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun: it cannot be another one")
        told = answer({"error": {"code": code, "message": said}}, status)
        told.headers.update(HEADERS)
        told.force_close()
        return told

    def let_go(self) -> None:
        """Close it now, whatever is still to be read or sent."""
        self._stop_timers()
        if self._wire is not None:
            self._wire.abort()
        elif self.task is not None:  # amid the handshake
            self.task.cancel()

    def works(self) -> None:
        _stop(self._head)
        self._door.visitors.works(self)

    def waits(self) -> None:
        self._door.visitors.waits(self)

    def ends(self) -> None:
        self._door.visitors.ends(self)

    def is_of(self, user: str) -> bool:
        return self._door.visitors.is_of(self, user)

    def _watch(self) -> None:
        """Look again whether the client reads on."""
        self._left = self._unread()
        self._reading = self._after(self._door.limits.write_s, self._look)

    def _look(self) -> None:
        if self._left - self._unread() < self._door.limits.least:
            self.let_go()
        else:
            self._watch()

    def _unread(self) -> int:
        return self._wire.get_write_buffer_size() if self._wire is not None else 0

    def _after(self, seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, act)

    def _stop_timers(self) -> None:
        _stop(self._head)
        _stop(self._reading)


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


class Door:
    """Listening sockets, and those who came in by them."""

    def __init__(self, server: web.Server, place: CountedBy, by: Entrance) -> None:
        self.limits = by.limits
        room = by.limits.within(_open_files())
        self.visitors: Visitors[Visit] = Visitors(by.limits, room)
        self._server = server
        self._place = place
        self._by = by
        self._told_at = -TELL_EVERY_S

    async def accept(self, listener: socket.socket, group: asyncio.TaskGroup) -> None:
        """Let in whoever comes, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError as fault:
                if self._may_tell():
                    server_logger.warning(
                        "no connection to the page can be taken: %s", fault.strerror
                    )
                await asyncio.sleep(FAULT_PAUSE_S)
                continue
            self._enter(connection, address, group)

    def _enter(
        self, connection: socket.socket, address: object, group: asyncio.TaskGroup
    ) -> None:
        account = self._by.admit(connection)
        if account is None:
            connection.close()
            return
        visit = Visit(self, self._server, account)
        host = str(address[0]) if isinstance(address, tuple) else ""
        entry = self.visitors.enter(visit, self._place(host))
        if (not entry.is_in or entry.goes is not None) and self._may_tell():
            server_logger.warning("the page is full; clients that wait are let go")
        if entry.goes is not None:
            entry.goes.let_go()
        if not entry.is_in:
            connection.close()
            return
        visit.task = group.create_task(self._begin(visit, connection), name="visit")
        visit.task.add_done_callback(lambda _: self._begun(visit, connection))

    def _begun(self, visit: Visit, connection: socket.socket) -> None:
        visit.task = None
        if not visit.has_begun:  # let go before its task ran: nobody else has it
            connection.close()

    async def _begin(self, visit: Visit, connection: socket.socket) -> None:
        """Its handshake, if any; from then on aiohttp has it."""
        visit.has_begun = True
        tls = self._by.tls() if self._by.tls is not None else None
        limit = self.limits.request_s if tls is not None else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: visit,
                connection,
                ssl=tls,
                ssl_handshake_timeout=limit,
                ssl_shutdown_timeout=limit,
            )
        except OSError:  # no TLS, or gone: their business
            self.visitors.leave(visit)
        except asyncio.CancelledError:
            self.visitors.leave(visit)
            raise

    def _may_tell(self) -> bool:
        """Now and then: whoever floods us does not fill the log."""
        now = asyncio.get_running_loop().time()
        if now - self._told_at < TELL_EVERY_S:
            return False
        self._told_at = now
        return True


@web.middleware
async def attend(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost middleware: while we work for a request its connection stays.

    A client that sends one request after the other is to read the answers meanwhile.
    """
    visit = visit_of(request)
    if visit is None:
        return await handler(request)
    await visit.has_read.wait()
    visit.works()
    if visit.account:
        request[LOCAL] = local_name(visit.account, request.headers.get(FOR, ""))
    try:
        return await handler(request)
    finally:
        visit.ends()


def local_name(account: str, behind: str) -> str:
    """Who asks over the control socket, as the history will say it.

    `behind` is who the command says typed it: root by way of sudo is anybody.
    """
    is_name = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}", behind) is not None
    return f"{behind} ({account})" if is_name and behind != account else account


@asynccontextmanager
async def awaited(request: web.Request) -> AsyncIterator[None]:
    """Its client is to send something: who does not makes room for others."""
    visit = visit_of(request)
    if visit is None:
        yield
        return
    visit.waits()
    try:
        yield
    finally:
        visit.works()


def visit_of(request: web.Request) -> Visit | None:
    """Its connection; None where another server has it, as in some tests."""
    return request.protocol if isinstance(request.protocol, Visit) else None


def _open_files() -> int:
    """How many files this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 20 if soft == resource.RLIM_INFINITY else soft
