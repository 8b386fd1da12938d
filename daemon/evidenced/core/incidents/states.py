"""The states of incidents, clips and exports, and every step between them.

One table each; a step that the table lacks raises and changes nothing. The words are
the same in the store, on the page, in MQTT and in the documents.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cache


class ClipState(StrEnum):
    """One camera's window in one incident. Each says who moves it on."""

    RECORDING = "recording"
    """Its window is open. Moved on by the turn (time); a crash here costs nothing."""
    DUE = "due"
    """Ended; waits for settle, its turn or its next try. Moved on by dispatch."""
    REQUESTED = "requested"
    """Intent committed, answer unknown. A crash here means: look in the status list."""
    EXPORTING = "exporting"
    """The recorder took it. Moved on by tracking."""
    EXPORTED = "exported"
    """The recorder said that it is done. Final."""
    MISSING = "missing"
    """The recorder never had video until `give_up`. An operator may retry."""
    REJECTED = "rejected"
    """The recorder refuses it for good. An operator may retry."""
    CANCELLED = "cancelled"
    """An operator withdrew it, or it was silenced. An operator may retry."""


class IncidentState(StrEnum):
    """What its clips come to: derived by `incident_state`, never set by hand."""

    RECORDING = "recording"
    WAITING = "waiting"
    EXPORTING = "exporting"
    EXPORTED = "exported"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ExportState(StrEnum):
    """One export request as we know it."""

    REQUESTED = "requested"
    """Intent committed; sent or about to be. Holds a slot and its bandwidth."""
    EXPORTING = "exporting"
    """The recorder answered with an exportid, or its list showed it."""
    EXPORTED = "exported"
    REFUSED = "refused"
    """The recorder answered with an error: nothing runs there."""
    FAILED = "failed"
    """The recorder took it and could not finish it."""
    VANISHED = "vanished"
    """It was taken and is no longer listed, or never arrived."""
    CANCELLED = "cancelled"


class IllegalStep(RuntimeError):  # noqa: N818 - a bug, not a condition to handle
    """A step that the table lacks."""


_CLIP = ClipState
CLIP_STEPS: dict[ClipState, frozenset[ClipState]] = {
    _CLIP.RECORDING: frozenset({_CLIP.DUE, _CLIP.CANCELLED}),
    _CLIP.DUE: frozenset(
        {
            _CLIP.RECORDING,  # an alarm extends a window that was not yet asked for
            _CLIP.REQUESTED,
            _CLIP.MISSING,
            _CLIP.REJECTED,
            _CLIP.CANCELLED,
        }
    ),
    _CLIP.REQUESTED: frozenset(
        {
            _CLIP.DUE,
            _CLIP.EXPORTING,
            _CLIP.MISSING,
            _CLIP.REJECTED,
            _CLIP.CANCELLED,
        }
    ),
    _CLIP.EXPORTING: frozenset(
        {_CLIP.DUE, _CLIP.EXPORTED, _CLIP.MISSING, _CLIP.REJECTED, _CLIP.CANCELLED}
    ),
    _CLIP.EXPORTED: frozenset(),
    _CLIP.MISSING: frozenset({_CLIP.DUE}),
    _CLIP.REJECTED: frozenset({_CLIP.DUE}),
    _CLIP.CANCELLED: frozenset({_CLIP.DUE}),
}
CLIP_ENDED = frozenset({_CLIP.EXPORTED, _CLIP.MISSING, _CLIP.REJECTED, _CLIP.CANCELLED})

_EXPORT = ExportState
EXPORT_STEPS: dict[ExportState, frozenset[ExportState]] = {
    _EXPORT.REQUESTED: frozenset(
        {
            _EXPORT.EXPORTING,
            _EXPORT.REFUSED,
            _EXPORT.VANISHED,
            _EXPORT.CANCELLED,
        }
    ),
    _EXPORT.EXPORTING: frozenset(
        {_EXPORT.EXPORTED, _EXPORT.FAILED, _EXPORT.VANISHED, _EXPORT.CANCELLED}
    ),
    _EXPORT.EXPORTED: frozenset(),
    _EXPORT.REFUSED: frozenset(),
    _EXPORT.FAILED: frozenset(),
    _EXPORT.VANISHED: frozenset(),
    _EXPORT.CANCELLED: frozenset(),
}
EXPORT_LIVE = frozenset({_EXPORT.REQUESTED, _EXPORT.EXPORTING})
"""States that hold a slot and bandwidth at the recorder."""

INCIDENT_ENDED = frozenset(
    {
        IncidentState.EXPORTED,
        IncidentState.PARTIAL,
        IncidentState.FAILED,
        IncidentState.CANCELLED,
    }
)


def clip_step(before: ClipState, after: ClipState) -> ClipState:
    """The state after the step; staying is no step.

    Raises:
        IllegalStep: the table has no such step.
    """
    if after not in CLIP_STEPS[before]:
        raise IllegalStep(f"clip: {before} -> {after}")
    return after


def export_step(before: ExportState, after: ExportState) -> ExportState:
    """The state after the step.

    Raises:
        IllegalStep: the table has no such step.
    """
    if after not in EXPORT_STEPS[before]:
        raise IllegalStep(f"export: {before} -> {after}")
    return after


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
    (IncidentState.WAITING, lambda states: _CLIP.DUE in states),
    (IncidentState.EXPORTED, lambda states: states == {_CLIP.EXPORTED}),
    (IncidentState.PARTIAL, lambda states: _CLIP.EXPORTED in states),
    (IncidentState.CANCELLED, lambda states: states == {_CLIP.CANCELLED}),
    (IncidentState.FAILED, lambda _: True),
)
