"""The recorder's lists of exports and of tags, as far as they can be understood."""

from dataclasses import dataclass
from enum import StrEnum

from evidenced.core.address import Address
from evidenced.core.ids import SessionId
from evidenced.core.window import Window
from evidenced.sense.address import ExportId


class DeviceProgress(StrEnum):
    """How far the recorder says an export or one of its devices is."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """A word we do not know: still unknown, not failed, not done. sense-api.md 2.8"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDevice:
    """One device of a listed export. `window` is None when the list left it out."""

    address: Address
    window: Window | None
    percent: float | None
    progress: DeviceProgress
    word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedExport:
    """One entry of the recorder's status list."""

    exportid: ExportId
    path: str
    progress: DeviceProgress
    bandwidth: int | None
    devices: tuple[ListedDevice, ...]
    word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTag:
    """One entry of the recorder's list of tags."""

    id: str
    address: Address
    title: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The whole status list, as one API session sees it."""

    session: SessionId
    exports: tuple[ListedExport, ...]
