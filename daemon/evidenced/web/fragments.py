"""Parts of pages that many screens ask for at once, rendered once.

Each state change has every open page ask for its part again: fifty wall screens ask for
the same one, and must not take the processor from the alarms.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from evidenced.ports import Clock

FRESH_S = 1.0
"""How old a part may be; the script asks every two seconds at most."""
KEPT = 64


@dataclass(slots=True)
class _Part:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: float = 0.0
    text: str = ""


class Fragments:
    """Texts by what they show; one is made at a time, the others wait for it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._parts: OrderedDict[str, _Part] = OrderedDict()

    async def get(self, key: str, make: Callable[[], Awaitable[str]]) -> str:
        part = self._parts.setdefault(key, _Part())
        self._parts.move_to_end(key)
        while len(self._parts) > KEPT:
            self._parts.popitem(last=False)
        async with part.lock:
            if self._clock.monotonic() >= part.until:
                part.text = await make()
                part.until = self._clock.monotonic() + FRESH_S
            return part.text
