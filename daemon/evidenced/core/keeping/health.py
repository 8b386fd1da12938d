"""How cameras and shares have done of late, kept as they go: nobody scans the history.

Of each camera its last export, the last time that the recorder had no video of it, and
its failures by day; of each share its room by the hour, from which a forecast is made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from evidenced.core.ids import CameraName, DestinationName
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import DAY, HOUR

FAILURES_FOR: Final = 30 * DAY
ROOM_EVERY: Final = HOUR
ROOM_FOR: Final = 14 * DAY
SURE_AFTER: Final = 12 * HOUR
"""A forecast from less would say what the last hour was like."""
FURTHEST: Final = 365 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraTally:
    """What is known of a camera's exports; None where there was none yet."""

    camera: CameraName
    exported_at: datetime | None = None
    no_video_at: datetime | None = None

    def later(self, other: "CameraTally") -> "CameraTally":
        """The later of each."""
        return replace(
            self,
            exported_at=_later(self.exported_at, other.exported_at),
            no_video_at=_later(self.no_video_at, other.no_video_at),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraNews:
    """What one step says of a camera, and whether its footage was lost by it."""

    tally: CameraTally
    is_failure: bool = False


def news_of(
    before: Incident | None, after: Incident, now: datetime
) -> Iterator[CameraNews]:
    """What a step says of its cameras."""
    known = {clip.n: clip for clip in before.clips} if before else {}
    for clip in after.clips:
        was = known.get(clip.n)
        if was is clip:
            continue
        is_exported = clip.has_footage and not (was and was.has_footage)
        is_without = clip.no_video > (was.no_video if was else 0)
        is_failure = clip.is_lost and not (was and was.is_lost)
        if is_exported or is_without or is_failure:
            tally = CameraTally(
                camera=clip.camera,
                exported_at=now if is_exported else None,
                no_video_at=now if is_without else None,
            )
            yield CameraNews(tally=tally, is_failure=is_failure)


def day_of(at: datetime) -> int:
    """The number of the day in UTC, by which failures are counted."""
    return at.toordinal()


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Bytes of a share: how many are free, and how many there are."""

    free: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSeen:
    """What was seen of a share's room at an instant."""

    destination: DestinationName
    at: datetime
    free: int
    total: int


def full_in(seen: Sequence[RoomSeen], min_free: int, now: datetime) -> timedelta | None:
    """How long until the share is full, if it goes on as it did; None: nobody knows.

    From the first to the last of what was seen, in order, since room was last made:
    where there is more room than before, somebody has deleted.
    """
    start = next(
        (n for n in range(len(seen) - 1, 0, -1) if _is_more(seen[n - 1], seen[n])), 0
    )
    lately = seen[start:]
    if not lately or lately[-1].at - lately[0].at < SURE_AFTER:
        return None
    used = lately[0].free - lately[-1].free
    if used <= 0:
        return None
    left = max(lately[-1].free - min_free, 0)
    lasts = (lately[-1].at - lately[0].at) * (left / used) - (now - lately[-1].at)
    return max(lasts, timedelta(0)) if lasts < FURTHEST else None


def _is_more(before: RoomSeen, after: RoomSeen) -> bool:
    """Whether room was made: more than what comes and goes by itself."""
    return after.free - before.free > max(before.total // 100, 1)
