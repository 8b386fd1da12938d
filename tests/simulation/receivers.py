"""Whoever is told, and the way there: at least once, with failures by seed.

Its dice are its own, so that what a seed did before there were messages it does still.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from evidenced.core.telling.mail import Message
from evidenced.ports import NotSent
from simulation.ground import Ground

CHANCE = 0.2
TIMEOUT_S = 30.0
Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePlan:
    """Spans of seconds in which receivers take nothing, or do not answer.

    `unsure` is how often a failure hides that the message was taken; `slowest` how
    long either way may take, in seconds.
    """

    down: tuple[Span, ...] = ()
    hangs: tuple[Span, ...] = ()
    unsure: float = 0.0
    slowest: float = 0.5


def draw_messages(seed: int, active_s: float, *, is_calm: bool) -> MessagePlan | None:
    """How messages fare in the run of this seed; None where nobody is told."""
    random = Random(f"{seed}-message")  # noqa: S311 - repeatable on purpose
    if random.random() >= CHANCE:
        return None
    if is_calm:
        return MessagePlan()

    def spans(*numbers: int) -> tuple[Span, ...]:
        found = []
        for _ in range(random.choice(numbers)):
            start = random.uniform(10.0, active_s)
            found.append((start, start + random.choice((5.0, 30.0, 120.0))))
        return tuple((start, min(end, active_s)) for start, end in found)

    return MessagePlan(
        down=spans(0, 1, 3),
        hangs=spans(0, 0, 1, 2),
        unsure=random.choice((0.0, 0.5)),
        slowest=random.choice((0.5, 0.5, 12.0)),
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    at: float
    to: str
    message: Message


class Receivers:
    """The services; they outlive every process of ours."""

    def __init__(self, ground: Ground, plan: MessagePlan, seed: int) -> None:
        self._ground = ground
        self._plan = plan
        self._random = Random(f"{seed}-message-wire")  # noqa: S311 - as above
        self.delivered: list[Delivery] = []
        self.failed: Counter[str] = Counter()
        """Messages that the daemon was told, or has to think, were not taken."""

    def is_down(self) -> bool:
        return self._is_in(self._plan.down) is not None

    def hangs_until(self) -> float | None:
        return self._is_in(self._plan.hangs)

    def _is_in(self, spans: tuple[Span, ...]) -> float | None:
        now = self._ground.loop.time()
        return next((end for start, end in spans if start <= now < end), None)

    def latency(self) -> float:
        return self._random.uniform(0.02, self._plan.slowest)

    def is_unsure(self) -> bool:
        return self._random.random() < self._plan.unsure

    def take(self, to: str, message: Message) -> None:
        self._ground.note(f"told {to}: {message.title}")
        self.delivered.append(Delivery(self._ground.loop.time(), to, message))


class SimMessenger:
    """`ports.Messenger` of one life of the process."""

    def __init__(self, receivers: Receivers, loop: asyncio.AbstractEventLoop) -> None:
        self._receivers = receivers
        self._loop = loop
        self._busy: dict[str, float] = {}
        """Until when an earlier message is still on its way."""

    async def send(self, to: str, message: Message) -> None:
        """As AppriseMessenger: a message that hangs is left behind, and may arrive."""
        receivers = self._receivers
        if self._busy.get(to, 0.0) > self._loop.time():
            receivers.failed[to] += 1
            raise NotSent("the message before is still being sent")
        until = receivers.hangs_until()
        if until is not None:
            await self._hang(to, message, until)
        await asyncio.sleep(receivers.latency())
        if receivers.is_down():
            if receivers.is_unsure():
                receivers.take(to, message)
            receivers.failed[to] += 1
            raise NotSent("the service answers 503: simulated")
        receivers.take(to, message)
        await asyncio.sleep(receivers.latency())

    async def _hang(self, to: str, message: Message, until: float) -> None:
        """Raises NotSent where the deadline comes before the service does."""
        receivers, wait = self._receivers, until - self._loop.time()
        if wait <= TIMEOUT_S:
            await asyncio.sleep(wait)
            return
        self._busy[to] = until
        late: Callable[[], None] = lambda: receivers.take(to, message)  # noqa: E731
        if receivers.is_unsure():
            self._loop.call_at(until, late)
        await asyncio.sleep(TIMEOUT_S)
        receivers.failed[to] += 1
        raise NotSent(f"it was not sent within {TIMEOUT_S:g} s")
