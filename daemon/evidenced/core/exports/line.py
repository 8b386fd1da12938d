"""The line to one service of a recorder: is it worth asking now?

    up        requests go through
    down      one got no usable answer; nothing is asked until the wait is over
    probing   the wait is over: one request goes, and its answer decides

Only the answer to a request of the same service ends a streak of failures. An account
may log in and list, and still be refused each export: were the login taken for an
answer, such a recorder would be asked again after the first, shortest wait for ever. So
each service has a line of its own, and the login is one of them.

Lines are in memory only. After a crash they are up, and the first request that fails
begins a streak: that costs one request.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports.retry import RetryPolicy, back_off
from evidenced.core.machine import Facts, Machine, Tone


class Service(StrEnum):
    """What a recorder is asked for. Each may fail while the others work."""

    SESSION = "session"
    """To be there, to tell its clock and to log us in."""
    EXPORT = "export"
    FOLLOW = "follow"
    """How exports are doing."""
    WITHDRAW = "withdraw"
    PROTECT = "protect"


class LineState(StrEnum):
    """Where one line stands."""

    UP = "up"
    DOWN = "down"
    PROBING = "probing"


LINES: Machine[LineState] = Machine(
    "line",
    {
        LineState.UP: Facts(
            to=frozenset({LineState.DOWN}),
            by="a request that gets no usable answer",
            crash="nothing is lost",
            tone=Tone.GOOD,
        ),
        LineState.DOWN: Facts(
            to=frozenset({LineState.PROBING, LineState.UP}),
            by="the clock; the answer to a request that left before",
            crash="it is up again: the first request that fails begins a streak",
            tone=Tone.BAD,
        ),
        LineState.PROBING: Facts(
            to=frozenset({LineState.UP, LineState.DOWN}),
            by="the answer of the next request, or its failure",
            crash="it is up again: the first request that fails begins a streak",
            tone=Tone.WAIT,
        ),
    },
)

UNNEEDED_S = 60.0
"""A service that has been probing for so long is one that nobody needs now: loops look
every half minute. People are not told of it any more; the streak is kept. The session
is needed always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. Times are monotonic seconds; `failures` counts those in a row.

    `reason` and `text` are the last failure's. A line begins up, and neither a caller
    nor `replace` can give it a state: `_moved` does, by the table.
    """

    state: LineState = field(default=LineState.UP, init=False)
    failures: int = 0
    probe_at: float = 0.0
    reason: Reason | None = None
    text: str = ""

    def _moved(self, state: LineState, **changes: Any) -> "Line":  # noqa: ANN401
        """After a step of the table, or where it was, with these fields changed."""
        after = replace(self, **changes)
        moved = state if state is self.state else LINES.step(self.state, state)
        object.__setattr__(after, "state", moved)
        return after

    def at(self, now: float) -> "Line":
        """The line as it is now: one that is down is probing once its wait is over."""
        if self.state is LineState.DOWN and now >= self.probe_at:
            return self._moved(LineState.PROBING)
        return self

    def wait_s(self, now: float) -> float:
        """How long until a request makes sense; 0 when one may go now."""
        is_down = self.state is LineState.DOWN
        return max(0.0, self.probe_at - now) if is_down else 0.0

    def is_out(self, service: Service, now: float) -> bool:
        """Whether people should know of it."""
        if self.state is LineState.UP:
            return False
        return service is Service.SESSION or now < self.probe_at + UNNEEDED_S

    def answered(self) -> "Line":
        """A request of this service was answered, whatever the answer: it is up."""
        return self._moved(LineState.UP, failures=0, probe_at=0.0, reason=None, text="")

    def failed(
        self, error: RecorderError, now: float, policy: RetryPolicy, jitter: float
    ) -> "Line":
        """A request got no usable answer: down, for longer each time.

        One that left before the line went down is no further failure.
        """
        reason, text = error.reason, str(error)
        if self.state is LineState.DOWN:
            return self._moved(LineState.DOWN, reason=reason, text=text)
        failures = self.failures + 1
        wait = back_off(policy, failures, jitter)
        return self._moved(
            LineState.DOWN,
            failures=failures,
            probe_at=now + wait.total_seconds(),
            reason=reason,
            text=text,
        )
