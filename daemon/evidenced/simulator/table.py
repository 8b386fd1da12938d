"""The recorder's list of exports, and how they go on as time passes.

JobState is computed when somebody looks, exactly: time is advanced from one event
(a device done, a stall over, an export's turn) to the next.
"""

import math
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from evidenced.simulator.asked import AskedExport, AskedWindow, JobState
from evidenced.simulator.codes import Code, CommandDenied
from evidenced.simulator.export import Export, ExportPart
from evidenced.simulator.fault import Action, Strike
from evidenced.simulator.journal import ExportRecord
from evidenced.simulator.scenario import ExportsScenario

ENDED_KEPT = 1_000
"""Completed entries listed at most: a list stays a size that can be read."""
FOREIGN_PATH = "D:\\somebody-else\\export"

_OF_WRITING = {Action.EMPTY, Action.BLANK}
"""What an export leaves in its folder; it is too late once that is done."""


class ExportTable:
    """`note` is told of every export that is accepted."""

    def __init__(
        self,
        settings: ExportsScenario,
        true_at: Callable[[float], datetime],
        note: Callable[[ExportRecord], None],
    ) -> None:
        self._settings = settings
        self._note = note
        self._true_at = true_at
        self._at = 0.0
        self._exports: list[Export] = []
        self._live: list[Export] = []
        self._ended: deque[Export] = deque()
        self._last_ids: dict[str, int] = {}
        self._free = float(settings.disk_space)
        self._before = [_earlier(n) for n in range(settings.listed_before)]

    def accept(
        self,
        order: AskedExport,
        sizes: list[float],
        session: str,
        own_at: datetime,
    ) -> Export:
        """A new export; its modelled bytes are taken from the disk at once."""
        size = sum(sizes)
        self._free -= size
        record = ExportRecord(
            exportid=self._next_id(session),
            session=session,
            order=order,
            size=size,
            accepted_at=self._true_at(self._at),
            own_at=own_at,
        )
        parts = tuple(
            ExportPart(asked=asked, size=part_size)
            for asked, part_size in zip(order.devices, sizes, strict=True)
        )
        speed = float(self._settings.disk_speed)
        export = Export(
            exportid=record.exportid,
            session=session,
            path=order.path,
            bandwidth=order.bandwidth,
            rate=min(speed, order.bandwidth or speed),
            parts=parts,
            record=record,
            listed_from=self._at + self._settings.listed_after.total_seconds(),
        )
        self._exports.append(export)
        self._live.append(export)
        self._note(record)
        self._promote()
        return export

    def check_room(self, size: float) -> None:
        """Whether so many bytes fit on the disk.

        Raises:
            Denied: -60.
        """
        if size > self._free:
            raise CommandDenied(Code.DISK_FULL)

    def advance(self, elapsed: float) -> None:
        """Bring every export to this time (seconds since the start)."""
        while self._at < elapsed:
            running = self._promote()
            step = elapsed - self._at
            nearest = min((e.until_event(self._at) for e in running), default=step)
            for export in running:
                export.work(self._at, min(step, nearest))
            self._at = elapsed if nearest >= step else self._at + nearest
            self._note_ends()
        self._promote()
        self._note_ends()
        self._drop_old()

    def listed(self, session: str) -> list[Export]:
        """What this session is shown, oldest first."""
        known = self._known(session)
        shown = [export for export in known if export.listed_from <= self._at]
        return self._before + shown if self._settings.listed == "all" else shown

    def _known(self, session: str) -> list[Export]:
        """What this session may ask about by its id."""
        for export in self._exports:
            if self._at >= export.word_until:
                export.word = None
        if self._settings.listed == "all":
            return list(self._exports)
        return [export for export in self._exports if export.session == session]

    def find(self, exportid: int, session: str) -> Export | None:
        """The export with this id: the session's own before anybody else's."""
        found = [
            export for export in self._known(session) if export.exportid == exportid
        ]
        own = [export for export in found if export.session == session]
        return next(reversed(own or found), None)

    def delete(self, exportid: int, session: str) -> None:
        """Withdraw a pending export.

        Raises:
            Denied: it is not known or no longer pending.
        """
        export = self.find(exportid, session)
        if export is None or not export.is_live:
            raise CommandDenied(self._settings.unknown_id_code)
        export.end(JobState.CANCELLED)
        self._note_ends()
        if self._settings.deleted == "removed":
            self._remove(export)

    def restart(self, *, keep_list: bool) -> None:
        """The plugin restarts: ids from 1; without `keep_list` nothing is known."""
        self._last_ids.clear()
        if not keep_list:
            for export in list(self._exports):
                self._forget(export)

    def hold(self, until: float) -> None:
        """Nothing moves until then."""
        for export in self._live:
            export.stalled_until = max(export.stalled_until, until)

    def strike(self, fault: Strike) -> None:
        """Apply a fault to the export it names, else to the newest."""
        export = self._target(fault)
        if fault.action is Action.TAKE_ID:
            self._take_id(export, fault)
        elif export is not None:
            self._strike(export, fault)

    def _strike(self, export: Export, fault: Strike) -> None:
        mark = export.size * fault.percent / 100
        match fault.action:
            case Action.FORGET:
                self._forget(export)
            case Action.WORD:
                export.word = fault.word
                export.word_until = self._at + _seconds(fault.lasts)
            case Action.STALL:
                export.stall_at = max(mark, export.done)
                export.stall_for = _seconds(fault.lasts)
            case Action.EMPTY | Action.BLANK:
                export.writes = fault.action
                if export.record:
                    export.record.has_footage = False
            case Action.FAIL if fault.device is None:
                export.fail_at = max(mark, export.done)
            case Action.FAIL:
                for part in export.parts:
                    if part.asked.device == fault.device:
                        part.fail_at = fault.percent
            case _:
                raise AssertionError(fault.action)

    def _target(self, fault: Strike) -> Export | None:
        candidates = [
            export
            for export in self._exports
            if fault.exportid in (None, export.exportid)
        ]
        live = [export for export in candidates if export.is_live]
        if not live and fault.action in _OF_WRITING:
            return None  # it was refused, and what is finished has left its files
        return next(reversed(live or candidates), None)

    def _take_id(self, export: Export | None, fault: Strike) -> None:
        """As after a restart that this client did not see: its id means another's."""
        if export is None:
            exportid = fault.exportid or self._next_id("")
            devices: tuple[AskedWindow, ...] = ()
        else:
            exportid = export.exportid
            devices = tuple(part.asked for part in export.parts[:1])
            self._forget(export)
        parts = tuple(ExportPart(asked=asked, size=1e9) for asked in devices)
        foreign = Export(
            exportid=exportid,
            session="",
            path=FOREIGN_PATH,
            bandwidth=0,
            rate=1e6,
            parts=parts,
            state=JobState.RUNNING if parts else JobState.DONE,
        )
        self._exports.append(foreign)
        self._live.append(foreign)

    def _next_id(self, session: str) -> int:
        scope = session if self._settings.ids == "session" else ""
        self._last_ids[scope] = self._last_ids.get(scope, 0) + 1
        return self._last_ids[scope]

    def _promote(self) -> list[Export]:
        """Start what may run now; returns all that is running."""
        running = self._live[: self._settings.parallel or len(self._live)]
        for export in running:
            if export.state is JobState.PENDING:
                export.begin(self._true_at(self._at))
        return running

    def _note_ends(self) -> None:
        """Move what has ended from the live ones to the ended ones."""
        ended = [export for export in self._live if not export.is_live]
        if not ended:
            return
        self._live = [export for export in self._live if export.is_live]
        self._ended.extend(ended)
        for export in ended:
            export.finished = self._at
            if export.record:
                export.record.state = export.state
                export.record.finished_at = self._true_at(self._at)

    def _forget(self, export: Export) -> None:
        export.is_lost = True
        if export.record:
            export.record.forgotten_at = self._true_at(self._at)
        if export.is_live and export.record:
            export.record.state = "forgotten"
            export.record.finished_at = self._true_at(self._at)
        self._remove(export)

    def _remove(self, export: Export) -> None:
        for listed in (self._exports, self._live, self._ended):
            if export in listed:
                listed.remove(export)

    def _drop_old(self) -> None:
        keep = self._settings.completed_listed.total_seconds()
        while self._ended and (
            len(self._ended) > ENDED_KEPT
            or (self._ended[0].finished or 0.0) + keep <= self._at
        ):
            self._remove(self._ended[0])


def _earlier(n: int) -> Export:
    """One that had ended before the simulator's start."""
    return Export(
        exportid=n + 1,
        session="",
        path=f"{FOREIGN_PATH}-{n}",
        bandwidth=0,
        rate=1e6,
        parts=(),
        state=JobState.DONE,
    )


def _seconds(length: timedelta | None) -> float:
    return math.inf if length is None else length.total_seconds()
