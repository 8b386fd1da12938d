"""Which faults strike now, and what they make of an exchange.

Repeatable: the dice are a hash of the scenario's seed.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from evidenced.simulator.dialect import Dialect
from evidenced.simulator.exchange import (
    Cut,
    Ending,
    Hang,
    NoConnection,
    SentReply,
    page,
)
from evidenced.simulator.fault import Action, Strike


@dataclass(slots=True)
class _Planned:
    fault: Strike
    number: int
    calls: int = 0
    struck: int = 0

    def is_time(self, elapsed: float) -> bool:
        start = self.fault.at.total_seconds() if self.fault.at else 0.0
        lasts = self.fault.lasts
        if self.fault.is_at_recorder or lasts is None:  # theirs is the effect's length
            return elapsed >= start
        return start <= elapsed < start + lasts.total_seconds()


class Script:
    """The faults to come and those that came. `elapsed` is seconds since the start."""

    def __init__(self, faults: Iterable[Strike], seed: int) -> None:
        self._seed = seed
        self._planned: list[_Planned] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: Strike) -> None:
        self._planned.append(_Planned(fault, len(self._planned)))

    def timed(self, elapsed: float) -> list[tuple[float, Strike]]:
        """Faults whose own instant has come, oldest first; each is given once."""
        due = [
            planned
            for planned in self._planned
            if planned.fault.is_timed
            and not planned.struck
            and planned.is_time(elapsed)
        ]
        for planned in due:
            planned.struck += 1
        return sorted(
            (
                ((planned.fault.at.total_seconds(), planned.fault))
                for planned in due
                if planned.fault.at is not None
            ),
            key=lambda pair: pair[0],
        )

    def striking(self, command: str, elapsed: float) -> list[Strike]:
        """The faults that strike this call; the call is counted."""
        return [
            planned.fault
            for planned in self._planned
            if not planned.fault.is_timed and self._strikes(planned, command, elapsed)
        ]

    def is_refusing(self, elapsed: float) -> bool:
        """Whether no connection at all is taken at this time."""
        return any(
            planned.fault.action is Action.REFUSE
            and planned.fault.command is None
            and planned.fault.lasts is not None
            and planned.fault.chance == 1
            and planned.is_time(elapsed)
            for planned in self._planned
        )

    def _strikes(self, planned: _Planned, command: str, elapsed: float) -> bool:
        fault = planned.fault
        wanted = fault.command
        if wanted is not None and wanted.lower() not in (command.lower(), "*"):
            return False
        if not planned.is_time(elapsed):
            return False
        planned.calls += 1
        if planned.calls < fault.nth or planned.struck >= fault.limit:
            return False
        if fault.chance < 1 and self._dice(planned) >= fault.chance:
            return False
        planned.struck += 1
        return True

    def _dice(self, planned: _Planned) -> float:
        """A number in [0, 1) that depends on seed, fault and call alone."""
        text = f"{self._seed}/{planned.number}/{planned.calls}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / (1 << 64)


GARBAGE = bytes(range(255, 0, -1)) * 4


def struck(fault: Strike | None, answer: SentReply | None, dialect: Dialect) -> Ending:
    """What happens on the wire; `answer` is None where the request was not obeyed."""
    if answer is not None:
        return _altered(fault, answer, dialect) if fault else answer
    if fault is None:
        raise AssertionError("a request that nothing strikes has an answer")
    return _instead(fault, dialect)


def _altered(fault: Strike, answer: SentReply, dialect: Dialect) -> Ending:
    match fault.action:
        case Action.DELAY if fault.delay is not None:
            return replace(answer, delay=fault.delay)
        case Action.CUT_MIDDLE:
            return replace(answer, cut_after=len(answer.body) // 2)
        case Action.TRUNCATE:
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        case Action.HUGE:
            return replace(answer, padding=fault.size)
        case _:
            return _instead(fault, dialect)


def _instead(fault: Strike, dialect: Dialect) -> Ending:
    """The outcome whatever the answer would have been."""
    outcomes: dict[Action, Ending] = {
        Action.REFUSE: NoConnection(),
        Action.HANG: Hang(),
        Action.CUT: Cut(),
        Action.STATUS: page(fault.status, f"Error {fault.status}"),
        Action.GARBAGE: SentReply(body=GARBAGE),
        Action.HTML: page(200, "It works!"),
        Action.CODE: SentReply(body=dialect.result(fault.code)),
    }
    return outcomes[fault.action]
