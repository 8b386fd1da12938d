"""What is lost, and who has taken note of it.

A loss is footage of an accepted alarm that is not to be had, or messages that a rule
should take and cannot: they may have been alarms. Each is a row from the transaction
that makes it, and open until a person acknowledges it with a comment, or until it is
none any more: a retry has brought the footage after all. What is lost anew, or more of
it, is open again: another clip, all of one that had a gap, a gap that has grown.

    kind        name           made by
    incident    its id         a step after which `loss_of` says what it lacks
    altered     its incident's footage on a share that is not what was recorded
    unreadable  the rule's     messages of outcome `invalid`, counted (`unreadable`)
    stale       the rule's     alarms of outcome `stale`, counted: older than `max_age`,
                               or of a source whose clock is wrong
    unrecorded  its incident's an evidence record that could not be written
    untagged    its incident's a recorder that does not keep its footage from being
                               overwritten: nothing is lost by that yet
    unplaced    its incident's an alarm that names a camera which nobody configured,
                               beside others that are: those go on

So there are five rows for an incident at most and two for a rule, however much comes.
A row outlives its incident: pruning takes only what somebody has acknowledged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput, Refused
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.instants import render_utc
from evidenced.core.phrase import phrase
from evidenced.core.spoken import person
from evidenced.core.window import Window

MAX_COMMENT = 500
MAX_TEXT = 500


class LossKind(StrEnum):
    """What a loss is about."""

    INCIDENT = "incident"
    ALTERED = "altered"
    UNREADABLE = "unreadable"
    STALE = "stale"
    UNRECORDED = "unrecorded"
    UNTAGGED = "untagged"
    UNPLACED = "unplaced"


OF_RULES: Mapping[Outcome, LossKind] = {
    Outcome.INVALID: LossKind.UNREADABLE,
    Outcome.STALE: LossKind.STALE,
}
"""What may have been an alarm and made no footage: losses that a rule's name names."""
OF_INCIDENTS = tuple(kind for kind in LossKind if kind not in OF_RULES.values())
"""Those that are named by an incident's id, the worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Somebody has taken note; what is lost stays so."""

    at: datetime
    by: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One thing that is lost: `number` of them from `since` to `last_at`.

    `text` is a sentence about the latest.
    """

    kind: LossKind
    name: str
    since: datetime
    last_at: datetime
    number: int = 1
    text: str
    acknowledged: Acknowledgement | None = None

    @property
    def is_open(self) -> bool:
        return self.acknowledged is None

    @property
    def incident(self) -> IncidentId | None:
        return IncidentId(self.name) if self.kind in OF_INCIDENTS else None


def loss_of(incident: Incident) -> str:
    """What it lacks, in one sentence; "" while nothing is lost for good.

    What a person cancelled is no loss, unless it was one before: neither a retry nor
    its withdrawal hides it. Another clip that is lost is another loss.
    """
    return one_line(_lost_words(incident), MAX_TEXT)


def _lost_words(incident: Incident) -> str:
    """As long as it is."""
    if not incident.clips and incident.is_ended:
        return phrase("no camera of it is configured")
    lost = [_lacking(clip) for clip in incident.wanted if clip.is_lacking]
    if not lost:
        return ""
    return phrase("no footage of {cameras}", cameras=", ".join(lost))


def _lacking(clip: Clip) -> str:
    name = clip.label or clip.camera
    if clip.is_gapped:
        return f"{name} at the alarm (a gap)"
    how = str(clip.ended_as or clip.state)
    return f"{name} ({how}, {clip.reason})" if clip.reason else f"{name} ({how})"


def losses_after(
    before: Incident | None, after: Incident, at: datetime
) -> Loss | IncidentId | None:
    """What a step makes of an incident's loss: a new one, that it is over, or nothing.

    The id says that it lacks nothing any more.
    """
    was = "" if before is None else _lost_words(before)
    text = _lost_words(after)
    if text == was and not (text and is_more(before, after)):
        return None
    if not text:
        return after.id
    return loss_about(LossKind.INCIDENT, after.id, text, at)


def is_more(before: Incident | None, after: Incident) -> bool:
    """Whether something is lost that was not lost before this step.

    Else it is told in other words, or less of it: whoever knows of it knows of that.
    """
    if before is None or not loss_of(before):
        return True
    known = {clip.n: clip for clip in before.wanted if clip.is_lacking}
    return any(
        clip.n not in known or _is_worse(known[clip.n], clip)
        for clip in after.wanted
        if clip.is_lacking
    )


def _is_worse(before: Clip, after: Clip) -> bool:
    """Of a clip that lacked something before: all of it now, or a gap has grown."""
    if not (before.is_gapped and after.is_gapped):
        return before.is_gapped
    return not all(
        any(was.start <= gap.start and gap.end <= was.end for was in _gaps(before))
        for gap in _gaps(after)
    )


def _gaps(clip: Clip) -> Sequence[Window]:
    return clip.coverage.gaps if clip.coverage else ()


def loss_about(kind: LossKind, incident: IncidentId, text: str, at: datetime) -> Loss:
    """One of an incident, from now on."""
    return Loss(
        kind=kind, name=incident, since=at, last_at=at, text=one_line(text, MAX_TEXT)
    )


def unplaced(
    known: Loss | None, incident: IncidentId, names: Iterable[str], at: datetime
) -> Loss:
    """Cameras that its alarms name and nobody configured, with those of before."""
    named = {*names}
    if known is not None:
        named |= {*known.text.rpartition(": ")[2].split(", ")}
    text = phrase(
        "the alarm names cameras that nobody configured: {names}",
        names=", ".join(sorted(named)),
    )
    return loss_about(LossKind.UNPLACED, incident, text, at)


def outlived(loss: Loss, incident: Incident) -> Loss:
    """The same when its incident is pruned: it says by itself what that was."""
    text = phrase(
        "{text}; it was {what}, alarm at {at}",
        text=loss.text,
        what=incident.title,
        at=render_utc(incident.opened_at),
    )
    return replace(loss, text=one_line(text, MAX_TEXT))


def unreadable(
    name: str, at: datetime, why: str, kind: LossKind = LossKind.UNREADABLE
) -> Loss:
    """A message that the rule cannot take; "" for what no rule is to be named of."""
    return Loss(
        kind=kind,
        name=name,
        since=at,
        last_at=at,
        text=one_line(why, MAX_TEXT),
    )


def added(known: Loss | None, new: Loss) -> Loss:
    """Both in one row; what was acknowledged is not counted again."""
    if known is None or not known.is_open:
        return new
    return replace(
        new,
        since=min(known.since, new.since),
        last_at=max(known.last_at, new.last_at),
        number=known.number + new.number,
    )


def as_shown(losses: Iterable[Loss], seen: datetime | None) -> list[Loss]:
    """Those that a person saw who was shown what there was up to `seen`.

    What was lost meanwhile nobody has seen. By the times of the losses alone: no clock
    is compared with them. None is who saw all.
    """
    return [each for each in losses if seen is None or each.last_at <= seen]


def last_of(losses: Iterable[Loss]) -> datetime | None:
    """Up to when what was lost is among these."""
    return max((each.last_at for each in losses), default=None)


def acknowledged(loss: Loss, who: str, comment: str, now: datetime) -> Loss:
    """The same, and who knows of it.

    Raises:
        BadInput: no comment, or too long a text.
        Refused: somebody has acknowledged it already.
    """
    comment = comment.strip()
    if not comment or one_line(comment, MAX_COMMENT) != comment:
        raise BadInput(
            phrase(
                "the comment of an acknowledgement is a text of 1 to {max_comment} "
                "characters on one line",
                max_comment=MAX_COMMENT,
            )
        )
    if loss.acknowledged is not None:
        known = loss.acknowledged
        raise Refused(
            phrase(
                "{by} acknowledged it at {at}: {comment}",
                by=person(known.by),
                at=render_utc(known.at),
                comment=known.comment,
            )
        )
    return replace(loss, acknowledged=Acknowledgement(at=now, by=who, comment=comment))


def entry_of_loss(loss: Loss, now: datetime) -> Entry:
    """What the history says of one that is acknowledged, or of messages unread."""
    detail: Mapping[str, object] = {"text": loss.text}
    event = Event.UNREADABLE
    if loss.acknowledged is not None:
        event = Event.ACKNOWLEDGED
        known = loss.acknowledged
        detail = {"by": known.by, "comment": known.comment, **detail}
    if loss.incident is None:
        detail = {"rule": loss.name, "messages": loss.number, **detail}
    return Entry(incident=loss.incident, at=now, event=event, detail=detail)
