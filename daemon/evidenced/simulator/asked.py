"""What the double is asked for and how far it is, in values of its own.

None of them is shared with the client: what both took for granted would never be
found.
"""

from dataclasses import dataclass
from enum import StrEnum

from evidenced.core.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedWindow:
    """One device and the period asked of it."""

    server: str
    device: str
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedExport:
    """One exportVideo as it was read."""

    devices: tuple[AskedWindow, ...]
    path: str
    bandwidth: int


class JobState(StrEnum):
    """Where an export or one of its devices stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
