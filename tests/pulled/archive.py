"""The archive: what it has, what it was asked for, and how it can be in trouble."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from evidenced.ports import Clock

FETCHING = timedelta(seconds=8)
"""How long a basket takes to be filled."""

Cut = tuple[int, datetime, datetime]
"""A channel, and from when to when."""


class Denied(Exception):  # noqa: N818 - the archive's own word
    """What it says instead: a word of its own."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class Silence(Exception):  # noqa: N818
    """Nobody answers. `was_heard`: it got the request before."""

    def __init__(self, *, was_heard: bool) -> None:
        super().__init__("silence")
        self.was_heard = was_heard


@dataclass(frozen=True, kw_only=True)
class Basket:
    cuts: tuple[Cut, ...]
    asked_at: datetime


class Archive:
    """One archive; a test plays with its attributes."""

    def __init__(self, clock: Clock, channels: dict[int, str]) -> None:
        self._clock = clock
        self.channels = channels
        self.empty: set[int] = set()
        self.baskets: dict[str, Basket] = {}
        self.begun: list[Basket] = []
        self.thrown_away: list[str] = []
        self.is_there = True
        self.loses_next_answer = False

    def greet(self, name: str, word: str) -> datetime:
        """Its time."""
        self._hear()
        if (name, word) != ("export", "secret"):
            raise Denied("WHO_ARE_YOU")
        return self._clock.now()

    def fill(self, cuts: tuple[Cut, ...]) -> str:
        """A basket of these cuts; the same cuts again are the same basket."""
        self._hear()
        for name, basket in self.baskets.items():
            if basket.cuts == cuts:
                return name
        for channel, _, _ in cuts:
            if channel not in self.channels:
                raise Denied("NO_SUCH_CHANNEL")
            if channel in self.empty:
                raise Denied("NOTHING_THERE")
        name = f"basket-{len(self.begun) + 1}"
        basket = Basket(cuts=cuts, asked_at=self._clock.now())
        self.baskets[name] = basket
        self.begun.append(basket)
        if self.loses_next_answer:
            self.loses_next_answer = False
            raise Silence(was_heard=True)
        return name

    def share_of(self, name: str) -> float | None:
        """How full a basket is, 0 to 1; None where it has no such one."""
        self._hear()
        basket = self.baskets.get(name)
        if basket is None:
            return None
        return min(1.0, (self._clock.now() - basket.asked_at) / FETCHING)

    def find(self, cuts: tuple[Cut, ...]) -> str | None:
        """The basket of these cuts."""
        self._hear()
        found = (name for name, each in self.baskets.items() if each.cuts == cuts)
        return next(found, None)

    def throw_away(self, name: str) -> None:
        self._hear()
        if self.baskets.pop(name, None) is None:
            raise Denied("NO_SUCH_BASKET")
        self.thrown_away.append(name)

    def has(self, channel: int) -> bool:
        self._hear()
        if channel not in self.channels:
            raise Denied("NO_SUCH_CHANNEL")
        return channel not in self.empty

    def _hear(self) -> None:
        if not self.is_there:
            raise Silence(was_heard=False)


ARCHIVES: dict[str, Archive] = {}
"""Where they are, by address: the wire that this kind has."""
