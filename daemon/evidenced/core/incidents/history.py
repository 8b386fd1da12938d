"""What happened to an incident, as append-only entries.

A `Change` is the only way in which an incident is saved, and `entry_of` writes every
difference of state into its entry: so no state changes without one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Incident


class Event(StrEnum):
    """The word of an entry; the same on the page, in the log and in the record."""

    OPENED = "opened"
    EXTENDED = "extended"
    CLEARED = "cleared"
    CONTINUED = "continued"
    ENDED = "ended"
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_SENT = "not-sent"
    TAKEN_BACK = "taken-back"
    UNANSWERED = "unanswered"
    ADOPTED = "adopted"
    VANISHED = "vanished"
    TURNED_UP = "turned-up"
    ISOLATED = "isolated"
    FINISHED = "finished"
    EXPORTED = "exported"
    EMPTY = "empty"
    COVERED = "covered"
    FAILED = "failed"
    LATE = "late"
    STRANDED = "stranded"
    CANCELLED = "cancelled"
    RETRIED = "retried"
    ADDED = "added"
    COMMENTED = "commented"
    UNREADABLE = "unreadable"
    ACKNOWLEDGED = "acknowledged"
    SILENCE_BEGUN = "silence-begun"
    SILENCE_ENDED = "silence-ended"
    HELD = "held"
    RELEASED = "released"
    DISPOSED = "disposed"
    """Footage is deleted, by rule or by people who say so; its record stays."""
    ALTERED = "altered"
    """Footage on a share is not what was recorded, or is gone though nobody said so."""
    WHOLE = "whole"
    """It is again what was recorded."""
    MOVED = "moved"
    """People say that footage lies elsewhere now."""
    RECORDED = "recorded"
    UNRECORDED = "unrecorded"
    PICTURED = "pictured"
    TAG_ASKED = "tag-asked"
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    TROUBLE_BEGUN = "trouble-begun"
    TROUBLE_ENDED = "trouble-ended"
    IMPORTED = "imported"
    """It was taken out of its record on a share: nothing of it was asked for here."""
    PRUNED = "pruned"
    """Old rows were taken off the beginning of the chain."""
    RESTORED = "restored"
    """A backup was put in the place of the store."""
    STAMPED = "stamped"
    """An authority elsewhere vouches that the chain's head was there by then."""


MERGED, ASKED_AGAIN = "merged", "asked for again"
"""What becomes of a clip's number that an incident has no more."""

OPENED_WITH = ("rule", "key", "fields")
"""What the first entry of an incident says of it besides its states."""
MESSAGE = "message"
"""Detail of an alarm's entry: its number in the incident, the hash of its message."""
SHORT = "short"
"""Detail of an entry: cameras of which LEAST is wanted, for rolls and alarm come to
less."""

TOLD_ALARMS = 20
"""Alarms of one incident that are told one by one; a storm is told as a count.

The same for clears: a contact that flaps sends as many.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step of one incident: what it was, what it is, and why.

    `before` is None for an incident that is new.
    """

    before: Incident | None
    after: Incident
    event: Event
    detail: Mapping[str, object] = field(default_factory=dict)
    exports: tuple[ExportRequest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the history and of the audit chain.

    `detail` holds JSON values only. `incident` is None for what concerns none.
    """

    incident: IncidentId | None
    at: datetime
    event: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An entry with its number in the chain, as live subscribers get it."""

    seq: int
    entry: Entry


def entry_of(change: Change, at: datetime) -> Entry | None:
    """The entry that a change writes; None of one more alarm or clear of a storm."""
    differences = _differences(change.before, change.after)
    is_quiet = (
        change.event in {Event.EXTENDED, Event.CLEARED}
        and not differences
        and change.after.alarms > TOLD_ALARMS
    )
    if is_quiet:
        return None
    if change.before is None:
        after = change.after
        said = (after.rule, after.key, dict(after.fields))
        differences |= zip(OPENED_WITH, said, strict=True)
    detail = {**change.detail, **differences}
    return Entry(incident=change.after.id, at=at, event=change.event, detail=detail)


def _differences(before: Incident | None, after: Incident) -> dict[str, object]:
    """`state` and `clips`, by number, as steps `{"from", "to"}`, where they changed."""
    found: dict[str, object] = {}
    was = None if before is None else before.state
    if after.state is not was:
        found["state"] = _step(was, after.state)
    earlier = {} if before is None else {clip.n: clip for clip in before.clips}
    clips: dict[str, object] = {}
    for clip in after.clips:
        known = earlier.pop(clip.n, None)
        if known is None or known.state is not clip.state:
            step = _step(None if known is None else known.state, clip.state)
            clips[str(clip.n)] = {"camera": clip.camera, **step}
    for n, clip in sorted(earlier.items()):
        # a cancelled clip that is asked for again has a new number
        became = ASKED_AGAIN if clip.is_ended else MERGED
        clips[str(n)] = {"camera": clip.camera, **_step(clip.state, became)}
    if clips:
        found["clips"] = clips
    return found


def _step(before: str | None, after: str) -> dict[str, str | None]:
    return {"from": before, "to": after}


def state_to(detail: Mapping[str, object]) -> str:
    """The state that its incident came to with this entry; "" where it stayed."""
    return _to(detail.get("state"))


def clips_to(detail: Mapping[str, object]) -> tuple[str, ...]:
    """The states that clips came to with this entry."""
    clips = detail.get("clips")
    return tuple(map(_to, clips.values())) if isinstance(clips, Mapping) else ()


def _to(step: object) -> str:
    return str(step["to"]) if isinstance(step, Mapping) and "to" in step else ""


@dataclass(slots=True)
class Replay:
    """What an incident's entries, read from the first, say that it came to.

    `opened` is what the first says of rule, key and fields; `messages` are the hashes
    of its alarms' messages, `paths` those of its exports, by number.
    """

    state: str | None = None
    clips: dict[int, str] = field(default_factory=dict)
    opened: dict[str, object] = field(default_factory=dict)
    messages: dict[int, str] = field(default_factory=dict)
    paths: dict[int, str] = field(default_factory=dict)

    def read(self, detail: Mapping[str, Any]) -> None:
        """One entry more.

        Raises:
            ValueError: it does not follow from those before it.
        """
        if "state" in detail:
            if self.state is None:
                self.opened = {name: detail.get(name) for name in OPENED_WITH}
            self.state = _follow(self.state, detail["state"])
        if message := detail.get(MESSAGE):
            self.messages[int(message["n"])] = str(message["sha256"])
        if "export" in detail and "path" in detail and "devices" in detail:
            self.paths[int(detail["export"])] = str(detail["path"])
        for number, step in detail.get("clips", {}).items():
            after = _follow(self.clips.pop(int(number), None), step)
            if after not in {MERGED, ASKED_AGAIN}:
                self.clips[int(number)] = after


def _follow(known: str | None, step: Mapping[str, Any]) -> str:
    before, after = step.get("from"), str(step.get("to"))
    if before != known:
        raise ValueError(
            f"{before or 'nothing'} to {after} does not follow {known or 'nothing'}"
        )
    return after
