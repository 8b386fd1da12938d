"""Evidence records and tags: what is wanted by each step, and what was done."""

import json
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from evidenced.core.ids import IncidentId, RecorderName
from evidenced.core.instants import to_ms
from evidenced.core.keeping.evidence import (
    RECORD,
    SIGNED,
    HashedFile,
    Record,
    brings_more,
    want_again,
)
from evidenced.core.keeping.tag import Tag, merge_wanted, tags_after
from evidenced.store.codec import Codec, Row
from evidenced.store.dialect import upsert
from evidenced.store.part import Step, StorePart, instant
from evidenced.store.schema import papers, record_files, records, tags

_EVIDENCE_OF = select(records).where(
    records.c.incident.in_(bindparam("ids", expanding=True))
)
_EVIDENCE_DUE = (
    select(records)
    .where(records.c.due_at <= bindparam("now"))
    .order_by(records.c.due_at)
    .limit(bindparam("most"))
)
_EVIDENCE_HASTEN = (
    update(records)
    .where(records.c.due_at > bindparam("later"))
    .values(due_at=bindparam("now"))
)
_EVIDENCE_NEXT = select(func.min(records.c.due_at)).where(records.c.due_at.is_not(None))
_EVIDENCE_WAITING = select(func.count()).where(records.c.due_at.is_not(None))
_FILES = select(record_files).where(record_files.c.incident == bindparam("incident"))
_DROP = delete(records).where(records.c.incident == bindparam("of"))
_EVIDENCE_SAVE = upsert(records, "incident")
_SAVE_FILE = upsert(record_files, "incident", "folder", "name")
_PAPERS = select(papers).where(papers.c.incident == bindparam("incident"))
_KEPT_FOLDERS = (
    select(papers.c.folder).where(papers.c.incident == bindparam("incident")).distinct()
)
_RENAME_PAPER = (
    update(papers)
    .where(
        papers.c.incident == bindparam("of"),
        papers.c.folder == bindparam("at"),
        papers.c.name == bindparam("was"),
    )
    .values(name=bindparam("now"))
)
_SAVE_PAPER = upsert(papers, "incident", "folder", "name")
_RECORD = Codec(Record)
_FILE = Codec(HashedFile, file=("name", "size", "modified_ns"))


class StoredEvidence(StorePart):
    """One record an incident; hashes are kept, so that no file is read twice."""

    def of(self, incidents: Collection[IncidentId]) -> list[Record]:
        return [_RECORD.value(row) for row in self._by_ids(_EVIDENCE_OF, incidents)]

    def due(self, now: datetime, limit: int) -> list[Record]:
        """Evidence records that wait to be written, the longest due first."""
        return self._values(_RECORD, _EVIDENCE_DUE, now=to_ms(now), most=limit)

    def hasten(self, now: datetime, later: datetime) -> int:
        """Those that are due later than any may be are due now; returns how many."""
        values = {"now": to_ms(now), "later": to_ms(later)}
        return self._db.execute(_EVIDENCE_HASTEN, values).rowcount

    def next_due(self) -> datetime | None:
        """When the next of them is due."""
        return instant(self._db.scalar(_EVIDENCE_NEXT))

    def waiting(self) -> int:
        """Records that wait to be written."""
        return self._db.scalar(_EVIDENCE_WAITING) or 0

    def files(self, incident: IncidentId, most: int | None = None) -> list[HashedFile]:
        """Files of its footage as they were hashed last; the first so many, or all."""
        query = _FILES.limit(most)
        return [_file_of(row) for row in self._rows(query, incident=incident)]

    def save(self, *records: Record) -> None:
        self._many(_EVIDENCE_SAVE, [_RECORD.row(record) for record in records])

    def drop(self, incident: IncidentId) -> None:
        """There is no share on which it could be written, and none is kept here."""
        self._db.execute(_DROP, {"of": incident})

    def papers(self, incident: IncidentId) -> dict[str, dict[str, bytes]]:
        """What is kept here of its record, by folder and name: no share shows those."""
        found: dict[str, dict[str, bytes]] = {}
        for row in self._rows(_PAPERS, incident=incident):
            data = zlib.decompress(row["data"])
            found.setdefault(row["folder"], {})[row["name"]] = data
        return found

    def kept_folders(self, incident: IncidentId) -> frozenset[str]:
        """Those whose record is kept here."""
        rows = self._rows(_KEPT_FOLDERS, incident=incident)
        return frozenset(row["folder"] for row in rows)

    def keep_papers(
        self, incident: IncidentId, folder: str, files: Mapping[str, bytes], former: str
    ) -> None:
        """Keep a record here; the one before it goes on under the name `former`."""
        for end in ("", SIGNED):
            names = {"was": RECORD + end, "now": former + end}
            self._db.execute(_RENAME_PAPER, {"of": incident, "at": folder, **names})
        rows = [
            {
                "incident": incident,
                "folder": folder,
                "name": name,
                "data": zlib.compress(data),
            }
            for name, data in files.items()
        ]
        self._many(_SAVE_PAPER, rows)

    def save_files(self, incident: IncidentId, files: Sequence[HashedFile]) -> None:
        self._many(_SAVE_FILE, [_file_row(incident, each) for each in files])

    def derive(self, steps: Iterable[Step], at: datetime) -> None:
        """Make records wanted by what these steps did to incidents."""
        ids = [after.id for before, after in steps if brings_more(before, after)]
        known = {record.incident: record for record in self.of(ids)}
        self.save(*(want_again(known.get(each), each, at) for each in ids))


def _file_row(incident: IncidentId, each: HashedFile) -> dict[str, Any]:
    """A name as JSON text: one that is no UTF-8 is no text that a database takes."""
    row = _FILE.row(each)
    return {**row, "incident": incident, "name": json.dumps(row["name"])}


def _file_of(row: Row) -> HashedFile:
    return _FILE.value({**row, "name": json.loads(row["name"])})


_TAGS_OF = (
    select(tags)
    .where(tags.c.incident.in_(bindparam("ids", expanding=True)))
    .order_by(tags.c.incident, tags.c.camera)
)
_TAGS_DUE = (
    select(tags)
    .where(tags.c.recorder == bindparam("recorder"), tags.c.due_at <= bindparam("now"))
    .order_by(tags.c.due_at)
    .limit(bindparam("most"))
)
_TAGS_HASTEN = (
    update(tags)
    .where(tags.c.recorder == bindparam("of"), tags.c.due_at > bindparam("later"))
    .values(due_at=bindparam("now"))
)
_TAGS_NEXT = select(func.min(tags.c.due_at)).where(
    tags.c.recorder == bindparam("recorder"), tags.c.due_at.is_not(None)
)
NEXT_TAGGED = select(func.min(tags.c.recorder)).where(
    tags.c.due_at.is_not(None), tags.c.recorder > bindparam("after")
)
_TAGS_WAITING = select(func.count()).where(tags.c.due_at.is_not(None))
_TAGS_SAVE = upsert(tags, "incident", "camera")
_TAG = Codec(
    Tag,
    window=("start_at", "end_at"),
    asked=("asked_start", "asked_end"),
    kept=("kept_start", "kept_end"),
)


class StoredTags(StorePart):
    """One a camera of an incident."""

    def of(self, incidents: Collection[IncidentId]) -> list[Tag]:
        return [_TAG.value(row) for row in self._by_ids(_TAGS_OF, incidents)]

    def due(self, recorder: RecorderName, now: datetime, limit: int) -> list[Tag]:
        """Tags that the recorder is to be asked for, or looked for in its list."""
        return self._values(
            _TAG, _TAGS_DUE, recorder=recorder, now=to_ms(now), most=limit
        )

    def hasten(self, recorder: RecorderName, now: datetime, later: datetime) -> int:
        """Those that are due later than any may be are due now; returns how many."""
        values = {"of": recorder, "now": to_ms(now), "later": to_ms(later)}
        return self._db.execute(_TAGS_HASTEN, values).rowcount

    def next_due(self, recorder: RecorderName) -> datetime | None:
        """When the next of them is due."""
        return instant(self._db.scalar(_TAGS_NEXT, {"recorder": recorder}))

    def waiting(self) -> int:
        """Tags that are not confirmed."""
        return self._db.scalar(_TAGS_WAITING) or 0

    def save(self, tags: Iterable[Tag]) -> None:
        self._many(_TAGS_SAVE, [_TAG.row(tag) for tag in tags])

    def derive(self, steps: Iterable[Step], at: datetime) -> None:
        """Make tags wanted by what these steps did to incidents."""
        wanted = [
            tag for before, after in steps for tag in tags_after(before, after, at)
        ]
        if wanted:
            known = {
                (tag.incident, tag.camera): tag
                for tag in self.of({tag.incident for tag in wanted})
            }
            self.save(
                merge_wanted(known.get((tag.incident, tag.camera)), tag)
                for tag in wanted
            )
