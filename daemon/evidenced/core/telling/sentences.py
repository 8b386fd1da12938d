"""Entries of the history as sentences, for people who do not know the program. Pure.

The page, the evidence record's page and the demo say the same of the same entry. What
is quoted comes from outside and is cut to a line.

A sentence is a row of parts, each a text with details of the entry in braces: a part
whose details are not there, or are not what they should be, is left out, for the
history outlives the version that wrote it. Of a part with alternatives the first that
can be said is. `{end:clock}` is a time of day, `{failed:camera}` how many there are,
`{signed_by:if}` only asks whether it is there.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from string import Formatter
from typing import Any

from typing_extensions import override

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import Reason
from evidenced.core.incidents.history import SHORT, Entry, Event, clips_to
from evidenced.core.incidents.states import CLIP_LOST
from evidenced.core.spoken import clock, spoken
from evidenced.core.window import LEAST

MOST = 300
"""Characters of what is quoted."""

Sentence = tuple[str | tuple[str, ...], ...]

_SAID = ": {text}"
_THEN: Sentence = ("; asks again at {next_try:clock}", "; gives up {lost:camera}")
"""What follows from no footage: the next try, or that there is none."""
_REFUSED: Sentence = (
    ("the recorder says {code}, {reason}", "not asked for ({reason})", "not asked for"),
    _SAID,
    *_THEN,
)
_UNKNOWN = "; {unknown_cameras:camera} of the alarm not configured"
_SHORT = f"; {{{SHORT}:camera}} with the least window, {spoken(LEAST)}"
_SILENCED = "; without {silenced:camera} that a silence is over"

_SENTENCES: Mapping[str, Sentence] = {
    Event.OPENED: (
        ("incident opened, {clips:camera}", "incident opened, 0 cameras"),
        (" by {by}: {comment}", " (time: {time_source})"),
        _UNKNOWN,
        _SHORT,
        _SILENCED,
    ),
    Event.EXTENDED: (
        "one more alarm",
        ": the window now ends at {end:clock}",
        _UNKNOWN,
        _SHORT,
        _SILENCED,
    ),
    Event.CLEARED: ("the alarm cleared", ": the window ends at {end:clock}", _SHORT),
    Event.CONTINUED: (
        ("goes on from incident {continues}", "goes on"),
        _UNKNOWN,
        _SHORT,
        "; the alarm has been on for {on_for}",
    ),
    Event.ENDED: (
        (
            "cut at {cut:clock}, its longest; goes on as incident {goes_on_as}",
            "the window has ended; its footage settles",
        ),
        ": {why}",
    ),
    Event.REQUESTED: (
        ("asks the recorder for {devices:camera} in one request", "asks the recorder"),
        _SHORT,
    ),
    Event.ACCEPTED: (
        "the recorder exports it",
        " as its number {known_as}",
        "; times it could not be reached before: {unsent}",
    ),
    Event.ADOPTED: (
        "the answer was lost; the export was found ",
        ("in the recorder's list, number {known_as}", "by its files"),
    ),
    Event.REFUSED: _REFUSED,
    Event.ISOLATED: (
        *_REFUSED,
        "; from now on in {apart:request}, to tell cameras apart",
    ),
    Event.NOT_SENT: (
        "the request did not reach the recorder",
        _SAID,
        "; it is sent again when the recorder answers",
    ),
    Event.TAKEN_BACK: ("the request, which never left, was taken back", _SAID),
    Event.UNANSWERED: (
        "no answer came",
        _SAID,
        "; the recorder's list will tell whether it took the request",
    ),
    Event.VANISHED: ("the recorder lost the export", _SAID, *_THEN),
    Event.TURNED_UP: (
        "the recorder shows the lost export after all: as it was asked for again, ",
        "this one was deleted there",
        _SAID,
    ),
    Event.FINISHED: (
        ("the recorder has written to {path}", "the recorder is done"),
        "; {failed:camera} failed",
        "; whether footage lies there is looked at",
    ),
    Event.EXPORTED: (
        ("exported to {path}", "footage was exported"),
        ", {files} files",
        "; {failed:camera} failed",
        "; far too small for its length{too_small:if}: look at it",
    ),
    Event.COVERED: (
        (
            "the recorder has {gaps:gap} in the footage of {camera}",
            "whether the footage of {camera} is whole is not known: {text}",
            "the recorder has all of the footage of {camera}",
            "the recorder was asked what it has",
        ),
        "; one lies over the alarm itself{is_loss:if}",
    ),
    Event.PICTURED: (
        "{pictures} pictures of {camera}",
        "; {lacking} could not be had",
        _SAID,
    ),
    Event.EMPTY: (("no footage lies in {path}", "no footage was written"), *_THEN),
    Event.FAILED: ("the recorder could not finish the export", *_THEN),
    Event.LATE: ("footage is late", ": the window ended at {end:clock}"),
    Event.STRANDED: (f"given up ({Reason.NO_RECORDER})", _SAID),
    Event.CANCELLED: (
        ("cancelled by {by}", "the export is not wanted any more"),
        ": {comment}",
        _SAID,
        "; {tags}",
    ),
    Event.RETRIED: (
        (
            "{by} asks for the {what} again",
            "{by} has all of it exported again, to another folder{again:if}",
            "{by} asks for the footage that is missing again",
            "asked for again",
        ),
    ),
    Event.ADDED: (
        "{by} wants more of it",
        ", of {cameras:camera} besides",
        ", until {until:clock}",
    ),
    Event.COMMENTED: (("{by} notes: {comment}", "a note"),),
    Event.ACKNOWLEDGED: (
        "{by} has taken note of what is lost",
        ": {comment}",
    ),
    Event.HELD: ("{by} holds it: nothing of it is taken away", ": {comment}"),
    Event.RELEASED: ("{by} holds it no more", ": {comment}"),
    Event.UNREADABLE: ("messages that cannot be read", _SAID),
    Event.DISPOSED: (
        ("footage deleted by {rule}, ", "footage was deleted, says {by}, "),
        ("{files} files", "0 files"),
        ": {comment}",
        "; {left:file} altered and still there",
    ),
    Event.ALTERED: ("footage is not what was recorded", _SAID),
    Event.WHOLE: ("footage is again what was recorded",),
    Event.MOVED: ("footage lies in {place} now, says {by}", ": {comment}"),
    Event.IMPORTED: (
        "taken out of its record on the share by {by}",
        (", signed by key {signed_by}", ", which nobody signed"),
        "; {files} files",
    ),
    Event.RECORDED: (
        (
            "evidence record kept in the store{kept:if}: no share shows the footage, ",
            "evidence record written beside the footage, ",
        ),
        ("hashed and signed{signed_by:if}", "hashed, not signed"),
    ),
    Event.UNRECORDED: ("there is no evidence record", _SAID),
    Event.TAG_ASKED: (
        "asks the recorder to keep the footage",
        " of {camera}",
        _SAID,
    ),
    Event.TAGGED: ("the recorder keeps the footage", " of {camera}", _SAID),
    Event.UNTAGGED: ("the recorder does not keep the footage", " of {camera}", _SAID),
}


def sentence(entry: Entry, zone: tzinfo) -> str:
    """One entry in one sentence; what is not foreseen is told by its word.

    Times of day are in `zone`.
    """
    lost = [state for state in clips_to(entry.detail) if state in CLIP_LOST]
    filling, detail = _Filling(zone), {**entry.detail, "lost": lost}
    parts = _SENTENCES.get(entry.event, (entry.event, _SAID))
    return one_line("".join(_said(part, filling, detail) for part in parts), MOST)


def count(n: int, noun: str) -> str:
    """`1 clip`, `2 clips`."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


class _Filling(Formatter):
    """Puts details into a part; raises where one is not there or not usable."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    @override
    def format_field(self, value: Any, format_spec: str) -> str:
        if not value:
            raise ValueError("nothing to say")
        match format_spec:
            case "":
                return str(value)
            case "if":
                return ""
            case "clock":
                return clock(datetime.fromisoformat(value), self._zone)
            case noun:
                return count(len(value), noun)


def _said(
    part: str | tuple[str, ...], filling: _Filling, detail: Mapping[str, object]
) -> str:
    alternatives: Iterable[str] = (part,) if isinstance(part, str) else part
    for text in alternatives:
        try:
            return filling.vformat(text, (), detail)
        except (LookupError, TypeError, ValueError):
            continue
    return ""
