"""Questions about evidence records and tags: what was done, and what is due."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, func, select

from evidenced.core.ids import IncidentId, RecorderName
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import to_ms
from evidenced.core.keeping.evidence import HashedFile, Record
from evidenced.core.keeping.tag import Tag
from evidenced.store import evidencerows as rows
from evidenced.store.reading import SqlReading, chunks, instant
from evidenced.store.schema import record_files, records, tags

Step = tuple[Incident | None, Incident]

_RECORDS = select(records).where(
    records.c.incident.in_(bindparam("ids", expanding=True))
)
_DUE_RECORDS = (
    select(records)
    .where(records.c.due_at <= bindparam("now"))
    .order_by(records.c.due_at)
    .limit(bindparam("most"))
)
_RECORDS_BEYOND = (
    select(records)
    .where(records.c.due_at > bindparam("later"))
    .limit(bindparam("most"))
)
_NEXT_RECORD = select(func.min(records.c.due_at)).where(records.c.due_at.is_not(None))
_WAITING_RECORDS = select(func.count()).where(records.c.due_at.is_not(None))
_FILES = select(record_files).where(record_files.c.incident == bindparam("incident"))
_TAGS = (
    select(tags)
    .where(tags.c.incident.in_(bindparam("ids", expanding=True)))
    .order_by(tags.c.incident, tags.c.camera)
)
_DUE_TAGS = (
    select(tags)
    .where(tags.c.recorder == bindparam("recorder"), tags.c.due_at <= bindparam("now"))
    .order_by(tags.c.due_at)
    .limit(bindparam("most"))
)
_TAGS_BEYOND = (
    select(tags)
    .where(tags.c.recorder == bindparam("recorder"), tags.c.due_at > bindparam("later"))
    .limit(bindparam("most"))
)
_NEXT_TAG = select(func.min(tags.c.due_at)).where(
    tags.c.recorder == bindparam("recorder"), tags.c.due_at.is_not(None)
)
NEXT_TAGGED = select(func.min(tags.c.recorder)).where(
    tags.c.due_at.is_not(None), tags.c.recorder > bindparam("after")
)
_WAITING_TAGS = select(func.count()).where(tags.c.due_at.is_not(None))


class EvidenceView(SqlReading):
    """What is asked about records and tags."""

    def records_of(self, incidents: Collection[IncidentId]) -> list[Record]:
        return [
            rows.record_of(row)
            for some in chunks(incidents)
            for row in self._rows(_RECORDS, ids=some)
        ]

    def due_records(self, now: datetime, limit: int) -> list[Record]:
        found = self._rows(_DUE_RECORDS, now=to_ms(now), most=limit)
        return [rows.record_of(row) for row in found]

    def records_beyond(self, later: datetime, limit: int) -> list[Record]:
        found = self._rows(_RECORDS_BEYOND, later=to_ms(later), most=limit)
        return [rows.record_of(row) for row in found]

    def next_record(self) -> datetime | None:
        return instant(self._db.scalar(_NEXT_RECORD))

    def hashed_files(self, incident: IncidentId) -> list[HashedFile]:
        return [rows.file_of(row) for row in self._rows(_FILES, incident=incident)]

    def tags_of(self, incidents: Collection[IncidentId]) -> list[Tag]:
        return [
            rows.tag_of(row)
            for some in chunks(incidents)
            for row in self._rows(_TAGS, ids=some)
        ]

    def due_tags(self, recorder: RecorderName, now: datetime, limit: int) -> list[Tag]:
        found = self._rows(_DUE_TAGS, recorder=recorder, now=to_ms(now), most=limit)
        return [rows.tag_of(row) for row in found]

    def tags_beyond(
        self, recorder: RecorderName, later: datetime, limit: int
    ) -> list[Tag]:
        values = {"later": to_ms(later), "most": limit}
        found = self._rows(_TAGS_BEYOND, recorder=recorder, **values)
        return [rows.tag_of(row) for row in found]

    def next_tag(self, recorder: RecorderName) -> datetime | None:
        return instant(self._db.scalar(_NEXT_TAG, {"recorder": recorder}))

    def waiting_evidence(self) -> tuple[int, int]:
        """Records that wait to be written, and tags that are not confirmed."""
        found = (self._db.scalar(each) for each in (_WAITING_RECORDS, _WAITING_TAGS))
        waiting, untagged = (count or 0 for count in found)
        return waiting, untagged
