"""Stills: pictures of each camera around an alarm: people look before they read.

One row a picture. It is wanted as soon as its camera is of the incident, fetched once
the recorder has written that instant, and kept with the incident; where none can be had
the row says why. Each comes to an end: nothing is fetched for ever.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from evidenced.core.address import Address
from evidenced.core.exports.retry import RetryPolicy, back_off
from evidenced.core.ids import CameraName, IncidentId, RecorderName
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.instants import MINUTE, SECOND
from evidenced.core.keeping.evidence import still_name
from evidenced.core.keeping.jpeg import picture_size
from evidenced.core.machine import Facts, Machine, Tone
from evidenced.core.phrase import mark, phrase
from evidenced.core.trust import Now
from evidenced.core.window import Window

MOST: Final = 10
"""Of one camera of one incident."""
OFFSETS: Final = (0, 2, -2, 5, -5, 10, 20, -10, 30, -20)
"""Seconds from the alarm, the most telling first: as many of them as are wanted."""
REACH: Final = 5 * SECOND
"""How far from its instant a picture may be: a recorder may list key images only."""
MOST_CAMERAS: Final = 32
"""Of one incident; of those behind none are fetched."""
MOST_BYTES: Final = 2_000_000
MOST_KEPT: Final = 4_000_000_000
"""Bytes of all pictures in the store: they must not take the room that alarms need."""
NO_ROOM: Final = mark(
    "4 GB of pictures are kept, and more are not until some are pruned"
)
TRIES: Final = 6
WAITS: Final = RetryPolicy(first=15 * SECOND, longest=10 * MINUTE)
NOTHING: Final = mark("the recorder has no picture of that time")
NOT_TOLD: Final = mark("the recorder does not give pictures of this camera")


class StillState(StrEnum):
    """What became of one picture."""

    WANTED = "wanted"
    """The recorder is asked for it as soon as it has it."""
    KEPT = "kept"
    """It is here."""
    NONE = "none"
    """It could not be had; the row says why."""


STILLS: Machine[StillState] = Machine(
    "still",
    {
        StillState.WANTED: Facts(
            to=frozenset({StillState.KEPT, StillState.NONE}),
            by="`stills`, as soon as the recorder has it",
            crash="nothing is lost: it is fetched after the next start",
            tone=Tone.WAIT,
        ),
        StillState.KEPT: Facts(
            to=frozenset(),
            by="nobody: it goes with its incident",
            crash="nothing is lost",
            tone=Tone.GOOD,
            is_ended=True,
        ),
        StillState.NONE: Facts(
            to=frozenset({StillState.WANTED}),
            by="its incident, when an operator has it tried again by `retry`",
            crash="nothing is lost",
            tone=Tone.OFF,
            is_ended=True,
        ),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """One picture. `wanted_at` is the instant asked for, `at` that of the picture.

    Both are true UTC. `n` tells the stills of one incident apart. `due_at` is when it
    is asked for next, None once nothing is left to do; the recorder has to have written
    the instant, too. `sha256` and sizes are of what is kept.
    """

    incident: IncidentId
    n: int
    camera: CameraName
    recorder: RecorderName
    address: Address
    wanted_at: datetime
    state: StillState = StillState.WANTED
    due_at: datetime | None
    tries: int = 0
    at: datetime | None = None
    sha256: str = ""
    size_bytes: int = 0
    width: int = 0
    height: int = 0
    message: str = ""

    def moved(self, state: StillState, **changes: Any) -> "Still":  # noqa: ANN401 - fields
        """The still after one step of the table, with these fields changed.

        Raises:
            IllegalStep: the table has no such step.
        """
        return replace(self, state=STILLS.step(self.state, state), **changes)

    @property
    def span(self) -> Window:
        """Where its picture is looked for."""
        return Window(start=self.wanted_at - REACH, end=self.wanted_at + REACH)

    @property
    def file(self) -> str:
        """What it is called beside footage."""
        return still_name(self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class StillWish:
    """That stills of these clips are wanted, around `moment`; `at` is when it came up.

    In a storm of alarms the stills themselves are drawn up after it: they are several
    rows a camera. `n` is the first of the clips.
    """

    incident: IncidentId
    n: int
    clips: tuple[int, ...]
    moment: datetime
    at: datetime

    def stills(self, incident: Incident) -> list[Still]:
        """What is wanted by it, of the incident as it is now."""
        return [
            replace(still, due_at=max(still.wanted_at, self.at))
            for clip in incident.clips
            if clip.n in self.clips
            for still in _of_camera(incident, clip, self.moment)
        ]


def wish_after(
    before: Incident | None, after: Incident, now: datetime
) -> StillWish | None:
    """What a step makes wanted: stills of cameras that the incident had not."""
    if not after.terms.stills:
        return None
    known = {clip.camera for clip in before.clips} if before else set()
    room = MOST_CAMERAS - len(known)
    first: dict[CameraName, int] = {}
    for clip in after.clips:
        if clip.camera not in known and clip.window.length:
            first.setdefault(clip.camera, clip.n)
    clips = tuple(first.values())[: max(room, 0)]
    if not clips:
        return None
    moment = after.last_at if before else after.opened_at
    return StillWish(incident=after.id, n=clips[0], clips=clips, moment=moment, at=now)


def _of_camera(incident: Incident, clip: Clip, moment: datetime) -> Iterator[Still]:
    last = clip.window.end - SECOND
    alarm = max(clip.window.start, min(moment, last))
    wanted = [
        alarm + offset * SECOND
        for offset in OFFSETS[: min(incident.terms.stills, MOST)]
    ]
    inside = sorted(at for at in wanted if clip.window.start <= at < clip.window.end)
    for n, at in enumerate(inside):
        yield Still(
            incident=incident.id,
            n=clip.n * MOST + n,
            camera=clip.camera,
            recorder=clip.recorder,
            address=clip.address,
            wanted_at=at,
            due_at=at,
        )


def wanted_again(stills: Iterable[Still], now: datetime) -> list[Still]:
    """Those that could not be had, asked for once more from the beginning."""
    return [
        each.moved(
            StillState.WANTED, due_at=max(each.wanted_at, now), tries=0, message=""
        )
        for each in stills
        if each.state is StillState.NONE
    ]


def telling(stills: Iterable[Still], alarm: datetime) -> Still | None:
    """The picture that comes closest to the alarm, of those that are kept."""
    kept = (each for each in stills if each.state is StillState.KEPT)
    return min(kept, key=lambda each: abs(each.wanted_at - alarm), default=None)


def nearest(still: Still, images: Sequence[datetime]) -> datetime | None:
    """The image that comes closest to the instant, if any is near it."""
    near = [at for at in images if still.span.start <= at <= still.span.end]
    return min(near, key=lambda at: abs(at - still.wanted_at), default=None)


def take(still: Still, at: datetime, data: bytes) -> Still:
    """The still with its picture, or why that cannot be kept."""
    if len(data) > MOST_BYTES:
        return give_up(
            still,
            phrase(
                "the picture is larger than {most_bytes} bytes", most_bytes=MOST_BYTES
            ),
        )
    try:
        width, height = picture_size(data)
    except ValueError as error:
        return give_up(still, phrase("the picture {error}", error=error))
    return still.moved(
        StillState.KEPT,
        due_at=None,
        at=at,
        sha256=sha256(data).hexdigest(),
        size_bytes=len(data),
        width=width,
        height=height,
        message="",
    )


def give_up(still: Still, message: str) -> Still:
    return still.moved(StillState.NONE, due_at=None, message=message)


def fail_try(still: Still, message: str, now: Now) -> Still:
    """It was not to be had now: again later, so many times."""
    tries = still.tries + 1
    if tries >= TRIES:
        return give_up(still, message)
    wait = back_off(WAITS, tries, 1.0)
    return replace(still, tries=tries, due_at=now.at + wait, message=message)


def is_overdue(still: Still, patience: timedelta, now: Now) -> bool:
    """Whether it is waited for no longer, though nobody could be asked."""
    return still.due_at is not None and now.sure >= still.due_at + patience
