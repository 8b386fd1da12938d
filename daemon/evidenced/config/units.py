"""Durations and rates as people write them, to exact values and back.

Decimal prefixes are powers of 1000, as network people mean them; KiB and the like are
powers of 1024. Eight bits are a byte: a recorder counts bytes a second.
"""

import re
from datetime import timedelta
from decimal import Decimal

from evidenced.core.instants import MILLISECOND

_DURATION_MS = {
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
# Each unit at most once and in this order: "30s1h" is more likely a slip than a wish.
_DURATION = re.compile(
    r"\s*".join(rf"(?:([0-9]{{1,9}})\s*{unit})?" for unit in _DURATION_MS)
)

_RATE_BYTES = {
    "GB": Decimal(1000**3),
    "MB": Decimal(1000**2),
    "kB": Decimal(1000),
    "B": Decimal(1),
    "KB": Decimal(1000),
    "GiB": Decimal(1024**3),
    "MiB": Decimal(1024**2),
    "KiB": Decimal(1024),
    "Gbit": Decimal(1000**3) / 8,
    "Mbit": Decimal(1000**2) / 8,
    "kbit": Decimal(1000) / 8,
    "bit": Decimal(1) / 8,
}
_RATE = re.compile(rf"([0-9]{{1,12}}(?:\.[0-9]{{1,6}})?)\s*({'|'.join(_RATE_BYTES)})/s")


def parse_duration(text: str) -> timedelta:
    """The duration that "250ms", "30s" or "1h30m" says, in whole milliseconds.

    Raises:
        ValueError: it is none; nothing else escapes.
    """
    match = _DURATION.fullmatch(text.strip(" "))
    if match is None or not any(match.groups()):
        raise ValueError("not a duration")
    counts = (int(count or 0) for count in match.groups())
    total = sum(
        count * unit for count, unit in zip(counts, _DURATION_MS.values(), strict=True)
    )
    return total * MILLISECOND


def render_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads as the same: "1h30m", "0s"."""
    left = duration // MILLISECOND
    parts = []
    for unit, size in _DURATION_MS.items():
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_rate(text: str) -> int:
    """Bytes per second, rounded up to a whole one so that no rate becomes unlimited.

    Raises:
        ValueError: it is no rate; nothing else escapes.
    """
    match = _RATE.fullmatch(text.strip(" "))
    if match is None:
        raise ValueError("not a rate")
    exact = Decimal(match[1]) * _RATE_BYTES[match[2]]
    return int(exact.to_integral_value(rounding="ROUND_CEILING"))


def parse_size(text: str) -> int:
    """The bytes that "500 MB" or "10 GiB" says, rounded up.

    Raises:
        ValueError: it is no size; nothing else escapes.
    """
    if "bit" in text:
        raise ValueError("a size has no bits")
    return parse_rate(f"{text.strip(' ')}/s")


def render_size(size: int) -> str:
    """A text that `parse_size` reads as the same."""
    return render_rate(size).removesuffix("/s")


def render_rate(rate: int) -> str:
    """A text that `parse_rate` reads as the same; "0 B/s" is unlimited."""
    for unit in ("GB", "MB", "kB"):
        size = int(_RATE_BYTES[unit])
        if rate and rate % size == 0:
            return f"{rate // size} {unit}/s"
    return f"{rate} B/s"
