"""Telling cameras apart: a refusal of several cameras does not say which one is meant.

Why
---

The clips of one incident are asked for in one request, since a recorder takes few at
once. If one camera of eight has no video, all eight are refused, with one answer. The
seven must not wait for the eighth until everything is given up.


How
---

The first refusals mean little: the recorder writes with a delay, and all eight may just
be late. So it is after `isolate` of them in a row that the clips go separate ways, and
at the latest when a deadline would end them all. Where the answer says that a camera
does not exist, waiting cannot help: then it is at once.

1. The recorder is asked, camera by camera, whether it has recorded anything. That costs
   a question each and no export.
2. Cameras that have video are asked for again together, at once. Each that has none is
   asked for by itself from then on, at the pace of a retry. (Where a camera does not
   exist, the recorder cannot say; so those of which it can say anything go on
   together.)
3. Where the recorder cannot say, the request is halved. Each half is asked for at once,
   and is halved again if it is refused too. Of n cameras, k without video are found
   with about k log n requests.

    lobby, door, yard, gate     no video, three times
    lobby, door                 taken
    yard, gate                  no video: halved at once, they have been patient enough
    yard                        taken
    gate                        no video: alone by now, and retried until `give_up`

Clips that are asked for together have the same `cohort`; it is a number of the row, so
a restart goes on where it was. Cohorts are only ever split, so this comes to an end: at
the latest when each clip is alone.


What must hold
--------------

No clip is lost by being told apart: each stays due, in exactly one cohort, with the
answers that it has had. A clip that is alone is never split, so an answer to it is
about its own camera.

Source: design.md, "Answers of the recorder"; sense-api.md part A ("The answer names no
device").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from evidenced.core.errors import Reason
from evidenced.core.exports.retry import COURSES, Blame, RetryPolicy
from evidenced.core.incidents.incident import Clip

RecordedSpans = Mapping[int, bool | None]
"""Whether the recorder has video of each clip (by `n`); None where it cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Clips that are asked for together from now on; `is_soon` if at once."""

    clips: tuple[Clip, ...]
    is_soon: bool


def must_tell_apart(
    reason: Reason, clips: Sequence[Clip], policy: RetryPolicy, now: datetime
) -> bool:
    """Whether the clips of a refused request go separate ways from now on.

    After `isolate` answers in a row that there is no video, counting this one; at once
    where a device or server does not exist; and in any case before a deadline would end
    them all.
    `clips` already count this answer.
    """
    if len(clips) < 2 or COURSES[reason].fault is not Blame.CAMERA:  # noqa: PLR2004
        return False
    if reason is not Reason.NO_VIDEO:
        return True
    is_over = any(now >= clip.window.end + policy.give_up for clip in clips)
    return is_over or all(clip.no_video >= policy.isolate for clip in clips)


def may_need_telling(
    reason: Reason, clips: Sequence[Clip], policy: RetryPolicy, now: datetime
) -> bool:
    """The same for clips that do not count the answer yet: is it worth asking?"""
    if reason is not Reason.NO_VIDEO:
        return must_tell_apart(reason, clips, policy, now)
    nearly = policy.isolate - 1
    return len(clips) > 1 and (
        any(now >= clip.window.end + policy.give_up for clip in clips)
        or all(clip.no_video >= nearly for clip in clips)
    )


def cohorts(
    reason: Reason, clips: Sequence[Clip], recorded: RecordedSpans
) -> tuple[Cohort, ...]:
    """The clips in groups, each to be asked for by itself.

    A camera that has video goes with its like, at once; one that has none goes alone,
    with back-off. Where a device does not exist the recorder cannot tell of it, so
    those that it can tell of go on together. What it says nothing useful about is
    halved.
    """
    good, bad, unclear = _sorted_out(reason, clips, recorded)
    if not good and not bad:
        return _halves(unclear)
    if good and not bad and not unclear:
        return _halves(good)
    soon = [Cohort(clips=tuple(each), is_soon=True) for each in (good, unclear) if each]
    alone = [Cohort(clips=(clip,), is_soon=False) for clip in bad]
    return (*soon, *alone)


def _sorted_out(
    reason: Reason, clips: Sequence[Clip], recorded: RecordedSpans
) -> tuple[list[Clip], list[Clip], list[Clip]]:
    """Clips that are fine, that are at fault, and that nobody knows of."""
    yes = [clip for clip in clips if recorded.get(clip.n) is True]
    no = [clip for clip in clips if recorded.get(clip.n) is False]
    unknown = [clip for clip in clips if recorded.get(clip.n) is None]
    if reason is Reason.NO_VIDEO:
        return yes, no, unknown
    if yes or no:
        return [*yes, *no], unknown, []
    return [], [], unknown


def _halves(clips: Sequence[Clip]) -> tuple[Cohort, ...]:
    middle = (len(clips) + 1) // 2
    return tuple(
        Cohort(clips=tuple(half), is_soon=True)
        for half in (clips[:middle], clips[middle:])
        if half
    )
