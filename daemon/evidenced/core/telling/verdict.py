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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.silence import Silence
from evidenced.core.instants import HOUR, MINUTE, render_utc
from evidenced.core.keeping.kept import Standing
from evidenced.core.keeping.loss import Loss, LossKind
from evidenced.core.phrase import (
    bare,
    capital,
    glued,
    joined,
    kept,
    mark,
    phrase,
    plural,
    sentence_of,
)
from evidenced.core.spoken import moment, span, spoken
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.reasons import REASONS
from evidenced.core.telling.story import camera_name
from evidenced.core.telling.trouble import Trouble, TroubleKey

MANY = 1000
"""The store counts no further."""
WITHIN = timedelta(hours=24)
"""What was exported is told of so long; what was lost, until it is acknowledged."""
MOST_CAUSES = 20


class Mood(StrEnum):
    """How bad it is, the best first."""

    GOOD = "good"
    WAIT = "wait"
    WARN = "warn"
    BAD = "bad"

    @property
    def rank(self) -> int:
        return list(Mood).index(self)


class Matter(StrEnum):
    """What a cause is about; of equal moods the first one here is the sentence."""

    DAEMON = "daemon"
    BROKER = "broker"
    STORE = "store"
    LOSS = "loss"
    ALTERED = "altered"
    UNREADABLE = "unreadable"
    RECORDER = "recorder"
    DESTINATION = "destination"
    SHARE = "share"
    LATE = "late"
    CAMERA = "camera"
    ON_FOR = "on-for"
    SOURCE = "source-silent"
    QUEUE = "queue"
    STUCK = "stuck"
    CLOCK = "clock"
    CONFIG = "config"
    RECORDS = "records"
    TIMESTAMP = "timestamp"
    PAGE = "page"
    NOTE = "note"
    SILENCE = "silence"
    UNDER_WAY = "under-way"


class Remedy(StrEnum):
    """What a person may do about a cause at once."""

    RETRY = "retry"
    AGAIN = "again"
    """Where there is footage, and not enough of it."""
    ACKNOWLEDGE = "acknowledge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One thing that keeps the verdict from being good.

    `text` is a sentence, `advice` what to do about it, "" where nothing is to be done.
    `see` is the page that shows it, `remedies` are what a person may do from the list.
    """

    matter: Matter
    mood: Mood
    text: str
    advice: str = ""
    since: datetime | None = None
    incident: IncidentId | None = None
    see: str = ""
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`text` is the sentence, `more` what goes with it, `causes` all of them in order.

    `number` counts what somebody has to act on.
    """

    mood: Mood
    text: str
    more: str = ""
    causes: tuple[Cause, ...] = ()

    @property
    def number(self) -> int:
        return sum(cause.mood in {Mood.WARN, Mood.BAD} for cause in self.causes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A loss that nobody has acknowledged, with its incident while it is kept."""

    loss: Loss
    incident: Incident | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the running daemon knows and no row says.

    `troubles` is all that is wrong now, lasting or not, `notes` are sentences about
    what costs no footage; trouble that lasts for `patience` is told to people. An
    incident that was opened after `ahead` is from the future; None while the clock is
    in doubt, which knows of none.
    """

    troubles: Sequence[Trouble] = ()
    ahead: datetime | None = None
    notes: Sequence[str] = ()
    patience: timedelta = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a verdict is made of.

    `losses` are the first of those that nobody has acknowledged, `lost` counts the
    incidents among them. `late` are incidents whose footage is late, `on` those whose
    alarm has been on for longer than people expect. `waiting` counts
    the incidents that each trouble holds up. `around` is None where no daemon tells:
    then `troubles` are those that rows know of.
    """

    now: datetime
    zone: tzinfo = UTC
    standing: Standing = field(default_factory=Standing)
    losses: Sequence[Lost] = ()
    lost: int = 0
    late: Sequence[Incident] = ()
    on: Sequence[Incident] = ()
    troubles: Sequence[Trouble] = ()
    waiting: Mapping[TroubleKey, int] = field(default_factory=dict)
    silences: Sequence[Silence] = ()
    around: Surroundings | None = field(default_factory=Surroundings)

    @property
    def seen(self) -> Surroundings:
        return self.around or Surroundings()

    def moment(self, at: datetime) -> str:
        return moment(at, self.now, self.zone)


def verdict(facts: Findings) -> Judgement:
    """The worst cause is the sentence; the others follow, the worst first."""
    found = sorted(_causes(facts), key=lambda cause: -cause.mood.rank)  # stable
    standing = facts.standing
    if not found:
        return Judgement(mood=Mood.GOOD, text=_good(standing), more=_done(standing))
    first = found[0]
    text = _several(facts) if first.matter is Matter.LOSS and facts.lost > 1 else ""
    if first.mood is Mood.WAIT:
        more = _done(standing)
    else:
        more = joined(" ", filter(None, [first.advice, _rest(found, first)]))
    return Judgement(
        mood=first.mood,
        text=text or first.text,
        more=more,
        causes=tuple(found[:MOST_CAUSES]),
    )


def _causes(facts: Findings) -> Iterator[Cause]:
    """In the order of `Matter`."""
    found = [
        *_of_daemon(facts),
        *(_of_loss(each, facts) for each in facts.losses),
        *(_of_trouble(each, facts) for each in facts.troubles),
        *(_of_late(each, facts) for each in facts.late),
        *(_of_lasting(each, facts) for each in facts.on),
        *(_note(each) for each in facts.seen.notes),
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


def _of_loss(lost: Lost, facts: Findings) -> Cause:
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
        cameras=_listed([camera_name(clip) for clip in clips]),
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
        spans=_listed(spans),
    )


def _why(clips: Sequence[Clip]) -> str:
    reasons = dict.fromkeys(REASONS[clip.reason] for clip in clips if clip.reason)
    return glued(": ", joined("; ", reasons)) if reasons else ""


def _several(facts: Findings) -> str:
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


@dataclass(frozen=True, slots=True)
class _Words:
    """Of a kind of trouble: its sentence, what to do, how bad it is and may become."""

    text: str
    advice: str
    mood: Mood = Mood.WARN
    at_worst: Mood = Mood.WARN
    see: str = "/recorders"


_TROUBLES: Mapping[NoticeKind, _Words] = {
    NoticeKind.BROKER: _Words(
        mark("Alarms may not be coming in since {since}: {text}."),
        mark(
            "They wait at the broker as long as it keeps them: see that it runs and "
            "can be reached."
        ),
        Mood.BAD,
        Mood.BAD,
    ),
    NoticeKind.STORE: _Words(
        mark("Alarms are not taken since {since}: {text}."),
        mark(
            "They wait at the broker as long as it keeps them: see that the disk of "
            "the state folder has room."
        ),
        Mood.BAD,
        Mood.BAD,
    ),
    NoticeKind.RECORDER: _Words(
        mark("Recorder {name} has not answered since {since}: {text}."),
        mark(
            "Nothing is lost while it keeps its footage: see that it runs and can be "
            "reached. Exports go on by themselves."
        ),
        at_worst=Mood.BAD,
    ),
    NoticeKind.DESTINATION: _Words(
        mark("The recorder cannot write to {name} since {since}: {text}."),
        mark("Mend the folder or make room; exports go on by themselves."),
        at_worst=Mood.BAD,
    ),
    NoticeKind.SHARE: _Words(
        mark("Share {name} is in trouble since {since}: {text}."),
        mark("Do what it says; what waits for the share goes on by itself."),
        at_worst=Mood.BAD,
    ),
    NoticeKind.CAMERA: _Words(
        mark("Camera {name} does not record: {text}."),
        mark(
            "See that it has power and reaches its recorder, and that the recorder is "
            "set to record it. What it would have filmed is lost."
        ),
    ),
    NoticeKind.QUEUE: _Words(
        mark("Exports of recorder {name} wait since {since}: {text}."),
        mark("They go on by themselves; raise the limit if so many alarms are usual."),
    ),
    NoticeKind.STUCK: _Words(
        mark("An export stands still since {since}: {text}."),
        mark(
            "Others go on beside it. Cancel its incident and retry it, or restart what "
            "exports there."
        ),
    ),
    NoticeKind.CLOCK: _Words(
        mark("A clock is not to be trusted since {since}: {text}."),
        mark("Set it by NTP; windows are shifted by what is known of it."),
    ),
    NoticeKind.RECORDS: _Words(
        mark("Evidence at {name} cannot be kept as it should since {since}: {text}."),
        mark(
            "Footage is exported all the same; it is tried again by itself, once the "
            "folder can be read and written."
        ),
    ),
    NoticeKind.TIMESTAMP: _Words(
        mark("The audit chain is not time stamped since {since}: {text}."),
        mark("It is asked for again by itself. Nothing else waits for it."),
    ),
    NoticeKind.SOURCE: _Words(
        mark("The source of {name} has fallen silent: {text}."),
        mark("See that the sensor or its gateway has power and reaches the broker."),
        see="/",
    ),
    NoticeKind.CONFIG: _Words(
        mark("The configuration on disk is not in force since {since}: {text}."),
        mark("Run evidenced check, mend what it says, reload."),
    ),
    NoticeKind.PAGE: _Words(
        mark("The page is not as it should be since {since}: {text}."),
        mark("Alarms and exports go on; it is tried again by itself."),
    ),
}
"""A trouble is at its worst once it lasts and something waits for it."""

_WAITED_FOR = frozenset({NoticeKind.RECORDER, NoticeKind.DESTINATION, NoticeKind.SHARE})


def _of_trouble(trouble: Trouble, facts: Findings) -> Cause:
    words = _TROUBLES[trouble.kind]
    text: str = phrase(
        words.text,
        name=trouble.name,
        text=bare(kept(trouble.text)),
        since=facts.moment(trouble.since),
    )
    waiting = facts.waiting.get(trouble.key, 0)
    if trouble.kind in _WAITED_FOR:
        text = glued(text, " ", _waits(waiting))
    is_worst = waiting and facts.now - trouble.since >= facts.seen.patience
    return Cause(
        matter=Matter(trouble.kind),
        mood=words.at_worst if is_worst else words.mood,
        text=text,
        advice=phrase(words.advice),
        since=trouble.since,
        see=words.see,
    )


def _waits(number: int) -> str:
    if not number:
        return phrase("Nothing waits for it yet.")
    if number >= MANY:
        return phrase("{n} or more incidents wait for it.", n=MANY)
    return plural("{n} incident waits for it.", "{n} incidents wait for it.", number)


def _of_late(incident: Incident, facts: Findings) -> Cause:
    names = _listed(
        [camera_name(clip) for clip in incident.wanted if not clip.has_footage]
    )
    at = facts.moment(incident.opened_at)
    return Cause(
        matter=Matter.LATE,
        mood=Mood.BAD,
        text=phrase(
            "Footage of {names} is late: {summary}, {at}.",
            names=names,
            summary=incident.summary or incident.label,
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
            summary=incident.summary or incident.label,
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


def _note(text: str) -> Cause:
    sentence = sentence_of(bare(kept(text)))
    return Cause(
        matter=Matter.NOTE,
        mood=Mood.WARN,
        text=sentence,
        advice=phrase("No footage is lost by it."),
        see="/recorders",
    )


def _of_silence(silence: Silence, facts: Findings) -> Cause:
    until = facts.moment(silence.ends_at)
    return Cause(
        matter=Matter.SILENCE,
        mood=Mood.WAIT,
        text=phrase(
            "Silenced: {subject} {name} until {until}, by {author}: {comment}.",
            subject=silence.subject,
            name=silence.name,
            until=until,
            author=silence.author,
            comment=silence.comment,
        ),
        since=silence.starts_at,
        see="/silences",
    )


def _under_way(facts: Findings) -> Iterator[Cause]:
    waiting = facts.standing.waiting
    if waiting:
        is_whole = not (facts.lost or facts.late)
        told = counted(waiting)
        yield Cause(
            matter=Matter.UNDER_WAY,
            mood=Mood.WAIT,
            text=phrase("{incidents} under way, nothing is missing.", incidents=told)
            if is_whole
            else phrase("{incidents} under way.", incidents=told),
        )


def _good(standing: Standing) -> str:
    """Only what is so: an alarm that was silenced or refused made no incident."""
    if standing.lost:
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


def counted(number: int) -> str:
    """`1 incident`, `4 incidents`, `1000 or more incidents`."""
    if number >= MANY:
        return phrase("{n} or more incidents", n=MANY)
    return plural("{n} incident", "{n} incidents", number)


def _listed(names: Sequence[str]) -> str:
    """`Kelder`; `Kelder and Hal`; `Kelder, Hal and 3 more`."""
    known = list(dict.fromkeys(names))
    if len(known) < 2:  # noqa: PLR2004 - as one says it
        return known[0] if known else phrase("no camera")
    first, second, *others = known
    if not others:
        return phrase("{first} and {second}", first=first, second=second)
    return plural(
        "{first}, {second} and {n} more",
        "{first}, {second} and {n} more",
        len(others),
        first=first,
        second=second,
    )


def verdict_object(found: Judgement) -> dict[str, object]:
    """For programs: see interfaces, `GET /api/status`."""
    return {
        "mood": found.mood,
        "text": found.text,
        "more": found.more,
        "reasons": [
            {
                "kind": cause.matter,
                "mood": cause.mood,
                "text": cause.text,
                "advice": cause.advice,
                "since": cause.since and render_utc(cause.since),
                "incident": cause.incident,
            }
            for cause in found.causes
        ],
    }
