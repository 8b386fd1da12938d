"""What was recorded: pure functions of a camera, a window and the recorder's clock."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from evidenced.core.instants import MILLISECOND, ZERO, floor_ms
from evidenced.core.window import Window, merge
from evidenced.simulator.scenario import CameraScenario, Recording

NEAR = frozenset({"atorafter", "atorbefore"})
"""Words by which another image than that of the very instant is asked for."""


class Footage:
    """One camera's recording. It records all the time but for its gaps.

    Footage of instant t can be exported from t + lag on, until t + retention, all by
    the recorder's own clock. `started_at`: what that clock said at the start.
    """

    def __init__(
        self, camera: CameraScenario, recording: Recording, started_at: datetime
    ) -> None:
        self.camera = camera
        self._is_dead = camera.dead
        self._lag = recording.lag if camera.lag is None else camera.lag
        self._retention = (
            recording.retention if camera.retention is None else camera.retention
        )
        self.rate = recording.rate if camera.rate is None else camera.rate
        gaps = (
            (_at(gap.start, started_at), _at(gap.end, started_at))
            for gap in camera.gaps
        )
        self._gaps = merge(
            Window(start=start, end=end) for start, end in gaps if start < end
        )

    def is_complete(self, window: Window, own_now: datetime) -> bool:
        """Whether the recorder has got as far as the window's end."""
        return window.end <= own_now - self._lag

    def span(self, own_now: datetime) -> Window:
        """From the oldest to the newest instant that is kept, gaps or not."""
        newest = own_now - self._lag
        return Window(start=min(own_now - self._retention, newest), end=newest)

    def within(self, window: Window, own_now: datetime) -> tuple[Window, ...]:
        """The pieces of the window of which there is footage, in order."""
        if self._is_dead:
            return ()
        kept = self.span(own_now)
        start, end = max(window.start, kept.start), min(window.end, kept.end)
        return tuple(_without(self._gaps, start, end))

    def image(self, at: datetime, kind: str, own_now: datetime) -> datetime | None:
        """The instant of the image that is meant; it films at every millisecond."""
        if self.within(Window(start=at, end=at + MILLISECOND), own_now):
            return at
        kept = self.span(own_now)
        if kind == "atorafter":
            later = self.within(Window(start=at, end=max(at, kept.end)), own_now)
            return later[0].start if later else None
        if kind == "atorbefore":
            earlier = self.within(Window(start=min(kept.start, at), end=at), own_now)
            return earlier[-1].end - MILLISECOND if earlier else None
        return None

    def size(self, window: Window, own_now: datetime) -> float:
        """Bytes of footage in the window."""
        pieces = self.within(window, own_now)
        length = sum((piece.length for piece in pieces), ZERO)
        return length.total_seconds() * self.rate


def _at(moment: datetime | timedelta, started_at: datetime) -> datetime:
    if isinstance(moment, timedelta):
        return floor_ms(started_at + moment)
    return floor_ms(moment)


def _without(
    gaps: Iterable[Window], start: datetime, end: datetime
) -> Iterable[Window]:
    for gap in gaps:
        if gap.end <= start:
            continue
        if start < min(gap.start, end):
            yield Window(start=start, end=min(gap.start, end))
        start = max(start, gap.end)
    if start < end:
        yield Window(start=start, end=end)
