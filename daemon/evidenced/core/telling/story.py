"""An incident in words: one wording for the timeline, the page and the record. Pure.

What happened, how far it is, and why no further.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import Reason
from evidenced.core.ids import DestinationName, RecorderName
from evidenced.core.incidents.coverage import CoverageState
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState, ExportState, IncidentState
from evidenced.core.instants import ZERO
from evidenced.core.keeping.kept import Dossier
from evidenced.core.phrase import (
    DayForm,
    dated,
    glued,
    joined,
    kept,
    mark,
    phrase,
    plural,
    word,
)
from evidenced.core.spoken import clock, day, day_and_clock, spoken, zone_word
from evidenced.core.telling.cameranames import camera_name, camera_names, few
from evidenced.core.telling.reasons import REASONS
from evidenced.core.window import Window

MAX_TOLD = 60
"""Windows of one recorder that are read out; a table has the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a timeline is made of. `settles` are those of today's configuration.

    `away` are recorders that do not answer now, `held` destinations that take nothing.
    """

    dossier: Dossier
    now: datetime
    settles: Mapping[RecorderName, timedelta] = field(default_factory=dict)
    zone: tzinfo = UTC
    away: Collection[RecorderName] = ()
    held: Collection[DestinationName] = ()

    @property
    def incident(self) -> Incident:
        return self.dossier.incident

    def shown(self, at: datetime, beside: datetime | None = None) -> str:
        """The time of day, with its day where `beside` lies on another one."""
        if beside is None or day(at, self.zone) == day(beside, self.zone):
            return clock(at, self.zone)
        local = dated(at.astimezone(self.zone), DayForm.SHORT_DAY)
        return glued(local, " ", clock(at, self.zone))


def alarm_words(story: Story) -> str:
    """When the alarms came, how many, and whether a clear is awaited."""
    incident, zone = story.incident, story.zone
    opened_at = incident.opened_at
    on = {"day": day(opened_at, zone), "zone": zone_word(opened_at, zone)}
    last_at = max([incident.last_at, *(each.at for each in story.dossier.alarms)])
    words: str
    if incident.continues and not incident.alarms:
        words = phrase("goes on from {incident}", incident=incident.continues)
    elif incident.alarms == 1:
        words = phrase("{at} on {day}, {zone}", at=story.shown(opened_at), **on)
    else:
        words = phrase(
            "{n}, {start} to {end} on {day}, {zone}",
            n=incident.alarms,
            start=story.shown(opened_at),
            end=story.shown(last_at, opened_at),
            **on,
        )
    if not incident.is_active:
        return words
    return phrase("{words}; still open", words=words)


def window_words(story: Story, window: Window) -> str:
    """`06:15:00 to 06:17:30, 2 min 30 s`."""
    return phrase(
        "{start} to {end}, {length}",
        start=story.shown(window.start),
        end=story.shown(window.end),
        length=spoken(window.length),
    )


def roll_words(story: Story, clip: Clip) -> tuple[str, str]:
    """How much of the window lies before the alarm and after it."""
    incident = story.incident
    before = incident.opened_at - clip.window.start
    is_first = not incident.continues and ZERO < before <= clip.window.length
    is_last = clip.post_roll and not incident.is_active
    return (
        phrase("{length} before", length=spoken(before)) if is_first else "",
        phrase("{length} after", length=spoken(clip.post_roll)) if is_last else "",
    )


def export_words(story: Story, export: ExportRequest) -> str:
    """`asked at 06:17:15, refused: No video data (7)`."""
    answer = answer_words(export)
    state = _tried(export) if export.is_unsent else word(export.state)
    until, at = export.finished_at, story.shown(export.requested_at)
    if until:
        took = spoken(until - export.requested_at)
        words = phrase("asked at {at}, {state}, {took}", at=at, state=state, took=took)
    else:
        words = phrase("asked at {at}, {state}", at=at, state=state)
    return glued(words, ": ", answer) if answer else words


def _tried(export: ExportRequest) -> str:
    return plural("tried once in vain", "tried {n} times in vain", export.unsent)


def answer_words(export: ExportRequest) -> str:
    """What the recorder said to a request; empty where it took it."""
    if not export.code:
        return one_line(export.text, 120)
    if export.state is not ExportState.REFUSED:
        return ""
    return one_line(f"{export.text} ({export.code})".strip(), 120)


def asked_words(
    story: Story, exports: Sequence[ExportRequest], clips: Sequence[Clip]
) -> str:
    """How often it was asked, what it said last, and when it is asked next."""
    opened_at = story.incident.opened_at
    tries = [clip.due_at for clip in clips if not clip.is_ended]
    when = story.shown(min(tries), opened_at) if tries else ""
    if not exports:
        if not tries:
            return phrase("not asked")
        if story.incident.is_active:
            return phrase("not asked yet")
        return phrase("is asked at {at}", at=when)
    is_due = any(clip.state is ClipState.DUE for clip in clips)
    said = answer_words(exports[-1])
    state = word(exports[-1].state)
    next_try = phrase("next try {at}", at=when) if is_due else ""
    parts = [
        _asked(len(exports)),
        glued(state, ", ", said) if said else state,
        next_try,
    ]
    return joined("; ", filter(None, parts))


def _asked(times: int) -> str:
    return plural("asked once", "asked {n} times", times)


def tell_story(story: Story) -> str:
    """The whole picture in sentences."""
    incident, zone = story.incident, story.zone
    at = incident.opened_at
    sentences: list[str] = [
        phrase("Rule {rule}, {state}.", rule=incident.rule, state=incident.state),
        phrase(
            "Opened on {at} {zone}.",
            at=day_and_clock(at, zone),
            zone=zone_word(at, zone),
        ),
        phrase("Alarms: {alarms}.", alarms=alarm_words(story)),
    ]
    for lane_clips in _by_recorder(incident.clips):
        recorder = lane_clips[0].recorder
        sentences += [
            glued(
                camera_name(clip),
                ": ",
                window_words(story, clip.window),
                ", ",
                word(clip.state),
                ".",
            )
            for clip in lane_clips[:MAX_TOLD]
        ]
        exports = [one for one in story.dossier.exports if one.recorder == recorder]
        asked = asked_words(story, exports, lane_clips)
        sentences.append(
            phrase("Recorder {recorder}: {asked}.", recorder=recorder, asked=asked)
        )
    if not incident.is_ended:
        sentences.append(phrase("Now it is {at}.", at=story.shown(story.now)))
    return joined(" ", sentences)


def _by_recorder(clips: Iterable[Clip]) -> list[list[Clip]]:
    in_order = sorted(clips, key=lambda clip: clip.recorder)
    return [
        list(found) for _, found in groupby(in_order, key=lambda clip: clip.recorder)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an incident is: percent for the bar, and words."""

    percent: int
    words: str


def progress(incident: Incident, exports: Sequence[ExportRequest]) -> Progress:
    """Clips that are exported count whole, those that run by their own percent."""
    counted = incident.wanted or incident.clips
    total = len(counted)
    done = sum(clip.has_footage for clip in counted)
    running = sum(
        export.percent / 100 * len(export.devices)
        for export in exports
        if export.state in {ExportState.EXPORTING, ExportState.CHECKING}
    )
    percent = int(100 * min(done + running, total) / total) if total else 0
    words = plural(
        "{done} of {n} camera exported",
        "{done} of {n} cameras exported",
        total,
        done=done,
    )
    off = sum(c.state is ClipState.CANCELLED for c in counted)
    if off and incident.is_withdrawn:
        words += plural(", {n} cancelled", ", {n} cancelled", off)
    return Progress(percent=percent, words=words)


def why(story: Story) -> str:
    """Why an incident is where it is; empty where its state says it."""
    incident = story.incident
    match incident.state:
        case IncidentState.RECORDING:
            return _why_recording(story)
        case IncidentState.WAITING:
            return _why_waiting(story)
        case IncidentState.EXPORTING:
            return _why_exporting(story)
        case IncidentState.EXPORTED:
            return gap_words(incident, story.zone)
        case _ if incident.is_withdrawn:
            return _who_cancelled(incident)
        case _:
            return lacking_words(incident)


def _why_exporting(story: Story) -> str:
    live = [each for each in story.dossier.exports if each.is_live]
    running = [each.percent for each in live if not each.is_unsent]
    if live and not running:
        said = one_line(live[0].text, 120)
        return phrase(
            "the recorder cannot be asked, and is tried again: {why}", why=kept(said)
        )
    if not running:
        return phrase("the recorder is done; whether footage came is looked at")
    return phrase("exporting, {percent} %", percent=f"{min(running):.0f}")


def _who_cancelled(incident: Incident) -> str:
    """A person decided so: who, and of which cameras."""
    off = [c for c in incident.wanted if c.state is ClipState.CANCELLED]
    names = ", ".join(camera_names(off))
    said = next((kept(c.message) for c in off if c.message), word(ClipState.CANCELLED))
    return phrase("{cameras}: {why}; the rest is exported", cameras=names, why=said)


def _why_recording(story: Story) -> str:
    incident = story.incident
    if incident.is_active:
        cut = story.shown(incident.cut_at)
        return phrase("still open; saved until it closes, {at} at the latest", at=cut)
    return phrase("recording until {at}", at=story.shown(incident.span.end))


def _why_waiting(story: Story) -> str:
    due = [clip for clip in story.incident.clips if clip.state is ClipState.DUE]
    clip = min(due, key=lambda clip: clip.due_at)
    if clip.recorder in story.away:
        return phrase("waits: recorder {name} does not answer", name=clip.recorder)
    if story.incident.terms.destination in story.held:
        place = story.incident.terms.destination
        return phrase("waits: {destination} takes nothing", destination=place)
    at = story.shown(clip.due_at, story.now)
    is_ahead = clip.due_at > story.now
    turn = phrase("waits for its turn")
    if not clip.attempts and not clip.message:
        return phrase("export starts at {at}", at=at) if is_ahead else turn
    when = phrase("next try {at}", at=at) if is_ahead else turn
    return joined("; ", [clip_words(clip), when, _tries(clip.attempts)])


def _tries(count: int) -> str:
    return plural("{n} try", "{n} tries", count)


_LACK: Mapping[ClipState, str] = {
    ClipState.MISSING: mark("{cameras} missing"),
    ClipState.REJECTED: mark("{cameras} rejected"),
    ClipState.CANCELLED: mark("{cameras} cancelled"),
}


def lacking_words(incident: Incident) -> str:
    """Which cameras lack footage, why, and how often it was asked for.

    `Kelder missing: the recorder has no video of it (asked 16 times)`.
    """
    lost = [clip for clip in incident.wanted if clip.is_lacking]
    said = []
    for (reason, _), clips in groupby(lost, lambda clip: (clip.reason, clip.is_gapped)):
        each = list(clips)
        names = few(camera_names(each))
        times = max(clip.attempts for clip in each)
        how = each[0].ended_as or each[0].state
        words: str = phrase(_LACK.get(how, "{cameras} {how}"), cameras=names, how=how)
        if each[0].is_gapped:
            words = phrase("{cameras} has a gap at the alarm", cameras=names)
        words = glued(words, ": ", REASONS[reason]) if reason else words
        said.append(glued(words, " (", _asked(times), ")") if times else words)
    return joined("; ", said) if said else reason_words(incident)


def reason_words(incident: Incident) -> str:
    if incident.reason is None:
        return ""
    return REASONS[incident.reason]


def coverage_words(clip: Clip, zone: tzinfo) -> str:
    """What the recorder has of it, where it is exported; "" where all is well."""
    coverage = clip.coverage
    if not clip.has_footage or coverage is None:
        return ""
    if coverage.state is CoverageState.UNKNOWN:
        return phrase(
            "whether it is whole is not known: {text}", text=kept(coverage.text)
        )
    spans = [
        phrase(
            "{start} to {end}", start=clock(gap.start, zone), end=clock(gap.end, zone)
        )
        for gap in coverage.gaps[:MAX_GAPS]
    ]
    if not spans:
        return ""
    told = joined(", ", spans)
    more = len(coverage.gaps) - len(spans)
    if more > 0:
        told = plural("{spans} and {n} more", "{spans} and {n} more", more, spans=told)
    if coverage.is_loss:
        return phrase("nothing recorded {spans}, over the alarm itself", spans=told)
    return phrase("nothing recorded {spans}", spans=told)


MAX_GAPS = 5


def gap_words(incident: Incident, zone: tzinfo) -> str:
    """Which cameras have gaps in their footage, and when; "" where none has.

    `Kelder: nothing recorded 02:03:10 to 02:03:40`.
    """
    told = [
        glued(camera_name(clip), ": ", coverage_words(clip, zone))
        for clip in incident.wanted
        if clip.has_footage and clip.coverage is not None and clip.coverage.gaps
    ]
    return joined("; ", told) if told else ""


def clip_words(clip: Clip) -> str:
    """What the recorder or an operator said of a clip last.

    That there is no video is told in our own words, which are translated: the recorder
    says it while the video may yet come, and in its own language.
    """
    if clip.code and clip.reason is Reason.NO_VIDEO:
        words = REASONS[clip.reason] if clip.is_ended else phrase("no video yet")
        return glued(words, f" ({clip.code})")
    if clip.message:
        said = kept(clip.message)
        return glued(said, f" ({clip.code})") if clip.code else said
    return REASONS[clip.reason] if clip.reason else ""
