"""What only a recorder's adapter understands: texts of named parts.

An `Address` is where a camera is at its recorder, a `Handle` what a recorder knows an
export of ours by. The file, the API and the record show the parts under their own names
(`server` and `device`, for one kind of recorder); what they mean is asked nowhere here.
Each is one text, so that it can be compared, stored and used as a key.
"""

from collections.abc import Mapping
from typing import NewType
from urllib.parse import parse_qsl, urlencode

Address = NewType("Address", str)
Handle = NewType("Handle", str)
"""Its first part is the one that people find the export by at the recorder."""


def address_of(parts: Mapping[str, str]) -> Address:
    """The address with these parts; the same parts in the same order are the same."""
    return Address(_joined(parts))


def handle_of(parts: Mapping[str, str]) -> Handle:
    """The handle with these parts."""
    return Handle(_joined(parts))


def _joined(parts: Mapping[str, str]) -> str:
    """As `urlencode` writes it, which takes ten times as long for plain parts."""
    whole = "".join((*parts, *parts.values()))
    if whole.isascii() and whole.isalnum():
        return "&".join(f"{name}={part}" for name, part in parts.items())
    return urlencode(parts)


def parts_of(text: Address | Handle | None) -> dict[str, str]:
    """Its parts by name, in their order; none where there is none."""
    return dict(parse_qsl(text or "", keep_blank_values=True))


def known_as(handle: Handle | None) -> str:
    """What people find the export by at its recorder; empty where it has no handle."""
    return next(iter(parts_of(handle).values()), "")


def shown(address: Address) -> str:
    """As people read it: "server 1001, device 2001"."""
    return ", ".join(f"{name} {part}" for name, part in parts_of(address).items())
