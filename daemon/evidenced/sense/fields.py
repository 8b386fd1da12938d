"""What a node says, by name: as element or attribute, in any case. Pure.

Tolerates every variant that sense-api.md B12 calls unknown.
"""

import math
from collections.abc import Mapping

from evidenced.core.address import Address
from evidenced.core.window import Window
from evidenced.sense.address import sense_address
from evidenced.sense.document import Element, clean
from evidenced.sense.wire import parse_timestamp

ID_LENGTH = 64
"""Characters of a number or name that are kept."""
_DIGITS = 15
_DEVICE_ID = ("deviceid", "cameraid")
# Whatever is looked for at any depth ends here: else a row of them that are never
# closed, each in the one before, would cost the square of its length.
_BOUNDARIES = frozenset(
    {"export", "exports", "device", "devices", "videotag", "license"}
)


def fields_of(node: Element) -> dict[str, str]:
    """The first value of each name, of the node itself and not of a device in it.

    Fields that were never closed hold the next ones, so it looks below them too.
    """
    fields: dict[str, str] = {}
    for below in node.walk(stop=_BOUNDARIES):
        for name, value in ((below.name, below.text), *below.attributes.items()):
            if name not in fields and (text := value.strip()):
                fields[name] = text
    return fields


def first_named(fields: Mapping[str, str], *names: str) -> str:
    """The value of the first of these names that is there; else ""."""
    return next((fields[name] for name in names if name in fields), "")


def own_value(node: Element, name: str) -> str:
    """The value as the node's text, when it is so named, or as its attribute."""
    text = node.text.strip() if node.name == name else ""
    return text or node.attributes.get(name, "").strip()


def address_of(fields: Mapping[str, str]) -> Address:
    """Server and device, either empty where it is not told."""
    server = clean(fields.get("serverid", ""), ID_LENGTH)
    return sense_address(server, clean(first_named(fields, *_DEVICE_ID), ID_LENGTH))


def window_of(fields: Mapping[str, str]) -> Window | None:
    """From when to when, as it stands there; None where that makes no window."""
    start = parse_timestamp(first_named(fields, "starttime", "startdate"))
    end = parse_timestamp(first_named(fields, "endtime", "enddate"))
    if start is None or end is None or end < start:
        return None
    return Window(start=start, end=end)


def int_of(text: str) -> int | None:
    """A whole number of at most 15 digits; None for anything else."""
    digits = text.strip().removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS:
        return int(text)
    return None


def percent_of(text: str) -> float | None:
    """0 to 100; None for anything else. A decimal comma and a percent sign may be."""
    try:
        percent = float(text.removesuffix("%").strip().replace(",", "."))
    except ValueError:
        return None
    is_sane = math.isfinite(percent) and 0 <= percent <= 100  # noqa: PLR2004 - per cent
    return percent if is_sane else None
