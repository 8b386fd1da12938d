"""Sentences of the page: why a window is so, whose clock a time is from. Pure."""

from collections.abc import Sequence

from evidenced.core.alarms.alarm import Signal
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Clip
from evidenced.core.instants import ZERO
from evidenced.core.phrase import phrase, plural
from evidenced.core.spoken import clock, spoken
from evidenced.core.telling.clocks import time_words
from evidenced.core.telling.story import Story

MOST_WINDOWS = 12
"""Cameras whose windows an incident's page shows at once, and all that lack footage."""


def window_reasons(story: Story, clip: Clip) -> list[str]:
    """Why a window is what it is, one sentence each."""
    incident = story.incident
    found = [_why_begins(story, clip), _why_ends(story, clip)]
    if incident.alarms > 1:
        found.append(
            plural(
                "{n} message, one window: they overlap",
                "{n} messages, one window: they overlap",
                incident.alarms,
            )
        )
    found += [_asked_as(story, clip, each) for each in story.dossier.exports]
    return [sentence for sentence in dict.fromkeys(found) if sentence]


def _why_begins(story: Story, clip: Clip) -> str:
    incident = story.incident
    if incident.continues and clip.window.start <= incident.first_at:
        return phrase(
            "starts at the cut of {incident}, so without pre-roll",
            incident=incident.continues,
        )
    before = incident.opened_at - clip.window.start
    if before < ZERO:
        return phrase("starts with a later alarm")
    source = next((a.time_source for a in story.dossier.alarms), "")
    at: str = story.shown(incident.opened_at)
    alarm = phrase("the alarm at {at}", at=at)
    if source:
        alarm = phrase("the alarm at {at} ({source})", at=at, source=time_words(source))
    if before > ZERO:
        return phrase(
            "starts {length} before {alarm}", length=spoken(before), alarm=alarm
        )
    return phrase("starts with {alarm}", alarm=alarm)


def _why_ends(story: Story, clip: Clip) -> str:
    incident, alarms = story.incident, story.dossier.alarms
    if incident.is_active:
        return phrase("still open: it ends once the alarm is cleared")
    roll = spoken(clip.post_roll)
    clears = [alarm.at for alarm in alarms if alarm.signal is Signal.CLEAR]
    if clears and clip.window.end == max(clears) + clip.post_roll:
        at = story.shown(max(clears))
        return phrase("ends {length} after it was cleared at {at}", length=roll, at=at)
    if clip.window.end == incident.last_at + clip.post_roll:
        at = story.shown(incident.last_at)
        if incident.alarms == 1:
            return phrase("ends {length} after the alarm at {at}", length=roll, at=at)
        return phrase("ends {length} after the last alarm at {at}", length=roll, at=at)
    if clip.window.end == incident.cut_at:
        return phrase("ends at the cut, where the next piece starts")
    return ""


def _asked_as(story: Story, clip: Clip, export: ExportRequest) -> str:
    """The window in the recorder's own time, where that differs."""
    for device in export.devices:
        if device.clip == clip.n and export.offset:
            window = device.asked.window
            about: dict[str, object] = {
                "start": clock(window.start, story.zone),
                "end": clock(window.end, story.zone),
                "length": spoken(abs(export.offset)),
            }
            if export.offset > ZERO:
                return phrase(
                    "asked for as {start} to {end}: the recorder's clock is {length} "
                    "ahead of ours",
                    **about,
                )
            return phrase(
                "asked for as {start} to {end}: the recorder's clock is {length} "
                "behind ours",
                **about,
            )
    return ""


def foremost(clips: Sequence[Clip]) -> tuple[Sequence[Clip], Sequence[Clip]]:
    """Those that are shown at once, of many first what lacks footage; and the rest."""
    if len(clips) <= MOST_WINDOWS:
        return clips, ()
    lacking = [clip for clip in clips if not clip.has_footage or clip.is_gapped]
    whole = [clip for clip in clips if clip not in lacking]
    room = max(MOST_WINDOWS - len(lacking), 0)
    return [*lacking, *whole[:room]], whole[room:]
