"""Listening, on TCP or a socket file, and letting go again within bounds."""

import errno
import os
import socket
from pathlib import Path

from aiohttp import web
from yarl import URL

from evidenced.config.special import split_listen
from evidenced.core.errors import BadInput

SHUTDOWN_S = 1.0
"""For requests in hand at the end, twice if need be; the whole daemon has ten."""
IDLE_S = 75.0
"""A kept-alive connection without a request; nginx and Apache wait as long or less."""
PROBE_S = 0.2
"""A socket file that is listened on accepts at once, or its backlog is full."""
SOCKET_MODE = 0o660
"""Owner and group: who may talk to the socket file is who may act."""


class WebServer:
    """`app`, listening at "host:port" or "unix:/path" between `start` and `stop`."""

    def __init__(self, app: web.Application, listen: str) -> None:
        self._listen = listen
        self._path = (
            Path(listen.removeprefix("unix:")) if listen.startswith("unix:") else None
        )
        self._runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=SHUTDOWN_S,
            keepalive_timeout=IDLE_S,
            auto_decompress=False,  # a small body stays a small one
        )
        self._address = ""

    @property
    def address(self) -> str:
        """`http://host:port` or `unix:/path`, known once it is started."""
        return self._address

    async def start(self) -> None:
        """Listening when this returns.

        Raises:
            BadInput: the address is taken, or cannot be had: one sentence.
        """
        await self._runner.setup()
        try:
            await self._begin()
        except OSError as fault:
            await self._runner.cleanup()
            raise BadInput(self._sentence(fault)) from None
        except ValueError:
            await self._runner.cleanup()
            raise BadInput(
                f'web.listen "{self._listen}" is no address and port; '
                'write one such as "127.0.0.1:8470"'
            ) from None

    async def _begin(self) -> None:
        if self._path is not None:
            site = web.SockSite(self._runner, _bind(self._path))
            await site.start()
            self._address = f"unix:{self._path}"
            return
        host, port = split_listen(self._listen)
        await web.TCPSite(self._runner, host, port).start()
        if port == 0:
            port = int(self._runner.addresses[0][1])
        self._address = str(URL.build(scheme="http", host=host, port=port).origin())

    async def stop(self) -> None:
        """Not listening any more; live streams are ended. Idempotent, bounded."""
        # Before the socket closes: afterwards the file might be somebody else's.
        if self._path is not None and self._address:
            self._path.unlink(missing_ok=True)
        self._address = ""
        await self._runner.cleanup()

    def _sentence(self, fault: OSError) -> str:
        place = f'web.listen "{self._listen}"'
        if fault.errno == errno.EADDRINUSE:
            return f"{place} is taken by another program; stop it or choose another"
        why = os.strerror(fault.errno) if fault.errno else str(fault)
        return f"{place} cannot be listened on: {why}"


def _bind(path: Path) -> socket.socket:
    """A socket bound to the file, with its mode set before anybody can connect.

    A file that a dead daemon left is replaced; one that answers is not ours.

    Raises:
        OSError: EADDRINUSE, or whatever the file system says.
    """
    if path.is_socket():
        if _answers(path):
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        path.unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(str(path))
        path.chmod(SOCKET_MODE)
    except OSError:
        bound.close()
        raise
    return bound


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True  # its backlog is full, so somebody listens
        except ConnectionRefusedError:
            return False
        return True
