"""Who is inside: how many connections one door has room for, and whom it lets go.

Pure: each step's answer says what follows from it; `doors` does it. Whoever only waits
for its client makes room for the next, so a door that is full of idle connections is
open all the same: health is answered and operators come in. Requests in hand are never
given up for others.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorLimits:
    """What one door has room for, and how long it waits for those inside.

    `connections` are all of them, `of_address` those of one client's address, and
    `of_user` the requests that one user has in hand at once. Seconds: `request_s` for
    the handshake of TLS, and again until the first request's head is whole; `idle_s`
    between two requests; `write_s` for the next `least` bytes of an answer to be taken.
    """

    connections: int = 256
    of_address: int = 128
    of_user: int = 32
    request_s: float = 15.0
    idle_s: float = 75.0
    write_s: float = 15.0
    least: int = 16 * 1024

    def within(self, files: int) -> int:
        """How many connections there may be where a process may open `files`.

        A quarter: the recorders, the broker, the store and the shares need the others.
        """
        return max(1, min(self.connections, files // 4))


@dataclass(frozen=True, slots=True)
class Admission(Generic[K]):
    """Whether a connection comes in, and which one goes for it."""

    is_in: bool
    goes: K | None = None


class Visitors(Generic[K]):
    """`K` is whatever stands for a connection."""

    def __init__(self, limits: DoorLimits, room: int) -> None:
        self._limits = limits
        self._room = room
        self._inside: dict[K, str] = {}
        self._of_place: Counter[str] = Counter()
        self._waiting: dict[K, None] = {}  # the longest first
        self._users: dict[K, str] = {}

    def __len__(self) -> int:
        return len(self._inside)

    def enter(self, key: K, place: str) -> Admission[K]:
        """One more; `place` is its address, or empty where many share it, as a proxy's.

        Where there is no room one goes that waits for its client: of the same place
        if that is full, else of the place that has most; of these the one that has
        waited longest. Where nobody waits the newcomer stays outside.
        """
        if place and self._of_place[place] >= self._limits.of_address:
            waiting = [each for each in self._waiting if self._inside[each] == place]
        elif len(self) >= self._room:
            waiting = list(self._waiting)
        else:
            self._add(key, place)
            return Admission(is_in=True)
        if not waiting:
            return Admission(is_in=False)
        goes = max(waiting, key=lambda each: self._of_place[self._inside[each]])
        self.leave(goes)
        self._add(key, place)
        return Admission(is_in=True, goes=goes)

    def leave(self, key: K) -> None:
        """It is closed; saying so twice is harmless."""
        place = self._inside.pop(key, None)
        if place is None:
            return
        self._of_place[place] -= 1
        if not self._of_place[place]:
            del self._of_place[place]
        self._waiting.pop(key, None)
        self._users.pop(key, None)

    def works(self, key: K) -> None:
        """We are at work for it: it has a request in hand."""
        self._waiting.pop(key, None)

    def waits(self, key: K) -> None:
        """Its client is to send or to read."""
        self._waiting.pop(key, None)
        if key in self._inside:
            self._waiting[key] = None

    def ends(self, key: K) -> None:
        """Its request is answered."""
        self._users.pop(key, None)
        self.waits(key)

    def is_of(self, key: K, user: str) -> bool:
        """The request in hand is this user's; False where they have too many."""
        self._users.pop(key, None)
        of_user = sum(each == user for each in self._users.values())
        if of_user >= self._limits.of_user:
            return False
        if key in self._inside:
            self._users[key] = user
        return True

    def _add(self, key: K, place: str) -> None:
        self._inside[key] = place
        self._of_place[place] += 1
        self._waiting[key] = None
