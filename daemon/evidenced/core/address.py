"""Where a camera is at its recorder: named parts that only the adapter understands.

The file, the API and the record show the parts under their own names (`server` and
`device`, for one kind of recorder); what they mean is asked nowhere here. An address is
one text, so that it can be compared, stored and used as a key.
"""

from collections.abc import Mapping
from typing import NewType
from urllib.parse import parse_qsl, urlencode

Address = NewType("Address", str)


def address_of(parts: Mapping[str, str]) -> Address:
    """The address with these parts; the same parts in the same order are the same."""
    return Address(urlencode(parts))


def parts_of(address: Address) -> dict[str, str]:
    """Its parts by name, in their order."""
    return dict(parse_qsl(address, keep_blank_values=True))


def shown(address: Address) -> str:
    """As people read it: "server 1001, device 2001"."""
    return ", ".join(f"{name} {part}" for name, part in parts_of(address).items())
