"""Saving incidents, clips and exports, each change with its entry in the history."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection, bindparam, delete

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event, entry_of
from evidenced.core.incidents.states import IncidentState
from evidenced.core.instants import to_ms
from evidenced.core.trust import NOTE, noted
from evidenced.store import rows
from evidenced.store.dialect import upsert
from evidenced.store.evidence import StoredEvidence
from evidenced.store.exports import StoredExports
from evidenced.store.history import StoredHistory
from evidenced.store.incidents import StoredIncidents
from evidenced.store.notes import Notes
from evidenced.store.part import Step, StorePart
from evidenced.store.schema import clips, incidents
from evidenced.store.tags import StoredTags

_SAVE_INCIDENT = upsert(incidents, "id")
_SAVE_CLIP = upsert(clips, "incident", "n")
_DROP_CLIP = delete(clips).where(
    clips.c.incident == bindparam("of"), clips.c.n == bindparam("number")
)


class Ledger(StorePart):
    """The one way in which an incident is saved."""

    def __init__(
        self,
        connection: Connection,
        incidents: StoredIncidents,
        exports: StoredExports,
        history: StoredHistory,
        notes: Notes,
        derived: Sequence[StoredEvidence | StoredTags],
    ) -> None:
        super().__init__(connection)
        self._incidents = incidents
        self._exports = exports
        self._derived = derived
        self._history = history
        self._notes = notes

    def save(self, changes: Sequence[Change], at: datetime) -> None:
        """Incidents, clips, exports, and the history entries that the changes write."""
        steps: dict[IncidentId, Step] = {}
        for change in changes:
            first = steps.get(change.after.id, (change.before, change.after))[0]
            steps[change.after.id] = (first, change.after)
        self._save_incidents(steps.values())
        self._save_exports(changes)
        for each in self._derived:
            each.derive(steps.values(), at)
        entries = (entry_of(change, at) for change in changes)
        self._history.write(*(entry for entry in entries if entry is not None))

    def _save_incidents(self, steps: Collection[Step]) -> None:
        whole, moved = [], []
        counted = Counter[IncidentState]()
        for before, after in steps:
            if before is not None:
                counted[before.state] -= 1
            counted[after.state] += 1
            if before is not None and rows.is_step(before, after):
                moved.append(rows.incident_step(after))
            else:
                whole.append(rows.incident_row(after))
        for row in whole + moved:
            if row["finished_at"] is not None:
                row["finished_at"] = max(row["finished_at"], self._come)
        self._many(_SAVE_INCIDENT, whole)
        self._move(incidents, ["id"], moved)
        self._save_clips(steps)
        self._incidents.count(counted)

    @cached_property
    def _come(self) -> int:
        """Nothing ends before this, whatever the clock says: see `core.trust`."""
        come = noted(self._notes.get(NOTE))
        return 0 if come is None else to_ms(come)

    def _save_clips(self, steps: Collection[Step]) -> None:
        """Those that changed; those that are gone are dropped."""
        dropped, whole, moved = [], [], []
        for before, after in steps:
            old = {} if before is None else {clip.n: clip for clip in before.clips}
            for clip in after.clips:
                was = old.pop(clip.n, None)
                if was is None or not rows.is_clip_step(was, clip):
                    whole.append(rows.clip_row(after, clip))
                elif was.state is not clip.state or was != clip:  # the cheap half first
                    moved.append(rows.clip_step(after, clip))
            dropped += [{"of": after.id, "number": n} for n in old]
        self._many(_DROP_CLIP, dropped)
        self._many(_SAVE_CLIP, whole)
        self._move(clips, ["incident", "n"], moved)

    def _save_exports(self, changes: Sequence[Change]) -> None:
        new: list[ExportRequest] = []
        known: list[ExportRequest] = []
        for change in changes:
            is_new = change.event is Event.REQUESTED
            (new if is_new else known).extend(change.exports)
        self._exports.add(new)
        self._exports.save(known)
