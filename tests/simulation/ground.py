"""What lies outside the daemon's process: time, chance, and the record of events."""

from datetime import datetime, timedelta
from random import Random

from typing_extensions import override

from evidenced.core.instants import floor_ms
from fakes.clock import START
from simulation.loop import VirtualLoop


class TrueClock:
    """The time that the recorders' own clocks are measured against."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return floor_ms(START + timedelta(seconds=self._loop.time()))

    def monotonic(self) -> float:
        return self._loop.time()

    def in_sync(self) -> bool | None:
        return None


class HostClock(TrueClock):
    """The host's: its wall clock is `error` away from the truth."""

    error = timedelta(0)
    sync: bool | None = None
    booted_at = 0.0

    @override
    def now(self) -> datetime:
        return floor_ms(super().now() + self.error)

    @override
    def monotonic(self) -> float:
        """Begins anew at a boot, which takes a while."""
        return super().monotonic() - self.booted_at

    @override
    def in_sync(self) -> bool | None:
        return self.sync

    def boot(self, error: timedelta) -> None:
        """The clock of the board counts, until somebody sets it."""
        self.booted_at = self._loop.time() - 3.0
        self.error, self.sync = error, False

    def set_right(self) -> None:
        self.error, self.sync = timedelta(0), True


class NodeClock(HostClock):
    """Of one host among several: what befalls the one befalls it, and it is `ahead`."""

    def __init__(self, host: HostClock, loop: VirtualLoop) -> None:
        super().__init__(loop)
        self._host = host
        self.ahead = timedelta(0)

    @override
    def now(self) -> datetime:
        return self._host.now() + self.ahead

    @override
    def monotonic(self) -> float:
        return self._host.monotonic()

    @override
    def in_sync(self) -> bool | None:
        return self._host.in_sync()


class SeededDice:
    """`ports.Dice` of one seed."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def jitter(self) -> float:
        return self._random.random()

    def token(self) -> str:
        return f"{self._random.getrandbits(40):010x}"[:8]


class Ground:
    """One for each seed; survives every crash of the daemon."""

    def __init__(self, seed: int, *, shuffles: bool) -> None:
        self.random = Random(seed)  # noqa: S311 - repeatable on purpose
        self.nameless_until: dict[str, float] = {}
        self.loop = VirtualLoop(Random(seed) if shuffles else None)  # noqa: S311
        self.truth = TrueClock(self.loop)
        self.host = HostClock(self.loop)
        self.events: list[str] = []
        self.is_healed = False

    def note(self, text: str) -> None:
        self.events.append(f"{self.loop.time():10.4f} {text}")

    def latency(self, longest: float) -> float:
        """Mostly short, sometimes up to `longest` seconds."""
        return longest * self.random.random() ** 3
