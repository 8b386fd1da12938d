"""Telling the log that footage is lost."""

from structlog.typing import FilteringBoundLogger

from evidenced.core.exports.answers import newly
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.states import CLIP_LOST, ClipState

_WORDS = {
    ClipState.MISSING: "footage is given up: it could not be had until give_up",
    ClipState.REJECTED: "footage is refused for good",
}


def tell_lost(log: FilteringBoundLogger, change: Change) -> None:
    """A warning for each state in which this step lost footage, if it did."""
    for state in sorted(CLIP_LOST):
        if lost := newly(change, state):
            log.warning(
                _WORDS.get(state, "footage is lost"),
                incident=change.after.id,
                cameras=[clip.camera for clip in lost],
                reason=lost[0].reason,
                why=lost[0].message,
            )
