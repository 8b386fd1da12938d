"""The verdict: is the footage safe, in one sentence with its cause, and how bad it is.

Made here and nowhere else: page, API and MQTT say the same. What is found goes in, a
judgement comes out. The moods, the worst first:

    bad    footage is lost or late, or alarms do not come in: somebody has to act now
    warn   nothing is lost yet, and something is wrong that may come to it
    wait   footage is under way, or somebody wanted alarms to be held back
    good   every alarm has its footage, and nothing is wrong

A loss counts until a person acknowledges it, whatever the clock says. What is wrong is
told as it is found, before anybody is sent a message about it.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence, held_back_words
from evidenced.core.instants import HOUR
from evidenced.core.keeping.kept import Standing
from evidenced.core.phrase import (
    bare,
    glued,
    joined,
    phrase,
    plural,
    sentence_of,
)
from evidenced.core.spoken import person, spoken
from evidenced.core.telling.cameranames import camera_names
from evidenced.core.telling.judgement import (
    Cause,
    Findings,
    Judgement,
    Matter,
    Mood,
    counted,
    listed,
)
from evidenced.core.telling.losscauses import of_loss, several
from evidenced.core.telling.troublecauses import of_trouble

WITHIN = timedelta(hours=24)
"""What was exported is told of so long; what was lost, until it is acknowledged."""
MOST_CAUSES = 20
UNREAD_WAITS = timedelta(seconds=15)
UNREAD_WARNS = timedelta(minutes=2)
"""How old a message is that nobody has read when that is told, and when it is wrong."""


def verdict(facts: Findings) -> Judgement:
    """The worst cause is the sentence; the others follow, the worst first."""
    found = sorted(_causes(facts), key=lambda cause: -cause.mood.rank)  # stable
    standing = facts.standing
    if not found:
        return Judgement(mood=Mood.GOOD, text=_good(facts), more=_done(standing))
    first = found[0]
    text = several(facts) if first.matter is Matter.LOSS and facts.lost > 1 else ""
    if first.mood is Mood.WAIT:
        more = _done(standing)
    else:
        more = joined(" ", filter(None, [first.advice, _rest(found, first)]))
    shown = _shown(found)
    urgent = sum(cause.is_urgent for cause in found)
    unseen = max(sum(facts.open.values()) - len(facts.losses), 0)
    return Judgement(
        mood=first.mood,
        text=text or first.text,
        more=more,
        causes=shown,
        unlisted=urgent + unseen - sum(cause.is_urgent for cause in shown),
    )


def _shown(causes: Sequence[Cause]) -> tuple[Cause, ...]:
    """As many as people look at; the first about each matter is among them."""
    first = {cause.matter: n for n, cause in reversed([*enumerate(causes)])}
    order = sorted(range(len(causes)), key=lambda n: first[causes[n].matter] != n)
    return tuple(causes[n] for n in sorted(order[:MOST_CAUSES]))


def _causes(facts: Findings) -> Iterator[Cause]:
    """In the order of `Matter`."""
    found = [
        *_of_daemon(facts),
        *(of_loss(each, facts) for each in facts.losses),
        *(of_trouble(each, facts) for each in facts.troubles),
        *(found for each in facts.late for found in _of_late(each, facts)),
        *(_of_lasting(each, facts) for each in facts.on),
        *_of_deaf(facts),
        *_of_unread(facts),
        *(_note(facts.kept(each)) for each in facts.seen.notes),
        *(_of_silence(each, facts) for each in facts.silences),
        *_under_way(facts),
    ]
    order = list(Matter)
    yield from sorted(found, key=lambda cause: order.index(cause.matter))


def _of_daemon(facts: Findings) -> Iterator[Cause]:
    if facts.around is None:
        yield Cause(
            matter=Matter.DAEMON,
            mood=Mood.BAD,
            text=phrase("No daemon answers: alarms are not taken."),
            advice=phrase("Start it: systemctl start evidenced."),
        )
    for what in facts.seen.stalled:
        yield Cause(
            matter=Matter.DAEMON,
            mood=Mood.BAD,
            text=phrase("The daemon stands still: {what}.", what=bare(what)),
            advice=phrase(
                "Restart it: systemctl restart evidenced. Alarms that came are stored, "
                "and it goes on with them."
            ),
            see="/recorders",
        )


def _of_deaf(facts: Findings) -> Iterator[Cause]:
    """Nothing is missing where nothing is listened to."""
    if facts.seen.is_deaf:
        yield Cause(
            matter=Matter.CONFIG,
            mood=Mood.WARN,
            text=phrase("No rule is in force: no alarm opens anything."),
            advice=phrase("Write one or switch one on, run evidenced check, reload."),
            see="/recorders",
        )


def _of_late(incident: Incident, facts: Findings) -> Iterator[Cause]:
    """Of one that was late and has all its footage by now nothing is."""
    lacking = [clip for clip in incident.wanted if not clip.has_footage]
    if not lacking:
        return
    names = listed(camera_names(lacking))
    at = facts.moment(incident.opened_at)
    yield Cause(
        matter=Matter.LATE,
        mood=Mood.BAD,
        text=phrase(
            "Footage of {names} is late: {summary}, {at}.",
            names=names,
            summary=incident.title,
            at=at,
        ),
        advice=phrase("See what it waits for."),
        since=incident.opened_at,
        incident=incident.id,
        see=f"/incidents/{incident.id}",
    )


def _of_lasting(incident: Incident, facts: Findings) -> Cause:
    since = incident.begun_at or incident.first_at
    lasts = spoken(facts.now - since)
    return Cause(
        matter=Matter.ON_FOR,
        mood=Mood.WARN,
        text=phrase(
            "{summary} has been on for {lasts}, and no clear has come.",
            summary=incident.title,
            lasts=lasts,
        ),
        advice=phrase(
            "See whether it still is; else mend its source, which sends no clear, or "
            "set clear_within of its rule."
        ),
        since=since,
        incident=incident.id,
        see=f"/incidents/{incident.id}",
    )


def _of_unread(facts: Findings) -> Iterator[Cause]:
    """A storm is read in a while; what is not read for longer may be an alarm."""
    since = facts.unread_since
    if since is None:
        return
    waits = abs(facts.now - since)  # a clock that went back makes nothing younger
    if waits < UNREAD_WAITS:
        return
    is_stuck = waits >= UNREAD_WARNS
    yield Cause(
        matter=Matter.UNREAD,
        mood=Mood.WARN if is_stuck else Mood.WAIT,
        text=phrase(
            "Messages that came since {since} are not read yet.",
            since=facts.moment(since),
        ),
        advice=phrase("They are stored, and are read one after another."),
        since=since,
        see="/recorders",
    )


def _note(text: str) -> Cause:
    sentence = sentence_of(bare(text))
    return Cause(
        matter=Matter.NOTE,
        mood=Mood.WARN,
        text=sentence,
        advice=phrase("No footage is lost by it."),
        see="/recorders",
    )


def _of_silence(silence: Silence, facts: Findings) -> Cause:
    text: str = phrase(
        "Silenced: {subject} {name} until {until}, by {author}: {comment}.",
        subject=silence.subject,
        name=facts.called(silence.subject, silence.name),
        until=facts.moment(silence.ends_at),
        author=person(silence.author),
        comment=bare(silence.comment),
    )
    if silence.held_back:
        text = glued(text, " ", held_back_words(silence.held_back), ".")
    return Cause(
        matter=Matter.SILENCE,
        mood=Mood.WAIT,
        text=text,
        since=silence.starts_at,
        see="/silences",
    )


def _under_way(facts: Findings) -> Iterator[Cause]:
    waiting = facts.standing.waiting
    if waiting:
        is_whole = not (facts.is_lacking or facts.standing.lost or facts.known)
        told = counted(waiting)
        yield Cause(
            matter=Matter.UNDER_WAY,
            mood=Mood.WAIT,
            text=phrase("{incidents} under way, nothing is missing.", incidents=told)
            if is_whole
            else phrase("{incidents} under way.", incidents=told),
        )


def _good(facts: Findings) -> str:
    """Only what is so: an alarm that was silenced or refused made no incident."""
    standing = facts.standing
    if standing.lost or facts.known:
        if standing.safe:
            return phrase(
                "What is missing was acknowledged; all other footage is safe."
            )
        return phrase("What is missing was acknowledged.")
    if standing.safe:
        return phrase("All footage is safe.")
    if standing.withdrawn:
        return phrase("Nothing is missing.")
    return plural(
        "No incidents in the last hour.",
        "No incidents in the last {n} hours.",
        WITHIN // HOUR,
    )


def _done(standing: Standing) -> str:
    """What was exported of late, and what people decided not to export."""
    hours = WITHIN // HOUR
    parts = []
    if standing.safe:
        safe = phrase(
            "{incidents} exported in the last {hours} hours",
            incidents=counted(standing.safe),
            hours=hours,
        )
        if standing.gapped:
            safe += plural(", {n} with gaps", ", {n} with gaps", standing.gapped)
        parts.append(safe)
    if standing.lost:
        parts.append(
            phrase(
                "{incidents} without all footage in the last {hours} hours",
                incidents=counted(standing.lost),
                hours=hours,
            )
        )
    if standing.withdrawn:
        parts.append(
            phrase(
                "{incidents} cancelled in the last {hours} hours",
                incidents=counted(standing.withdrawn),
                hours=hours,
            )
        )
    return glued(joined("; ", parts), ".") if parts else phrase("Nothing waits.")


def _rest(causes: Sequence[Cause], first: Cause) -> str:
    """How much more somebody has to look at, beside what the sentence tells."""
    others = [
        cause
        for cause in causes
        if cause is not first
        and cause.mood in {Mood.WARN, Mood.BAD}
        and (first.matter, cause.matter) != (Matter.LOSS, Matter.LOSS)
    ]
    if not others:
        return ""
    also = phrase("Also: {text}", text=others[0].text)
    more = len(others) - 1
    return also + plural(" And {n} more.", " And {n} more.", more) if more else also
