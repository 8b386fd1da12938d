"""Holds: what is wrong with a destination concerns every export that goes there.

    it refuses the path, or is full  the destination is held: nothing more is sent to it
    its next try has come            one request goes as a probe, all others wait
    any other answer to the probe    the hold is over

Source: design.md, "Answers of the recorder".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from evidenced.core.errors import Reason
from evidenced.core.exports.retry import COURSES, Blame, Patience, back_off
from evidenced.core.trust import Now


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A destination on one recorder that does not take exports.

    `failures` counts its refusals in a row; `is_probed` is whether one request is on
    its way to find out.
    """

    reason: Reason
    text: str
    since: datetime
    failures: int
    next_try: datetime
    wait: timedelta
    is_probed: bool = False

    def is_closed(self, now: Now) -> bool:
        """Whether nothing may be sent there now."""
        return self.is_probed or not now.has_come(self.next_try, self.wait)


def holds_destination(reason: Reason) -> bool:
    """Whether a refusal for this reason concerns all that goes to the destination."""
    return COURSES[reason].fault is Blame.DESTINATION


def hold_after(
    before: Hold | None, reason: Reason, text: str, patience: Patience
) -> Hold:
    """The hold after one more refusal of the destination."""
    now = patience.now.at
    failures = 1 if before is None else before.failures + 1
    slower = COURSES[reason].slower
    wait = back_off(patience.policy, failures, patience.jitter, slower)
    return Hold(
        reason=reason,
        text=text,
        since=now if before is None else before.since,
        failures=failures,
        next_try=now + wait,
        wait=wait,
    )
