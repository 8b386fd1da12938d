"""What is lost, as a cause of the verdict: which footage, why, and what may be done."""

from collections.abc import Iterator, Sequence

from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.keeping.loss import Loss, LossKind
from evidenced.core.phrase import (
    capital,
    glued,
    joined,
    kept,
    phrase,
    plural,
    sentence_of,
)
from evidenced.core.spoken import span
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
from evidenced.core.telling.story import camera_name


def of_loss(lost: Lost, facts: Findings) -> Cause:
    loss = lost.loss
    if loss.kind is LossKind.UNREADABLE:
        return Cause(
            matter=Matter.UNREADABLE,
            mood=Mood.BAD,
            text=_unreadable(loss, facts),
            advice=phrase(
                "Look at the messages, mend the rule or the source, export what was "
                "an alarm, and acknowledge."
            ),
            since=loss.since,
            see="/refused",
            remedies=(Remedy.ACKNOWLEDGE,),
        )
    if loss.kind is LossKind.ALTERED:
        return Cause(
            matter=Matter.ALTERED,
            mood=Mood.BAD,
            text=phrase(
                "Footage is not what was recorded: {text}.", text=kept(loss.text)
            ),
            advice=phrase(
                "Keep the folder as it is, see who may write there, and acknowledge "
                "it; `evidenced footage` tells what became of it."
            ),
            since=loss.since,
            incident=loss.incident,
            see=f"/incidents/{loss.name}",
            remedies=(Remedy.ACKNOWLEDGE,),
        )
    return Cause(
        matter=Matter.LOSS,
        mood=Mood.BAD,
        text=_missing(lost, facts),
        advice=phrase(
            "See why, retry while the recorder still has it, or acknowledge."
        ),
        since=loss.since,
        incident=loss.incident,
        see=f"/incidents/{loss.name}",
        remedies=(*_tries(lost.incident), Remedy.ACKNOWLEDGE),
    )


def _tries(incident: Incident | None) -> Iterator[Remedy]:
    """How what is lost may be asked for once more, if it may now."""
    if incident is None or incident.is_active:
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
            rule=loss.name,
            at=at,
        )
    return plural(
        "{n} alarm could not be read at {at}.",
        "{n} alarms could not be read, the last one at {at}.",
        loss.number,
        at=at,
    )


def _missing(lost: Lost, facts: Findings) -> str:
    incident, loss = lost.incident, lost.loss
    if incident is None:
        return phrase(
            "Footage is missing since {since}: {text}.",
            since=facts.moment(loss.since),
            text=kept(loss.text),
        )
    lacking = [clip for clip in incident.wanted if clip.is_lacking]
    if not lacking:
        return phrase(
            "Footage of {what}, {at}, is missing: {text}.",
            what=incident.summary or incident.label,
            at=facts.moment(incident.opened_at),
            text=kept(loss.text),
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
        cameras=listed([camera_name(clip) for clip in clips]),
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
