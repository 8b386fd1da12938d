"""Wrong guesses cost time, whoever makes them and wherever from.

They are counted for the account that is guessed at and for the address that guesses:
one address that tries all accounts and many that try one are both slowed down. A right
login clears the count of its own account and no other: else a viewer could log in now
and then between guesses at an operator's password. Where an account has logged in from
an address, it is at home: only wrong guesses at it from there count there, so that
those of others, from wherever, do not keep it out.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from evidenced.ports import Clock
from evidenced.web.turns import places_of

FREE_OF_ACCOUNT = 5
FREE_OF_ADDRESS = 15
FREE_OF_NETWORK = 60
"""Wrong guesses that cost nothing; behind one address there may be several people, and
several addresses in what one customer of a provider has."""
MAX_PAUSE_S = 60.0
FORGET_S = timedelta(hours=1).total_seconds()
"""After so long without a wrong guess the earlier ones are forgotten."""
KEPT = 1024
"""Addresses, also those where one account is at home, and names that are no account's:
the one longest silent is forgotten."""


@dataclass(slots=True)
class _Guesses:
    count: int = 0
    last: float = 0.0
    until: float = 0.0

    def pause(self, now: float) -> float:
        return max(0.0, self.until - now)

    def wrong(self, now: float, free: int) -> None:
        if now - self.last > FORGET_S:
            self.count = 0
        self.count, self.last = self.count + 1, now
        over = min(self.count - free, 10)
        if over >= 0:
            self.until = now + min(2.0**over, MAX_PAUSE_S)


class _Counts:
    """Wrong guesses by a key. `lasting` keys are never forgotten for the others'."""

    def __init__(self, free: int, lasting: Collection[str] = ()) -> None:
        self._free = free
        self._lasting = frozenset(lasting)
        self._kept: dict[str, _Guesses] = {}
        self._passing: OrderedDict[str, _Guesses] = OrderedDict()

    def pause(self, key: str, now: float) -> float:
        found = self._kept.get(key) or self._passing.get(key)
        return found.pause(now) if found else 0.0

    def wrong(self, key: str, now: float) -> None:
        table = self._kept if key in self._lasting else self._passing
        table[key] = found = table.pop(key, _Guesses())  # at the end: the newest
        found.wrong(now, self._free)
        while len(self._passing) > KEPT:
            self._passing.popitem(last=False)

    def clear(self, key: str) -> None:
        self._kept.pop(key, None)


class Throttle:
    """How long a guess has to wait. `accounts` are the names that there are."""

    def __init__(self, clock: Clock, accounts: Collection[str]) -> None:
        self._clock = clock
        self._accounts = _Counts(FREE_OF_ACCOUNT, accounts)
        self._networks = _Counts(FREE_OF_NETWORK)
        self._addresses = _Counts(FREE_OF_ADDRESS)
        self._homes: dict[str, OrderedDict[str, _Guesses]] = {}

    def is_home(self, name: str, address: str) -> bool:
        """Whether the account has logged in from there."""
        return self._home(name, places_of(address)[-1]) is not None

    def _home(self, name: str, place: str) -> _Guesses | None:
        return self._homes[name].get(place) if name in self._homes else None

    def pause(self, name: str, address: str) -> float:
        """Seconds until this may be tried; 0 when it may now."""
        now, (_, network, place) = self._clock.monotonic(), places_of(address)
        home = self._home(name, place)
        if home is not None:
            return home.pause(now)
        return max(
            self._accounts.pause(name, now),
            self._networks.pause(network, now),
            self._addresses.pause(place, now),
        )

    def wrong(self, name: str, address: str) -> None:
        now, (_, network, place) = self._clock.monotonic(), places_of(address)
        self._accounts.wrong(name, now)
        self._networks.wrong(network, now)
        self._addresses.wrong(place, now)
        home = self._home(name, place)
        if home is not None:
            home.wrong(now, FREE_OF_ADDRESS)

    def right(self, name: str, address: str) -> None:
        self._accounts.clear(name)
        homes = self._homes.setdefault(name, OrderedDict())
        home = places_of(address)[-1]
        homes[home] = _Guesses()
        homes.move_to_end(home)
        while len(homes) > KEPT:
            homes.popitem(last=False)
