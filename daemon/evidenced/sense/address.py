"""A camera's address here: the UID of a server and that of a device.

UIDs are unsigned 64-bit decimals (17167089910108338829 was seen), kept as text: they
overflow SQLite's integers and JSON's numbers. A device's is unique only together with
its server's. Source: sense-api.md B5.
"""

from typing import NamedTuple

from evidenced.core.address import Address, address_of, parts_of


class Uids(NamedTuple):
    """Opaque text, compared as text."""

    server: str
    device: str


def read_address(address: Address) -> Uids:
    """The UIDs that an address of this kind holds; empty ones where it lacks them."""
    parts = parts_of(address)
    return Uids(parts.get("server", ""), parts.get("device", ""))


def sense_address(server: str, device: str) -> Address:
    return address_of({"server": server, "device": device})
