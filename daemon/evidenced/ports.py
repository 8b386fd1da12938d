"""What the pipeline needs of the outside world, as small protocols.

An adapter tries once and reports; nothing behind a port retries on its own (the one
exception, written into `RecorderPort`, is a login that ended). The simulation replaces
these and runs everything else as it is.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from evidenced.core.alarm import Alarm
from evidenced.core.export import ExportRequest
from evidenced.core.history import Change, Entry, Told
from evidenced.core.ids import (
    DestinationName,
    DeviceId,
    ExportId,
    GroupKey,
    IncidentId,
    RecorderName,
    RuleName,
    ServerId,
    SessionId,
)
from evidenced.core.incident import Incident
from evidenced.core.recorder import (
    Answer,
    Device,
    ExportOrder,
    Listing,
    SessionInfo,
)
from evidenced.core.records import (
    AuditHead,
    DeliveryMark,
    Dossier,
    IncidentFilter,
    KeptAlarm,
    RefusedAlarm,
)
from evidenced.core.sighting import Sighting
from evidenced.core.states import IncidentState
from evidenced.core.status import RecorderStatus
from evidenced.core.window import Window

T = TypeVar("T")


class Clock(Protocol):
    """Where time comes from. Nothing else reads a clock."""

    def now(self) -> datetime:
        """The wall clock: aware UTC, whole milliseconds. It may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump, for time-outs and durations."""
        ...


class Dice(Protocol):
    """Where chance comes from, so that a run can be repeated."""

    def jitter(self) -> float:
        """From 0 (included) to 1 (not included)."""
        ...

    def token(self) -> str:
        """Eight lower-case letters and digits, not to be guessed and not repeated."""
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

    async def delete_export(
        self, exportid: ExportId, session: SessionId | None = None
    ) -> Answer:
        """Withdraw a pending export, only in the session that numbered it.

        Never logs in: under a new session the number may be somebody else's, and then
        RecorderError(EXPORT_VANISHED) says so. Idempotent for our purposes.
        """
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


class SharePort(Protocol):
    """Mounted shares, read-only. Blocking; a hanging one is the caller's to bound."""

    def problem(self, mount: Path, marker: str | None) -> str | None:
        """Why it is not the share that was meant, in a sentence; None if it is."""
        ...

    def sighting(self, folder: Path) -> Sighting | None:
        """What lies in the folder and below; None if nothing does.

        Raises:
            OSError: it cannot be read.
        """
        ...


class Waker(Protocol):
    """One wake-up for the next moment that matters; a hint, the rows are the truth."""

    def wake_at(self, at: datetime | None) -> None:
        """Replace the planned wake-up; None plans none."""
        ...


class View(Protocol):
    """The store as one consistent snapshot, read-only. Blocking; never on the loop."""

    def incidents(self, ids: Collection[IncidentId]) -> list[Incident]:
        """Those that exist, in no particular order."""
        ...

    def dossier(self, incident: IncidentId) -> Dossier | None: ...

    def search(self, wanted: IncidentFilter) -> list[Incident]:
        """Newest first, at most `wanted.limit`."""
        ...

    def exports_of(self, incidents: Collection[IncidentId]) -> list[ExportRequest]:
        """All export requests of these incidents, ended ones too."""
        ...

    def live_exports(self, recorder: RecorderName) -> list[ExportRequest]:
        """Requests that hold a slot at the recorder: requested or exporting."""
        ...

    def counts(self) -> dict[IncidentState, int]:
        """Incidents by state; does not scan history."""
        ...

    def inbox(self, limit: int) -> list[tuple[int, Alarm]]:
        """Stored messages that were not understood yet, by number, oldest first.

        At least one if there is any, and not more than fit into memory together.
        """
        ...

    def inbox_size(self) -> int:
        """How many numbers the inbox spans: what waits, or a little more."""
        ...

    def next_turn(self) -> datetime | None:
        """The next instant at which time alone changes an incident or makes it late."""
        ...

    def next_due(
        self, recorder: RecorderName, after: datetime | None = None
    ) -> datetime | None:
        """The earliest due instant, later than `after`, of a clip that waits for it."""
        ...

    def oldest_due(self) -> datetime | None:
        """The earliest due instant of any clip that waits."""
        ...

    def entries_after(self, seq: int, limit: int) -> list[tuple[int, Entry]]:
        """History rows that follow `seq`, in order."""
        ...

    def head(self) -> AuditHead: ...

    def note(self, key: str) -> str | None:
        """A small value that some part of the daemon keeps over restarts."""
        ...


class Tx(View, Protocol):
    """One transaction. Everything in it is committed together, or nothing is."""

    def open_incidents(
        self, groups: Collection[tuple[RuleName, GroupKey]], since: datetime
    ) -> list[Incident]:
        """Open incidents of these groups: windows that end at `since` or later.

        Those that await their clear are among them in any case: their cut may be
        overdue.
        """
        ...

    def seen(self, keys: Collection[str]) -> set[str]:
        """Those of the alarm keys that were saved before."""
        ...

    def marks(self, packet_ids: Collection[int]) -> dict[int, str]:
        """Digests of unconfirmed deliveries by packet identifier."""
        ...

    def turning(self, now: datetime, limit: int) -> list[Incident]:
        """Incidents that time alone changes by now, earliest first."""
        ...

    def late(self, now: datetime, limit: int) -> list[Incident]:
        """Incidents whose footage is late by now and nobody was told."""
        ...

    def due(
        self,
        recorder: RecorderName,
        now: datetime,
        limit: int,
        closed: Collection[DestinationName] = (),
    ) -> list[tuple[Incident, int]]:
        """Incidents with due clips on this recorder and the cohort, in queue order.

        Those whose destination is `closed` are passed over.
        """
        ...

    def running(
        self, recorder: RecorderName, besides: Collection[int] = ()
    ) -> list[int]:
        """The bandwidths of the recorder's live exports but `besides`, one each."""
        ...

    def new_export_id(self) -> int: ...

    def save(self, changes: Sequence[Change], at: datetime) -> None:
        """Incidents, clips, exports, and the history entries that the changes write."""
        ...

    def save_progress(self, exports: Iterable[ExportRequest]) -> None:
        """Progress and session of running exports: no state changes, no history."""
        ...

    def save_inbox(self, alarms: Sequence[Alarm]) -> None: ...

    def drop_inbox(self, numbers: Collection[int]) -> None:
        """They have become what they mean."""
        ...

    def save_alarms(self, alarms: Sequence[KeptAlarm]) -> None:
        """Kept bounded: the first and last of each incident stay."""
        ...

    def save_refused(self, alarms: Sequence[RefusedAlarm]) -> None:
        """Kept bounded: the last ones stay."""
        ...

    def save_keys(self, keys: Iterable[str], at: datetime) -> None: ...

    def save_marks(self, marks: Iterable[DeliveryMark], at: datetime) -> None: ...

    def forget_marks(self, before: datetime) -> None:
        """Their acknowledgement has reached the broker."""
        ...

    def save_note(self, key: str, value: str) -> None: ...

    def write_entry(self, entry: Entry) -> None:
        """An entry of its own in the history and audit chain."""
        ...

    def prune(self, before: datetime, limit: int) -> list[IncidentId]:
        """Remove up to `limit` incidents that finished earlier; returns which."""
        ...


class Control(Protocol):
    """The running daemon, as its page, its API and the service manager see it."""

    async def stuck(self) -> list[str]:
        """Sentences why the daemon does not work; empty while it does."""
        ...

    def unready(self) -> list[str]:
        """Sentences why alarms may not become footage now; empty when they do."""
        ...

    def recorders(self) -> list[RecorderStatus]: ...

    def subscribe(self) -> AbstractAsyncContextManager[asyncio.Queue[Told | None]]:
        """Every history entry from now on; None says that the reader was too slow."""
        ...

    async def retry(self, incident: IncidentId, who: str) -> Incident:
        """Ended clips but the exported ones are due again, now.

        Raises:
            NotFound: no such incident.
            Refused: it has no such clip.
            StoreError: not durable, nothing changed.
        """
        ...

    async def cancel(self, incident: IncidentId, who: str) -> Incident:
        """Clips that are not ended are withdrawn, and their exports at the recorder.

        Raises:
            NotFound: no such incident.
            Refused: nothing is left to cancel.
            StoreError: not durable, nothing changed.
        """
        ...

    async def trigger(
        self, rule: RuleName, fields: Mapping[str, str], at: datetime | None, who: str
    ) -> Incident:
        """An incident opened or extended by hand, as an alarm of the rule would.

        Raises:
            NotFound: no such rule.
            Refused: the time lies in the future or too far back.
            StoreError: not durable, nothing changed.
        """
        ...


class Store(Protocol):
    """Steps run one after another on one writer; what is queued shares a commit."""

    async def write(self, step: Callable[[Tx], T]) -> T:
        """Run the step in a transaction; durable when this returns.

        Cancelling does not undo a step that was queued.

        Raises:
            StoreError: not durable, nothing of the step is kept (disk full, I/O).
            RowRefused: likewise, for what the step saves can never be kept.
            Exception: whatever the step raised; nothing of it is kept.
        """
        ...

    async def read(self, query: Callable[[View], T]) -> T:
        """Run the query on a snapshot of its own, beside the writer.

        Raises:
            StoreError: the store cannot be read.
        """
        ...
