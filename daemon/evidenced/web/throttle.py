"""Wrong guesses cost time, whoever makes them and wherever from.

They are counted for the account that is guessed at and for the address that guesses:
one address that tries all accounts and many that try one are both slowed down. A right
login clears the count of its own account and no other: else a viewer could log in now
and then between guesses at an operator's password. Where an account has logged in from
an address, the guesses of others do not keep it out there.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from evidenced.ports import Clock

FREE_OF_ACCOUNT = 5
FREE_OF_ADDRESS = 15
"""Wrong guesses that cost nothing; behind one address there may be several people."""
MAX_PAUSE_S = 60.0
FORGET_S = timedelta(hours=1).total_seconds()
"""After so long without a wrong guess the earlier ones are forgotten."""
KEPT = 1024
"""Addresses, also those where one account is at home, and names that are no account's:
the one longest silent is forgotten."""
PREFIX_V6 = 64
"""Whoever has an address of version 6 has all of its network."""


@dataclass(slots=True)
class _Guesses:
    wrong: int = 0
    last: float = 0.0
    until: float = 0.0


class _Counts:
    """Wrong guesses by a key. `lasting` keys are never forgotten for the others'."""

    def __init__(self, free: int, lasting: Collection[str] = ()) -> None:
        self._free = free
        self._lasting = frozenset(lasting)
        self._kept: dict[str, _Guesses] = {}
        self._passing: OrderedDict[str, _Guesses] = OrderedDict()

    def pause(self, key: str, now: float) -> float:
        found = self._kept.get(key) or self._passing.get(key)
        return max(0.0, found.until - now) if found else 0.0

    def wrong(self, key: str, now: float) -> None:
        table = self._kept if key in self._lasting else self._passing
        found = table.pop(key, None)
        if found is None or now - found.last > FORGET_S:
            found = _Guesses()
        table[key] = found  # at the end: the newest
        found.wrong, found.last = found.wrong + 1, now
        over = min(found.wrong - self._free, 10)
        if over >= 0:
            found.until = now + min(2.0**over, MAX_PAUSE_S)
        while len(self._passing) > KEPT:
            self._passing.popitem(last=False)

    def clear(self, key: str) -> None:
        self._kept.pop(key, None)


class Throttle:
    """How long a guess has to wait. `accounts` are the names that there are."""

    def __init__(self, clock: Clock, accounts: Collection[str]) -> None:
        self._clock = clock
        self._accounts = _Counts(FREE_OF_ACCOUNT, accounts)
        self._addresses = _Counts(FREE_OF_ADDRESS)
        self._homes: dict[str, OrderedDict[str, None]] = {}

    def pause(self, name: str, address: str) -> float:
        """Seconds until this may be tried; 0 when it may now."""
        now, place = self._clock.monotonic(), place_of(address)
        of_address = self._addresses.pause(place, now)
        if place in self._homes.get(name, ()):
            return of_address
        return max(of_address, self._accounts.pause(name, now))

    def wrong(self, name: str, address: str) -> None:
        now = self._clock.monotonic()
        self._accounts.wrong(name, now)
        self._addresses.wrong(place_of(address), now)

    def right(self, name: str, address: str) -> None:
        self._accounts.clear(name)
        homes, home = self._homes.setdefault(name, OrderedDict()), place_of(address)
        homes[home] = None
        homes.move_to_end(home)
        while len(homes) > KEPT:
            homes.popitem(last=False)


def place_of(address: str) -> str:
    """What guesses are counted by: the address, or its network where it has many."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # the local socket
        return address
    if found.version == 4:  # noqa: PLR2004 - of the protocol
        return address
    return str(ipaddress.ip_network((found, PREFIX_V6), strict=False))
