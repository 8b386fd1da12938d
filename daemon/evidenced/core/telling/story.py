"""An incident in words: one wording for the timeline, the page and the record. Pure.

What happened, how far it is, and why no further.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import Reason
from evidenced.core.ids import RecorderName
from evidenced.core.incidents.coverage import CoverageState
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState, ExportState, IncidentState
from evidenced.core.instants import ZERO
from evidenced.core.keeping.kept import Dossier
from evidenced.core.spoken import clock, day, day_and_clock, spoken, zone_word
from evidenced.core.window import Window

REASONS: Mapping[Reason, str] = {
    Reason.NO_VIDEO: "the recorder has no video of it",
    Reason.NO_DEVICE: "the recorder does not know the camera",
    Reason.NO_SERVER: "the recorder does not know the camera's server",
    Reason.BAD_REQUEST: "the recorder does not take the request",
    Reason.BAD_PATH: "the destination's folder cannot be written",
    Reason.DISK_FULL: "the destination's disk is full",
    Reason.NO_CAMERA: "no camera of the rule is configured",
    Reason.NO_RECORDER: "the recorder is no longer configured",
    Reason.UNREACHABLE: "the recorder cannot be reached",
    Reason.TIMEOUT: "the recorder did not answer in time",
    Reason.LOGIN_REFUSED: "the recorder refuses the login",
    Reason.EXPORT_FAILED: "the recorder could not finish the export",
    Reason.EXPORT_VANISHED: "the recorder lost the export",
    Reason.NO_FOOTAGE: "the recorder's export holds no footage",
    Reason.RECORDER_FAULT: "the recorder has a fault",
    Reason.NO_LICENSE: "the recorder has no license for it",
    Reason.SERVER_ERROR: "the recorder answers with an error",
    Reason.GARBAGE: "the recorder answers what cannot be read",
    Reason.OPERATOR: "an operator cancelled it",
}

MAX_TOLD = 60
"""Windows of one recorder that are read out; a table has the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a timeline is made of. `settles` are those of today's configuration."""

    dossier: Dossier
    now: datetime
    settles: Mapping[RecorderName, timedelta] = field(default_factory=dict)
    zone: tzinfo = UTC

    @property
    def incident(self) -> Incident:
        return self.dossier.incident

    def shown(self, at: datetime, beside: datetime | None = None) -> str:
        """The time of day, with its day where `beside` lies on another one."""
        if beside is None or day(at, self.zone) == day(beside, self.zone):
            return clock(at, self.zone)
        return f"{day(at, self.zone).rpartition(' ')[0]} {clock(at, self.zone)}"


def alarm_words(story: Story) -> str:
    """When the alarms came, how many, and whether a clear is awaited."""
    incident, zone = story.incident, story.zone
    opened_at = incident.opened_at
    when = f"on {day(opened_at, zone)}, {zone_word(opened_at, zone)}"
    last_at = max([incident.last_at, *(each.at for each in story.dossier.alarms)])
    if incident.continues and not incident.alarms:
        words = f"goes on from {incident.continues}"
    elif incident.alarms == 1:
        words = f"{story.shown(opened_at)} {when}"
    else:
        until = story.shown(last_at, opened_at)
        words = f"{incident.alarms}, {story.shown(opened_at)} to {until} {when}"
    return f"{words}; its clear is awaited" if incident.is_active else words


def camera_name(clip: Clip) -> str:
    """The label for people; the configured name where it has none."""
    return one_line(clip.label or clip.camera, 60)


def window_words(story: Story, window: Window) -> str:
    """`06:15:00 to 06:17:30, 2 min 30 s`."""
    return (
        f"{story.shown(window.start)} to {story.shown(window.end)}, "
        f"{spoken(window.length)}"
    )


def roll_words(story: Story, clip: Clip) -> tuple[str, str]:
    """How much of the window lies before the alarm and after it."""
    incident = story.incident
    before = incident.opened_at - clip.window.start
    is_first = not incident.continues and ZERO < before <= clip.window.length
    is_last = clip.post_roll and not incident.is_active
    return (
        f"{spoken(before)} before" if is_first else "",
        f"{spoken(clip.post_roll)} after" if is_last else "",
    )


def export_words(story: Story, export: ExportRequest) -> str:
    """`asked at 06:17:15, refused: No video data (7)`."""
    answer = answer_words(export)
    until = export.finished_at
    took = f", {spoken(until - export.requested_at)}" if until else ""
    tries = "once" if export.unsent == 1 else f"{export.unsent} times"
    state = f"tried {tries} in vain" if export.is_unsent else export.state
    words = f"asked at {story.shown(export.requested_at)}, {state}{took}"
    return f"{words}: {answer}" if answer else words


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
        if not tries or story.incident.is_active:
            return "not asked yet" if tries else "not asked"
        return f"is asked at {when}"
    is_due = any(clip.state is ClipState.DUE for clip in clips)
    times = "once" if len(exports) == 1 else f"{len(exports)} times"
    said = answer_words(exports[-1])
    outcome = f"{exports[-1].state}" + (f", {said}" if said else "")
    next_try = f"next try {when}" if is_due else ""
    return "; ".join(filter(None, [f"asked {times}", outcome, next_try]))


def tell_story(story: Story) -> str:
    """The whole picture in sentences."""
    incident, zone = story.incident, story.zone
    at = incident.opened_at
    sentences = [
        f"Rule {incident.rule}, {incident.state}.",
        f"Opened on {day_and_clock(at, zone)} {zone_word(at, zone)}.",
        f"Alarms: {alarm_words(story)}.",
    ]
    for lane_clips in _by_recorder(incident.clips):
        recorder = lane_clips[0].recorder
        sentences += [
            f"{camera_name(clip)}: {window_words(story, clip.window)}, {clip.state}."
            for clip in lane_clips[:MAX_TOLD]
        ]
        exports = [one for one in story.dossier.exports if one.recorder == recorder]
        asked = asked_words(story, exports, lane_clips)
        sentences.append(f"Recorder {recorder}: {asked}.")
    if not incident.is_ended:
        sentences.append(f"Now it is {story.shown(story.now)}.")
    return " ".join(sentences)


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
    cameras = "camera" if total == 1 else "cameras"
    words = f"{done} of {total} {cameras} exported"
    off = sum(c.state is ClipState.CANCELLED for c in counted)
    if off and incident.is_withdrawn:
        words += f", {off} cancelled"
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
        return f"the recorder cannot be asked, and is tried again: {said}"
    if not running:
        return "the recorder is done; whether footage came is looked at"
    return f"exporting, {min(running):.0f} %"


def _who_cancelled(incident: Incident) -> str:
    """A person decided so: who, and of which cameras."""
    off = [c for c in incident.wanted if c.state is ClipState.CANCELLED]
    names = ", ".join(dict.fromkeys(clip.label or clip.camera for clip in off))
    said = next((clip.message for clip in off if clip.message), "cancelled")
    return f"{names}: {said}; the rest is exported"


def _why_recording(story: Story) -> str:
    incident = story.incident
    if incident.is_active:
        cut = story.shown(incident.cut_at)
        return f"still open; saved until it closes, {cut} at the latest"
    return f"recording until {story.shown(incident.span.end)}"


def _why_waiting(story: Story) -> str:
    due = [clip for clip in story.incident.clips if clip.state is ClipState.DUE]
    clip = min(due, key=lambda clip: clip.due_at)
    when = (
        f"next try {story.shown(clip.due_at, story.now)}"
        if clip.due_at > story.now
        else "waits for its turn"
    )
    if not clip.attempts and not clip.message:
        return when.replace("next try", "export starts at")
    said = f"{clip.message} ({clip.code})" if clip.code else clip.message
    return f"{said or clip.reason}; {when}; {_tries(clip.attempts)}"


def _tries(count: int) -> str:
    return "1 try" if count == 1 else f"{count} tries"


GAP = "has a gap at the alarm"


def lacking_words(incident: Incident) -> str:
    """Which cameras lack footage, why, and how often it was asked for.

    `Kelder missing: the recorder has no video of it (asked 16 times)`.
    """
    lost = [clip for clip in incident.wanted if clip.is_lacking]
    said = []
    for (reason, _), clips in groupby(lost, lambda clip: (clip.reason, clip.is_gapped)):
        each = list(clips)
        names = ", ".join(dict.fromkeys(map(camera_name, each)))
        times = max(clip.attempts for clip in each)
        how = each[0].ended_as or each[0].state
        words = f"{names} {GAP if each[0].is_gapped else how}"
        words += f": {REASONS[reason]}" if reason else ""
        said.append(f"{words} (asked {_times(times)})" if times else words)
    return "; ".join(said) or reason_words(incident)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


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
        return f"whether it is whole is not known: {coverage.text}"
    spans = [
        f"{clock(gap.start, zone)} to {clock(gap.end, zone)}"
        for gap in coverage.gaps[:MAX_GAPS]
    ]
    more = len(coverage.gaps) - len(spans)
    rest = f" and {more} more" if more > 0 else ""
    over = ", over the alarm itself" if coverage.is_loss else ""
    return f"nothing recorded {', '.join(spans)}{rest}{over}" if spans else ""


MAX_GAPS = 5


def gap_words(incident: Incident, zone: tzinfo) -> str:
    """Which cameras have gaps in their footage, and when; "" where none has.

    `Kelder: nothing recorded 02:03:10 to 02:03:40`.
    """
    return "; ".join(
        f"{camera_name(clip)}: {coverage_words(clip, zone)}"
        for clip in incident.wanted
        if clip.has_footage and clip.coverage is not None and clip.coverage.gaps
    )


def clip_words(clip: Clip) -> str:
    """What the recorder or an operator said of a clip last."""
    if clip.message:
        return f"{clip.message} ({clip.code})" if clip.code else clip.message
    return REASONS[clip.reason] if clip.reason else ""
