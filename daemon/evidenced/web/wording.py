"""Sentences of the page: is it safe, why it waits, why a window is so. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evidenced.core.alarms.alarm import Signal
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Clip
from evidenced.core.instants import HOUR, ZERO
from evidenced.core.keeping.kept import Standing
from evidenced.core.spoken import clock, spoken
from evidenced.core.telling.story import Story
from evidenced.ports.control import RecorderStatus, ShareStatus

MANY = 1000
"""The store counts no further."""
WITHOUT, RECORDERS = "/without-footage", "/recorders"


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One sentence, and how bad it is: good, wait or bad.

    `see` is the page that says which.
    """

    mood: str
    text: str
    more: str = ""
    see: str = ""


def hindrances(
    recorders: Iterable[RecorderStatus], shares: Iterable[ShareStatus]
) -> list[str]:
    """What keeps footage from being exported now, a few words each."""
    asked = list(recorders)
    found = [
        f"recorder {each.name} does not answer"
        for each in asked
        if each.problem and not each.is_up
    ]
    found += [
        f"the share of {each.destination} is not there"
        for each in shares
        if each.problem
    ]
    return found + [
        f"{name} is held at {each.name}" for each in asked for name in each.holds
    ]


def headline(
    standing: Standing,
    within: timedelta,
    problems: Sequence[str],
    hindered: Sequence[str] = (),
) -> Headline:
    """Whether the footage is safe, for somebody who reads nothing else.

    What hinders exports loses nothing, but what waits will wait until it is mended.
    """
    found = _verdict(standing, within, problems)
    if not hindered:
        return found
    found = replace(found, more="; ".join([found.more, *hindered]))
    return found if found.mood == "bad" else replace(found, mood="wait", see=RECORDERS)


def _verdict(
    standing: Standing, within: timedelta, problems: Sequence[str]
) -> Headline:
    last = f"the last {within // HOUR} hours"
    lacking = _lacking(standing, last)
    if problems:
        more = "; ".join([*problems, *lacking])
        see = WITHOUT if lacking else ""
        text = "Alarms may not be coming in."
        return Headline(mood="bad", text=text, more=more, see=see)
    if lacking:
        waits = f"; {_count(standing.waiting)} under way" if standing.waiting else ""
        text = "Some footage is not safe." if standing.missing else "Footage is late."
        more = ", ".join(lacking) + waits
        return Headline(mood="bad", text=text, more=more, see=WITHOUT)
    if standing.waiting:
        text = f"{_count(standing.waiting)} under way, nothing is missing."
        done = f"{_count(standing.safe)} of {last} exported"
        return Headline(mood="wait", text=text, more=_more(done, standing))
    if standing.safe:
        done = _more(f"{_count(standing.safe)} exported", standing)
        return Headline(mood="good", text=f"All footage of {last} is safe.", more=done)
    if standing.withdrawn:
        text = f"Nothing is missing in {last}."
        return Headline(mood="good", text=text, more=_more("", standing))
    return Headline(mood="good", text=f"No alarms in {last}.", more="nothing waits")


def _lacking(standing: Standing, last: str) -> list[str]:
    found = []
    if standing.missing:
        found.append(f"{_count(standing.missing)} without all footage in {last}")
    if standing.late:
        found.append(f"{standing.late} late")
    return found


def _more(done: str, standing: Standing) -> str:
    """What was exported, and what people decided not to export."""
    number = standing.withdrawn
    off = f"{_count(number)} cancelled" if number else ""
    return "; ".join(part for part in (done, off) if part)


def _count(number: int) -> str:
    if number >= MANY:
        return f"{MANY} or more incidents"
    return "1 incident" if number == 1 else f"{number} incidents"


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
