"""Entries of the history as sentences, for people who do not know the program. Pure.

The page, the evidence record's page and the demo say the same of the same entry. What
is quoted comes from outside and is cut to a line.

A sentence is a row of parts, each a text with details of the entry in braces: a part
whose details are not there, or are not what they should be, is left out, for the
history outlives the version that wrote it. Of a part with alternatives the first that
can be said is. `{end:clock}` is a time of day, `{failed:camera}` how many there are,
`{signed_by:if}` only asks whether it is there, `{reason:why}` is a reason in words,
`{time_source:time}` whose clock a time is from, `{clips:names}` which cameras, by name
where they are few.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from evidenced.core.alarms.payload import one_line
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.incidents.states import CLIP_LOST
from evidenced.core.phrase import (
    Phrase,
    joined,
    kept,
    mark,
    marks,
    plural,
    said,
    word,
)
from evidenced.core.spoken import clock, person
from evidenced.core.telling.clocks import time_words
from evidenced.core.telling.reasons import reason_said

MOST = 300
"""Characters of what is quoted."""
MOST_NAMES = 3
"""Cameras that one sentence names."""

Sentence = tuple[str | tuple[str, ...], ...]

_SAID = ": {text}"
_THEN: Sentence = (
    mark("; asks again at {next_try:clock}"),
    (mark("; gives up {lost:names}"), mark("; gives up {lost:camera}")),
)
"""What follows from no footage: the next try, or that there is none."""

_REFUSED: Sentence = (
    (
        "{reason:why} ({code})",
        mark("not asked for ({reason:why})"),
        mark("not asked for"),
    ),
    _SAID,
    *_THEN,
)
_UNKNOWN = mark("; {unknown_cameras:camera} of the alarm not configured")
_SHORT = mark("; {short:camera} with the least window, 1 s")
_SILENCED = mark("; without {silenced:camera} that a silence is over")

_SENTENCES: Mapping[str, Sentence] = {
    Event.OPENED: (
        (mark("incident opened, {clips:camera}"), mark("incident opened, 0 cameras")),
        (mark(" by {by}: {comment}"), "; {time_source:time}"),
        _UNKNOWN,
        _SHORT,
        _SILENCED,
    ),
    Event.EXTENDED: (
        mark("one more alarm"),
        mark(": the window now ends at {end:clock}"),
        _UNKNOWN,
        _SHORT,
        _SILENCED,
    ),
    Event.CLEARED: (
        mark("the alarm cleared"),
        mark(": the window ends at {end:clock}"),
        _SHORT,
    ),
    Event.CONTINUED: (
        (mark("goes on from incident {continues}"), mark("goes on")),
        _UNKNOWN,
        _SHORT,
        mark("; the alarm has been on for {on_for}"),
        ": {why}",
    ),
    Event.ENDED: (
        (
            mark("cut at {cut:clock}, its longest; goes on as incident {goes_on_as}"),
            mark("ended; the recorder still writes what it filmed"),
        ),
        ": {why}",
    ),
    Event.REQUESTED: (
        (
            mark("asks the recorder for {clips:names}"),
            mark("asks the recorder for {devices:camera} in one request"),
            mark("asks the recorder"),
        ),
        _SHORT,
    ),
    Event.ACCEPTED: (
        mark("the recorder exports it"),
        mark(" as its number {known_as}"),
        mark("; times it could not be reached before: {unsent}"),
    ),
    Event.ADOPTED: (
        mark("the answer was lost; the export was found "),
        (mark("in the recorder's list, number {known_as}"), mark("by its files")),
    ),
    Event.REFUSED: _REFUSED,
    Event.ISOLATED: (
        *_REFUSED,
        mark("; from now on in {apart:request}, to tell cameras apart"),
    ),
    Event.NOT_SENT: (
        mark("the request did not reach the recorder"),
        _SAID,
        mark("; it is sent again when the recorder answers"),
    ),
    Event.TAKEN_BACK: (mark("the request, which never left, was taken back"), _SAID),
    Event.UNANSWERED: (
        mark("no answer came"),
        _SAID,
        mark("; the recorder's list will tell whether it took the request"),
    ),
    Event.VANISHED: (mark("the recorder lost the export"), _SAID, *_THEN),
    Event.TURNED_UP: (
        mark(
            "the recorder shows the lost export after all: as it was asked for again, "
            "this one was deleted there"
        ),
        _SAID,
    ),
    Event.FINISHED: (
        (mark("the recorder has written to {path}"), mark("the recorder is done")),
        mark("; {failed:camera} failed"),
        mark("; whether footage lies there is looked at"),
    ),
    Event.EXPORTED: (
        (mark("exported to {path}"), mark("footage was exported")),
        mark(", {files} files"),
        mark("; {failed:camera} failed"),
        mark("; far too small for its length{too_small:if}: look at it"),
    ),
    Event.COVERED: (
        (
            mark("the recorder has {gaps:gap} in the footage of {camera}"),
            mark("whether the footage of {camera} is whole is not known: {text}"),
            mark("the recorder has all of the footage of {camera}"),
            mark("the recorder was asked what it has"),
        ),
        mark("; one lies over the alarm itself{is_loss:if}"),
    ),
    Event.PICTURED: (
        (mark("{pictures:picture} of {camera}"), mark("no picture of {camera}")),
        mark("; {lacking} could not be had"),
        _SAID,
    ),
    Event.EMPTY: (
        (mark("no footage lies in {path}"), mark("no footage was written")),
        *_THEN,
    ),
    Event.FAILED: (mark("the recorder could not finish the export"), *_THEN),
    Event.LATE: (mark("footage is late"), mark(": the window ended at {end:clock}")),
    Event.STRANDED: (mark("given up: the recorder is no longer configured"), _SAID),
    Event.CANCELLED: (
        (mark("cancelled by {by}"), mark("the export is not wanted any more")),
        ": {comment}",
        _SAID,
        "; {tags}",
    ),
    Event.RETRIED: (
        (
            mark("{by} asks for the {what} again"),
            mark("{by} has all of it exported again, to another folder{again:if}"),
            mark("{by} asks for the footage that is missing again"),
            mark("asked for again"),
        ),
    ),
    Event.ADDED: (
        mark("{by} wants more of it"),
        mark(", of {cameras:camera} besides"),
        mark(", until {until:clock}"),
    ),
    Event.COMMENTED: ((mark("{by} notes: {comment}"), mark("a note")),),
    Event.ACKNOWLEDGED: (
        mark("{by} has taken note of what is lost"),
        ": {comment}",
    ),
    Event.HELD: (
        mark("{by} holds it: nothing of it is taken away"),
        ": {comment}",
        mark("; the footage in {gone:folder} of it went before"),
    ),
    Event.RELEASED: (mark("{by} holds it no more"), ": {comment}"),
    Event.UNREADABLE: (mark("messages that cannot be read"), _SAID),
    Event.DISPOSED: (
        (mark("footage deleted by {rule}, "), mark("footage was deleted, says {by}, ")),
        (mark("{files} files"), mark("0 files")),
        ": {comment}",
        mark("; {left:file} altered and still there"),
    ),
    Event.ALTERED: (mark("footage is not what was recorded"), _SAID),
    Event.WHOLE: (mark("footage is again what was recorded"),),
    Event.MOVED: (mark("footage lies in {place} now, says {by}"), ": {comment}"),
    Event.IMPORTED: (
        mark("taken out of its record on the share by {by}"),
        (mark(", signed by key {signed_by}"), mark(", which nobody signed")),
        mark("; {files} files"),
    ),
    Event.RECORDED: (
        (
            mark(
                "evidence record kept in the store{kept:if}: no share shows the "
                "footage, "
            ),
            mark("evidence record written beside the footage, "),
        ),
        (mark("hashed and signed{signed_by:if}"), mark("hashed, not signed")),
    ),
    Event.UNRECORDED: (mark("there is no evidence record"), _SAID),
    Event.TAG_ASKED: (
        mark("asks the recorder to keep the footage"),
        mark(" of {camera}"),
        _SAID,
    ),
    Event.TAGGED: (mark("the recorder keeps the footage"), mark(" of {camera}"), _SAID),
    Event.UNTAGGED: (
        mark("the recorder does not keep the footage"),
        mark(" of {camera}"),
        _SAID,
    ),
}


def sentence(entry: Entry, zone: tzinfo) -> str:
    """One entry in one sentence; what is not foreseen is told by its word.

    Times of day are in `zone`.
    """
    detail = {**entry.detail, "lost": _lost(entry.detail)}
    parts = _SENTENCES.get(entry.event)
    if parts is None:
        told = [word(entry.event), _told(_SAID, zone, detail)]
    else:
        told = [_told(part, zone, detail) for part in parts]
    return one_line(joined("", told), MOST)


def _lost(detail: Mapping[str, object]) -> dict[object, object]:
    """Its clips whose footage is given up."""
    clips = detail.get("clips")
    if not isinstance(clips, dict):
        return {}
    return {
        n: each
        for n, each in clips.items()
        if isinstance(each, dict) and each.get("to") in CLIP_LOST
    }


def _names(clips: object) -> str:
    """Their cameras by name; of many how many."""
    if not isinstance(clips, dict):
        raise TypeError("no clips")
    names = dict.fromkeys(str(each["camera"]) for each in clips.values())
    if len(names) > MOST_NAMES:
        return count(len(names), "camera")
    return joined(", ", names)


def _told(
    part: str | tuple[str, ...], zone: tzinfo, detail: Mapping[str, object]
) -> str:
    """The first of the alternatives whose details are there; "" where none is."""
    alternatives: Iterable[str] = (part,) if isinstance(part, str) else part
    for text in alternatives:
        try:
            values = {hole: _value(hole, zone, detail) for hole in _HOLE.findall(text)}
        except (LookupError, TypeError, ValueError):
            continue
        return _filled(text, values)
    return ""


def _filled(text: str, values: Mapping[str, str]) -> Phrase:
    return Phrase(
        lambda tongue: _HOLE.sub(
            lambda hole: said(values.get(hole[1], ""), tongue), tongue.of(text)
        )
    )


def _value(hole: str, zone: tzinfo, detail: Mapping[str, object]) -> str:
    """What stands in a hole; raises where it is not there or not usable."""
    name, _, form = hole.partition(":")
    value: Any = detail[name]
    if not value:
        raise ValueError("nothing to say")
    if not form and name in _WHO:
        return person(str(value))
    if not form:
        return kept(str(value)) if name in _OURS else str(value)
    if form in _FORMS:
        return _FORMS[form](value, zone)
    return count(value if isinstance(value, int) else len(value), form)


_FORMS: Mapping[str, Callable[[Any, tzinfo], str]] = {
    "if": lambda _value, _zone: "",
    "clock": lambda value, zone: clock(datetime.fromisoformat(value), zone),
    "why": lambda value, _zone: reason_said(str(value)),
    "time": lambda value, _zone: time_words(str(value)),
    "names": lambda value, _zone: _names(value),
}
"""What a detail is told as; any other form is a noun, of which there are so many."""


_HOLE = re.compile(r"\{(\w+(?::\w+)?)\}")
_OURS = frozenset({"text", "what", "why", "limit", "tags"})
"""Details that are sentences of ours; others are names, or what people wrote."""
_WHO = frozenset({"by", "author"})
_COUNTED: Mapping[str, tuple[str, str]] = {
    "camera": marks("{n} camera", "{n} cameras"),
    "request": marks("{n} request", "{n} requests"),
    "gap": marks("{n} gap", "{n} gaps"),
    "file": marks("{n} file", "{n} files"),
    "picture": marks("{n} picture", "{n} pictures"),
}


def count(n: int, noun: str) -> str:
    """`1 clip`, `2 clips`."""
    one, several = _COUNTED.get(noun, (f"{{n}} {noun}", f"{{n}} {noun}s"))
    return plural(one, several, n)
