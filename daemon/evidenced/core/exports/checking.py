"""Whether there is footage: what becomes of an export that the recorder says is done.

    confirm     footage lies in its folder, or nobody can look: its clips are exported
    deny        none lies there, look after look: its clips are asked for again, to
                another path, until give_up
    look_again  none lies there yet: a network file system may remember for a minute
                that there was nothing
    put_off     the share cannot be looked at, which says nothing of what lies there

Each takes an export that is `checking`: a row that waits for its share, however long
that is away. Source: design.md, "What exported means".
"""

from dataclasses import replace
from datetime import datetime, timedelta

from evidenced.core.errors import Reason
from evidenced.core.exports.answers import clips_of, conclude, refuse_clip
from evidenced.core.exports.growth import Sighting
from evidenced.core.exports.retry import Patience, RetryPolicy, back_off
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ExportState
from evidenced.core.instants import ZERO
from evidenced.core.recorder import Answer

LOOKS = 7
"""That find nothing, before there is none: with 10 s between them that is a minute."""
WAITS = RetryPolicy(first=timedelta(seconds=5), longest=timedelta(minutes=1))
"""Between tries on a share that cannot be looked at."""
LEAST_RATE = 100
"""Bytes for each second of its windows, below which an export is too small for video:
the most frugal camera writes twenty times that."""
NOTHING = "the recorder says that it is done, and no footage lies in {path}"


def confirm(
    incident: Incident,
    export: ExportRequest,
    sighting: Sighting | None,
    patience: Patience,
) -> Change:
    """Its clips are exported; None where its folder cannot be seen from here at all."""
    clips = [clip.exported() for clip in clips_of(incident, export)]
    detail: dict[str, object] = {"export": export.id, "path": export.path}
    if sighting is not None:
        detail |= {"files": sighting.files, "bytes": sighting.size_bytes}
        if is_too_small(export, sighting):
            detail["too_small"] = True
    over = export.moved(ExportState.EXPORTED, check_at=None)
    return conclude(incident, over, clips, Event.EXPORTED, detail, patience)


def is_too_small(export: ExportRequest, sighting: Sighting) -> bool:
    """Whether it is much too small for its windows to be all of their footage."""
    windows = (
        each.asked.window.length for each in export.devices if not each.has_failed
    )
    seconds = sum(windows, ZERO).total_seconds()
    return sighting.size_bytes < LEAST_RATE * seconds


def deny(incident: Incident, export: ExportRequest, patience: Patience) -> Change:
    """No footage lies there: an answer like any other (`core.exports.retry`)."""
    text = NOTHING.format(path=export.path)
    answer = Answer(reason=Reason.NO_FOOTAGE, text=text)
    clips = [refuse_clip(clip, answer, patience) for clip in clips_of(incident, export)]
    over = export.moved(ExportState.EMPTY, check_at=None)
    detail: dict[str, object] = {"export": export.id, "path": export.path}
    return conclude(incident, over, clips, Event.EMPTY, detail, patience)


def is_denied(export: ExportRequest) -> bool:
    """Whether a look that finds nothing is one too many."""
    return export.blanks + 1 >= LOOKS


def look_again(
    export: ExportRequest, now: datetime, stable: timedelta
) -> ExportRequest:
    """Nothing lies there yet."""
    return replace(export, check_at=now + stable, blanks=export.blanks + 1, failures=0)


def put_off(export: ExportRequest, now: datetime, jitter: float) -> ExportRequest:
    """The share cannot be looked at: looks at it begin anew."""
    failures = export.failures + 1
    wait = back_off(WAITS, failures, jitter)
    return replace(export, check_at=now + wait, blanks=0, failures=failures)
