"""What a recorder has recorded of a clip's window: whole, with gaps, or not known."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from evidenced.core.instants import ZERO
from evidenced.core.window import Window


class CoverageState(StrEnum):
    """What is known of it."""

    WHOLE = "whole"
    """The recorder has images all along the window."""
    GAPS = "gaps"
    """For 5 s or longer it has none, once or more."""
    UNKNOWN = "unknown"
    """It was not asked yet, or cannot be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """As it was found out. `gaps` are in true UTC, in order.

    `unseen` is the longest span that was not asked about, where the questions did not
    suffice: a gap within it is not seen. `is_loss`: one lies over an alarm's instant.
    `text` says why it is unknown.
    """

    state: CoverageState
    gaps: tuple[Window, ...] = ()
    unseen: timedelta = ZERO
    is_loss: bool = False
    text: str = ""


NOT_ASKED = Coverage(state=CoverageState.UNKNOWN, text="not asked yet")
