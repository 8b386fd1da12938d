"""What passes between us and a recorder, in our own words.

A vendor's words (status texts, element names, codes) stop inside the adapter of that
kind of recorder; these values are what it takes and gives.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from evidenced.core.address import Address, Handle
from evidenced.core.errors import Reason
from evidenced.core.ids import SessionId
from evidenced.core.instants import MILLISECOND, ZERO
from evidenced.core.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """Recorder minus host, known only to lie between `lowest` and `highest`.

    A recorder that tells whole seconds leaves it a second wide at least.
    Source: sense-api.md B1 1.2; design.md "Details, settled".
    """

    lowest: timedelta
    highest: timedelta
    measured_at: datetime
    skew_s: float
    """The host's wall clock minus its monotonic one then: the offset holds while this
    does, for it changes when the host's clock is set."""

    @property
    def is_sharp(self) -> bool:
        """Whether the answer came soon enough to tell the offset from none."""
        return self.highest - self.lowest <= NEGLIGIBLE

    @property
    def estimate(self) -> timedelta:
        """The middle; of a wide interval the least that it proves.

        An answer that took 13 s leaves 13 s open: its middle would shift windows by
        seconds although both clocks may be right.
        """
        if self.is_sharp:
            return (self.lowest + self.highest) / 2
        return min(max(ZERO, self.lowest), self.highest)

    @property
    def applied(self) -> timedelta:
        """What windows are shifted by: none up to NEGLIGIBLE, else the estimate."""
        if abs(self.estimate) <= NEGLIGIBLE:
            return ZERO
        return timedelta(milliseconds=round(self.estimate / MILLISECOND))

    @property
    def slack(self) -> timedelta:
        """How much longer to wait so that the recorder's clock has surely come so far.

        A window shifted by `applied` ends at `end + applied` on the recorder's clock;
        that clock shows at least `now + lowest`.
        """
        return max(ZERO, self.applied - self.lowest)


NEGLIGIBLE = timedelta(seconds=2)
SUSPICIOUS_OFFSET = timedelta(seconds=5)
"""An offset above this is told: somebody should set that clock (design.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a kind of recorder can do.

    `has_path` is whether an export goes to a folder that we name. `furthest_tag` is how
    long before it is set a tag can begin; None where footage cannot be protected.
    """

    has_path: bool = True
    furthest_tag: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWindow:
    """One device and the period asked of it, in the recorder's own clock."""

    address: Address
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """One export as it is asked for.

    `bandwidth` is the cap in bytes per second, 0 = none.
    Windows are in the recorder's clock: the offset has been applied.
    """

    devices: tuple[DeviceWindow, ...]
    path: str
    bandwidth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A well-formed answer: without a `reason` it is success, else a refusal.

    `code` is the recorder's own word for it and only shown: nothing is decided by it.
    `handle` is there when an export was begun. `text` is the recorder's description,
    bounded and free of control characters; empty when it gave none.
    """

    reason: Reason | None = None
    code: str = ""
    text: str = ""
    handle: Handle | None = None

    @property
    def why(self) -> Reason:
        """The reason of a refusal.

        Raises:
            ValueError: it is success.
        """
        if self.reason is None:
            raise ValueError("an answer without a reason is no refusal")
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """A session that is open. `offset` is None where the recorder tells no time."""

    session: SessionId
    offset: ClockOffset | None
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitness:
    """Whether a recorder can export at all, as it tells; None where it does not."""

    is_fit: bool | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestText:
    """A request as it would be sent, for people: to what, and the body whole."""

    head: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device as the recorder lists it."""

    address: Address
    name: str
    kind: str = ""
    status: str = ""
    location: str = ""
