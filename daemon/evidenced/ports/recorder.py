"""A recorder, as the pipeline asks it."""

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Protocol

from evidenced.core.address import Address, Handle
from evidenced.core.exports.following import Followed
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.keeping.tag import Tag, TagKey, TagOrder
from evidenced.core.recorder import (
    Answer,
    Device,
    ExportOrder,
    Fitness,
    RequestText,
    SessionInfo,
)
from evidenced.core.window import Window

MAY_ACT: ContextVar[Callable[[], bool]] = ContextVar("may_act", default=lambda: True)
"""Whether what cannot be taken back may still be asked of the recorder.

Set for all that a node does under a lease. Adapters look right before such a request
goes out, after whatever they waited for, and raise UNREACHABLE, not sent, where not.
"""


NOT_OURS = "not sent: another node may do the work now"


class RecorderPort(Protocol):
    """One recorder. Every call has a deadline; cancelling a call is safe.

    Every method raises RecorderError and nothing else: the exchange gave no usable
    answer, `reason` says why and `is_sent` whether the recorder may have acted.
    A well-formed refusal is an Answer with a reason, never an exception.
    All windows are in the recorder's own clock.

    A call on a session that ended logs in again once and repeats itself once; it is
    not repeated where the recorder may have acted on it (`export` after an answer that
    was not a clear 401 or 403). After that the session id differs.
    """

    async def open_session(self) -> SessionInfo:
        """Measure its clock, then log in. Idempotent; keeps the session.

        Raises:
            RecorderError: LOGIN_REFUSED, UNREACHABLE, TIMEOUT, SERVER_ERROR, GARBAGE.
        """

    async def export(self, order: ExportOrder) -> tuple[SessionInfo, Answer]:
        """Ask for one export, once. Not idempotent.

        The answer's handle is what `delete_export` and the store know it by.
        """

    async def delete_export(self, handle: Handle) -> Answer:
        """Withdraw a pending export. Idempotent for our purposes.

        RecorderError(EXPORT_VANISHED) says that the handle means nothing any more, or
        perhaps somebody else's export: then nothing was asked.
        """

    async def follow(self, exports: Sequence[ExportRequest]) -> Followed:
        """How these exports of ours are doing. Idempotent.

        Nothing is said of one that the recorder does not surely know as this order.
        """

    async def devices(self) -> tuple[Device, ...]:
        """All cameras that it knows. Idempotent."""

    async def has_video(self, address: Address, window: Window) -> bool | None:
        """Whether anything is recorded in the window; None when it cannot be told."""

    async def recorded(
        self, address: Address, window: Window
    ) -> tuple[datetime, ...] | None:
        """When images were recorded in the window: the first some hundred, in order.

        None when it cannot be told. Idempotent.
        """

    async def picture(self, address: Address, at: datetime) -> bytes | None:
        """The JPEG of the image that was recorded at that instant. Idempotent.

        None where there is none, or none is given. Whether it is a JPEG that can be
        shown is not looked at; it is bounded.
        """

    async def tag(self, order: TagOrder) -> Answer:
        """Ask once for one camera's footage to be kept. Not idempotent.

        Success means that the request was understood, not that it is kept. One that
        does not name a single camera is never sent: BAD_REQUEST.
        """

    async def tagged(self, tags: Sequence[Tag]) -> Mapping[TagKey, str]:
        """Which of these tags the recorder has: its name of each. Idempotent.

        Raises:
            RecorderError: RECORDER_FAULT for a refusal, such as a missing licence.
        """

    async def fitness(self, info: SessionInfo) -> Fitness:
        """Whether it can export at all: its version, its license. Idempotent."""

    def describe(self, order: ExportOrder) -> RequestText:
        """What `export` would send, byte for byte. Sends nothing."""

    async def close(self) -> None:
        """Let go of connections. Never raises."""
