"""What happened, in a few sentences for somebody who knows nothing of it. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC

from evidenced.core.alarms.alarm import BY_HAND
from evidenced.core.alarms.payload import one_line
from evidenced.core.incidents.incident import Clip
from evidenced.core.phrase import joined, phrase, plural
from evidenced.core.spoken import clock, long_day, zone_words
from evidenced.core.telling.cameranames import camera_name, camera_names
from evidenced.core.telling.story import Story, clip_words, window_words

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
        *_more_lost(len(lost) - MOST_CAMERAS),
        *_open_yet(open_yet),
    ]


def _what_came(story: Story, site: str) -> str:
    incident = story.incident
    alarms = story.dossier.alarms
    about: dict[str, object] = {
        "when": _when(story),
        "what": one_line(incident.summary or incident.label, MOST_TEXT),
        "where": one_line(site, MOST_TEXT),
    }
    if alarms and all(alarm.topic == BY_HAND for alarm in alarms):
        return phrase(
            "{when} footage was asked for by hand at {where}: {what}.", **about
        )
    if incident.continues:
        return phrase(
            "{when} the alarm “{what}” went on at {where}: it is a long one.", **about
        )
    if incident.alarms > 1:
        return phrase(
            "{when} the first of {n} alarms “{what}” came at {where}; the last one "
            "came at {last}.",
            n=incident.alarms,
            last=story.shown(incident.last_at, incident.opened_at),
            **about,
        )
    return phrase("{when} the alarm “{what}” came at {where}.", **about)


def _when(story: Story) -> str:
    at, zone = story.incident.opened_at, story.zone
    about: dict[str, object] = {
        "day": long_day(at, zone),
        "time": clock(at, zone),
        "zone": zone_words(at, zone),
    }
    if at.astimezone(zone).utcoffset():
        return phrase(
            "On {day} at {time} ({zone}; {utc} UTC)", utc=clock(at, UTC), **about
        )
    return phrase("On {day} at {time} ({zone})", **about)


def _footage(story: Story, good: Sequence[Clip]) -> Iterator[str]:
    """Cameras that filmed the same span share the mention of it."""
    spans: dict[str, list[str]] = {}
    for clip in good[:MOST_CAMERAS]:
        words = window_words(story, clip.window)
        spans.setdefault(words, []).append(camera_name(clip))
    told = [
        phrase("of {cameras} from {window}", cameras=", ".join(names), window=words)
        for words, names in spans.items()
    ]
    if told:
        yield phrase("There is footage {parts}.", parts=joined("; ", told))
    more = len(good) - MOST_CAMERAS
    if more > 0:
        yield plural(
            "There is footage, too, of {n} more window; see the table of cameras.",
            "There is footage, too, of {n} more windows; see the table of cameras.",
            more,
        )
    if not good:
        yield phrase("There is no footage of it.")


def _none_of(story: Story, clip: Clip) -> str:
    about: dict[str, object] = {
        "camera": camera_name(clip),
        "window": window_words(story, clip.window),
    }
    why = one_line(clip_words(clip), MOST_TEXT)
    if why:
        return phrase(
            "There is none of {camera} from {window}: {why}.", why=why, **about
        )
    return phrase("There is none of {camera} from {window}.", **about)


def _more_lost(more: int) -> Iterator[str]:
    if more > 0:
        yield plural(
            "There is none of {n} more window; see the table of cameras.",
            "There is none of {n} more windows; see the table of cameras.",
            more,
        )


def _open_yet(clips: Sequence[Clip]) -> Iterator[str]:
    if clips:
        yield phrase(
            "Not exported yet when this was written: {cameras}.",
            cameras=", ".join(camera_names(clips)[:MOST_CAMERAS]),
        )
