"""Telling the log that footage is given up."""

from structlog.typing import FilteringBoundLogger

from evidenced.core.exports.refusal import newly
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.states import ClipState


def tell_missing(log: FilteringBoundLogger, change: Change) -> None:
    """A warning for clips that this step gave up, if it did."""
    if missing := newly(change, ClipState.MISSING):
        log.warning(
            "footage is given up: it could not be had until give_up",
            incident=change.after.id,
            cameras=[clip.camera for clip in missing],
            reason=missing[0].reason,
            why=missing[0].message,
        )
