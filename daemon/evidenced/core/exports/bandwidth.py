"""Bandwidth: what is allowed at a moment, what one export gets, whether it still fits.

All rates are bytes per second and 0 is "no limit", as on the wire. Schedules are wall
clock: a window that daylight saving cuts short or repeats starts and ends where the
clock on the wall says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from evidenced.core.instants import DAY, ZERO

HORIZON_DAYS = 8
"""A schedule repeats weekly; the day more is for a window that began the day before."""
TRANSITION_GRID = timedelta(minutes=15)
"""Zones shift their clocks on a quarter of an hour of UTC. Source: tz database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandwidthWindow:
    """Another budget from `start` (included) to `end` (not included), local time.

    `days` are those it starts on, 0 = Monday; past midnight it still belongs to them.
    `start == end` is the whole day from there. Without `bandwidth` the base one stays;
    `pause` lets no new export start.
    """

    start: time
    end: time
    days: frozenset[int]
    bandwidth: int | None = None
    pause: bool = False

    def covers(self, local: datetime) -> bool:
        """Whether this wall-clock moment lies in it."""
        at = local.time()
        starts_today = local.weekday() in self.days
        if self.start < self.end:
            return starts_today and self.start <= at < self.end
        started_yesterday = (local.weekday() - 1) % 7 in self.days
        return (starts_today and at >= self.start) or (
            started_yesterday and at < self.end
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one recorder may use now: `limit` over all its exports, 0 = unlimited."""

    limit: int
    is_paused: bool = False


def budget_at(base: int, windows: Sequence[BandwidthWindow], local: datetime) -> Budget:
    """The budget in force; the first window that covers the moment wins.

    `local` is aware, in the zone whose wall clock the windows mean.
    """
    for window in windows:
        if window.covers(local):
            limit = base if window.bandwidth is None else window.bandwidth
            return Budget(limit=limit, is_paused=window.pause)
    return Budget(limit=base)


def longest_pause(windows: Sequence[BandwidthWindow]) -> timedelta:
    """For how long no export starts at a stretch; a week is for ever."""
    monday = datetime(2024, 1, 1, tzinfo=UTC)
    times = sorted({at for window in windows for at in (window.start, window.end)})
    edges = [
        datetime.combine(monday + timedelta(days=day), at, UTC)
        for day in range(14)
        for at in times
    ]
    longest = lasts = ZERO
    for begin, end in pairwise(edges):
        is_paused = budget_at(0, windows, begin).is_paused
        lasts = lasts + (end - begin) if is_paused else ZERO
        longest = max(longest, lasts)
    return min(longest, timedelta(days=7))


def next_change(windows: Sequence[BandwidthWindow], local: datetime) -> datetime | None:
    """The first later instant (UTC) at which the schedule says something else.

    None if it never does. `local` is aware, in a zone that knows its own changes of
    offset (a ZoneInfo, not the fixed offset that a bare `astimezone()` gives).
    """
    zone = local.tzinfo
    now = local.astimezone(UTC)
    if not windows:
        return None
    in_force = _in_force(windows, local)
    later = {at for at in _boundaries(windows, local) if at > now}
    for at in sorted(later):
        if _in_force(windows, at.astimezone(zone)) != in_force:
            return at
    return None


def request_bandwidth(budget: int, max_exports: int, cap: int) -> int:
    """What one request carries: the smaller of the cap and its share of the budget.

    At least 1, because 0 would mean unlimited; 0 only when neither is set.
    """
    share = max(budget // max_exports, 1) if budget else 0
    return min((limit for limit in (cap, share) if limit), default=0)


def has_bandwidth(budget: Budget, running: Sequence[int], wanted: int) -> bool:
    """Whether one more export may start beside those running.

    Under a limit an export without a cap of its own (0) may take all of it, and is
    counted so: such a one runs alone.
    """
    if budget.is_paused:
        return False
    if budget.limit == 0:
        return True
    used = sum(bandwidth or budget.limit for bandwidth in running)
    return used + (wanted or budget.limit) <= budget.limit


def _in_force(
    windows: Sequence[BandwidthWindow], local: datetime
) -> tuple[int | None, bool]:
    for window in windows:
        if window.covers(local):
            return window.bandwidth, window.pause
    return None, False


def _boundaries(
    windows: Sequence[BandwidthWindow], local: datetime
) -> Iterator[datetime]:
    """Every instant at which something could change, in UTC and in no order.

    A wall time that exists twice gives both instants. One that never was gives none
    that is right: there, and where the clock is set back, the change is on the grid.
    """
    zone = local.tzinfo
    times = {edge for window in windows for edge in (window.start, window.end)}
    for ahead in range(HORIZON_DAYS + 1):
        date = local.date() + ahead * DAY
        for edge in times:
            for fold in (0, 1):
                wall = datetime.combine(date, edge.replace(fold=fold), tzinfo=zone)
                yield wall.astimezone(UTC)
        midnight = datetime.combine(date, time.min, tzinfo=zone)
        if midnight.utcoffset() != (midnight + DAY).utcoffset():
            start = midnight.astimezone(UTC)
            # 25 hours and the shift itself, whichever way it goes
            yield from (start + n * TRANSITION_GRID for n in range(27 * 4))
