"""What the pipeline needs of the outside world, as small protocols.

An adapter tries once and reports; nothing behind a port retries on its own (the one
exception, written into `RecorderPort`, is a login that ended). The simulation replaces
these and runs everything else as it is.
"""

from datetime import datetime
from typing import Protocol

from evidenced.core.alarm import Alarm
from evidenced.core.ids import DeviceId, ExportId, ServerId
from evidenced.core.recorder import (
    Answer,
    Device,
    ExportOrder,
    Listing,
    SessionInfo,
)
from evidenced.core.window import Window


class Clock(Protocol):
    """Where time comes from. Nothing else reads a clock."""

    def now(self) -> datetime:
        """The wall clock: aware UTC, whole milliseconds. It may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump, for time-outs and durations."""
        ...


class RecorderPort(Protocol):
    """One recorder. Every call has a deadline; cancelling a call is safe.

    Every method raises RecorderError and nothing else: the exchange gave no usable
    answer, `reason` says why and `is_sent` whether the recorder may have acted.
    A well-formed refusal is an Answer with a negative code, never an exception.
    All windows are in the recorder's own clock.

    A call on a session that ended logs in again once and repeats itself once; it is
    not repeated where the recorder may have acted on it (`export` after an answer that
    was not a clear 401 or 403). After that the session id differs.
    """

    async def open_session(self) -> SessionInfo:
        """Measure the clock (/info), then log in. Idempotent; keeps the session.

        Raises:
            RecorderError: LOGIN_REFUSED, UNREACHABLE, TIMEOUT, SERVER_ERROR, GARBAGE.
        """
        ...

    async def export(self, order: ExportOrder) -> tuple[SessionInfo, Answer]:
        """Send one exportVideo on a connection of its own, once.

        The session is the one that the exportid belongs to. Not idempotent.
        """
        ...

    async def delete_export(self, exportid: ExportId) -> Answer:
        """Withdraw a pending export. Idempotent for our purposes."""
        ...

    async def exports(self) -> Listing:
        """The recorder's whole status list. Idempotent."""
        ...

    async def devices(self) -> tuple[Device, ...]:
        """GetDeviceList. Idempotent."""
        ...

    async def has_video(
        self, server: ServerId, device: DeviceId, window: Window
    ) -> bool | None:
        """Whether anything is recorded in the window; None when it cannot be told."""
        ...

    async def close(self) -> None:
        """Let go of connections. Never raises."""
        ...


class Delivery(Protocol):
    """One message together with what its acknowledgement needs."""

    @property
    def alarm(self) -> Alarm: ...


class AlarmSource(Protocol):
    """The broker as intake sees it."""

    async def receive(self, limit: int) -> list[Delivery]:
        """Wait for at least one message, then give up to `limit` that are there.

        Cancel-safe: a cancelled call has taken nothing.
        """
        ...

    def acknowledge(self, deliveries: list[Delivery]) -> None:
        """Let the broker forget these messages. Call after the commit only.

        A delivery of a connection that has ended meanwhile is silently skipped: the
        broker delivers it again. Never blocks, never raises.
        """
        ...


class Publisher(Protocol):
    """State topics. The prefix and instance are put before `topic` by the adapter."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = True) -> None:
        """Published at QoS 1 and confirmed by the broker; waits while disconnected.

        An empty payload with `retain` clears the topic. Idempotent, cancel-safe.
        """
        ...


class Waker(Protocol):
    """One wake-up for the next moment that matters; a hint, the rows are the truth."""

    def wake_at(self, at: datetime | None) -> None:
        """Replace the planned wake-up; None plans none."""
        ...
