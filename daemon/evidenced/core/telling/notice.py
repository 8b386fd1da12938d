"""Notices: what people may want to hear of, read from the history.

Each is of one kind, about one subject (a rule, a recorder, ...), and as severe as the
rule says or the kind is. Who hears of it, and when, is in `routing`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from evidenced.core.alarms.payload import one_line
from evidenced.core.ids import IncidentId, RuleName
from evidenced.core.incidents.history import Entry, Event, clips_to, state_to
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import held_back_words
from evidenced.core.incidents.states import ClipState, IncidentState
from evidenced.core.phrase import glued, joined, mark, phrase, plural
from evidenced.core.severity import Severity
from evidenced.core.telling.advice import advice_of
from evidenced.core.telling.cameranames import camera_name
from evidenced.core.telling.story import lacking_words

MOST_WHAT = 150
MOST_CAMERAS = 8


class NoticeKind(StrEnum):
    """What a notice is about; the words of `events` in the configuration."""

    FAILED = "failed"
    PARTIAL = "partial"
    REJECTED = "rejected"
    LATE = "late"
    GAP = "gap"
    LIMIT = "limit"
    ON_FOR = "on-for"
    ALTERED = "altered"
    UNREADABLE = "unreadable"
    RECORDER = "recorder"
    DESTINATION = "destination"
    QUEUE = "queue"
    STUCK = "stuck"
    SHARE = "share"
    CAMERA = "camera"
    BROKER = "broker"
    STORE = "store"
    CLOCK = "clock"
    RECORDS = "records"
    TIMESTAMP = "timestamp"
    SOURCE = "source-silent"
    CONFIG = "config"
    PAGE = "page"
    EXPORTED = "exported"
    SILENCE = "silence"
    REPORT = "report"


class Phase(StrEnum):
    """Whether something goes on: empty for what happens once."""

    ONCE = ""
    BEGUN = "begun"
    GOES_ON = "goes on"
    ENDED = "ended"


OF_INCIDENTS = frozenset(
    {
        NoticeKind.FAILED,
        NoticeKind.PARTIAL,
        NoticeKind.REJECTED,
        NoticeKind.LATE,
    }
)
"""As severe as their rule; the rule decides who hears of them, too."""
OF_RULES = OF_INCIDENTS | {
    NoticeKind.EXPORTED,
    NoticeKind.LIMIT,
    NoticeKind.ON_FOR,
    NoticeKind.GAP,
}
TROUBLES = frozenset(
    {
        NoticeKind.RECORDER,
        NoticeKind.DESTINATION,
        NoticeKind.QUEUE,
        NoticeKind.STUCK,
        NoticeKind.SHARE,
        NoticeKind.CAMERA,
        NoticeKind.BROKER,
        NoticeKind.STORE,
        NoticeKind.CLOCK,
        NoticeKind.RECORDS,
        NoticeKind.TIMESTAMP,
        NoticeKind.SOURCE,
        NoticeKind.CONFIG,
        NoticeKind.PAGE,
    }
)
"""What begins and ends."""
ON_WISH = frozenset({NoticeKind.EXPORTED, NoticeKind.SILENCE, NoticeKind.REPORT})
"""Told only to those who name them."""
UNASKED = tuple(kind for kind in NoticeKind if kind not in ON_WISH)
CHOSEN = tuple(kind for kind in NoticeKind if kind is not NoticeKind.REPORT)
"""What `events` may name; a report goes to those that it names itself."""

_SEVERITIES = {
    NoticeKind.BROKER: Severity.CRITICAL,
    NoticeKind.STORE: Severity.CRITICAL,
    NoticeKind.EXPORTED: Severity.INFO,
    NoticeKind.SILENCE: Severity.INFO,
    NoticeKind.REPORT: Severity.INFO,
}
_ENDS = {
    IncidentState.FAILED.value: NoticeKind.FAILED,
    IncidentState.PARTIAL.value: NoticeKind.PARTIAL,
    IncidentState.EXPORTED.value: NoticeKind.EXPORTED,
}
_SAYS: Mapping[str, tuple[str, NoticeKind]] = {
    Event.COVERED: ("gaps", NoticeKind.GAP),
    Event.LATE: ("", NoticeKind.LATE),
    Event.OPENED: ("limit", NoticeKind.LIMIT),
    Event.CONTINUED: ("on_for", NoticeKind.ON_FOR),
}
"""What an event is told as, if its entry has this detail."""
Severities = Mapping[RuleName, Severity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell. `text` is a reason or a sentence, never a payload.

    Of an incident: `what` it is about, the `cameras` that lack footage with `begin` and
    `end` of their windows, `why` in words, what to do, and which `recorders` have it.
    """

    kind: NoticeKind
    subject: str
    severity: Severity
    at: datetime
    incident: IncidentId | None = None
    text: str = ""
    phase: Phase = Phase.ONCE
    what: str = ""
    cameras: tuple[str, ...] = ()
    begin: datetime | None = None
    end: datetime | None = None
    why: str = ""
    advice: str = ""
    recorders: tuple[str, ...] = ()


def severity_of(kind: NoticeKind, of_rule: Severity | None) -> Severity:
    """How bad it is: what the rule says, for its incidents; else what the kind is."""
    if kind in OF_INCIDENTS and of_rule is not None:
        return of_rule
    return _SEVERITIES.get(kind, Severity.WARNING)


def incident_of(entry: Entry) -> IncidentId | None:
    """The incident that `notice_of` has to know for this entry, if any."""
    if entry.incident is None or _kind_of(entry) is None:
        return None
    return entry.incident


def notice_of(
    entry: Entry, incident: Incident | None, severities: Severities
) -> Notice | None:
    """What an entry of the history gives people to hear; None for most.

    `incident` is the entry's as it is now, None where it was pruned meanwhile. The
    severity of a rule that is gone is that of when the incident was opened.
    """
    if (alone := _ALONE.get(entry.event)) is not None:
        return alone(entry)
    if incident is None or entry.incident is None:
        return None
    kind = _kind_of(entry)
    if kind is None or (kind is NoticeKind.PARTIAL and incident.is_withdrawn):
        return None  # what a person cancelled is no news to people
    return Notice(
        kind=kind,
        subject=incident.rule,
        severity=severity_of(
            kind, severities.get(incident.rule, incident.terms.severity)
        ),
        at=entry.at,
        incident=entry.incident,
        **(
            {"text": _text_of(entry, incident), **_about(incident)}
            if kind in OF_INCIDENTS
            else {"text": _named(kind, entry, incident)}
        ),
    )


def _named(kind: NoticeKind, entry: Entry, incident: Incident) -> str:
    """What it is about, and what there is to say: of footage which, and where it is."""
    if kind is NoticeKind.EXPORTED:
        cameras = dict.fromkeys(map(camera_name, incident.wanted))
        text = ", ".join([*cameras][:MOST_CAMERAS])
        if path := entry.detail.get("path"):
            text = f"{text} in {path}"
    else:
        text = _text_of(entry, incident)
    about = one_line(incident.summary or incident.terms.label, MOST_WHAT)
    return ": ".join(filter(None, [about, text]))  # the rule's name is the subject


def _about(incident: Incident) -> dict[str, Any]:
    """Of an incident whose footage is missing or late: which, of when, why."""
    clips = [clip for clip in incident.wanted if clip.is_lacking]
    clips = clips or [clip for clip in incident.wanted if not clip.has_footage]
    return {
        "what": one_line(incident.summary or incident.label, MOST_WHAT),
        "cameras": tuple(dict.fromkeys(map(camera_name, clips)))[:MOST_CAMERAS],
        "begin": min((clip.window.start for clip in clips), default=None),
        "end": max((clip.window.end for clip in clips), default=None),
        "why": lacking_words(incident),
        "advice": advice_of(incident),
        "recorders": tuple(sorted({clip.recorder for clip in clips})),
    }


def _text_of(entry: Entry, incident: Incident) -> str:
    if "on_for" in entry.detail:
        return phrase(
            "on for {length}, and no clear has come", length=entry.detail["on_for"]
        )
    return str(entry.detail.get("limit") or _gaps(entry) or _reason_of(entry, incident))


MOST_GAPS = 3


def _gaps(entry: Entry) -> str:
    """The camera and the instants, where an entry tells of gaps."""
    gaps = entry.detail.get("gaps")
    if entry.event != Event.COVERED or not isinstance(gaps, list):
        return ""
    spans: str = joined(
        ", ",
        (
            phrase("{start} to {end}", start=gap["start"], end=gap["end"])
            for gap in gaps[:MOST_GAPS]
        ),
    )
    more = len(gaps) - MOST_GAPS
    if more > 0:
        spans = plural(
            "{spans} and {n} more", "{spans} and {n} more", more, spans=spans
        )
    about = {"camera": entry.detail.get("camera"), "spans": spans}
    if "is_loss" in entry.detail:
        return phrase(
            "{camera}: nothing recorded {spans}; one lies over the alarm itself",
            **about,
        )
    return phrase("{camera}: nothing recorded {spans}", **about)


def _reason_of(entry: Entry, incident: Incident) -> str:
    found = [clip.reason for clip in incident.wanted if clip.reason is not None]
    return str(incident.reason or entry.detail.get("reason") or next(iter(found), ""))


def _kind_of(entry: Entry) -> NoticeKind | None:
    """The worst that the entry says of its incident.

    What is imported happened long ago, and people heard of it then.
    """
    if entry.event == Event.IMPORTED:
        return None
    state = state_to(entry.detail)
    if state in _ENDS:
        return _ENDS[state]
    if ClipState.REJECTED in clips_to(entry.detail):
        return NoticeKind.REJECTED
    detail, kind = _SAYS.get(entry.event, ("", None))
    return kind if not detail or detail in entry.detail else None


def _of_silence(entry: Entry) -> Notice:
    detail = entry.detail
    about: str = next(
        (
            phrase(template, name=detail[subject])
            for subject, template in _SUBJECTS.items()
            if subject in detail
        ),
        "",
    )
    is_begun = entry.event == Event.SILENCE_BEGUN
    text = f"{detail.get('by')}: {detail.get('comment')}"
    if is_begun and "from" in detail:
        start, until = detail["from"], detail.get("until")
        text = phrase(
            "from {start} until {until}, {text}", start=start, until=until, text=text
        )
    elif is_begun:
        text = phrase("until {until}, {text}", until=detail.get("until"), text=text)
    elif number := detail.get("held_back"):
        text = glued(text, "; ", held_back_words(int(str(number))))
    return Notice(
        kind=NoticeKind.SILENCE,
        subject=about,
        severity=Severity.INFO,
        at=entry.at,
        text=text,
        phase=Phase.BEGUN if is_begun else Phase.ENDED,
    )


_SUBJECTS: Mapping[str, str] = {
    "rule": mark("rule {name}"),
    "camera": mark("camera {name}"),
    "topic": mark("topic {name}"),
}


def _of_unreadable(entry: Entry) -> Notice:
    return Notice(
        kind=NoticeKind.UNREADABLE,
        subject=str(entry.detail.get("rule") or "of a condition"),
        severity=severity_of(NoticeKind.UNREADABLE, None),
        at=entry.at,
        text=str(entry.detail["text"]),
    )


def _of_altered(entry: Entry) -> Notice:
    """Its incident may be pruned: all that is told is in the entry."""
    return Notice(
        kind=NoticeKind.ALTERED,
        subject=str(entry.detail["destination"]),
        severity=severity_of(NoticeKind.ALTERED, None),
        at=entry.at,
        incident=entry.incident,
        text=f"{entry.detail['path']}: {entry.detail['text']}",
    )


def _of_trouble(entry: Entry) -> Notice | None:
    """One of the store was told when it happened: nobody could write it down then."""
    kind = NoticeKind(str(entry.detail["kind"]))
    if kind is NoticeKind.STORE:
        return None
    is_begun = entry.event == Event.TROUBLE_BEGUN
    return Notice(
        kind=kind,
        subject=str(entry.detail["name"]),
        severity=severity_of(kind, None),
        at=entry.at,
        text=str(entry.detail["text"]),
        phase=Phase.BEGUN if is_begun else Phase.ENDED,
    )


_ALONE: Mapping[str, Callable[[Entry], Notice | None]] = {
    Event.SILENCE_BEGUN: _of_silence,
    Event.SILENCE_ENDED: _of_silence,
    Event.TROUBLE_BEGUN: _of_trouble,
    Event.TROUBLE_ENDED: _of_trouble,
    Event.UNREADABLE: _of_unreadable,
    Event.ALTERED: _of_altered,
}
"""Entries that say all of their notice, and need no incident."""
