"""Whether cameras record, asked before anybody needs their footage.

A camera that stopped on Tuesday is then known on Tuesday. Each is asked once in a time
that the configuration says, one after another and evenly: never all at once, however
many there are and however long nobody could ask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evidenced.core.ids import CameraName
from evidenced.core.instants import DAY, MINUTE
from evidenced.core.window import Window

FURTHEST = 30 * DAY
"""How far back is looked for a camera's last footage."""
PRECISE = MINUTE
"""How exactly it is found out since when there is none."""
LEAST_SPAN = MINUTE
"""Of what is asked about: recorders write a while after they filmed, some only when a
file is full. One that writes later than `settle` must not look like a dead camera."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraWatch:
    """What is known of one camera; instants are true UTC.

    `recorded_at` is an instant near which it surely recorded, None if none is known.
    `silent_since` is there while it does not: nothing was recorded from then on.
    """

    camera: CameraName
    asked_at: datetime
    recorded_at: datetime | None = None
    silent_since: datetime | None = None


def turn_of(
    cameras: Sequence[CameraName],
    known: Mapping[CameraName, CameraWatch],
    every: timedelta,
    now: datetime,
) -> tuple[CameraName, datetime] | None:
    """Which camera is asked next, and when; None where none is to be asked.

    The one that was asked longest ago, so much after the last question of any that all
    have their turn in `every`. An instant that is still to come is of a clock that was
    ahead, and counts for nothing.
    """
    if not cameras or not every:
        return None
    asked = {
        name: known[name].asked_at
        for name in cameras
        if name in known and known[name].asked_at <= now
    }
    new = [name for name in cameras if name not in asked]
    first = new[0] if new else min(asked, key=asked.__getitem__)
    last = max(asked.values(), default=None)
    return first, now if last is None else last + every / len(cameras)


def lately(now: datetime, every: timedelta, settle: timedelta) -> Window:
    """The window of which something should be recorded, in true UTC."""
    end = now - settle
    return Window(start=end - max(every, LEAST_SPAN), end=end)


class LookBack:
    """Since when nothing is recorded, by few questions: doubled spans, then halves."""

    def __init__(self, empty: Window) -> None:
        """`empty` is a window in which nothing is recorded."""
        self._step = empty.length
        self._earliest = empty.end - FURTHEST
        self._filled: datetime | None = None
        self.since = empty.start

    def next(self) -> Window | None:
        """The span to ask about; None once it is known as well as it can be."""
        if self._filled is None:
            if self.since <= self._earliest:
                return None
            start = max(self.since - self._step, self._earliest)
            return Window(start=start, end=self.since)
        if self.since - self._filled <= PRECISE:
            return None
        middle = self._filled + (self.since - self._filled) / 2
        return Window(start=middle, end=self.since)

    def answer(self, span: Window, *, has_video: bool) -> None:
        if has_video:
            self._filled = span.start
            return
        self.since = span.start
        if self._filled is None:
            self._step *= 2

    @property
    def is_found(self) -> bool:
        """Whether footage from before was found at all."""
        return self._filled is not None


def records(camera: CameraName, now: datetime, span: Window) -> CameraWatch:
    """There was footage in the span."""
    return CameraWatch(camera=camera, asked_at=now, recorded_at=span.end)


def unchanged(
    watch: CameraWatch | None, camera: CameraName, now: datetime
) -> CameraWatch:
    """It still records nothing, or the answer does not tell: what was known stays."""
    if watch is None:
        return CameraWatch(camera=camera, asked_at=now)
    return replace(watch, asked_at=now)


def fell_silent(camera: CameraName, now: datetime, search: LookBack) -> CameraWatch:
    """Nothing is recorded lately; the search has told since when."""
    return CameraWatch(
        camera=camera,
        asked_at=now,
        recorded_at=search.since if search.is_found else None,
        silent_since=search.since,
    )
