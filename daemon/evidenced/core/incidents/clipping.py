"""From windows to clips: merged camera by camera, due recorder by recorder."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from evidenced.core.camera import Camera
from evidenced.core.incidents.happening import Happening, Settles, post_roll_of
from evidenced.core.incidents.incident import RANK_PER_POINT, Clip, Incident, ends_of
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import MINUTE, ZERO
from evidenced.core.window import Window, merge

UNKNOWN_SETTLE = MINUTE
"""Of a recorder that is not in the configuration now: it may be put back before its
clips were ended, and must not be asked before it has written what it recorded."""


def with_windows(
    incident: Incident, happening: Happening, windows: Mapping[Camera, Window]
) -> Incident:
    """The incident with one alarm's windows merged into its clips, camera by camera."""
    clips = list(incident.clips)
    fresh = count(max((clip.n for clip in clips), default=0) + 1)
    for camera, window in windows.items():
        mine = [clip for clip in clips if _takes(clip, camera)]
        others = [clip for clip in clips if not _takes(clip, camera)]
        clips = [*others, *_merged(mine, camera, window, happening, fresh)]
    clips.sort(key=lambda clip: clip.n)
    due = arm(incident, clips, happening.settles, happening.now.at)
    return replace(incident, clips=due)


def _takes(clip: Clip, camera: Camera) -> bool:
    """Whether a window of the camera may become part of the clip."""
    return clip.camera == camera.name and not clip.is_ended


def _merged(
    mine: Sequence[Clip],
    camera: Camera,
    window: Window,
    happening: Happening,
    fresh: "count[int]",
) -> list[Clip]:
    merged = []
    for hull in merge([*(clip.window for clip in mine), window]):
        inside = [clip for clip in mine if hull.touches(clip.window)]
        if inside:
            # the highest number stays: the next new one is never one that was there
            merged.append(replace(inside[-1], window=hull))
        else:
            merged.append(new_clip(next(fresh), camera, hull, happening))
    return merged


def new_clip(n: int, camera: Camera, window: Window, happening: Happening) -> Clip:
    """A clip that is due as if it were alone on its recorder; `arm` knows better."""
    due = window.end + settle_of(camera, happening.settles)
    priority = happening.rule.terms.priority
    return clip_due(
        n, camera, window, due, priority, post_roll_of(camera, happening.rule)
    )


def settle_of(camera: Camera, settles: Settles) -> timedelta:
    return settles.get(camera.recorder, UNKNOWN_SETTLE)


def clip_due(
    n: int,
    camera: Camera,
    window: Window,
    due: datetime,
    priority: int,
    post_roll: timedelta = ZERO,
) -> Clip:
    """A clip that records, and is first asked for at `due`."""
    return Clip(
        n=n,
        camera=camera.name,
        label=camera.label or camera.name,
        recorder=camera.recorder,
        address=camera.address,
        window=window,
        post_roll=post_roll,
        due_at=due,
        rank=due + RANK_PER_POINT * priority,
    )


def renumber(clips: Iterable[Clip]) -> tuple[Clip, ...]:
    return tuple(
        replace(clip, n=n, state=ClipState.RECORDING)
        for n, clip in enumerate(clips, start=1)
    )


def arm(
    incident: Incident,
    clips: Iterable[Clip],
    settles: Settles,
    now: datetime | None = None,
) -> tuple[Clip, ...]:
    """Clips with the due instants and ranks that follow from all their windows.

    Windows of one recorder are due together. A clip that had ended records again while
    its incident awaits a clear or, with `now`, if its recorder's end has moved past it.
    """
    clips = tuple(clips)
    ends = ends_of(clips)
    points = RANK_PER_POINT * incident.terms.priority
    due_clips = []
    for clip in clips:
        if clip.is_ended:
            due_clips.append(clip)
            continue
        end = ends[clip.recorder]
        due = end + settles.get(clip.recorder, UNKNOWN_SETTLE)
        again = clip.state is ClipState.DUE and (
            incident.is_active or (now is not None and end > now)
        )
        if clip.due_at != due or clip.rank != due + points or again:
            state = ClipState.RECORDING if again else clip.state
            clip = replace(clip, due_at=due, rank=due + points, state=state)  # noqa: PLW2901
        due_clips.append(clip)
    return tuple(due_clips)
