"""The session that the broker keeps for us, and what must outlive a process of it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from evidenced.core.alarms.deliveries import Deliveries

NOTE_S = 5.0
"""A new session waits so long for its note: without a subscription alarms are lost,
without the note only a crash and a repeat of the same text can do harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What an earlier process knew about the session at the broker.

    `last_alive` as `Broker.last_alive` gave it; `filters` that the session may still
    have, so that those which are gone from the configuration are unsubscribed;
    `session` counts those that the broker began for us; `delivery` is the number of the
    last delivery that may come again.
    """

    last_alive: datetime | None = None
    filters: frozenset[str] = frozenset()
    session: int = 0
    delivery: int = 0


class SessionNote:
    """Sees to it that a new session's number is durable before anything comes in it.

    A repeat after a crash is told from another alarm by it. A crash before the note
    leaves a new, empty session under the number of the last.
    """

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._kept = deliveries.session
        self.write: Callable[[], Awaitable[None]] = _nowhere

    async def keep(self) -> None:
        """Call before subscribing."""
        session = self._deliveries.session
        if session != self._kept:
            with suppress(TimeoutError):
                async with asyncio.timeout(NOTE_S):
                    await self.write()
                    self._kept = session


async def _nowhere() -> None:
    """Whoever keeps no marks needs no note."""
