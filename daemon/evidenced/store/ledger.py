"""Saving incidents, clips and exports, each change with its entry in the history."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, bindparam, delete

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event, entry_of
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import IncidentState
from evidenced.core.instants import to_ms
from evidenced.core.trust import NOTE, noted
from evidenced.store.dialect import upsert
from evidenced.store.incidents import CLIP, INCIDENT
from evidenced.store.part import Step, StorePart
from evidenced.store.schema import clips, incidents
from evidenced.store.view import View

ALARMED = (
    "rule",
    "key",
    "opened_at",
    "first_at",
    "last_at",
    "begun_at",
    "imported_at",
    "alarms",
    "continues",
    "fields",
    "terms",
)
"""Of an incident: what only alarms change, if anything does."""
PLACED = ("camera", "label", "recorder", "address", "window", "post_roll")
"""Of a clip: what only alarms change, if anything does."""
_INCIDENT_STEP = INCIDENT.without(*ALARMED)
_CLIP_STEP = CLIP.without(*PLACED)
_alarmed = attrgetter(*ALARMED)
_placed = attrgetter(*PLACED)
_SAVE_INCIDENT = upsert(incidents, "id")
_SAVE_CLIP = upsert(clips, "incident", "n")
_DROP_CLIP = delete(clips).where(
    clips.c.incident == bindparam("of"), clips.c.n == bindparam("number")
)


class Ledger(StorePart):
    """The one way in which an incident is saved."""

    def __init__(self, connection: Connection, view: View) -> None:
        super().__init__(connection)
        self._view = view

    def save(
        self, changes: Sequence[Change], at: datetime, *, is_storm: bool = False
    ) -> None:
        """Incidents, clips, exports, and the history entries that the changes write.

        In a storm of alarms their stills are drawn up after it.
        """
        steps: dict[IncidentId, Step] = {}
        for change in changes:
            first = steps.get(change.after.id, (change.before, change.after))[0]
            steps[change.after.id] = (first, change.after)
        self._save_incidents(steps.values())
        self._save_exports(changes)
        self._derive(
            [step for step in steps.values() if step[1].imported_at is None],
            at,
            is_storm=is_storm,
        )
        for change in changes:
            names = change.detail.get("unknown_cameras")
            if isinstance(names, list) and change.after.clips:  # else all is lost
                self._view.losses.note_unplaced(change.after.id, names, at)
        entries = (entry_of(change, at) for change in changes)
        self._view.history.write(*(entry for entry in entries if entry is not None))

    def _derive(self, steps: Sequence[Step], at: datetime, *, is_storm: bool) -> None:
        """What follows from them, but of what was imported: that is over."""
        self._view.evidence.derive(steps, at)
        self._view.tags.derive(steps, at)
        self._view.stills.derive(steps, at, is_storm=is_storm)
        self._view.losses.derive(steps, at)
        self._view.health.derive(steps, at)

    def _save_incidents(self, steps: Collection[Step]) -> None:
        whole, moved = [], []
        counted = Counter[IncidentState]()
        for before, after in steps:
            if before is not None:
                counted[before.state] -= 1
            counted[after.state] += 1
            if before is not None and is_step(before, after):
                moved.append(incident_step(after))
            else:
                whole.append(incident_row(after))
        for row in whole + moved:
            if row["finished_at"] is not None:
                row["finished_at"] = max(row["finished_at"], self._come)
        self._many(_SAVE_INCIDENT, whole)
        self._move(incidents, ["id"], moved)
        self._save_clips(steps)
        self._view.incidents.count(counted)

    @cached_property
    def _come(self) -> int:
        """Nothing ends before this, whatever the clock says: see `core.trust`."""
        come = noted(self._view.notes.get(NOTE))
        return 0 if come is None else to_ms(come)

    def _save_clips(self, steps: Collection[Step]) -> None:
        """Those that changed; those that are gone are dropped."""
        dropped, whole, moved = [], [], []
        for before, after in steps:
            old = {} if before is None else {clip.n: clip for clip in before.clips}
            for clip in after.clips:
                was = old.pop(clip.n, None)
                if was is None or not is_clip_step(was, clip):
                    whole.append(clip_row(after, clip))
                elif was.state is not clip.state or was != clip:  # the cheap half first
                    moved.append(clip_step(after, clip))
            dropped += [{"of": after.id, "number": n} for n in old]
        self._many(_DROP_CLIP, dropped)
        self._many(_SAVE_CLIP, whole)
        self._move(clips, ["incident", "n"], moved)

    def _save_exports(self, changes: Sequence[Change]) -> None:
        new: list[ExportRequest] = []
        known: list[ExportRequest] = []
        for change in changes:
            is_new = change.event in {Event.REQUESTED, Event.IMPORTED}
            (new if is_new else known).extend(change.exports)
        self._view.exports.add(new)
        self._view.exports.save(known)


def incident_row(incident: Incident) -> dict[str, Any]:
    return {
        **INCIDENT.row(incident),
        **_computed(incident),
        "start_at": to_ms(incident.span.start),
        "end_at": to_ms(incident.span.end),
    }


def incident_step(incident: Incident) -> dict[str, Any]:
    """The columns that change without an alarm: see `is_step`."""
    return {**_INCIDENT_STEP.row(incident), **_computed(incident)}


def _computed(incident: Incident) -> dict[str, Any]:
    turn, alert = incident.turn_at, incident.alert_at
    return {
        "state": incident.state.value,
        "turn_at": None if turn is None else to_ms(turn),
        "alert_at": None if alert is None else to_ms(alert),
    }


def is_step(before: Incident, after: Incident) -> bool:
    """Whether `incident_step` holds all that is different, its clips aside."""
    return _alarmed(before) == _alarmed(after) and [
        clip.window for clip in before.clips
    ] == [clip.window for clip in after.clips]


def clip_row(incident: Incident, clip: Clip) -> dict[str, Any]:
    """`destination` is the incident's, so that the queue can pass over held ones.

    So is `opened_at`: a camera's incidents are found newest first.
    """
    return {
        **CLIP.row(clip),
        "incident": incident.id,
        "opened_at": to_ms(incident.opened_at),
        "destination": incident.terms.destination,
    }


def clip_step(incident: Incident, clip: Clip) -> dict[str, Any]:
    """The columns that change while its window stays: see `is_clip_step`."""
    return {**_CLIP_STEP.row(clip), "incident": incident.id}


def is_clip_step(before: Clip, after: Clip) -> bool:
    """Whether `clip_step` holds all that is different."""
    return _placed(before) == _placed(after)
