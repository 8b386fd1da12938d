"""One export as the recorder works on it: devices one after another, byte by byte."""

import math
from dataclasses import dataclass, field
from datetime import datetime

from evidenced.simulator.asked import AskedWindow, JobState
from evidenced.simulator.fault import Action
from evidenced.simulator.journal import ExportRecord

SNAP = 1e-3
"""Bytes: closer than this to a mark is at the mark, so that floats cannot creep."""
LIVE = frozenset({JobState.PENDING, JobState.RUNNING})


@dataclass(slots=True, kw_only=True)
class ExportPart:
    """One device of an export. `fail_at`: percent of its own footage."""

    asked: AskedWindow
    size: float
    done: float = 0.0
    fail_at: float | None = None
    state: JobState = JobState.PENDING

    @property
    def percent(self) -> float:
        return 100.0 * self.done / self.size if self.size else 100.0

    @property
    def mark(self) -> float:
        """The byte at which it ends, well or not."""
        if self.fail_at is None:
            return self.size
        return max(self.done, self.size * self.fail_at / 100)


@dataclass(slots=True, kw_only=True, eq=False)
class Export:
    """Times are seconds since the simulator's start.

    `fail_at` and `stall_at` are bytes of the whole; `word` overrides the status words.
    `writes`: what it leaves instead of its files, EMPTY or BLANK.
    `is_lost`: the recorder does not know it any more and works on it no longer.
    `listed_from`: when the list shows it first.
    `listed_as`: its rendered entry, once that cannot change any more.
    """

    exportid: int
    session: str
    path: str
    bandwidth: int
    rate: float
    parts: tuple[ExportPart, ...]
    record: ExportRecord | None = None
    state: JobState = JobState.PENDING
    finished: float | None = None
    fail_at: float | None = None
    stall_at: float | None = None
    stall_for: float = 0.0
    stalled_until: float = field(default=-math.inf)
    writes: Action | None = None
    word: str | None = None
    word_until: float = math.inf
    is_lost: bool = False
    listed_from: float = -math.inf
    listed_as: str | None = None

    @property
    def size(self) -> float:
        return sum(part.size for part in self.parts)

    @property
    def done(self) -> float:
        return sum(part.done for part in self.parts)

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    def begin(self, true_at: datetime) -> None:
        self.state = JobState.RUNNING
        if self.record:
            self.record.started_at = true_at
            self.record.state = self.state

    def until_event(self, at: float) -> float:
        """Seconds from `at` until something happens to it, were it left alone."""
        if at < self.stalled_until:
            return self.stalled_until - at
        return self._room() / self.rate

    def work(self, at: float, step: float) -> None:
        """`step` seconds pass; never more than `until_event` said."""
        if at >= self.stalled_until:
            self._current().done += min(self.rate * step, self._room())
        self._settle(at + step)

    def end(self, state: JobState) -> None:
        """It ends in this state; so do its parts that were still going."""
        self.state = state
        for part in self.parts:
            if part.state in LIVE:
                part.state = state

    def _current(self) -> ExportPart:
        return next(part for part in self.parts if part.state in LIVE)

    def _room(self) -> float:
        current = self._current()
        rooms = [current.mark - current.done]
        rooms += [
            mark - self.done
            for mark in (self.fail_at, self.stall_at)
            if mark is not None
        ]
        return max(0.0, min(rooms))

    def _settle(self, at: float) -> None:
        current = self._current()
        current.state = JobState.RUNNING
        if self.stall_at is not None and self.done >= self.stall_at - SNAP:
            self.stall_at, self.stalled_until = None, at + self.stall_for
        if current.done >= current.mark - SNAP:
            self._end_part(current)
        has_failed = self.fail_at is not None and self.done >= self.fail_at - SNAP
        if self.is_live and has_failed:
            self.end(JobState.FAILED)

    def _end_part(self, part: ExportPart) -> None:
        has_failed = part.fail_at is not None
        part.done = part.mark
        part.state = JobState.FAILED if has_failed else JobState.DONE
        states = {part.state for part in self.parts}
        if not states & LIVE:
            self.end(JobState.FAILED if JobState.FAILED in states else JobState.DONE)
