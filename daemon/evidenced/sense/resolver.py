"""Names of recorders, looked up where a mute name server keeps nobody waiting.

aiohttp's own looks up on the loop's executor: as many names that hang as it has threads
(six on a machine of two cores) would stop every other look-up of the process.
"""

import socket
from datetime import timedelta
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

from evidenced.host.threads import Threads

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
_NUMERIC_NAME = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV


class Resolver(AbstractResolver):
    """Of one recorder: one look-up may hang, the next is refused until it has ended."""

    def __init__(self, limit: timedelta) -> None:
        self._threads = Threads()
        self._limit = limit

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError, TimeoutError among it, where there is no answer."""
        look = partial(_look_up, host, port, family)
        return await self._threads.run(look, host, self._limit)

    @override
    async def close(self) -> None:
        """Nothing is held."""


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    found = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG
    )
    return [
        ResolveResult(
            hostname=host,
            # with the zone of a link-local IPv6 address
            host=socket.getnameinfo(address, _NUMERIC_NAME)[0],
            port=port,
            family=kind,
            proto=protocol,
            flags=_NUMERIC,
        )
        for kind, _, protocol, _, address in found
    ]
