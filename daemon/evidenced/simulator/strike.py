"""What a fault makes of an exchange."""

from dataclasses import replace

from evidenced.simulator.dialect import Dialect
from evidenced.simulator.exchange import (
    Cut,
    Hang,
    NoConnection,
    Outcome,
    Reply,
    page,
)
from evidenced.simulator.fault import Action, Fault

GARBAGE = bytes(range(255, 0, -1)) * 4


def struck(fault: Fault | None, answer: Reply | None, dialect: Dialect) -> Outcome:
    """What happens on the wire; `answer` is None where the request was not obeyed."""
    if answer is not None:
        return _altered(fault, answer, dialect) if fault else answer
    if fault is None:
        raise AssertionError("a request that nothing strikes has an answer")
    return _instead(fault, dialect)


def _altered(fault: Fault, answer: Reply, dialect: Dialect) -> Outcome:
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


def _instead(fault: Fault, dialect: Dialect) -> Outcome:
    """The outcome whatever the answer would have been."""
    outcomes: dict[Action, Outcome] = {
        Action.REFUSE: NoConnection(),
        Action.HANG: Hang(),
        Action.CUT: Cut(),
        Action.STATUS: page(fault.status, f"Error {fault.status}"),
        Action.GARBAGE: Reply(body=GARBAGE),
        Action.HTML: page(200, "It works!"),
        Action.CODE: Reply(body=dialect.result(fault.code)),
    }
    return outcomes[fault.action]
