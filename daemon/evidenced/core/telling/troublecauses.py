"""What is wrong with the installation, as a cause of the verdict: a table of kinds."""

from collections.abc import Mapping
from dataclasses import dataclass

from evidenced.core.incidents.silence import Subject
from evidenced.core.phrase import (
    bare,
    glued,
    mark,
    phrase,
    plural,
)
from evidenced.core.telling.judgement import MANY, Cause, Findings, Matter, Mood
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import Trouble


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


def of_trouble(trouble: Trouble, facts: Findings) -> Cause:
    words = _TROUBLES[trouble.kind]
    text: str = phrase(
        words.text,
        name=_called(trouble, facts),
        text=bare(facts.kept(trouble.text)),
        since=facts.moment(trouble.since),
    )
    waiting = facts.waiting.get(trouble.key, 0)
    if trouble.kind in _WAITED_FOR:
        text = glued(text, " ", _waits(waiting))
    lasts = abs(facts.now - trouble.since)  # the clock may have gone back since
    is_worst = waiting and lasts >= facts.seen.patience
    return Cause(
        matter=Matter(trouble.kind),
        mood=words.at_worst if is_worst else words.mood,
        text=text,
        advice=phrase(words.advice),
        since=trouble.since,
        see=words.see,
    )


_CALLED = {NoticeKind.SOURCE: Subject.RULE, NoticeKind.CAMERA: Subject.CAMERA}


def _called(trouble: Trouble, facts: Findings) -> str:
    """What people call it."""
    subject = _CALLED.get(trouble.kind)
    if subject is None:
        return trouble.name
    return facts.called(subject, trouble.name)


def _waits(number: int) -> str:
    if not number:
        return phrase("Nothing waits for it yet.")
    if number >= MANY:
        return phrase("{n} or more incidents wait for it.", n=MANY)
    return plural("{n} incident waits for it.", "{n} incidents wait for it.", number)
