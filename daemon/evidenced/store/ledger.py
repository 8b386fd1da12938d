"""Saving incidents, clips and exports, each change with its entry in the history."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Entry, Event, entry_of
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import IncidentState
from evidenced.core.instants import to_ms
from evidenced.store import rows
from evidenced.store.chain import link
from evidenced.store.evidence import EvidenceTx
from evidenced.store.schema import (
    clips,
    exports,
    history,
    incidents,
    meta,
    tally,
)
from evidenced.store.statement import update_of, upsert

LAST_EXPORT_ID = "last-export-id"

_SAVE_INCIDENT = upsert(incidents, "id")
_MOVE_INCIDENT = update_of(incidents, ["id"], rows.INCIDENT_STEP)
_SAVE_CLIP = upsert(clips, "incident", "n")
_MOVE_CLIP = update_of(clips, ["incident", "n"], rows.CLIP_STEP)
_DROP_CLIP = delete(clips).where(
    clips.c.incident == bindparam("of"), clips.c.n == bindparam("number")
)
_ADD_EXPORT = insert(exports)
_SAVE_EXPORT = upsert(exports, "id")
_ADD_HISTORY = insert(history)
_SAVE_NOTE = upsert(meta, "key")
_COUNT = insert(tally)
_COUNT = _COUNT.on_conflict_do_update(
    index_elements=["state"],
    set_={"incidents": tally.c.incidents + _COUNT.excluded.incidents},
)


class LedgerTx(EvidenceTx):
    """The one way in which an incident is saved."""

    def new_export_id(self) -> int:
        if self._export_id is None:
            self._export_id = self._last_export_id()
        self._export_id += 1
        return self._export_id

    _export_id: int | None = None

    def _last_export_id(self) -> int:
        newest = self._db.scalar(select(func.max(exports.c.id))) or 0
        return max(newest, int(self.note(LAST_EXPORT_ID) or 0))

    def save(self, changes: Sequence[Change], at: datetime) -> None:
        steps: dict[IncidentId, tuple[Incident | None, Incident]] = {}
        for change in changes:
            first = steps.get(change.after.id, (change.before, change.after))[0]
            steps[change.after.id] = (first, change.after)
        self._save_incidents(steps.values())
        self._add_exports(changes)
        self._save_exports(
            export
            for change in changes
            if change.event is not Event.REQUESTED
            for export in change.exports
        )
        self._derive_evidence(steps.values(), at)
        entries = [entry_of(change, at) for change in changes]
        self._write_entries([entry for entry in entries if entry is not None])

    def _save_incidents(
        self, steps: Collection[tuple[Incident | None, Incident]]
    ) -> None:
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
        self._many(_SAVE_INCIDENT, whole)
        self._many(_MOVE_INCIDENT, moved)
        self._save_clips(steps)
        self._count(counted)

    def _save_clips(self, steps: Collection[tuple[Incident | None, Incident]]) -> None:
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
        self._many(_MOVE_CLIP, moved)

    def _count(self, counted: Counter[IncidentState]) -> None:
        self._many(
            _COUNT,
            [
                {"state": state.value, "incidents": n}
                for state, n in counted.items()
                if n
            ],
        )

    def _add_exports(self, changes: Sequence[Change]) -> None:
        """New ones need no look at what is there: half the price of an upsert."""
        new = [
            rows.export_row(export)
            for change in changes
            if change.event is Event.REQUESTED
            for export in change.exports
        ]
        self._many(_ADD_EXPORT, new)

    def save_progress(self, exports: Iterable[ExportRequest]) -> None:
        self._save_exports(exports)

    def _save_exports(self, exports: Iterable[ExportRequest]) -> None:
        self._many(_SAVE_EXPORT, [rows.export_row(export) for export in exports])

    def save_note(self, key: str, value: str) -> None:
        self._many(_SAVE_NOTE, [{"key": key, "value": value}])

    def write_entry(self, entry: Entry) -> None:
        self._write_entries([entry])

    def _write_entries(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        head = self.head()
        seq, previous = head.seq, head.hash
        written = []
        for entry in entries:
            seq += 1
            at, detail = to_ms(entry.at), rows.dump(entry.detail)
            previous = link(previous, seq, at, (entry.incident, entry.event, detail))
            written.append(
                {
                    "seq": seq,
                    "incident": entry.incident,
                    "at": at,
                    "event": entry.event,
                    "detail": detail,
                    "hash": previous,
                }
            )
        self._many(_ADD_HISTORY, written)
