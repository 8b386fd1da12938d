"""Whose password is hashed next, while many guess at once.

Hashing is dear on purpose, so few are computed at once and few may wait. Whoever has
logged in from where they ask is on a lane of their own, which strangers cannot fill and
on which they take no slot. Among strangers the most crowded network makes room: however
many addresses one has, whoever comes from elsewhere is let in, and the newest of that
network is sent away. Only a crowd of as many networks as may wait keeps strangers out.
"""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache

SLOTS = 2
SLOTS_OF_STRANGERS = 1
WAITING = 16
"""Strangers that wait for a hash; more are sent away, so that a flood is short."""
WAITING_OF_PLACE = 4
"""Also of one account where it is at home."""
WIDTHS = {4: (16, 24, 32), 6: (32, 48, 64)}
"""What is looked at by the version of an address, wide to narrow: what a provider has,
what one customer may have, what one machine may have."""


class TurnsFull(Exception):  # noqa: N818 - what is, and no fault
    """There is no room for this guess now."""


@dataclass(slots=True, eq=False)
class _Turn:
    """One guess. Where it comes from is told by `places`, wide to narrow."""

    places: tuple[str, ...]
    home: str
    came: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def line(self) -> tuple[str, str]:
        """Of which only one is hashed at a time."""
        return self.home, self.places[-1]


class Turns:
    """Those whose turn it is, and those who wait, in the order that they came in."""

    def __init__(self) -> None:
        self._waiting: list[_Turn] = []
        self._hashing: list[_Turn] = []

    @asynccontextmanager
    async def turn(self, address: str, home: str = "") -> AsyncIterator[None]:
        """Waits until it is this guess's turn.

        Args:
            address: where it comes from.
            home: the account it is for, where that has logged in from there before.

        Raises:
            TurnsFull: it is not let in, or has to make room for somebody else's.
        """
        mine = _Turn(places_of(address), home)
        self._let_in(mine)
        try:
            await mine.came
            yield
        finally:
            for each in (self._waiting, self._hashing):
                if mine in each:
                    each.remove(mine)
            self._go_on()

    def _let_in(self, mine: _Turn) -> None:
        here = sum(_beside(each, mine) for each in (*self._waiting, *self._hashing))
        if here >= WAITING_OF_PLACE:
            raise TurnsFull
        self._waiting.append(mine)
        strangers = [each for each in self._waiting if not each.home]
        if len(strangers) > WAITING:
            goes = most_crowding(strangers)
            self._waiting.remove(goes)
            if goes is mine:
                raise TurnsFull
            if not goes.came.done():  # by a client that went
                goes.came.set_exception(TurnsFull())
        self._go_on()

    def _go_on(self) -> None:
        for each in list(self._waiting):
            if not each.came.done() and self._is_free_for(each):
                self._waiting.remove(each)
                self._hashing.append(each)
                each.came.set_result(None)

    def _is_free_for(self, turn: _Turn) -> bool:
        if len(self._hashing) >= SLOTS:
            return False
        if any(each.line == turn.line for each in self._hashing):
            return False
        strangers = sum(not each.home for each in self._hashing)
        return bool(turn.home) or strangers < SLOTS_OF_STRANGERS


def _beside(one: _Turn, other: _Turn) -> bool:
    """Whether both take of the same account's room at home, or of the same place's."""
    if one.home or other.home:
        return one.home == other.home
    return one.places == other.places


def most_crowding(turns: list[_Turn]) -> _Turn:
    """The newest of the narrowest crowd within the widest."""
    for level in range(len(turns[0].places)):
        counts = Counter(each.places[level] for each in turns)
        most = max(counts.values())
        turns = [each for each in turns if counts[each.places[level]] == most]
    return turns[-1]


@lru_cache(maxsize=1024)
def places_of(address: str) -> tuple[str, ...]:
    """The networks that an address is in, wide to narrow; guesses are counted by them.

    Whoever has an address of version 6 has all of its network.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # the local socket
        return (address,) * 3
    return tuple(
        str(ipaddress.ip_network((found, width), strict=False))
        for width in WIDTHS[found.version]
    )
