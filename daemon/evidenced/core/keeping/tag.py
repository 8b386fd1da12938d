"""Tags: what keeps footage at the recorder from being overwritten (`protect`).

One row for each camera of a protected incident. It grows with the incident: what is
not kept yet is asked for with a further tag. A tag stays at the recorder until a person
releases it there: nothing here ever does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import reduce
from typing import Any

from evidenced.core.address import Address
from evidenced.core.camera import Camera
from evidenced.core.errors import Reason
from evidenced.core.exports.retry import RetryPolicy, back_off
from evidenced.core.ids import (
    CameraName,
    IncidentId,
    RecorderName,
)
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.keeping.loss import Loss, LossKind, loss_about
from evidenced.core.machine import Facts, Machine, Tone
from evidenced.core.phrase import phrase
from evidenced.core.recorder import Answer
from evidenced.core.trust import Now
from evidenced.core.window import Window

LOOK_AFTER = timedelta(seconds=3)
"""After the recorder took the request, before its list is asked for the tag."""
TELL_AFTER = 3
"""Tries in a row that brought no tag, before people are told."""


class TagState(StrEnum):
    """What is known of one tag."""

    WANTED = "wanted"
    """To be asked for, or for more."""
    ASKED = "asked"
    """The intent is committed; the request was perhaps sent."""
    CONFIRMED = "confirmed"
    """The recorder lists it."""
    REFUSED = "refused"
    """It could not be had until `give_up`; people were told."""
    WITHDRAWN = "withdrawn"
    """Its incident was cancelled before the recorder was asked."""


_TAG = TagState
TAGS: Machine[TagState] = Machine(
    "tag",
    {
        _TAG.WANTED: Facts(
            to=frozenset({_TAG.ASKED, _TAG.CONFIRMED, _TAG.REFUSED, _TAG.WITHDRAWN}),
            by="`protect`, when it is due",
            crash="nothing is lost: it is due after the next start",
            tone=Tone.WAIT,
        ),
        _TAG.ASKED: Facts(
            to=frozenset({_TAG.WANTED, _TAG.CONFIRMED, _TAG.REFUSED}),
            by="`protect`, by the recorder's list",
            crash="it was asked for or not: `protect` looks in the list",
            tone=Tone.RUN,
        ),
        _TAG.CONFIRMED: Facts(
            to=frozenset({_TAG.WANTED}),
            by="its incident, when it grows beyond what is kept",
            crash="nothing is lost",
            tone=Tone.GOOD,
            is_ended=True,
        ),
        _TAG.REFUSED: Facts(
            to=frozenset({_TAG.WANTED}),
            by="its incident, when it grows or is retried",
            crash="nothing is lost",
            tone=Tone.BAD,
            is_ended=True,
            is_lost=True,
        ),
        _TAG.WITHDRAWN: Facts(
            to=frozenset({_TAG.WANTED}),
            by="its incident, when it is brought back",
            crash="nothing is lost",
            tone=Tone.OFF,
            is_ended=True,
        ),
    },
)
TAG_OPEN = TAGS.which(lambda facts: not facts.is_ended)
"""States in which the recorder still has to be asked or looked at."""


TagKey = tuple[IncidentId, CameraName]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One camera of one incident, kept from being overwritten.

    `window` is what has to be kept, in true UTC; `kept` what the recorder's list showed
    to be; `asked` what it was asked for since. Where the window began longer ago than a
    tag can begin, `out_of_reach` is where it could: what lies before cannot be kept.
    `n` counts requests; each has a title of its own. `failures` counts tries in a row
    that brought none.
    `due_at` is when it is looked at again, None when nothing is left to do.
    """

    incident: IncidentId
    camera: CameraName
    recorder: RecorderName
    address: Address
    window: Window
    state: TagState
    due_at: datetime | None
    n: int = 0
    asked_at: datetime | None = None
    asked: Window | None = None
    kept: Window | None = None
    out_of_reach: datetime | None = None
    failures: int = 0
    tag_id: str = ""
    code: str = ""
    reason: Reason | None = None
    message: str = ""

    def placed(self, camera: Camera | None) -> "Tag":
        """At the address that its recorder knows the camera by now; see `Clip`."""
        is_there = camera is not None and camera.recorder == self.recorder
        return replace(self, address=camera.address) if camera and is_there else self

    def moved(self, state: TagState, **changes: Any) -> "Tag":  # noqa: ANN401 - fields
        """The tag in this state, where it may be already, with these fields changed.

        Raises:
            IllegalStep: the table has no such step.
        """
        if state is not self.state:
            TAGS.step(self.state, state)
        return replace(self, state=state, **changes)

    @property
    def key(self) -> TagKey:
        return self.incident, self.camera

    @property
    def title(self) -> str:
        """What the list shows it by: of this incident, camera and piece only."""
        return f"evidenced {self.incident}/{self.n}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagOrder:
    """One camera's footage to be kept; the window is in true UTC."""

    address: Address
    window: Window
    title: str
    comment: str


def tags_after(before: Incident | None, after: Incident, now: datetime) -> list[Tag]:
    """The tags that a step makes wanted, or withdraws where nothing was asked yet."""
    if not after.terms.protect:
        return []
    earlier = [] if before is None else list(_wanted_tags(before))
    changed = [tag for tag in _wanted_tags(after) if tag not in earlier]
    return [replace(tag, due_at=now) for tag in changed]


def _wanted_tags(incident: Incident) -> Iterator[Tag]:
    """One a camera, its windows as one; cancelled ones count where no other is left."""
    for camera in dict.fromkeys(clip.camera for clip in incident.clips):
        all_ = [clip for clip in incident.clips if clip.camera == camera]
        kept = [clip for clip in all_ if clip.state is not ClipState.CANCELLED]
        first, *others = kept or all_[:1]
        yield Tag(
            incident=incident.id,
            camera=camera,
            recorder=first.recorder,
            address=first.address,
            window=reduce(Window.hull, (clip.window for clip in others), first.window),
            state=TagState.WANTED if kept else TagState.WITHDRAWN,
            due_at=None,
        )


def merge_wanted(known: Tag | None, wanted: Tag) -> Tag:
    """The row after more is wanted, or after its incident was cancelled.

    What the recorder was asked for covers it: then nothing is left to ask.
    """
    if known is None:
        return wanted
    if wanted.state is TagState.WITHDRAWN:
        if known.n or known.state is not TagState.WANTED:
            return known  # it is set at the recorder and stays until a person acts
        return known.moved(TagState.WITHDRAWN, due_at=None)
    grown = replace(known, window=known.window.hull(wanted.window))
    if known.state is TagState.ASKED or (
        known.state is TagState.CONFIRMED and is_covered(grown)
    ):
        return grown
    return grown.moved(TagState.WANTED, due_at=wanted.due_at, failures=0)


def is_covered(tag: Tag) -> bool:
    """Whether the window is kept, as much of it as is to be had."""
    kept = tag.kept
    return kept is not None and _begins(tag, kept) and kept.end >= tag.window.end


def _begins(tag: Tag, kept: Window) -> bool:
    """Whether what is kept begins where the window does, or as early as it could."""
    start = tag.window.start
    return kept.start <= max(start, tag.out_of_reach or start)


def order_for(
    tag: Tag, comment: str, now: datetime, slack: timedelta, furthest: timedelta
) -> tuple[Tag, TagOrder]:
    """The intent, and what to send: from the window's start, or on from what is kept.

    What is asked for is `slack` wider at both ends, for a request takes a while. It
    begins at most `furthest` ago: what is older than that is not asked for, and never
    called kept.
    """
    start = tag.window.start
    if tag.kept is not None and _begins(tag, tag.kept):
        start = max(start, tag.kept.end)
    earliest = now - furthest + slack
    limit = earliest if start < earliest else tag.out_of_reach
    start = max(start, earliest)
    window = Window(start=start, end=max(tag.window.end, start))
    asked = tag.moved(
        TagState.ASKED,
        n=tag.n + 1,
        asked_at=now,
        asked=window,
        out_of_reach=limit,
        due_at=now + LOOK_AFTER,
        message=TOO_OLD if limit else "",
    )
    return asked, TagOrder(
        address=tag.address,
        window=Window(start=start - slack, end=window.end + slack),
        title=asked.title,
        comment=comment,
    )


TOO_OLD = "the beginning was too long ago to be protected"
ALL_TOO_OLD = "it was too long ago to be protected"


def is_too_old(tag: Tag, now: datetime, slack: timedelta, furthest: timedelta) -> bool:
    """Whether nothing of its window can be protected any more."""
    return tag.window.end <= now - furthest + slack


def is_feared(tag: Tag) -> bool:
    """Whether people were told that it could not be had, and nothing changed that."""
    is_hopeless = tag.reason is Reason.NO_LICENSE  # no second try will change it
    told = tag.failures >= TELL_AFTER or (tag.failures and is_hopeless)
    return tag.state is TagState.REFUSED or (tag.state in TAG_OPEN and bool(told))


def loss_of_tags(tags: Sequence[Tag], at: datetime) -> Loss | None:
    """Which cameras of one incident nobody keeps from being overwritten.

    None while none of them is known to be so.
    """
    feared = [tag for tag in tags if is_feared(tag)]
    if not feared:
        return None
    text = phrase(
        "the recorder does not keep the footage of {cameras} from being overwritten",
        cameras=", ".join(tag.camera for tag in feared),
    )
    return loss_about(LossKind.UNTAGGED, feared[0].incident, text, at)


def give_up(tag: Tag) -> Tag:
    """Nothing is asked for: a tag would keep other footage than what is wanted."""
    return tag.moved(
        TagState.REFUSED, due_at=None, message=ALL_TOO_OLD, failures=tag.failures + 1
    )


def confirm(tag: Tag, listed_as: str, now: datetime) -> Tag:
    """The recorder lists it; more is wanted where the incident grew meanwhile."""
    kept = tag.kept
    if tag.asked is not None:
        is_apart = kept is None or tag.asked.start > kept.end  # a hole is not kept
        kept = tag.asked if kept is None or is_apart else kept.hull(tag.asked)
    is_enough = is_covered(replace(tag, kept=kept))
    return tag.moved(
        TagState.CONFIRMED if is_enough else TagState.WANTED,
        kept=kept,
        asked=None,
        due_at=None if is_enough else now,
        tag_id=listed_as,
        failures=0,
    )


def fail_try(
    tag: Tag,
    answer: Answer,
    policy: RetryPolicy,
    now: Now,
    *,
    is_known: bool = True,
) -> Tag:
    """A try that brought no tag: again later, slower each time, until `give_up`.

    What was asked stays in doubt: the list is looked at once more before it is asked
    again. Without `is_known` the list could not be looked at: the tag stays asked.
    `policy` waits without jitter: a recorder's tags are asked for one by one.
    """
    failures = tag.failures + 1
    told = replace(
        tag,
        failures=failures,
        code=answer.code,
        reason=answer.reason,
        message=answer.text,
    )
    if now.sure >= tag.window.end + policy.give_up:
        return told.moved(TagState.REFUSED, due_at=None)
    state = TagState.WANTED if is_known else tag.state
    return told.moved(state, due_at=now.at + back_off(policy, failures, 1.0))


def is_told(tag: Tag) -> bool:
    """Whether this failure is the one that people are told of."""
    is_hopeless = tag.reason is Reason.NO_LICENSE  # no second try will change it
    return tag.failures == TELL_AFTER or (tag.failures == 1 and is_hopeless)
