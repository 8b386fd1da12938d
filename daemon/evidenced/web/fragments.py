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

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class _Part:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: float = 0.0
    changes: int = -1
    text: str = ""


class Fragments:
    """Texts by what they show; one is made at a time, the others wait for it.

    `changes` grows with each change. Whoever looks because of one is never given a part
    of before it: no other change might follow, and the screen would stay wrong.
    """

    def __init__(
        self, clock: Clock, changes: Callable[[], int], sleep: Sleep = asyncio.sleep
    ) -> None:
        self._clock = clock
        self._changes = changes
        self._sleep = sleep
        self._parts: OrderedDict[str, _Part] = OrderedDict()

    async def get(
        self, key: str, make: Callable[[], Awaitable[str]], *, is_live: bool = False
    ) -> str:
        """The part; for a live screen one that has every change, a second later."""
        part = self._parts.setdefault(key, _Part())
        self._parts.move_to_end(key)
        while len(self._parts) > KEPT:
            self._parts.popitem(last=False)
        async with part.lock:
            rest_s = part.until - self._clock.monotonic()
            if is_live and rest_s > 0 and self._changes() != part.changes:
                await self._sleep(rest_s)
                rest_s = 0.0
            if rest_s <= 0:
                part.changes = self._changes()  # before it is made, not after
                part.text = await make()
                part.until = self._clock.monotonic() + FRESH_S
            return part.text
