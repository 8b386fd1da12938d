"""The states of incidents, clips and exports, and every step between them.

One table each: see `machine`. The words are the same in the store, on the page, in MQTT
and in the documents.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cache

from evidenced.core.machine import Facts, Machine, Tone


class ClipState(StrEnum):
    """One camera's window in one incident."""

    RECORDING = "recording"
    """Its window is open, or ends in the future."""
    DUE = "due"
    """Its window ended; it waits for settle, its turn or its next try."""
    REQUESTED = "requested"
    """The intent to ask for it is committed, the recorder's answer unknown."""
    EXPORTING = "exporting"
    """The recorder took the request."""
    EXPORTED = "exported"
    """The recorder said that it is done; where its folder can be seen, footage lies
    there."""
    MISSING = "missing"
    """The recorder never had video of it until `give_up`."""
    REJECTED = "rejected"
    """The recorder refuses it for good."""
    CANCELLED = "cancelled"
    """An operator withdrew it."""


class ExportState(StrEnum):
    """One export request as we know it."""

    REQUESTED = "requested"
    """The intent is committed; sent or about to be."""
    EXPORTING = "exporting"
    """The recorder took it, as its answer or a later look showed."""
    CHECKING = "checking"
    """The recorder says that it is done; its folder is to be looked at."""
    EXPORTED = "exported"
    """The recorder said of at least one device that it is done, and there is footage
    where its folder can be seen."""
    EMPTY = "empty"
    """The recorder said that it is done, and no footage lies in its folder."""
    REFUSED = "refused"
    """The recorder answered with an error: nothing runs there."""
    FAILED = "failed"
    """The recorder took it and could not finish it."""
    VANISHED = "vanished"
    """It was taken and is no longer listed, or never arrived."""
    CANCELLED = "cancelled"
    """Nobody wants its clips any more, and it was deleted at the recorder; or it was
    not sent, for footage that is none of its own lies in its folder."""


class IncidentState(StrEnum):
    """What its clips come to: derived by `incident_state`, never set by hand."""

    RECORDING = "recording"
    """A window is still open."""
    WAITING = "waiting"
    """Its windows ended; a clip settles, is queued or is tried again."""
    EXPORTING = "exporting"
    """The recorder was asked for a clip, or is at it."""
    EXPORTED = "exported"
    """All of its footage is exported."""
    PARTIAL = "partial"
    """Some of its footage is exported, and no more will be."""
    FAILED = "failed"
    """None of its footage is exported, and none will be."""
    CANCELLED = "cancelled"
    """Nobody wants its footage any more."""


_CLIP = ClipState
_RETRY = "an operator, by `retry`"
_NOTHING = "nothing is lost"
_LIST = "the recorder goes on: `track` finds it in the list"
_ANSWER = "`dispatch`, by the answer; `track`, by the recorder's list"

CLIPS: Machine[ClipState] = Machine(
    "clip",
    {
        _CLIP.RECORDING: Facts(
            to=frozenset({_CLIP.DUE, _CLIP.CANCELLED}),
            by="`turn`, when its window ends",
            crash="nothing is lost: the next start turns what ended meanwhile",
            tone=Tone.FILM,
        ),
        _CLIP.DUE: Facts(
            to=frozenset(
                {
                    _CLIP.RECORDING,  # an alarm extends what was not yet asked for
                    _CLIP.REQUESTED,
                    _CLIP.EXPORTED,  # it was, and asking again brought no more
                    _CLIP.MISSING,
                    _CLIP.REJECTED,
                    _CLIP.CANCELLED,
                }
            ),
            by="`dispatch`, when it is due and a slot is free",
            crash="nothing is lost: it is due after the next start",
            tone=Tone.WAIT,
        ),
        _CLIP.REQUESTED: Facts(
            to=frozenset(
                {
                    _CLIP.DUE,
                    _CLIP.EXPORTING,
                    _CLIP.EXPORTED,
                    _CLIP.MISSING,
                    _CLIP.REJECTED,
                    _CLIP.CANCELLED,
                }
            ),
            by=_ANSWER,
            crash="it was asked for or not: `track` looks in the list",
            tone=Tone.RUN,
        ),
        _CLIP.EXPORTING: Facts(
            to=frozenset(
                {
                    _CLIP.DUE,
                    _CLIP.EXPORTED,
                    _CLIP.MISSING,
                    _CLIP.REJECTED,
                    _CLIP.CANCELLED,
                }
            ),
            by="`track`, by the recorder's list; `check`, by what lies in its folder",
            crash=_LIST,
            tone=Tone.RUN,
        ),
        _CLIP.EXPORTED: Facts(
            to=frozenset({_CLIP.DUE}),
            by="an operator, by `retry` with `again`",
            crash=_NOTHING,
            tone=Tone.GOOD,
            is_ended=True,
        ),
        _CLIP.MISSING: Facts(
            to=frozenset({_CLIP.DUE}),
            by=_RETRY,
            crash=_NOTHING,
            tone=Tone.BAD,
            is_ended=True,
            is_lost=True,
        ),
        _CLIP.REJECTED: Facts(
            to=frozenset({_CLIP.DUE}),
            by=_RETRY,
            crash=_NOTHING,
            tone=Tone.BAD,
            is_ended=True,
            is_lost=True,
        ),
        _CLIP.CANCELLED: Facts(
            to=frozenset({_CLIP.DUE}),
            by=_RETRY,
            crash=_NOTHING,
            tone=Tone.OFF,
            is_ended=True,
        ),
    },
)
CLIP_ENDED = CLIPS.which(lambda facts: facts.is_ended)
CLIP_LOST = CLIPS.which(lambda facts: facts.is_lost)

_EXPORT = ExportState
_ANEW = "nobody: what it did not bring is asked for anew"

EXPORTS: Machine[ExportState] = Machine(
    "export",
    {
        _EXPORT.REQUESTED: Facts(
            to=frozenset(
                {
                    _EXPORT.EXPORTING,
                    _EXPORT.REFUSED,
                    _EXPORT.VANISHED,
                    _EXPORT.CANCELLED,
                }
            ),
            by=_ANSWER,
            crash="it holds its slot and bandwidth until `track` has looked",
            tone=Tone.RUN,
        ),
        _EXPORT.EXPORTING: Facts(
            to=frozenset(
                {
                    _EXPORT.CHECKING,
                    _EXPORT.EXPORTED,
                    _EXPORT.FAILED,
                    _EXPORT.VANISHED,
                    _EXPORT.CANCELLED,
                }
            ),
            by="`track`, by the recorder's list",
            crash=_LIST,
            tone=Tone.RUN,
        ),
        _EXPORT.CHECKING: Facts(
            to=frozenset({_EXPORT.EXPORTED, _EXPORT.EMPTY}),
            by="`check`, as soon as its share can be looked at",
            crash="it is looked at after the next start",
            tone=Tone.RUN,
        ),
        _EXPORT.EXPORTED: Facts(
            by=_ANEW, crash=_NOTHING, tone=Tone.GOOD, is_ended=True
        ),
        _EXPORT.EMPTY: Facts(by=_ANEW, crash=_NOTHING, tone=Tone.BAD, is_ended=True),
        _EXPORT.REFUSED: Facts(by=_ANEW, crash=_NOTHING, tone=Tone.BAD, is_ended=True),
        _EXPORT.FAILED: Facts(by=_ANEW, crash=_NOTHING, tone=Tone.BAD, is_ended=True),
        _EXPORT.VANISHED: Facts(
            to=frozenset({_EXPORT.CANCELLED}),
            by="`track`, where the recorder shows it after all: it is deleted there",
            crash=_NOTHING,
            tone=Tone.BAD,
            is_ended=True,
        ),
        _EXPORT.CANCELLED: Facts(
            by="nobody", crash=_NOTHING, tone=Tone.OFF, is_ended=True
        ),
    },
)
EXPORT_LIVE = frozenset({_EXPORT.REQUESTED, _EXPORT.EXPORTING})
"""States that hold a slot and bandwidth at the recorder."""

_CLIPS_DO, _CLIPS_ENDED = "its clips", "nobody: a retry of a clip takes it back"

INCIDENTS: Machine[IncidentState] = Machine(
    "incident",
    {
        IncidentState.RECORDING: Facts(
            by="`turn`, when its last window ends", crash=_NOTHING, tone=Tone.FILM
        ),
        IncidentState.WAITING: Facts(by=_CLIPS_DO, crash=_NOTHING, tone=Tone.WAIT),
        IncidentState.EXPORTING: Facts(by=_CLIPS_DO, crash=_NOTHING, tone=Tone.RUN),
        IncidentState.EXPORTED: Facts(
            by="nobody: a retry with `again` takes it back",
            crash=_NOTHING,
            tone=Tone.GOOD,
            is_ended=True,
        ),
        IncidentState.PARTIAL: Facts(
            by=_CLIPS_ENDED, crash=_NOTHING, tone=Tone.PART, is_ended=True
        ),
        IncidentState.FAILED: Facts(
            by=_CLIPS_ENDED, crash=_NOTHING, tone=Tone.BAD, is_ended=True
        ),
        IncidentState.CANCELLED: Facts(
            by=_CLIPS_ENDED, crash=_NOTHING, tone=Tone.OFF, is_ended=True
        ),
    },
)
"""It takes no steps of its own: it is what its clips come to."""
INCIDENT_ENDED = INCIDENTS.which(lambda facts: facts.is_ended)
INCIDENT_OPEN = tuple(state for state in IncidentState if state not in INCIDENT_ENDED)


def incident_state(clips: Iterable[ClipState]) -> IncidentState:
    """What an incident with these clips is: the first row of the table that holds.

    Without clips (no camera of the rule is known) it has failed.
    """
    return _incident_is(frozenset(clips))


@cache
def _incident_is(states: frozenset[ClipState]) -> IncidentState:
    """Remembered: there are as many as sets of eight words."""
    return next(state for state, holds in _INCIDENT_IS if holds(states))


_INCIDENT_IS: tuple[
    tuple[IncidentState, Callable[[frozenset[ClipState]], bool]], ...
] = (
    (IncidentState.RECORDING, lambda states: _CLIP.RECORDING in states),
    (
        IncidentState.EXPORTING,
        lambda states: _CLIP.REQUESTED in states or _CLIP.EXPORTING in states,
    ),
    (IncidentState.WAITING, lambda states: not states <= CLIP_ENDED),
    (IncidentState.EXPORTED, lambda states: states == {_CLIP.EXPORTED}),
    (IncidentState.PARTIAL, lambda states: _CLIP.EXPORTED in states),
    (IncidentState.CANCELLED, lambda states: states == {_CLIP.CANCELLED}),
    (IncidentState.FAILED, lambda _: True),
)
