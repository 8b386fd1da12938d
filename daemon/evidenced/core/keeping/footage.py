"""Footage on shares, folder by folder: what lies there, what went, and by whose will.

A row for each folder whose record was written beside the footage. It outlives its
incident in the store, for footage is often kept longer than what the store knows of it;
it ends with what became of the footage: disposed of by the rule of its destination, or
by people who say so, or moved.

Disposing goes as requests do: the intent is committed, then files are deleted, then
the answer is committed. A crash between them goes on where it was: what is gone is
gone, and what is still there is hashed again before it goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput, NotFound, Refused
from evidenced.core.exports.retry import RetryPolicy, back_off
from evidenced.core.ids import DestinationName, IncidentId
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import DAY, HOUR, MINUTE, render_utc
from evidenced.core.keeping.evidence import RecordFolder
from evidenced.core.keeping.loss import MAX_COMMENT, Loss, LossKind
from evidenced.core.machine import Facts, Machine, Tone
from evidenced.core.phrase import glued, kept, phrase
from evidenced.core.spoken import person

MOST_TEXT = 300
MOST_CAMERAS = 8
BY_RULE = "rule"
"""Who disposed of it, where no person did."""
WAITS = RetryPolicy(first=MINUTE, longest=HOUR)
"""Between tries on a share that does not let files be read or deleted."""


class FootageState(StrEnum):
    """What became of one folder's footage."""

    KEPT = "kept"
    """It lies there as it was recorded, as far as is known."""
    DISPOSING = "disposing"
    """It is old enough: its files are being deleted."""
    DISPOSED = "disposed"
    """Its files are deleted; the record stays."""
    MOVED = "moved"
    """People say that it lies elsewhere."""


_PEOPLE = "people, who say that they moved or deleted it"

FOOTAGE: Machine[FootageState] = Machine(
    "footage",
    {
        FootageState.KEPT: Facts(
            to=frozenset(
                {FootageState.DISPOSING, FootageState.DISPOSED, FootageState.MOVED}
            ),
            by=f"`custody`, when it is older than `keep`; {_PEOPLE}",
            crash="nothing is lost",
            tone=Tone.GOOD,
            is_ended=True,
        ),
        FootageState.DISPOSING: Facts(
            to=frozenset({FootageState.DISPOSED}),
            by="`custody`, file by file",
            crash="the files that are left are hashed again, then deleted",
            tone=Tone.RUN,
        ),
        FootageState.DISPOSED: Facts(
            by="nobody", crash="nothing is lost", tone=Tone.OFF, is_ended=True
        ),
        FootageState.MOVED: Facts(
            to=frozenset({FootageState.DISPOSED, FootageState.MOVED}),
            by=_PEOPLE,
            crash="nothing is lost",
            tone=Tone.OFF,
            is_ended=True,
        ),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Depicted:
    """What is on footage, as people look for it when its incident is pruned."""

    rule: str
    label: str
    summary: str
    opened_at: datetime
    cameras: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FootageFolder:
    """One folder of it, on the recorder at `path`; `sha256` is its incident.json's.

    `ended_at` is the end of its last window, from which its age counts; `recorded_at`
    when its record was written, `checked_at` when its files were hashed last, and
    `fault` what was found then that is not as it was recorded. `wait_until` is when it
    is looked at again after a try that failed. `at`, `by` and `comment` say of what
    became of it when, by whom and why; `place` where it was moved to; `statement` is
    the hash of what is written beside the record then, "" where nothing is.
    """

    destination: DestinationName
    path: str
    incident: IncidentId
    state: FootageState = FootageState.KEPT
    ended_at: datetime
    recorded_at: datetime
    checked_at: datetime
    sha256: str
    files: int
    size_bytes: int
    depicted: Depicted
    tries: int = 0
    wait_until: datetime | None = None
    at: datetime | None = None
    by: str = ""
    comment: str = ""
    place: str = ""
    statement: str = ""
    fault: str = ""

    def moved(self, state: FootageState, **changes: Any) -> "FootageFolder":  # noqa: ANN401 - fields
        """The row in this state, with these changes.

        Raises:
            IllegalStep: the table has no such step.
        """
        FOOTAGE.step(self.state, state)
        return replace(self, state=state, **changes)

    @property
    def is_here(self) -> bool:
        """Whether it should lie where it was exported to."""
        return self.state in {FootageState.KEPT, FootageState.DISPOSING}


def depicted_of(incident: Incident) -> Depicted:
    cameras = (clip.label or clip.camera for clip in incident.clips if clip.has_footage)
    named = tuple(dict.fromkeys(cameras))
    return Depicted(
        rule=incident.rule,
        label=one_line(incident.label, MOST_TEXT),
        summary=one_line(incident.summary or incident.key, MOST_TEXT),
        opened_at=incident.opened_at,
        cameras=tuple(one_line(each, 60) for each in named[:MOST_CAMERAS]),
    )


def recorded(
    incident: Incident,
    destination: DestinationName,
    folder: RecordFolder,
    now: datetime,
) -> FootageFolder:
    """Its record was written beside it."""
    return FootageFolder(
        destination=destination,
        path=folder.path,
        incident=incident.id,
        ended_at=incident.span.end,
        recorded_at=now,
        checked_at=now,
        sha256=folder.sha256,
        files=folder.files,
        size_bytes=folder.size_bytes,
        depicted=depicted_of(incident),
    )


def postpone(footage: FootageFolder, now: datetime, jitter: float) -> FootageFolder:
    """It cannot be looked at, or must not go now: later."""
    tries = footage.tries + 1
    wait = back_off(WAITS, tries, jitter)
    return replace(footage, tries=tries, wait_until=now + wait)


def check(footage: FootageFolder, fault: str, now: datetime) -> FootageFolder:
    """It was hashed again; `fault` is a sentence of what is not as it was, or "".

    What is not is read again a day later: it may be put right, and it may be large.
    """
    wait_until = now + DAY if fault else None
    return replace(footage, checked_at=now, fault=fault, tries=0, wait_until=wait_until)


def entry_of_check(footage: FootageFolder) -> Entry:
    """What the chain says where that found something else than the time before."""
    detail = {
        "destination": footage.destination,
        "path": footage.path,
        "rule": footage.depicted.rule,
        "text": footage.fault,
    }
    return Entry(
        incident=footage.incident,
        at=footage.checked_at,
        event=Event.ALTERED if footage.fault else Event.WHOLE,
        detail={name: value for name, value in detail.items() if value},
    )


def loss_of_footage(known: Sequence[FootageFolder]) -> Loss | None:
    """What an incident has lost by what was done on a share; None where nothing is.

    What was disposed of or moved since is lost no more: people or a rule wanted it so.
    """
    faulty = [each for each in known if each.fault and each.is_here]
    if not faulty:
        return None
    last = max(faulty, key=lambda each: each.checked_at)
    return Loss(
        kind=LossKind.ALTERED,
        name=last.incident,
        since=last.checked_at,
        last_at=last.checked_at,
        number=len(faulty),
        text=one_line(f"{last.path}: {last.fault}", MOST_TEXT),
    )


def check_may_hold(footage: Sequence[FootageFolder], incident: IncidentId) -> None:
    """Raises Refused where its footage is going right now."""
    if any(each.state is FootageState.DISPOSING for each in footage):
        raise Refused(
            phrase(
                "the footage of incident {incident} is being disposed of by age "
                "right now",
                incident=incident,
            )
        )


def tellable(
    known: Sequence[FootageFolder], incident: IncidentId, place: str
) -> list[FootageFolder]:
    """The folders of which people can say that they went; `place` is where to, if so.

    Raises:
        NotFound: none is known.
        Refused: it is being disposed of now, or went before.
        BadInput: no text that can be kept.
    """
    if one_line(place, MOST_TEXT) != place:
        raise BadInput(
            phrase(
                "a place has at most {most_text} characters on one line",
                most_text=MOST_TEXT,
            )
        )
    if not known:
        raise NotFound(
            phrase(
                "no footage of incident {incident} lies on a share that this host "
                "knows of",
                incident=incident,
            )
        )
    check_may_hold(known, incident)
    after = FootageState.MOVED if place else FootageState.DISPOSED
    found = [each for each in known if after in FOOTAGE[each.state].to]
    if not found:
        raise Refused(
            phrase(
                "the footage of incident {incident} was {known}",
                incident=incident,
                known=words(known[0]),
            )
        )
    return found


def told(
    footage: FootageFolder, place: str, comment: str, who: str, now: datetime
) -> FootageFolder:
    """People say that it was deleted, or lies at that place.

    Raises:
        BadInput: too long a comment.
    """
    comment = comment.strip()
    if one_line(comment, MAX_COMMENT) != comment:
        raise BadInput(
            phrase(
                "a comment has at most {max_comment} characters on one line",
                max_comment=MAX_COMMENT,
            )
        )
    return footage.moved(
        FootageState.MOVED if place else FootageState.DISPOSED,
        at=now,
        by=who,
        comment=comment,
        place=place,
        statement="",
        wait_until=None,
    )


def begin_disposal(footage: FootageFolder, now: datetime, rule: str) -> FootageFolder:
    """It goes now, for it is old enough; `rule` is the key that says so."""
    return footage.moved(
        FootageState.DISPOSING,
        at=now,
        by=BY_RULE,
        comment=rule,
        tries=0,
        wait_until=None,
    )


def end_disposal(
    footage: FootageFolder, now: datetime, statement: str
) -> FootageFolder:
    """Its files are deleted."""
    return footage.moved(
        FootageState.DISPOSED, at=now, statement=statement, tries=0, wait_until=None
    )


def entry_of_disposal(footage: FootageFolder, files: int, left: Sequence[str]) -> Entry:
    """What the chain says when it is disposed of; `left` are files that stay."""
    assert footage.at is not None  # noqa: S101 - it is disposed of
    detail: dict[str, object] = {
        "by": footage.by,
        "destination": footage.destination,
        "path": footage.path,
        "record": footage.sha256,
        "files": files,
    }
    is_rule = footage.by == BY_RULE
    optional = {
        "place": footage.place,
        "rule" if is_rule else "comment": footage.comment,
        "statement": footage.statement,
        "left": list(left),
    }
    detail |= {name: value for name, value in optional.items() if value}
    return Entry(
        incident=footage.incident,
        at=footage.at,
        event=Event.MOVED if footage.place else Event.DISPOSED,
        detail=detail,
    )


def words(footage: FootageFolder) -> str:
    """What became of it, in a few words; "" while it lies where it was exported to."""
    if footage.at is None or footage.state is FootageState.KEPT:
        return ""
    if footage.state is FootageState.DISPOSING:
        return phrase(
            "being disposed of by {by}: {comment}",
            by=person(footage.by),
            comment=kept(footage.comment),
        )
    return fate(footage.at, footage.by, footage.comment, footage.place)


def fate(at: datetime, by: str, comment: str, place: str) -> str:
    """The same of what an entry says: `place` is where it was moved to, if it was."""
    about = {"at": render_utc(at), "by": person(by), "place": place}
    told: str
    if by == BY_RULE:
        told = phrase("disposed of on {at}, by rule", **about)
    elif place:
        told = phrase("moved to {place} on {at}, says {by}", **about)
    else:
        told = phrase("disposed of on {at}, says {by}", **about)
    return glued(told, ": ", kept(comment)) if comment else told
