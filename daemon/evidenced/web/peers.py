"""Where a request comes from: its connection, or what a proxy that we know says.

Nobody else's X-Forwarded-For is looked at: any program on this host could write a name
into the history with it, and have others' logins slowed down.
"""

import ipaddress
from collections.abc import Collection

from aiohttp import web

from evidenced.core.phrase import mark
from evidenced.web.turns import places_of

SOCKET_FILE = mark("the local socket")
UNIX = "unix"
"""As a proxy: whoever may open the socket file."""
LOCAL = web.RequestKey("local", str)
"""The account on this host that asks over the control socket."""
FOR_MANY = ""
"""A place that many share: the bound of one address is not theirs."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Peers:
    """`proxies` are addresses, networks, or UNIX."""

    def __init__(self, proxies: Collection[str] = ()) -> None:
        self._is_unix = UNIX in proxies
        self._networks = [ipaddress.ip_network(p) for p in proxies if p != UNIX]

    def address_of(self, request: web.Request) -> str:
        """The client's address, as far as it can be trusted.

        Each proxy adds who asked it at the end: the last that is no proxy of ours is
        the client. What is no address is not believed, nor what stands before it.
        """
        found = request.remote or SOCKET_FILE
        said = request.headers.get("X-Forwarded-For", "").split(",")
        while said and self._is_proxy(found):
            address = _address(said.pop())
            if address is None:
                break
            found = str(address)
        return found

    def is_tls(self, request: web.Request) -> bool:
        """Whether the client speaks TLS, to us or to a proxy of ours."""
        is_proxy = self._is_proxy(request.remote or SOCKET_FILE)
        said = request.headers.get("X-Forwarded-Proto")
        return request.secure or (is_proxy and said == "https")

    def place_of(self, address: str) -> str:
        """What connections from there are counted by; empty where they are a proxy's.

        An address of none is the socket file's.
        """
        found = address or SOCKET_FILE
        return FOR_MANY if self._is_proxy(found) else places_of(found)[-1]

    def _is_proxy(self, place: str) -> bool:
        if place == SOCKET_FILE:
            return self._is_unix
        address = _address(place)
        return address is not None and any(address in each for each in self._networks)


PEERS = web.AppKey("peers", Peers)


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv4Address):
        return found
    # Without what stands behind a %: that may be any text, and says nothing elsewhere.
    return found.ipv4_mapped or ipaddress.IPv6Address(int(found))
