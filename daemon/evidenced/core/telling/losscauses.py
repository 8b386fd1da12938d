"""What is lost, as a cause of the verdict: which footage, why, and what may be done."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evidenced.core.incidents.incident import Clip
from evidenced.core.incidents.silence import Subject
from evidenced.core.keeping.loss import Loss, LossKind
from evidenced.core.phrase import (
    bare,
    capital,
    glued,
    joined,
    mark,
    phrase,
    plural,
    sentence_of,
)
from evidenced.core.spoken import span
from evidenced.core.telling.cameranames import camera_name, camera_names
from evidenced.core.telling.judgement import (
    MANY,
    Cause,
    Findings,
    Lost,
    Matter,
    Mood,
    Remedy,
    listed,
)
from evidenced.core.telling.reasons import REASONS


@dataclass(frozen=True, slots=True)
class _LossWords:
    """Of a kind of loss: what the cause is about, what to do, and how bad it is."""

    matter: Matter
    advice: str
    mood: Mood = Mood.BAD


_LOSSES: Mapping[LossKind, _LossWords] = {
    LossKind.INCIDENT: _LossWords(
        Matter.LOSS,
        mark("See why, retry while the recorder still has it, or acknowledge."),
    ),
    LossKind.ALTERED: _LossWords(
        Matter.ALTERED,
        mark(
            "Keep the folder as it is, see who may write there, and acknowledge "
            "it; `evidenced footage` tells what became of it."
        ),
    ),
    LossKind.UNREADABLE: _LossWords(
        Matter.UNREADABLE,
        mark(
            "Look at the messages, mend the rule or the source, export what was "
            "an alarm, and acknowledge."
        ),
    ),
    LossKind.STALE: _LossWords(
        Matter.STALE,
        mark(
            "Set the source's clock, or raise the rule's max_age; save by hand what "
            "was an alarm, while the recorder still has it, and acknowledge."
        ),
        Mood.WARN,
    ),
    LossKind.UNRECORDED: _LossWords(
        Matter.UNRECORDED,
        mark(
            "See whether its footage lies there whole, have the record written anew, "
            "or acknowledge it."
        ),
    ),
    LossKind.UNPLACED: _LossWords(
        Matter.UNPLACED,
        mark(
            "Configure them, or let the rule ignore what names no camera; save their "
            "footage by hand, and acknowledge it."
        ),
        Mood.WARN,
    ),
    LossKind.UNTAGGED: _LossWords(
        Matter.UNTAGGED,
        mark(
            "Nothing is lost by that yet: see that its export comes, or keep it at the "
            "recorder by hand, and acknowledge it."
        ),
        Mood.WARN,
    ),
}


def of_loss(lost: Lost, facts: Findings) -> Cause:
    loss = lost.loss
    words = _LOSSES[loss.kind]
    tries = _tries(lost)
    return Cause(
        matter=words.matter,
        mood=words.mood,
        text=_text(lost, facts),
        advice=phrase(words.advice),
        since=loss.since,
        incident=loss.incident,
        see=f"/incidents/{loss.name}" if loss.incident else "/refused",
        remedies=(*tries, Remedy.ACKNOWLEDGE),
    )


def _text(lost: Lost, facts: Findings) -> str:
    loss, text = lost.loss, facts.kept(lost.loss.text)
    match loss.kind:
        case LossKind.INCIDENT:
            return _missing(lost, facts)
        case LossKind.UNREADABLE:
            return _unreadable(loss, facts)
        case LossKind.STALE:
            return _stale(loss, facts)
        case LossKind.ALTERED:
            return phrase("Footage is not what was recorded: {text}.", text=bare(text))
        case LossKind.UNRECORDED:
            said = phrase("there is no evidence record: {text}", text=text)
            return _of(lost, facts, said)
        case LossKind.UNTAGGED | LossKind.UNPLACED:
            return _of(lost, facts, text)


def _of(lost: Lost, facts: Findings, text: str) -> str:
    """What is so of an incident; of one that was pruned the text says what that was."""
    incident = lost.incident
    if incident is None:
        return sentence_of(text)
    what, at = incident.title, facts.moment(incident.opened_at)
    return glued(what, ", ", at, ": ", bare(text), ".")


def _tries(lost: Lost) -> Iterator[Remedy]:
    """How what is lost may be asked for once more, if it may now."""
    incident, kind = lost.incident, lost.loss.kind
    if incident is not None and kind is LossKind.UNRECORDED:
        yield Remedy.RECORD
    if incident is None or incident.is_active or kind is not LossKind.INCIDENT:
        return
    clips = [clip for clip in incident.wanted if clip.is_lacking]
    if any(clip.can_retry for clip in clips):
        yield Remedy.RETRY
    elif any(clip.can_be_asked_again for clip in clips):
        yield Remedy.AGAIN


def _unreadable(loss: Loss, facts: Findings) -> str:
    at = facts.moment(loss.last_at)
    if loss.name:
        return plural(
            "{n} alarm of {rule} could not be read at {at}.",
            "{n} alarms of {rule} could not be read, the last one at {at}.",
            loss.number,
            rule=facts.called(Subject.RULE, loss.name),
            at=at,
        )
    return plural(
        "{n} alarm could not be read at {at}.",
        "{n} alarms could not be read, the last one at {at}.",
        loss.number,
        at=at,
    )


def _stale(loss: Loss, facts: Findings) -> str:
    return plural(
        "{n} alarm of {rule} was too old by its own time, and nothing was exported for "
        "it: it came at {at}.",
        "{n} alarms of {rule} were too old by their own time, and nothing was exported "
        "for them: the last one came at {at}.",
        loss.number,
        rule=facts.called(Subject.RULE, loss.name),
        at=facts.moment(loss.last_at),
    )


def _missing(lost: Lost, facts: Findings) -> str:
    incident, loss = lost.incident, lost.loss
    if incident is None:
        return phrase(
            "Footage is missing since {since}: {text}.",
            since=facts.moment(loss.since),
            text=facts.kept(loss.text),
        )
    lacking = [clip for clip in incident.wanted if clip.is_lacking]
    if not lacking:
        return phrase(
            "Footage of {what}, {at}, is missing: {text}.",
            what=incident.title,
            at=facts.moment(incident.opened_at),
            text=facts.kept(loss.text),
        )
    gone = [clip for clip in lacking if not clip.is_gapped]
    told = [_gone(gone, facts)] if gone else []
    told += [_gap(clip, facts) for clip in lacking if clip.is_gapped][:MOST_GAPS]
    what = capital(joined("; ", told))
    if incident.is_ended:
        return sentence_of(what)
    return phrase("{what}, and is asked for again.", what=what)


MOST_GAPS = 2
"""Cameras whose gaps one sentence tells."""


def _gone(clips: Sequence[Clip], facts: Findings) -> str:
    start = min(clip.window.start for clip in clips)
    end = max(clip.window.end for clip in clips)
    return phrase(
        "footage of {cameras}, {window}, is missing{why}",
        cameras=listed(camera_names(clips)),
        window=span(start, end, facts.now, facts.zone),
        why=_why(clips),
    )


def _gap(clip: Clip, facts: Findings) -> str:
    """Of footage that there is, and not of the alarm."""
    gaps = clip.coverage.gaps if clip.coverage else ()
    spans = [span(gap.start, gap.end, facts.now, facts.zone) for gap in gaps]
    return phrase(
        "footage of {camera} has a gap over the alarm: nothing was recorded {spans}",
        camera=camera_name(clip),
        spans=listed(spans),
    )


def _why(clips: Sequence[Clip]) -> str:
    reasons = dict.fromkeys(REASONS[clip.reason] for clip in clips if clip.reason)
    return glued(": ", joined("; ", reasons)) if reasons else ""


def several(facts: Findings) -> str:
    kind = LossKind.INCIDENT
    first = facts.moment(
        min(each.loss.since for each in facts.losses if each.loss.kind is kind)
    )
    if facts.lost >= MANY:
        return phrase(
            "Footage of {n} or more incidents is missing, since {at}.", n=MANY, at=first
        )
    return plural(
        "Footage of {n} incident is missing, since {at}.",
        "Footage of {n} incidents is missing, since {at}.",
        facts.lost,
        at=first,
    )
