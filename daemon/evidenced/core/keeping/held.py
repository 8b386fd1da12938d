"""Incidents that somebody holds: until they are released nothing of them is taken away.

What is held is neither pruned from the store, nor is its footage disposed of by age.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput, Refused
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.instants import render_utc
from evidenced.core.keeping.loss import MAX_COMMENT
from evidenced.core.phrase import phrase
from evidenced.core.spoken import person


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Who holds it, since when and why; `comment` may be empty."""

    incident: IncidentId
    at: datetime
    by: str
    comment: str = ""


def hold(
    known: Held | None, incident: IncidentId, who: str, comment: str, now: datetime
) -> Held:
    """Somebody holds it from now on.

    Raises:
        BadInput: too long a comment.
        Refused: somebody does already.
    """
    if known is not None:
        raise Refused(
            phrase(
                "incident {incident} is held already, {known}",
                incident=incident,
                known=words(known),
            )
        )
    return Held(incident=incident, at=now, by=who, comment=_checked(comment))


def hold_again(words: str, incident: IncidentId, who: str, now: datetime) -> Held:
    """Its record says that somebody held it: so it is held where it is imported."""
    comment = one_line(
        phrase("held when its record was written: {words}", words=words), MAX_COMMENT
    )
    return Held(incident=incident, at=now, by=who, comment=comment)


def words(held: Held) -> str:
    """Since when, by whom and why."""
    why = f": {held.comment}" if held.comment else ""
    return phrase(
        "since {at} by {by}{why}", at=render_utc(held.at), by=person(held.by), why=why
    )


def entry_of_hold(held: Held, gone: Sequence[str] = ()) -> Entry:
    """What the history says of it; `gone` are folders whose footage went before."""
    entry = _entry(held.incident, Event.HELD, held.by, held.comment, held.at)
    return replace(entry, detail={**entry.detail, "gone": [*gone]}) if gone else entry


def entry_of_release(
    known: Held | None, incident: IncidentId, who: str, comment: str, now: datetime
) -> Entry:
    """What the history says when it is held no more.

    Raises:
        BadInput: too long a comment.
        Refused: nobody holds it.
    """
    if known is None:
        raise Refused(phrase("nobody holds incident {incident}", incident=incident))
    return _entry(incident, Event.RELEASED, who, _checked(comment), now)


def _entry(
    incident: IncidentId, event: Event, who: str, comment: str, at: datetime
) -> Entry:
    detail = {"by": who} | ({"comment": comment} if comment else {})
    return Entry(incident=incident, at=at, event=event, detail=detail)


def _checked(comment: str) -> str:
    comment = comment.strip()
    if one_line(comment, MAX_COMMENT) != comment:
        raise BadInput(
            phrase(
                "a comment has at most {max_comment} characters on one line",
                max_comment=MAX_COMMENT,
            )
        )
    return comment
