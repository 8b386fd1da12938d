"""A day in figures: what alarms came, and what became of their footage."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import Reason
from evidenced.core.incidents.silence import Silence, held_back_words
from evidenced.core.incidents.states import (
    CLIP_LOST,
    INCIDENT_OPEN,
    ClipState,
    IncidentState,
)
from evidenced.core.instants import DAY, floor_ms, render_utc
from evidenced.core.phrase import (
    ENGLISH,
    DayForm,
    Phrase,
    Tongue,
    dated,
    glued,
    joined,
    kept,
    phrase,
    plural,
    said,
    word,
)
from evidenced.core.spoken import person, spoken, to_the_minute
from evidenced.core.telling.judgement import Judgement, Mood, verdict_object
from evidenced.core.telling.reasons import reason_said
from evidenced.core.telling.trouble import Trouble

MAX_RULES = 30
MAX_LINES = 20
MAX_LINE = 200
LOST = tuple(state for state in ClipState if state in CLIP_LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Incidents of one rule, state and reason that were opened that day."""

    rule: str
    state: IncidentState
    reason: str
    incidents: int
    alarms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTally:
    """Clips of those incidents that ended without footage, by reason."""

    state: ClipState
    reason: str
    clips: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the store counts of a day.

    `not_taken` are messages that opened nothing, by outcome; `is_cut` where more came
    than are kept, so that there were at least so many.
    """

    incidents: Sequence[Tally]
    clips: Sequence[ClipTally]
    troubles: Sequence[Trouble]
    silences: Sequence[Silence]
    not_taken: Mapping[str, int] = field(default_factory=dict)
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """Of a local day, from `start` (included) to `end` (not), as known at `now`.

    `verdict` is that of `now`: what was lost on another day counts as long as nobody
    has acknowledged it.
    """

    day: date
    start: datetime
    end: datetime
    now: datetime
    zone: tzinfo
    figures: Figures
    verdict: Judgement

    @property
    def title(self) -> str:
        return phrase("report of {day}", day=self.weekday)

    @property
    def weekday(self) -> str:
        """`Monday 2026-11-23`."""
        return glued(dated(self.day, DayForm.DAY_OF_WEEK), f" {self.day:%Y-%m-%d}")

    def count(self, *states: IncidentState) -> int:
        return sum(t.incidents for t in self.figures.incidents if t.state in states)

    @property
    def withdrawn(self) -> int:
        """Those that lack only what an operator cancelled."""
        wanted = (IncidentState.PARTIAL, Reason.OPERATOR.value)
        found = self.figures.incidents
        return sum(t.incidents for t in found if (t.state, t.reason) == wanted)

    @property
    def alarms(self) -> int:
        return sum(tally.alarms for tally in self.figures.incidents)

    def clips(self, state: ClipState) -> dict[str, int]:
        """By reason, the most frequent first."""
        found = Counter[str]()
        for tally in self.figures.clips:
            if tally.state is state:
                found[tally.reason or "no reason"] += tally.clips
        return dict(found.most_common())


def day_of(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """From midnight to midnight on the wall clock: 23 or 25 hours twice a year."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + DAY
    end = datetime(after.year, after.month, after.day, tzinfo=zone)
    return floor_ms(start), floor_ms(end)


def report_object(report: DayReport) -> dict[str, object]:
    """For programs."""
    states = {str(state): report.count(state) for state in IncidentState}
    return {
        "day": report.day.isoformat(),
        "start": render_utc(report.start),
        "end": render_utc(report.end),
        "verdict": verdict_object(report.verdict),
        "alarms": report.alarms,
        "incidents": sum(states.values()),
        "states": states,
        "withdrawn": report.withdrawn,
        "not_taken": dict(report.figures.not_taken),
        "not_taken_is_cut": report.figures.is_cut,
        **{state: report.clips(state) for state in LOST},
        "rules": [
            {"rule": rule, "alarms": alarms, "incidents": incidents, "exported": done}
            for rule, alarms, incidents, done in _by_rule(report.figures.incidents)
        ],
        "silences": [
            {
                str(each.subject): each.name,
                "until": render_utc(each.ends_at),
                "author": each.author,
                "comment": each.comment,
                "held_back": each.held_back,
            }
            for each in report.figures.silences
        ],
        "troubles": [
            {
                "kind": each.kind,
                "name": each.name,
                "text": each.text,
                "since": render_utc(each.since),
                "ended": each.ended_at and render_utc(each.ended_at),
            }
            for each in report.figures.troubles
        ],
    }


def report_text(report: DayReport, tongue: Tongue = ENGLISH) -> str:
    """For people, in lines that a mail shows as they are."""
    return "\n".join(said(line, tongue) for line in _lines(report))


def _lines(report: DayReport) -> list[str]:
    known = to_the_minute(report.now, report.zone)
    lines: list[str] = [
        phrase("{day}, as known at {at}", day=report.weekday, at=known),
        report.verdict.text,
        *_section(phrase("needs somebody"), _needs(report.verdict)),
        "",
        _figure(phrase("alarms"), report.alarms),
        _figure(phrase("incidents"), report.count(*IncidentState)),
        _figure(phrase("exported"), report.count(IncidentState.EXPORTED)),
        glued(
            _figure(phrase("partial"), report.count(IncidentState.PARTIAL)),
            _of_them(report.withdrawn),
        ),
        _figure(phrase("failed"), report.count(IncidentState.FAILED)),
        _figure(phrase("waiting"), report.count(*INCIDENT_OPEN)),
        _figure(phrase("cancelled"), report.count(IncidentState.CANCELLED)),
    ]
    lines += _not_taken(report.figures)
    for state in LOST:
        if found := report.clips(state):
            told = [glued(reason_said(why), f" ({n})") for why, n in found.items()]
            lines.append(
                phrase("{state} clips: {why}", state=state, why=joined(", ", told))
            )
    figures = report.figures
    lines += _section(phrase("by rule"), map(_rule_line, _by_rule(figures.incidents)))
    lines += _section(
        phrase("trouble"), (_trouble(t, report) for t in figures.troubles)
    )
    lines += _section(
        phrase("silences in force"), (_silence(s, report) for s in figures.silences)
    )
    return lines


COLUMN = 11
"""Characters of the words before a figure."""


def _figure(label: Phrase, number: int) -> str:
    return glued(label.then(lambda words: f"{words:<{COLUMN - 1}} "), str(number))


def _needs(found: Judgement) -> Iterable[str]:
    causes = (each for each in found.causes if each.mood in {Mood.WARN, Mood.BAD})
    return (glued(each.text, " ", each.advice) for each in causes)


def _of_them(withdrawn: int) -> str:
    if not withdrawn:
        return ""
    return plural(
        ", of them cancelled by an operator {n}",
        ", of them cancelled by an operator {n}",
        withdrawn,
    )


def _not_taken(figures: Figures) -> list[str]:
    """Messages that opened nothing, the most frequent outcome first."""
    if not figures.not_taken:
        return []
    by_number = sorted(figures.not_taken.items(), key=lambda each: (-each[1], each[0]))
    told = joined(", ", (glued(word(name), f" {n}") for name, n in by_number))
    total = sum(figures.not_taken.values())
    if figures.is_cut:
        return [phrase("not taken  at least {n}: {outcomes}", n=total, outcomes=told)]
    return [phrase("not taken  {n}: {outcomes}", n=total, outcomes=told)]


def _section(title: str, lines: Iterable[str]) -> list[str]:
    found = [glued("  ", one_line(line, MAX_LINE)) for line in lines]
    if not found:
        return []
    more = len(found) - MAX_LINES
    shown = found[:MAX_LINES]
    if more > 0:
        shown.append(glued("  ", plural("and {n} more", "and {n} more", more)))
    return ["", title, *shown]


Row = tuple[str, int, int, int]


def _by_rule(tallies: Iterable[Tally]) -> list[Row]:
    """Rule, alarms, incidents and exported ones; the most alarms first."""
    found: dict[str, Row] = {}
    for tally in tallies:
        _, alarms, incidents, done = found.get(tally.rule, ("", 0, 0, 0))
        is_done = tally.state is IncidentState.EXPORTED
        found[tally.rule] = (
            tally.rule,
            alarms + tally.alarms,
            incidents + tally.incidents,
            done + (tally.incidents if is_done else 0),
        )
    rows = sorted(found.values(), key=lambda row: (-row[1], row[0]))
    return rows[:MAX_RULES]


def _rule_line(row: Row) -> str:
    rule, alarms, incidents, done = row
    return phrase(
        "{rule}: {alarms} alarms, {incidents} incidents, {exported} exported",
        rule=rule,
        alarms=alarms,
        incidents=incidents,
        exported=done,
    )


def _trouble(trouble: Trouble, report: DayReport) -> str:
    end = trouble.ended_at or report.now
    kind = word(trouble.kind)
    about: dict[str, object] = {
        "what": glued(kind, " ", trouble.name) if trouble.name else kind,
        "since": to_the_minute(trouble.since, report.zone),
        "length": spoken(end - trouble.since),
        "text": kept(trouble.text),
    }
    if trouble.ended_at:
        return phrase("{what}: {since} for {length}: {text}", **about)
    return phrase("{what}: {since} for {length}, goes on: {text}", **about)


def _silence(silence: Silence, report: DayReport) -> str:
    told: str = phrase(
        "{subject} {name} until {until}, {who}: {comment}",
        subject=silence.subject,
        name=silence.name,
        until=to_the_minute(silence.ends_at, report.zone),
        who=person(silence.author),
        comment=silence.comment,
    )
    if not silence.held_back:
        return told
    return glued(told, "; ", held_back_words(silence.held_back))
