"""An incident in words: what the timeline, the page and the record say of it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby

from evidenced.core.alarms.payload import one_line
from evidenced.core.ids import RecorderName
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState, ExportState
from evidenced.core.instants import ZERO
from evidenced.core.keeping.kept import Dossier
from evidenced.core.spoken import clock, day, day_and_clock, spoken, zone_word
from evidenced.core.window import Window

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
    """`asked at 06:17:15, refused: No video data (-48)`."""
    answer = answer_words(export)
    until = export.finished_at
    took = f", {spoken(until - export.requested_at)}" if until else ""
    words = f"asked at {story.shown(export.requested_at)}, {export.state}{took}"
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
