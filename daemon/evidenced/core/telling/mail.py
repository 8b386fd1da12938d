"""A message of piles: a title, and plain text within bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from urllib.parse import quote, urlencode

from evidenced.core.alarms.payload import one_line
from evidenced.core.ids import IncidentId
from evidenced.core.phrase import phrase
from evidenced.core.severity import Severity
from evidenced.core.spoken import span, stamp, to_the_minute
from evidenced.core.telling.notice import OF_RULES, TROUBLES, Notice, NoticeKind, Phase
from evidenced.core.telling.routing import SAMPLES, Pile

MAX_TITLE = 150
MAX_TEXT = 300
"""Characters of one line."""
MAX_PILES = 15
MAX_BODY = 6000

_DID = {
    NoticeKind.FAILED: ("failed", "failed"),
    NoticeKind.PARTIAL: ("ended with some clips only", "ended with some clips only"),
    NoticeKind.REJECTED: (
        "has clips that the recorder refuses for good",
        "have clips that the recorder refuses for good",
    ),
    NoticeKind.LATE: ("has no footage yet", "have no footage yet"),
    NoticeKind.EXPORTED: ("exported", "exported"),
    NoticeKind.GAP: ("has gaps in its footage", "have gaps in their footage"),
    NoticeKind.LIMIT: ("takes alarms beyond a limit", "take alarms beyond a limit"),
    NoticeKind.ON_FOR: ("is on for hours", "are on for hours"),
}
"""What one incident did, and what several did."""
_THINGS = {
    NoticeKind.CLOCK: "clock of recorder {}",
    NoticeKind.QUEUE: "queue of recorder {}",
    NoticeKind.STUCK: "the export to {}",
    NoticeKind.RECORDS: "evidence records at {}",
    NoticeKind.TIMESTAMP: "the time stamp of the audit chain",
    NoticeKind.SOURCE: "the source of rule {}",
    NoticeKind.CONFIG: "the configuration on disk",
    NoticeKind.SILENCE: "{}",
    NoticeKind.UNREADABLE: "rule {}",
    NoticeKind.ALTERED: "footage at {}",
}
"""What is in trouble, where it is not just the kind and the subject."""
_STANDINGS = {
    (NoticeKind.SILENCE, Phase.BEGUN): "is silent",
    (NoticeKind.SILENCE, Phase.ENDED): "is no longer silent",
    (NoticeKind.UNREADABLE, Phase.ONCE): "gets messages that it cannot read",
    (NoticeKind.ALTERED, Phase.ONCE): "is not what was recorded",
    (NoticeKind.QUEUE, Phase.BEGUN): "waits for the next hour",
    (NoticeKind.QUEUE, Phase.GOES_ON): "waits for the next hour",
    (NoticeKind.QUEUE, Phase.ENDED): "goes on",
    (NoticeKind.SOURCE, Phase.BEGUN): "has fallen silent",
    (NoticeKind.SOURCE, Phase.GOES_ON): "is silent",
    (NoticeKind.SOURCE, Phase.ENDED): "is heard again",
    (NoticeKind.CAMERA, Phase.BEGUN): "does not record",
    (NoticeKind.CAMERA, Phase.GOES_ON): "still does not record",
    (NoticeKind.CAMERA, Phase.ENDED): "records again",
    (NoticeKind.STUCK, Phase.BEGUN): "stands still",
    (NoticeKind.STUCK, Phase.GOES_ON): "still stands still",
    (NoticeKind.STUCK, Phase.ENDED): "stands still no more",
    (NoticeKind.CONFIG, Phase.BEGUN): "is not in force",
    (NoticeKind.CONFIG, Phase.GOES_ON): "is not in force",
    (NoticeKind.CONFIG, Phase.ENDED): "is in force again",
    Phase.ENDED: "is in order again",
    Phase.GOES_ON: "is still in trouble",
}
"""By kind and phase, else by phase."""
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
    """One message about all of these piles; at least one."""
    if piles[0].kind is NoticeKind.REPORT:
        return _report(piles[0], head)
    phrases = [_headline(pile) for pile in piles]
    title = f"{head.instance}: {'; '.join(phrases)}"
    parts = ["\n".join(_lines(pile, head)) for pile in piles[:MAX_PILES]]
    if len(piles) > MAX_PILES:
        parts.append(phrase("and {v0} more, see the page", v0=len(piles) - MAX_PILES))
    if head.page:
        parts.append(head.page)
    return Message(
        title=one_line(title, MAX_TITLE),
        body=cut_body("\n\n".join(parts)),
        severity=max((p.severity for p in piles), key=lambda each: each.rank),
        is_good=all(_is_good(pile) for pile in piles),
    )


def cut_body(text: str) -> str:
    return text if len(text) <= MAX_BODY else text[: MAX_BODY - 2] + "\n…"


def _report(pile: Pile, head: Letterhead) -> Message:
    body = pile.samples[-1].text
    parts = filter(None, [body, head.page])
    return Message(
        title=one_line(f"{head.instance}: {pile.subject}", MAX_TITLE),
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
    yet = " yet" if pile.kind is NoticeKind.LATE else ""
    return phrase(
        "{cameras}: no footage{yet} ({what})",
        cameras=", ".join(first.cameras),
        yet=yet,
        what=first.what,
    )


def _phrase(pile: Pile) -> str:
    """How many of what, in the first line about it."""
    if pile.kind in OF_RULES:
        one, several = _DID[pile.kind]
        if pile.count == 1:
            return phrase(
                "1 incident of {subject} {one}", subject=pile.subject, one=one
            )
        return phrase(
            "{count} incidents of {subject} {several}",
            count=pile.count,
            subject=pile.subject,
            several=several,
        )
    phase = pile.samples[-1].phase if pile.samples else Phase.ONCE
    thing = _THINGS.get(pile.kind, f"{pile.kind} {{}}").format(pile.subject).rstrip()
    if pile.kind is NoticeKind.CLOCK and not pile.subject:
        thing = "clock of this host"
    by_phase = _STANDINGS.get(phase, "is in trouble")
    return f"{thing} {_STANDINGS.get((pile.kind, phase), by_phase)}"


def _lines(pile: Pile, head: Letterhead) -> list[str]:
    lines = [_phrase(pile)]
    if pile.kind in OF_RULES and pile.count > 1:
        if pile.kind is not NoticeKind.EXPORTED:
            lines.append(f"  {_reasons(pile)}")
        first, last = (
            stamp(at, head.zone) if at else "-" for at in (pile.first_at, pile.last_at)
        )
        lines.append(phrase("  first {first}, last {last}", first=first, last=last))
    lines += [line for each in pile.samples for line in _sample(each, head)]
    if pile.count > len(pile.samples) >= SAMPLES:
        lines.append(phrase("  and {v0} more", v0=pile.count - len(pile.samples)))
    if head.page and pile.kind in OF_RULES:
        lines.append(f"  {_link(pile, head)}")
    return [one_line(each, MAX_TEXT) for each in lines]


def _reasons(pile: Pile) -> str:
    counted = sorted(pile.reasons.items(), key=lambda each: (-each[1], each[0]))
    return "reasons: " + ", ".join(f"{word} {number}" for word, number in counted)


def _sample(sample: Notice, head: Letterhead) -> list[str]:
    """When, and what: of an incident which cameras, of when, why and what to do."""
    still = "still:" if sample.phase is Phase.GOES_ON else ""
    said = [stamp(sample.at, head.zone), sample.incident, still, sample.text]
    lines = ["  " + " ".join(filter(None, said))]
    if sample.what:
        advice = phrase("What to do: {advice}", advice=sample.advice)
        more = [_missing(sample, head), sample.why, advice, _until(sample, head)]
        lines += [f"    {line}" for line in more if line]
    return lines


def _missing(sample: Notice, head: Letterhead) -> str:
    """`Kelder: no footage of 02:02:50 to 02:09:00 (Inbraak: Kelder PIR)`."""
    names = ", ".join(sample.cameras) or "no camera"
    if sample.begin is None or sample.end is None:
        return phrase("{names}: no footage ({what})", names=names, what=sample.what)
    window = span(sample.begin, sample.end, sample.at, head.zone)
    yet = " yet" if sample.kind is NoticeKind.LATE else ""
    return phrase(
        "{names}: no footage{yet} of {window} ({what})",
        names=names,
        yet=yet,
        window=window,
        what=sample.what,
    )


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
