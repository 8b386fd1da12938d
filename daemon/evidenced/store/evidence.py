"""Saving evidence records and tags: what each step makes wanted, and what was done."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.incident import Incident
from evidenced.core.keeping import evidence
from evidenced.core.keeping.evidence import HashedFile, Record
from evidenced.core.keeping.tag import Tag, merged, tags_after
from evidenced.store import evidencerows as rows
from evidenced.store.schema import record_files, records, tags
from evidenced.store.statement import SqlWriting, upsert

Step = tuple[Incident | None, Incident]

_SAVE_RECORD = upsert(records, "incident")
_SAVE_FILE = upsert(record_files, "incident", "folder", "name")
_SAVE_TAG = upsert(tags, "incident", "camera")


class EvidenceTx(SqlWriting):
    """What is written of records and tags."""

    def save_record(self, record: Record) -> None:
        self._many(_SAVE_RECORD, [rows.record_row(record)])

    def drop_record(self, incident: IncidentId) -> None:
        self._db.execute(delete(records).where(records.c.incident == incident))

    def save_hashed(self, incident: IncidentId, files: Sequence[HashedFile]) -> None:
        self._many(_SAVE_FILE, [rows.file_row(incident, each) for each in files])

    def save_tags(self, tags: Iterable[Tag]) -> None:
        self._many(_SAVE_TAG, [rows.tag_row(tag) for tag in tags])

    def _derive_evidence(self, steps: Collection[Step], at: datetime) -> None:
        """What follows from these steps for records and tags, in their transaction."""
        self._derive_records(
            [after for before, after in steps if evidence.wanted(before, after)], at
        )
        wanted = [
            tag for before, after in steps for tag in tags_after(before, after, at)
        ]
        if wanted:
            known = {
                (tag.incident, tag.camera): tag
                for tag in self.tags_of({tag.incident for tag in wanted})
            }
            self.save_tags(
                merged(known.get((tag.incident, tag.camera)), tag) for tag in wanted
            )

    def _derive_records(self, incidents: Sequence[Incident], at: datetime) -> None:
        known = {r.incident: r for r in self.records_of([i.id for i in incidents])}
        self._many(
            _SAVE_RECORD,
            [
                rows.record_row(evidence.again(known.get(each.id), each.id, at))
                for each in incidents
            ],
        )

    def _forget_evidence(self, incidents: Sequence[str]) -> None:
        for table in (record_files, records, tags):
            self._db.execute(delete(table).where(table.c.incident.in_(incidents)))
