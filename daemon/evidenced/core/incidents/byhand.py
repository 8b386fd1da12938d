"""What a person wants beside what alarms ask for: footage by hand, more of it, a note.

    save       an incident of the rule `by-hand`, its windows exactly as they were said
    add        more time, or more cameras, of an incident whatever its state is
    comment    a text in its history

What was asked for already is never moved: while alarms may still change an incident its
windows grow, after that it gets clips besides, from where a camera's last one ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evidenced.core.alarms.payload import one_line
from evidenced.core.camera import Camera, spelt
from evidenced.core.errors import BadInput, NotFound, Refused
from evidenced.core.ids import CameraName, GroupKey, RuleName
from evidenced.core.incidents.clipping import arm, clip_due, settle_of
from evidenced.core.incidents.cutting import NewId
from evidenced.core.incidents.happening import Settles
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import RANK_PER_POINT, Clip, Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import ANCIENT, HOUR, ZERO, render_utc
from evidenced.core.phrase import phrase
from evidenced.core.spoken import spoken
from evidenced.core.terms import Terms
from evidenced.core.window import Window
from evidenced.core.wording import suggest

BY_HAND_RULE = RuleName("by-hand")
"""The rule of incidents that no rule of the configuration opened."""
LONGEST = 12 * HOUR
"""Of one camera at once, so that a slip of the pen does not fill the share."""
MAX_COMMENT = 200
COMMENT = "comment"
"""The field that says why; it is the summary of such an incident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FootageOrder:
    """Footage that somebody wants: of these cameras, from `start` to `end`, and why.

    It goes to the `destination` of this name, "" for the default one.
    """

    cameras: tuple[str, ...]
    start: datetime
    end: datetime
    comment: str
    destination: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreOrder:
    """More of an incident: up to `until`, and of `cameras`; either may be left out."""

    until: datetime | None = None
    cameras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Whose it is and when: what each step needs besides its order."""

    who: str
    now: datetime
    settles: Settles


def find_cameras(
    names: Iterable[str], known: Mapping[CameraName, Camera]
) -> tuple[Camera, ...]:
    """The cameras of these names or labels, once each.

    Raises:
        NotFound: there is no such camera; which was probably meant.
        BadInput: none is named.
    """
    by_word = {spelt(camera.label): camera for camera in known.values()}
    by_word |= {spelt(name): camera for name, camera in known.items()}
    found: dict[CameraName, Camera] = {}
    for name in names:
        camera = by_word.get(spelt(name))
        if camera is None:
            words = one_line(repr(name), 80)
            hint = suggest(name, known, what="cameras")
            raise NotFound(
                phrase("there is no camera {words}; {hint}", words=words, hint=hint)
            )
        found[camera.name] = camera
    if not found:
        raise BadInput(
            phrase("no camera is named; say of which cameras the footage is wanted")
        )
    return tuple(found.values())


def check_comment(text: str) -> str:
    """The comment without what surrounds it.

    Raises:
        BadInput: there is none, or too long a one.
    """
    text = text.strip()
    if not text or one_line(text, MAX_COMMENT) != text:
        raise BadInput(
            phrase(
                "say why in a comment of 1 to {max_comment} characters on one line",
                max_comment=MAX_COMMENT,
            )
        )
    return text


def save(
    order: FootageOrder,
    cameras: Sequence[Camera],
    terms: Terms,
    hand: Hand,
    new_id: NewId,
) -> Change:
    """A new incident with exactly these windows; alarms never join it.

    Raises:
        BadInput: no comment, or it ends before it begins.
        Refused: it begins in the future or before 2000, or is longer than LONGEST.
    """
    comment = check_comment(order.comment)
    window = _window_of(order, hand.now)
    incident = Incident(
        id=new_id(window.start),
        rule=BY_HAND_RULE,
        key=GroupKey(""),
        opened_at=window.start,
        first_at=window.start,
        last_at=window.start,
        begun_at=hand.now,
        is_open=False,
        asked_at=hand.now,
        fields={COMMENT: comment},
        terms=terms,
        clips=tuple(
            _new(n, camera, window, terms.priority, hand)
            for n, camera in enumerate(cameras, start=1)
        ),
    )
    return Change(
        before=None,
        after=incident.settled(hand.now),
        event=Event.OPENED,
        detail={"by": hand.who, COMMENT: comment, "end": render_utc(window.end)},
    )


def _window_of(order: FootageOrder, now: datetime) -> Window:
    if order.end <= order.start:
        raise BadInput(phrase("its end is not after its begin"))
    if order.start < ANCIENT:
        raise Refused(phrase("it begins before 2000: nothing is kept of then"))
    if order.start > now:
        raise Refused(phrase("it begins in the future: nothing of it is filmed yet"))
    _check_length(order.end - order.start)
    return Window(start=order.start, end=order.end)


def _check_length(length: timedelta) -> None:
    if length > LONGEST:
        raise Refused(
            phrase(
                "it is {length} long and {longest} are possible at once: ask for "
                "it in parts",
                length=spoken(length),
                longest=spoken(LONGEST),
            )
        )


def _new(n: int, camera: Camera, window: Window, priority: int, hand: Hand) -> Clip:
    """A clip that waits its turn from now on, however long ago its window was."""
    due = max(window.end + settle_of(camera, hand.settles), hand.now)
    clip = clip_due(n, camera, window, due, priority)
    return clip if window.end > hand.now else clip.moved(ClipState.DUE)


def add(
    incident: Incident, order: MoreOrder, cameras: Sequence[Camera], hand: Hand
) -> Change:
    """The incident with more footage wanted. `cameras` are those of the order.

    Raises:
        BadInput: the order says nothing.
        Refused: it has all of that already, or cannot have it.
    """
    if order.until is None and not cameras:
        raise BadInput(phrase("say until when, or of which other cameras"))
    incident.check_began_here()
    if not incident.wanted:
        raise Refused(
            phrase(
                "incident {id} has no window that could be longer: save the "
                "footage by hand",
                id=incident.id,
            )
        )
    longer = incident if order.until is None else _until(incident, order.until, hand)
    after = replace(
        _with_cameras(longer, cameras, hand),
        reason=None,
        asked_at=hand.now,
        is_late_told=False,
        finished_at=None,
    )
    detail: dict[str, object] = {"by": hand.who}
    if cameras:
        detail["cameras"] = [camera.name for camera in cameras]
    if order.until is not None:
        detail["until"] = render_utc(order.until)
    return Change(
        before=incident,
        after=after.settled(hand.now),
        event=Event.ADDED,
        detail=detail,
    )


def _with_cameras(
    incident: Incident, cameras: Sequence[Camera], hand: Hand
) -> Incident:
    """With a clip of each, over all that the incident has of others."""
    known = {clip.camera for clip in incident.wanted}
    if again := [camera for camera in cameras if camera.name in known]:
        name = again[0].label or again[0].name
        raise Refused(phrase("{name} is one of its cameras already", name=name))
    window = Window(
        start=min(clip.window.start for clip in incident.wanted),
        end=max(clip.window.end for clip in incident.wanted),
    )
    return _with_new(incident, [(camera, window) for camera in cameras], hand)


def _until(incident: Incident, until: datetime, hand: Hand) -> Incident:
    if incident.is_active:
        raise Refused(
            phrase(
                "incident {id} goes on by itself until its alarm is cleared",
                id=incident.id,
            )
        )
    ends: dict[CameraName, Clip] = {}
    for clip in sorted(incident.wanted, key=lambda each: each.window.end):
        ends[clip.camera] = clip
    short = {name: clip for name, clip in ends.items() if clip.window.end < until}
    if not short:
        raise Refused(
            phrase("each of its cameras goes on until then already, or longer")
        )
    _check_length(until - min(clip.window.start for clip in incident.wanted))
    growing = [each for each in short.values() if _may_grow(incident, each)]
    parts = [
        (_camera_of(clip), Window(start=clip.window.end, end=until))
        for clip in short.values()
        if not _may_grow(incident, clip)
    ]
    return _with_new(_grown(incident, growing, until, hand), parts, hand)


def _may_grow(incident: Incident, clip: Clip) -> bool:
    """Whether nobody has asked for it yet, so that its window may still move."""
    is_recording = clip.state is ClipState.RECORDING
    return is_recording or (incident.is_open and not clip.is_ended)


def _grown(
    incident: Incident, clips: Iterable[Clip], until: datetime, hand: Hand
) -> Incident:
    points = RANK_PER_POINT * incident.terms.priority
    grown = []
    for clip in clips:
        due = until + settle_of(_camera_of(clip), hand.settles)
        window = Window(start=clip.window.start, end=until)
        grown.append(replace(clip, window=window, due_at=due, rank=due + points))
    return incident.with_clips(*grown)


def _with_new(
    incident: Incident, parts: Sequence[tuple[Camera, Window]], hand: Hand
) -> Incident:
    """With a clip for each of these; while it is open all are due together."""
    first = max((clip.n for clip in incident.clips), default=0) + 1
    new = [
        _new(n, camera, window, incident.terms.priority, hand)
        for n, (camera, window) in enumerate(parts, start=first)
    ]
    clips = (*incident.clips, *new)
    if incident.is_open:
        clips = arm(incident, clips, hand.settles, hand.now)
    return replace(incident, clips=clips)


def _camera_of(clip: Clip) -> Camera:
    """Where it was filmed, as the clip knows it."""
    return Camera(
        name=clip.camera,
        recorder=clip.recorder,
        address=clip.address,
        label=clip.label,
        post_roll=ZERO,
    )


def comment(incident: Incident, text: str, hand: Hand) -> Change:
    """A note in its history; nothing else changes.

    Raises:
        BadInput: there is none, or too long a one.
    """
    detail = {"by": hand.who, COMMENT: check_comment(text)}
    return Change(before=incident, after=incident, event=Event.COMMENTED, detail=detail)
