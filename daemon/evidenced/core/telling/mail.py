"""A message of piles: a title, and plain text within bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from urllib.parse import quote, urlencode

from evidenced.core.alarms.payload import one_line
from evidenced.core.ids import IncidentId
from evidenced.core.phrase import (
    ENGLISH,
    Tongue,
    glued,
    joined,
    kept,
    mark,
    marks,
    phrase,
    plural,
    said,
)
from evidenced.core.severity import Severity
from evidenced.core.spoken import span, stamp, to_the_minute
from evidenced.core.telling.notice import OF_RULES, TROUBLES, Notice, NoticeKind, Phase
from evidenced.core.telling.reasons import reason_said
from evidenced.core.telling.routing import SAMPLES, Pile

MAX_TITLE = 150
MAX_TEXT = 300
"""Characters of one line."""
MAX_PILES = 15
MAX_BODY = 6000

_DID: Mapping[NoticeKind, tuple[str, str]] = {
    NoticeKind.FAILED: marks(
        "{n} incident of {rule} failed", "{n} incidents of {rule} failed"
    ),
    NoticeKind.PARTIAL: marks(
        "{n} incident of {rule} ended with some clips only",
        "{n} incidents of {rule} ended with some clips only",
    ),
    NoticeKind.REJECTED: marks(
        "{n} incident of {rule} has clips that the recorder refuses for good",
        "{n} incidents of {rule} have clips that the recorder refuses for good",
    ),
    NoticeKind.LATE: marks(
        "{n} incident of {rule} has no footage yet",
        "{n} incidents of {rule} have no footage yet",
    ),
    NoticeKind.EXPORTED: marks(
        "{n} incident of {rule} exported", "{n} incidents of {rule} exported"
    ),
    NoticeKind.GAP: marks(
        "{n} incident of {rule} has gaps in its footage",
        "{n} incidents of {rule} have gaps in their footage",
    ),
    NoticeKind.LIMIT: marks(
        "{n} incident of {rule} takes alarms beyond a limit",
        "{n} incidents of {rule} take alarms beyond a limit",
    ),
    NoticeKind.ON_FOR: marks(
        "{n} incident of {rule} is on for hours",
        "{n} incidents of {rule} are on for hours",
    ),
}
"""What one incident did, and what several did."""
_THINGS: Mapping[NoticeKind, str] = {
    NoticeKind.RECORDER: mark("recorder {name}"),
    NoticeKind.DESTINATION: mark("destination {name}"),
    NoticeKind.SHARE: mark("share {name}"),
    NoticeKind.CAMERA: mark("camera {name}"),
    NoticeKind.BROKER: mark("broker"),
    NoticeKind.STORE: mark("store"),
    NoticeKind.PAGE: mark("page"),
    NoticeKind.CLOCK: mark("clock of recorder {name}"),
    NoticeKind.QUEUE: mark("queue of recorder {name}"),
    NoticeKind.STUCK: mark("the export to {name}"),
    NoticeKind.RECORDS: mark("evidence records at {name}"),
    NoticeKind.TIMESTAMP: mark("the time stamp of the audit chain"),
    NoticeKind.SOURCE: mark("the source of rule {name}"),
    NoticeKind.CONFIG: mark("the configuration on disk"),
    NoticeKind.UNREADABLE: mark("rule {name}"),
    NoticeKind.ALTERED: mark("footage at {name}"),
}
"""What is in trouble."""
_OWN_CLOCK = mark("clock of this host")
_SILENT = mark("{thing} is silent")
_STANDINGS: Mapping[tuple[NoticeKind, Phase] | Phase, str] = {
    (NoticeKind.SILENCE, Phase.BEGUN): _SILENT,
    (NoticeKind.SILENCE, Phase.ENDED): mark("{thing} is no longer silent"),
    (NoticeKind.UNREADABLE, Phase.ONCE): mark(
        "{thing} gets messages that it cannot read"
    ),
    (NoticeKind.ALTERED, Phase.ONCE): mark("{thing} is not what was recorded"),
    (NoticeKind.QUEUE, Phase.BEGUN): mark("{thing} waits for the next hour"),
    (NoticeKind.QUEUE, Phase.GOES_ON): mark("{thing} waits for the next hour"),
    (NoticeKind.QUEUE, Phase.ENDED): mark("{thing} goes on"),
    (NoticeKind.SOURCE, Phase.BEGUN): mark("{thing} has fallen silent"),
    (NoticeKind.SOURCE, Phase.GOES_ON): _SILENT,
    (NoticeKind.SOURCE, Phase.ENDED): mark("{thing} is heard again"),
    (NoticeKind.CAMERA, Phase.BEGUN): mark("{thing} does not record"),
    (NoticeKind.CAMERA, Phase.GOES_ON): mark("{thing} still does not record"),
    (NoticeKind.CAMERA, Phase.ENDED): mark("{thing} records again"),
    (NoticeKind.STUCK, Phase.BEGUN): mark("{thing} stands still"),
    (NoticeKind.STUCK, Phase.GOES_ON): mark("{thing} still stands still"),
    (NoticeKind.STUCK, Phase.ENDED): mark("{thing} stands still no more"),
    (NoticeKind.CONFIG, Phase.BEGUN): mark("{thing} is not in force"),
    (NoticeKind.CONFIG, Phase.GOES_ON): mark("{thing} is not in force"),
    (NoticeKind.CONFIG, Phase.ENDED): mark("{thing} is in force again"),
    Phase.ENDED: mark("{thing} is in order again"),
    Phase.GOES_ON: mark("{thing} is still in trouble"),
}
"""By kind and phase, else by phase."""
_TROUBLE = mark("{thing} is in trouble")
_STATE = {
    NoticeKind.FAILED: "failed",
    NoticeKind.PARTIAL: "partial",
    NoticeKind.EXPORTED: "exported",
}


MOST_PICTURES = 3
MOST_PICTURE_BYTES = 3_000_000
"""Of all pictures of one message: mail servers refuse what is far larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A picture that goes with a message: a JPEG that was looked at when it came."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`is_good` is whether it tells of nothing bad, so a receiver may colour it."""

    title: str
    body: str
    severity: Severity
    is_good: bool = False
    pictures: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What every message needs: who says it, in which zone, and where the page is."""

    instance: str
    zone: tzinfo
    page: str = ""
    retentions: Mapping[str, timedelta] = field(default_factory=dict)
    """How long recorders keep footage, of those that say."""
    tongue: Tongue = ENGLISH
    """What its receiver reads."""


def pictured(piles: Sequence[Pile]) -> list[IncidentId]:
    """The incidents whose pictures go with a message about these piles."""
    told = (
        sample.incident
        for pile in piles
        if pile.kind in OF_RULES
        for sample in reversed(pile.samples)
    )
    return list(dict.fromkeys(name for name in told if name))[:MOST_PICTURES]


def compose(piles: Sequence[Pile], head: Letterhead) -> Message:
    """One message about all of these piles, at least one, as its receiver reads."""
    if piles[0].kind is NoticeKind.REPORT:
        return _report(piles[0], head)
    told = joined("; ", [_headline(pile) for pile in piles])
    parts = [
        "\n".join(said(line, head.tongue) for line in _lines(pile, head))
        for pile in piles[:MAX_PILES]
    ]
    more = len(piles) - MAX_PILES
    if more > 0:
        words = plural("and {n} more, see the page", "and {n} more, see the page", more)
        parts.append(said(words, head.tongue))
    if head.page:
        parts.append(head.page)
    return Message(
        title=one_line(f"{head.instance}: {said(told, head.tongue)}", MAX_TITLE),
        body=cut_body("\n\n".join(parts)),
        severity=max((p.severity for p in piles), key=lambda each: each.rank),
        is_good=all(_is_good(pile) for pile in piles),
    )


def cut_body(text: str) -> str:
    return text if len(text) <= MAX_BODY else text[: MAX_BODY - 2] + "\n…"


def _report(pile: Pile, head: Letterhead) -> Message:
    body = pile.samples[-1].text
    parts = filter(None, [body, head.page])
    title = said(kept(pile.subject), head.tongue)
    return Message(
        title=one_line(f"{head.instance}: {title}", MAX_TITLE),
        body=cut_body("\n\n".join(parts)),
        severity=pile.severity,
        is_good=True,
    )


def _is_good(pile: Pile) -> bool:
    if pile.kind in TROUBLES:
        return bool(pile.samples) and pile.samples[-1].phase is Phase.ENDED
    return pile.severity is Severity.INFO


def _headline(pile: Pile) -> str:
    """What a title says of it: of one incident which cameras, else as in the body."""
    first = pile.samples[-1] if pile.samples else None
    if pile.count != 1 or first is None or not first.cameras:
        return _phrase(pile)
    about = {"cameras": ", ".join(first.cameras), "what": first.what}
    if pile.kind is NoticeKind.LATE:
        return phrase("{cameras}: no footage yet ({what})", **about)
    return phrase("{cameras}: no footage ({what})", **about)


def _phrase(pile: Pile) -> str:
    """How many of what, in the first line about it."""
    if pile.kind in OF_RULES:
        one, several = _DID[pile.kind]
        return plural(one, several, pile.count, rule=pile.subject)
    phase = pile.samples[-1].phase if pile.samples else Phase.ONCE
    by_phase = _STANDINGS.get(phase, _TROUBLE)
    standing = _STANDINGS.get((pile.kind, phase), by_phase)
    return phrase(standing, thing=_thing(pile))


def _thing(pile: Pile) -> str:
    if pile.kind is NoticeKind.CLOCK and not pile.subject:
        return phrase(_OWN_CLOCK)
    if pile.kind is NoticeKind.SILENCE:
        return kept(pile.subject)
    return phrase(_THINGS[pile.kind], name=pile.subject)


def _lines(pile: Pile, head: Letterhead) -> list[str]:
    lines = [_phrase(pile)]
    if pile.kind in OF_RULES and pile.count > 1:
        if pile.kind is not NoticeKind.EXPORTED:
            lines.append(_in(1, _reasons(pile)))
        first, last = (
            stamp(at, head.zone) if at else "-" for at in (pile.first_at, pile.last_at)
        )
        spread = phrase("first {first}, last {last}", first=first, last=last)
        lines.append(_in(1, spread))
    lines += [line for each in pile.samples for line in _sample(each, head)]
    more = pile.count - len(pile.samples)
    if more and len(pile.samples) >= SAMPLES:
        lines.append(_in(1, plural("and {n} more", "and {n} more", more)))
    if head.page and pile.kind in OF_RULES:
        lines.append(_in(1, _link(pile, head)))
    return [one_line(each, MAX_TEXT) for each in lines]


def _in(steps: int, text: str) -> str:
    """Indented."""
    return glued("  " * steps, text)


def _reasons(pile: Pile) -> str:
    counted = sorted(pile.reasons.items(), key=lambda each: (-each[1], each[0]))
    told = [glued(reason_said(slug), f" ({number})") for slug, number in counted]
    return phrase("reasons: {reasons}", reasons=joined(", ", told))


def _sample(sample: Notice, head: Letterhead) -> list[str]:
    """When, and what: of an incident which cameras, of when, why and what to do."""
    still = phrase("still:") if sample.phase is Phase.GOES_ON else ""
    told = stamp(sample.at, head.zone), sample.incident, still, reason_said(sample.text)
    lines = [_in(1, joined(" ", filter(None, told)))]
    if sample.what:
        advice = phrase("What to do: {advice}", advice=kept(sample.advice))
        more = _missing(sample, head), kept(sample.why), advice, _until(sample, head)
        lines += [_in(2, line) for line in more if line]
    return lines


def _missing(sample: Notice, head: Letterhead) -> str:
    """`Kelder: no footage of 02:02:50 to 02:09:00 (Inbraak: Kelder PIR)`."""
    names: str = ", ".join(sample.cameras) or phrase("no camera")
    about: dict[str, object] = {"cameras": names, "what": sample.what}
    if sample.begin is None or sample.end is None:
        return phrase("{cameras}: no footage ({what})", **about)
    about["window"] = span(sample.begin, sample.end, sample.at, head.zone)
    if sample.kind is NoticeKind.LATE:
        return phrase("{cameras}: no footage yet of {window} ({what})", **about)
    return phrase("{cameras}: no footage of {window} ({what})", **about)


def _until(sample: Notice, head: Letterhead) -> str:
    """Until when the recorder has it: then it is overwritten, and nothing helps."""
    known = [
        head.retentions[name] for name in sample.recorders if name in head.retentions
    ]
    if not known or sample.begin is None:
        return ""
    end = to_the_minute(sample.begin + min(known), head.zone)
    return phrase("Until {end}: then the recorder overwrites it", end=end)


def _link(pile: Pile, head: Letterhead) -> str:
    """The incident's own page, or the list of such incidents."""
    first = pile.samples[-1].incident
    if pile.count == 1 and first is not None:
        return f"{head.page}/incidents/{quote(first, safe='')}"
    query = {"rule": pile.subject}
    if pile.kind in _STATE:
        query["state"] = _STATE[pile.kind]
    return f"{head.page}/?{urlencode(query)}"
