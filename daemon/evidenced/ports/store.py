"""The store: snapshots to read, transactions to write, one after another."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.ids import (
    DestinationName,
    GroupKey,
    IncidentId,
    RecorderName,
    RuleName,
    SilenceId,
)
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Entry
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence
from evidenced.core.incidents.states import IncidentState
from evidenced.core.keeping.evidence import HashedFile, Record
from evidenced.core.keeping.records import (
    AuditHead,
    DeliveryMark,
    Dossier,
    IncidentFilter,
    KeptAlarm,
    RefusedAlarm,
    Standing,
)
from evidenced.core.keeping.tag import Tag
from evidenced.core.telling.report import Figures
from evidenced.core.telling.routing import Pile
from evidenced.core.telling.trouble import Trouble

T = TypeVar("T")


class View(Protocol):
    """The store as one consistent snapshot, read-only. Blocking; never on the loop."""

    def incidents(self, ids: Collection[IncidentId]) -> list[Incident]:
        """Those that exist, in no particular order."""
        ...

    def dossier(self, incident: IncidentId, *, whole: bool = False) -> Dossier | None:
        """All of one incident; `whole` with payloads as long as they came."""
        ...

    def records_of(self, incidents: Collection[IncidentId]) -> list[Record]: ...

    def due_records(self, now: datetime, limit: int) -> list[Record]:
        """Evidence records that wait to be written, the longest due first."""
        ...

    def records_beyond(self, later: datetime, limit: int) -> list[Record]:
        """Those that are not due before `later`."""
        ...

    def next_record(self) -> datetime | None:
        """When the next of them is due."""
        ...

    def hashed_files(self, incident: IncidentId) -> list[HashedFile]:
        """Files of its footage as they were hashed last."""
        ...

    def tags_of(self, incidents: Collection[IncidentId]) -> list[Tag]: ...

    def due_tags(self, recorder: RecorderName, now: datetime, limit: int) -> list[Tag]:
        """Tags that the recorder is to be asked for, or looked for in its list."""
        ...

    def tags_beyond(
        self, recorder: RecorderName, later: datetime, limit: int
    ) -> list[Tag]:
        """Those that are not due before `later`."""
        ...

    def next_tag(self, recorder: RecorderName) -> datetime | None:
        """When the next of them is due."""
        ...

    def waiting_evidence(self) -> tuple[int, int]:
        """Records that wait to be written, and tags that are not confirmed."""
        ...

    def search(self, wanted: IncidentFilter) -> list[Incident]:
        """Newest first, at most `wanted.limit`."""
        ...

    def reach(self, wanted: IncidentFilter) -> tuple[datetime, IncidentId] | None:
        """How far back one search for text looks; the next goes on after it.

        None where the search sees everything.
        """
        ...

    def late_incidents(self, limit: int) -> list[Incident]:
        """Those whose footage is late, as people were told, newest first."""
        ...

    def standing(self, since: datetime) -> Standing:
        """Whether the footage of incidents since then is safe."""
        ...

    def refused_alarms(
        self, limit: int, before: int | None = None
    ) -> list[tuple[int, RefusedAlarm]]:
        """Messages that opened nothing, by number, the newest first."""
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

    def inbox_bytes(self) -> int:
        """Topics and payloads from the oldest that waits to the newest, in bytes."""
        ...

    def last_delivery(self) -> int:
        """The largest number of a delivery that is marked; 0 where none is."""
        ...

    def opened_after(self, at: datetime) -> IncidentId | None:
        """An incident that was opened later than that and is not ended."""
        ...

    def next_turn(self) -> datetime | None:
        """The next instant at which time alone changes an incident or makes it late."""
        ...

    def next_due(
        self, recorder: RecorderName, after: datetime | None = None
    ) -> datetime | None:
        """The earliest due instant, later than `after`, of a clip that waits for it."""
        ...

    def recorders_needed(self) -> set[RecorderName]:
        """Recorders for which clips or tags wait, or at which exports run; no scan."""
        ...

    def oldest_due(self) -> datetime | None:
        """The earliest due instant of any clip that waits."""
        ...

    def entries_after(self, seq: int, limit: int) -> list[tuple[int, Entry]]:
        """History rows that follow `seq`, in order."""
        ...

    def silences(self, since: datetime) -> list[Silence]:
        """Those that end later than `since`: few, whatever lies behind."""
        ...

    def past_silences(self, now: datetime, limit: int) -> list[Silence]:
        """Those that have ended, the last one first."""
        ...

    def silence(self, name: SilenceId) -> Silence | None: ...

    def open_troubles(self) -> list[Trouble]: ...

    def piles(self, route: str) -> list[Pile]:
        """What a receiver has not been told yet, and when it last was of what."""
        ...

    def figures(self, start: datetime, end: datetime, now: datetime) -> Figures:
        """Of the incidents opened from `start` (included) to `end` (not)."""
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

    def due_beyond(
        self, recorder: RecorderName, later: datetime, now: datetime
    ) -> list[IncidentId]:
        """Incidents with clips whose window has ended by now, due after `later`: all.

        There are none unless the host's clock was ahead.
        """
        ...

    def waiting_for(self, recorder: RecorderName, limit: int) -> list[Incident]:
        """Incidents with clips that wait for this recorder, or exports that run there.

        Up to `limit`, in no particular order, whenever they are due.
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

    def save_marks(self, marks: Iterable[DeliveryMark]) -> None: ...

    def forget_marks(self, before: int) -> None:
        """The acknowledgement of these deliveries has reached the broker."""
        ...

    def run_out_silences(self, now: datetime, limit: int) -> list[Silence]:
        """Those that have ended by themselves and whose end is not in the history."""
        ...

    def save_silences(self, silences: Sequence[Silence]) -> None: ...

    def save_troubles(self, troubles: Sequence[Trouble]) -> None: ...

    def save_piles(self, piles: Iterable[Pile]) -> None: ...

    def forget_piles(self, routes: Sequence[str], before: datetime) -> None:
        """Remove those of other receivers, and empty ones told earlier."""
        ...

    def save_note(self, key: str, value: str) -> None: ...

    def save_record(self, record: Record) -> None: ...

    def drop_record(self, incident: IncidentId) -> None:
        """There is no share on which it could be written."""
        ...

    def save_hashed(
        self, incident: IncidentId, files: Sequence[HashedFile]
    ) -> None: ...

    def save_tags(self, tags: Iterable[Tag]) -> None: ...

    def write_entry(self, entry: Entry) -> None:
        """An entry of its own in the history and audit chain."""
        ...

    def prune(self, before: datetime, limit: int) -> list[IncidentId]:
        """Remove up to `limit` incidents that finished earlier; returns which.

        With them what else is as old: keys, history, silences.
        """
        ...

    def date_back(self, now: datetime) -> None:
        """What ended in the future, by a clock that was ahead, ended now: for prune."""
        ...

    def give_back(self) -> bool:
        """Free a little of the room on disk that is not needed; whether more may be."""
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

    async def checkpoint(self) -> None:
        """Carry what was committed to its final place, beside reads and writes.

        Durability does not need it: it keeps files small and the next start short.

        Raises:
            StoreError: it cannot be done now; nothing is lost.
        """
        ...
