"""What addresses and handles hold here: a camera's UIDs, an export's number.

A camera's address is the UID of a server and that of a device.
UIDs are unsigned 64-bit decimals (17167089910108338829 was seen), kept as text: they
overflow SQLite's integers and JSON's numbers. A device's is unique only together with
its server's. Source: sense-api.md B5.

An export's handle is its exportid and our name of the API session that it holds in: ids
start again at 1 in the next one, and after a restart of the plugin. Source: part A.
"""

from typing import NamedTuple, NewType

from evidenced.core.address import Address, Handle, address_of, handle_of, parts_of
from evidenced.core.ids import SessionId

ExportId = NewType("ExportId", str)
"""The recorder's own number of an export: valid in one API session only."""


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


class Numbered(NamedTuple):
    """An export's number, in the session that it holds in."""

    exportid: ExportId
    session: SessionId


def read_handle(handle: Handle) -> Numbered:
    """The number and the session that a handle of this kind holds."""
    parts = parts_of(handle)
    exportid, session = parts.get("exportid", ""), parts.get("session", "")
    return Numbered(ExportId(exportid), SessionId(session))


def sense_handle(exportid: ExportId, session: SessionId) -> Handle | None:
    """The handle of an export; None where it was listed without a number."""
    if not exportid:
        return None
    return handle_of({"exportid": exportid, "session": session})
