"""Sentences of the page: why a window is so, whose clock a time is from. Pure."""

from datetime import datetime

from evidenced.core.alarms.alarm import Signal
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Clip
from evidenced.core.instants import ZERO
from evidenced.core.spoken import clock, spoken
from evidenced.core.telling.story import Story


def window_reasons(story: Story, clip: Clip) -> list[str]:
    """Why a window is what it is, one sentence each."""
    incident = story.incident
    found = [_why_begins(story, clip), _why_ends(story, clip)]
    if incident.alarms > 1:
        found.append(f"{incident.alarms} messages made one window, for theirs touch")
    found += [_asked_as(story, clip, each) for each in story.dossier.exports]
    return [sentence for sentence in dict.fromkeys(found) if sentence]


def _why_begins(story: Story, clip: Clip) -> str:
    incident = story.incident
    if incident.continues and clip.window.start <= incident.first_at:
        return f"begins at the cut of {incident.continues}, so without pre-roll"
    before = incident.opened_at - clip.window.start
    source = next((a.time_source for a in story.dossier.alarms), "")
    at = f"the alarm at {story.shown(incident.opened_at)}"
    at += f", whose time is {time_words(source)}" if source else ""
    if before > ZERO:
        return f"begins {spoken(before)} before {at} (pre-roll)"
    return f"begins with {at}" if not before else "begins with a later alarm"


def _why_ends(story: Story, clip: Clip) -> str:
    incident, alarms = story.incident, story.dossier.alarms
    if incident.is_active:
        return "its end is open: the clear is awaited"
    roll = f"{spoken(clip.post_roll)} after"
    clears = [alarm.at for alarm in alarms if alarm.signal is Signal.CLEAR]
    if clears and clip.window.end == max(clears) + clip.post_roll:
        return f"ends {roll} the clear at {story.shown(max(clears))} (post-roll)"
    if clip.window.end == incident.last_at + clip.post_roll:
        which = "the alarm" if incident.alarms == 1 else "the last alarm"
        return f"ends {roll} {which} at {story.shown(incident.last_at)} (post-roll)"
    if clip.window.end == incident.cut_at:
        return "ends at the cut, where the next piece begins"
    return ""


def _asked_as(story: Story, clip: Clip, export: ExportRequest) -> str:
    """The window in the recorder's own time, where that differs."""
    for device in export.devices:
        if device.clip == clip.n and export.offset:
            window = device.asked.window
            side = "ahead of" if export.offset > ZERO else "behind"
            return (
                f"asked for as {_time(window.start, story)} to "
                f"{_time(window.end, story)}: the recorder's clock is "
                f"{spoken(abs(export.offset))} {side} ours"
            )
    return ""


def _time(at: datetime, story: Story) -> str:
    return clock(at, story.zone)


def time_words(source: str) -> str:
    """Whose clock an alarm's time is from: `that of its receipt`, `the payload's`."""
    whose, _, why_so = source.partition(" ")
    plain = {
        "received": "that of its receipt",
        "payload": "the payload's",
        "operator": "the operator's",
        "silence": "the end of the silence",
    }.get(whose, whose)
    return f"{plain} {why_so}".strip()
