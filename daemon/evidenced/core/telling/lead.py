"""What happened, in a few sentences for somebody who knows nothing of it. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC

from evidenced.core.alarms.alarm import BY_HAND
from evidenced.core.alarms.payload import one_line
from evidenced.core.incidents.incident import Clip
from evidenced.core.phrase import phrase
from evidenced.core.spoken import clock, long_day, zone_words
from evidenced.core.telling.story import Story, camera_name, clip_words, window_words

MOST_CAMERAS = 8
"""Told one by one; a table has the rest."""
MOST_TEXT = 200


def lead(story: Story, site: str) -> list[str]:
    """Sentences: what came when, which footage there is, and which there is not."""
    clips = story.incident.clips
    good = [clip for clip in clips if clip.has_footage]
    lost = [clip for clip in clips if clip.is_ended and not clip.has_footage]
    open_yet = [clip for clip in clips if not clip.is_ended]
    return [
        _what_came(story, site),
        *_footage(story, good),
        *(_none_of(story, clip) for clip in lost[:MOST_CAMERAS]),
        *_rest(lost, "There is none of"),
        *_names(open_yet, "Not exported yet when this was written:"),
    ]


def _what_came(story: Story, site: str) -> str:
    incident, zone = story.incident, story.zone
    at = incident.opened_at
    when = phrase(
        "On {at} at {at2} ({at3}",
        at=long_day(at, zone),
        at2=clock(at, zone),
        at3=zone_words(at, zone),
    )
    when += (
        phrase("; {at} UTC)", at=clock(at, UTC))
        if at.astimezone(zone).utcoffset()
        else ")"
    )
    what = one_line(incident.summary or incident.label, MOST_TEXT)
    where = one_line(site, MOST_TEXT)
    alarms = story.dossier.alarms
    if alarms and all(alarm.topic == BY_HAND for alarm in alarms):
        return phrase(
            "{when} footage was asked for by hand at {where}: {what}.",
            when=when,
            where=where,
            what=what,
        )
    if incident.continues:
        return phrase(
            "{when} the alarm “{what}” went on at {where}: it is a long one.",
            when=when,
            what=what,
            where=where,
        )
    if incident.alarms > 1:
        return phrase(
            "{when} the first of {alarms} alarms “{what}” came at {where}; the "
            "last one came at {last_at}.",
            when=when,
            alarms=incident.alarms,
            what=what,
            where=where,
            last_at=story.shown(incident.last_at, at),
        )
    return phrase(
        "{when} the alarm “{what}” came at {where}.", when=when, what=what, where=where
    )


def _footage(story: Story, good: Sequence[Clip]) -> Iterator[str]:
    """Cameras that filmed the same span share the mention of it."""
    spans: dict[str, list[str]] = {}
    for clip in good[:MOST_CAMERAS]:
        words = window_words(story, clip.window)
        spans.setdefault(words, []).append(camera_name(clip))
    told = [
        phrase("{names} from {words}", names=", ".join(names), words=words)
        for words, names in spans.items()
    ]
    if told:
        yield phrase("There is footage of {told}.", told="; of ".join(told))
    yield from _rest(good, "There is footage, too, of")
    if not good:
        yield "There is no footage of it."


def _none_of(story: Story, clip: Clip) -> str:
    why = one_line(clip_words(clip), MOST_TEXT)
    words = window_words(story, clip.window)
    end = f": {why}" if why else ""
    return phrase(
        "There is none of {clip} from {words}{end}.",
        clip=camera_name(clip),
        words=words,
        end=end,
    )


def _rest(clips: Sequence[Clip], words: str) -> Iterator[str]:
    more = len(clips) - MOST_CAMERAS
    if more > 0:
        yield phrase(
            "{words} {more} more windows; see the table of cameras.",
            words=words,
            more=more,
        )


def _names(clips: Sequence[Clip], words: str) -> Iterator[str]:
    if clips:
        names = dict.fromkeys(camera_name(clip) for clip in clips)
        yield f"{words} {', '.join([*names][:MOST_CAMERAS])}."
