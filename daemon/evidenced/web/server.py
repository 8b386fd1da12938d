"""Listening, on TCP or a socket file, and letting go again within bounds."""

import asyncio
import errno
import os
import socket
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web
from yarl import URL

from evidenced.config.special import split_listen
from evidenced.core.errors import BadInput
from evidenced.host.socketfile import short
from evidenced.web.doors import BACKLOG, Door, Entrance
from evidenced.web.peers import PEERS

SHUTDOWN_S = 1.0
"""For requests in hand at the end, twice if need be; the whole daemon has ten."""
PROBE_S = 0.2
"""A socket file that is listened on accepts at once, or its backlog is full."""


class WebServer:
    """`app`, listening at "host:port" or "unix:/path" between `start` and `stop`."""

    def __init__(
        self, app: web.Application, listen: str, by: Entrance | None = None
    ) -> None:
        self._listen = listen
        self._by = by or Entrance()
        self._peers = app[PEERS]
        self._path = (
            Path(listen.removeprefix("unix:")) if listen.startswith("unix:") else None
        )
        self._runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_S)
        self._open = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._address = ""

    @property
    def address(self) -> str:
        """`http(s)://host:port` or `unix:/path`, known once it is started."""
        return self._address

    async def start(self) -> None:
        """Listening when this returns.

        Raises:
            BadInput: the address is taken, or cannot be had: one sentence.
        """
        try:
            await self._begin()
        except BaseException:
            await self.stop()
            raise

    async def _begin(self) -> None:
        try:
            listeners = await self._bind()
        except OSError as fault:
            raise BadInput(self._sentence(fault)) from None
        except ValueError:
            raise BadInput(
                f'{self._by.key} "{self._listen}" is no address and port; '
                'write one such as "127.0.0.1:8470"'
            ) from None
        await self._runner.setup()
        assert self._runner.server is not None  # noqa: S101 - it is set up
        door = Door(self._runner.server, self._peers.place_of, self._by)
        group = await self._open.enter_async_context(asyncio.TaskGroup())
        self._tasks = [
            group.create_task(door.accept(each, group), name="door")
            for each in listeners
        ]

    async def _bind(self) -> list[socket.socket]:
        """Sockets that listen; each is closed at the stop."""
        if self._path is not None:
            self._address = f"unix:{self._path}"
            found = [_bound_file(self._path, self._by.mode)]
        else:
            host, port = split_listen(self._listen)
            found = await _bound(host, port)
            port = int(found[0].getsockname()[1])
            scheme = "http" if self._by.tls is None else "https"
            url = URL.build(scheme=scheme, host=host, port=port)
            self._address = str(url.origin())
        for each in found:
            self._open.callback(each.close)
            each.settimeout(0)  # the loop waits, not the socket
            each.listen(BACKLOG)
        return found

    async def stop(self) -> None:
        """Not listening any more; live streams are ended. Idempotent, bounded."""
        # Before the socket closes: afterwards the file might be somebody else's.
        if self._path is not None and self._tasks:
            self._path.unlink(missing_ok=True)
        self._address = ""
        for task in self._tasks:
            task.cancel()
        self._tasks = []
        await self._runner.cleanup()
        await self._open.aclose()

    def _sentence(self, fault: OSError) -> str:
        place = f'{self._by.key} "{self._listen}"'
        if fault.errno == errno.EADDRINUSE:
            return f"{place} is taken by another program; stop it or choose another"
        why = fault.strerror or str(fault)
        return f"{place} cannot be listened on: {why}"


async def _bound(host: str, port: int) -> list[socket.socket]:
    """One for each address that the host's name has.

    Raises:
        OSError: EADDRINUSE, or whatever else keeps us from one of them.
    """
    loop = asyncio.get_running_loop()
    places = await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    bound: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(places):
            made = socket.socket(family, kind, protocol)
            bound.append(made)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind(address)
    except OSError:
        for made in bound:
            made.close()
        raise
    return bound


def _bound_file(path: Path, mode: int) -> socket.socket:
    """A socket bound to the file, with its mode set before anybody can connect.

    A file that a dead daemon left is replaced; one that answers is not ours.

    Raises:
        OSError: EADDRINUSE, or whatever the file system says.
    """
    with short(path) as name:
        if path.is_socket():
            if _answers(name):
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            path.unlink()
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            bound.bind(name)
            path.chmod(mode)
        except OSError:
            bound.close()
            raise
    return bound


def _answers(name: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(name)
        except BlockingIOError:
            return True  # its backlog is full, so somebody listens
        except ConnectionRefusedError:
            return False
        return True
