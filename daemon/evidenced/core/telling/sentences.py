"""Entries of the history as sentences, for people who do not know the program. Pure.

The page, the evidence record's page and the demo say the same of the same entry. What
is quoted comes from outside and is cut to a line.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import Reason
from evidenced.core.incidents.history import Entry, Event, clips_to
from evidenced.core.incidents.states import CLIP_LOST
from evidenced.core.spoken import clock

MOST = 300
"""Characters of what is quoted."""

Detail = Mapping[str, object]
Words = Callable[[Detail, tzinfo], str]


def sentence(entry: Entry, zone: tzinfo) -> str:
    """One entry in one sentence; what is not foreseen is told by its word.

    Times of day are in `zone`. A detail that is not what it should be is left out:
    the history outlives the version that wrote it.
    """
    words = _SENTENCES.get(entry.event)
    text = words(entry.detail, zone) if words else _quoted(entry.event, entry.detail)
    return one_line(text, MOST)


def count(n: int, noun: str) -> str:
    """`1 clip`, `2 clips`."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _quoted(text: str, detail: Detail, name: str = "text") -> str:
    """`text: what they said`, where they said anything."""
    said = detail.get(name)
    return f"{text}: {said}" if said else text


def _at(text: str, detail: Detail, name: str, zone: tzinfo) -> str:
    """`text 06:15:30`, or nothing where the instant is not told."""
    said = detail.get(name)
    if not isinstance(said, str):
        return ""
    try:
        return f"{text} {clock(datetime.fromisoformat(said), zone)}"
    except ValueError:
        return ""


def _joined(*parts: str, by: str = "; ") -> str:
    return by.join(part for part in parts if part)


def _size(value: object) -> int:
    return len(value) if isinstance(value, Mapping | Sequence) else 0


def _opened(detail: Detail, _zone: tzinfo) -> str:
    cameras = count(_size(detail.get("clips")), "camera")
    source = detail.get("time_source")
    unknown = _size(detail.get("unknown_cameras"))
    return _joined(
        f"incident opened, {cameras}" + (f" (time: {source})" if source else ""),
        f"{count(unknown, 'camera')} of the alarm not configured" if unknown else "",
        _silenced(detail),
    )


def _silenced(detail: Detail) -> str:
    """Who is missing, for a silence was over it."""
    number = _size(detail.get("silenced"))
    return f"without {count(number, 'camera')} that a silence is over" if number else ""


def _extended(detail: Detail, zone: tzinfo) -> str:
    end = _at("the window now ends at", detail, "end", zone)
    return _joined(_joined("one more alarm", end, by=": "), _silenced(detail))


def _cleared(detail: Detail, zone: tzinfo) -> str:
    return _joined(
        "the alarm cleared", _at("the window ends at", detail, "end", zone), by=": "
    )


def _continued(detail: Detail, _zone: tzinfo) -> str:
    return f"goes on from incident {detail.get('continues')}"


def _ended(detail: Detail, zone: tzinfo) -> str:
    cut = _at("cut at", detail, "cut", zone)
    if cut:
        return f"{cut}, its longest; goes on as incident {detail.get('goes_on_as')}"
    return "the window has ended; its footage settles"


def _requested(detail: Detail, _zone: tzinfo) -> str:
    cameras = count(_size(detail.get("devices")), "camera")
    return f"asks the recorder for {cameras} in one request"


def _accepted(detail: Detail, _zone: tzinfo) -> str:
    return f"the recorder exports it as its number {detail.get('exportid')}"


def _adopted(detail: Detail, _zone: tzinfo) -> str:
    number = detail.get("exportid")
    found = f"in the recorder's list, number {number}" if number else "by its files"
    return f"the answer was lost; the export was found {found}"


def _then(detail: Detail, zone: tzinfo) -> str:
    """What follows from no footage: the next try, or that there is none."""
    lost = sum(state in CLIP_LOST for state in clips_to(detail))
    return _joined(
        _at("asks again at", detail, "next_try", zone),
        f"gives up {count(lost, 'camera')}" if lost else "",
    )


def _refused(detail: Detail, zone: tzinfo) -> str:
    code, reason = detail.get("code"), detail.get("reason")
    if not code:
        return _quoted(f"not asked for ({reason})", detail)
    what = _quoted(f"the recorder says {code}, {reason}", detail)
    return _joined(what, _then(detail, zone))


def _isolated(detail: Detail, zone: tzinfo) -> str:
    apart = count(_size(detail.get("apart")), "request")
    return f"{_refused(detail, zone)}; from now on in {apart}, to tell cameras apart"


def _not_sent(detail: Detail, _zone: tzinfo) -> str:
    return _quoted("the request did not reach the recorder", detail)


def _unanswered(detail: Detail, _zone: tzinfo) -> str:
    said = _quoted("no answer came", detail)
    return f"{said}; the recorder's list will tell whether it took the request"


def _vanished(detail: Detail, zone: tzinfo) -> str:
    return _joined(_quoted("the recorder lost the export", detail), _then(detail, zone))


def _exported(detail: Detail, _zone: tzinfo) -> str:
    failed = _size(detail.get("failed"))
    return _joined(
        f"exported to {detail.get('path')}",
        f"{count(failed, 'camera')} failed" if failed else "",
    )


def _failed(detail: Detail, zone: tzinfo) -> str:
    return _joined("the recorder could not finish the export", _then(detail, zone))


def _cancelled(detail: Detail, _zone: tzinfo) -> str:
    if "by" in detail:
        return _joined(f"cancelled by {detail['by']}", str(detail.get("tags", "")))
    return _quoted("the export is not wanted any more", detail)


def _retried(detail: Detail, _zone: tzinfo) -> str:
    what = detail.get("what", "footage that is missing")
    return f"{detail.get('by')} asks for the {what} again"


def _shortened(detail: Detail, zone: tzinfo) -> str:
    said = "the host's clock was ahead"
    return _joined(said, _at("tried again at", detail, "next_try", zone), by=": ")


def _late(detail: Detail, zone: tzinfo) -> str:
    ended = _at("the window ended at", detail, "end", zone)
    return _joined("footage is late", ended, by=": ")


def _seen(detail: Detail, _zone: tzinfo) -> str:
    files = detail.get("files")
    return f"its footage is on the share: {files} files"


def _recorded(detail: Detail, _zone: tzinfo) -> str:
    signed = "hashed and signed" if detail.get("signed_by") else "hashed, not signed"
    return f"evidence record written beside the footage, {signed}"


def _tag(text: str) -> Words:
    def words(detail: Detail, _zone: tzinfo) -> str:
        return _quoted(f"{text} {detail.get('camera')}", detail)

    return words


def _plain(text: str) -> Words:
    return lambda detail, _zone: _quoted(text, detail)


_SENTENCES: Mapping[str, Words] = {
    Event.OPENED: _opened,
    Event.EXTENDED: _extended,
    Event.CLEARED: _cleared,
    Event.CONTINUED: _continued,
    Event.ENDED: _ended,
    Event.REQUESTED: _requested,
    Event.ACCEPTED: _accepted,
    Event.ADOPTED: _adopted,
    Event.REFUSED: _refused,
    Event.ISOLATED: _isolated,
    Event.NOT_SENT: _not_sent,
    Event.UNANSWERED: _unanswered,
    Event.VANISHED: _vanished,
    Event.EXPORTED: _exported,
    Event.FAILED: _failed,
    Event.SEEN: _seen,
    Event.UNSEEN: _plain("no files of the export are to be seen on the share"),
    Event.LATE: _late,
    Event.STRANDED: _plain(f"given up ({Reason.NO_RECORDER})"),
    Event.CANCELLED: _cancelled,
    Event.RETRIED: _retried,
    Event.SHORTENED: _shortened,
    Event.RECORDED: _recorded,
    Event.UNRECORDED: _plain("there is no evidence record"),
    Event.TAG_ASKED: _tag("asks the recorder to keep the footage of"),
    Event.TAGGED: _tag("the recorder keeps the footage of"),
    Event.UNTAGGED: _tag("the recorder does not keep the footage of"),
}
