"""A storm of alarms: storing them comes first, for they are safe only then.

It is on while many that came at once are not stored yet, however long the store takes
for them, and a moment longer: their acknowledgements bring the next ones.
"""

import asyncio
import math
from datetime import timedelta

from evidenced.ports import Clock

MANY = 64
"""Messages that come at once and tell that more are on their way."""
CALM_S = 0.05
"""Without many alarms for so long a storm is over."""


class Storm:
    """Intake says what it has in hand; whoever can wait asks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.many = MANY
        self._in_hand = 0
        """Batches of many that are not stored yet."""
        self._stored_at = -math.inf

    def is_one(self, messages: int) -> bool:
        """Whether so many at once are a storm."""
        return messages >= self.many

    def came(self, messages: int) -> None:
        """So many were received at once."""
        self._in_hand += self.is_one(messages)

    def stored(self, messages: int) -> None:
        """These are in the store, and acknowledged."""
        if self.is_one(messages):
            self._in_hand -= 1
            self._stored_at = self._clock.monotonic()

    @property
    def is_on(self) -> bool:
        waited = self._clock.monotonic() - self._stored_at
        return self._in_hand > 0 or waited < CALM_S

    async def over(self, at_most: timedelta) -> None:
        """Let it pass, but wait no longer than that."""
        now = self._clock.monotonic()
        until = now + at_most.total_seconds()
        while now < until and self.is_on:
            await asyncio.sleep(CALM_S)
            now = self._clock.monotonic()
