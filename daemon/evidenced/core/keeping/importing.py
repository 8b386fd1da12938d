"""Records on shares that are taken into the store: what stands in its rows then.

After pruning, or in a new store, incidents are known by what lies on shares. One that
is taken in is over: it has its footage and its record where they are, is pruned when
`retain` has gone by from then on, and is disposed of by age no sooner than GRACE later,
so that people have time to hold what they want to keep.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from evidenced.core.errors import Refused
from evidenced.core.ids import DestinationName, IncidentId
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import DAY, render_utc
from evidenced.core.keeping.evidence import Record, RecordFolder, RecordState
from evidenced.core.keeping.footage import FootageFolder, FootageState, recorded, words

GRACE = 7 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """A folder whose record is to be taken in; `way` leads there from the mount.

    `record` is the SHA-256 that its incident.json had when its files were hashed.
    `key` is the public key that must have signed it, None for this installation's own
    one if it has one; `is_unsigned` is whether it may be anybody's. `instance` is the
    one that must have written it, "" for this one.
    """

    destination: DestinationName
    way: tuple[str, ...]
    record: str
    key: bytes | None = None
    is_unsigned: bool = False
    instance: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What its statement says became of the footage; `statement` is its hash."""

    at: datetime
    by: str
    comment: str
    place: str
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRecord:
    """A record as it was found on a share, whole and signed as was asked for.

    `data` are the bytes of its incident.json, `pictures` those of its stills, by name.
    """

    data: bytes
    sha256: str
    key: str
    files: int
    size_bytes: int
    fate: Fate | None
    pictures: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What became of an order: `is_new` is whether something was taken in.

    It is pruned after `kept_until`, and its footage disposed of after `stays_until`,
    None where nothing is by age.
    """

    incident: IncidentId
    is_new: bool
    kept_until: datetime | None = None
    stays_until: datetime | None = None


def folder_of(
    incident: Incident, path: str, found: SharedRecord, written: datetime, now: datetime
) -> FootageFolder:
    """Its row. Nobody here has hashed its files: that is due since it was written."""
    row = recorded(
        incident,
        incident.terms.destination,
        RecordFolder(
            path=path,
            files=found.files,
            size_bytes=found.size_bytes,
            sha256=found.sha256,
        ),
        written,
    )
    if found.fate is None:
        return replace(row, wait_until=now + GRACE)
    fate = found.fate
    return row.moved(
        FootageState.MOVED if fate.place else FootageState.DISPOSED,
        at=fate.at,
        by=fate.by,
        comment=fate.comment,
        place=fate.place,
        statement=fate.statement,
    )


def record_of(
    known: Record | None, footage: FootageFolder, revision: int, key: str
) -> Record:
    """The row of the incident's record, which lies in one folder more."""
    folder = RecordFolder(
        path=footage.path,
        files=footage.files,
        size_bytes=footage.size_bytes,
        sha256=footage.sha256,
    )
    before = known.folders if known else ()
    return Record(
        incident=footage.incident,
        state=RecordState.WRITTEN,
        wanted_at=footage.recorded_at,
        due_at=None,
        revision=max(revision, known.revision if known else 0),
        folders=(*before, folder),
        key=key,
        written_at=footage.recorded_at,
    )


def detail_of(
    footage: FootageFolder, found: SharedRecord, instance: str, who: str
) -> dict[str, object]:
    """What the chain says of it, whether its incident is new or has a folder more."""
    optional = {
        "signed_by": found.key,
        "fate": words(footage),
        "statement": footage.statement,
    }
    return {
        "by": who,
        "instance": instance,
        "destination": footage.destination,
        "path": footage.path,
        "record": footage.sha256,
        "written": render_utc(footage.recorded_at),
        "files": footage.files,
        "bytes": footage.size_bytes,
    } | {name: value for name, value in optional.items() if value}


def entry_of(
    footage: FootageFolder, detail: Mapping[str, object], now: datetime
) -> Entry:
    """For a folder more of an incident that was taken in before."""
    return Entry(incident=footage.incident, at=now, event=Event.IMPORTED, detail=detail)


def check_is_new(
    known: Incident | None,
    there: FootageFolder | None,
    footage: FootageFolder,
) -> bool:
    """Whether there is anything to take in: False where all of it is known.

    `there` is what the store knows of the same folder.

    Raises:
        Refused: the store knows something else.
    """
    if there is not None and there.incident != footage.incident:
        raise Refused(
            f"the store knows its folder as that of incident {there.incident}"
        )
    if there is not None and there.sha256 != footage.sha256:
        raise Refused(
            "the store knows another record of this folder: this one was changed, or "
            "is an older revision"
        )
    if known is None:
        return True
    if there is None and known.imported_at is None:
        raise Refused(
            f"incident {known.id} is in the store, which knows of no record in this "
            "folder"
        )
    return there is None


def stays_until(
    folders: Sequence[FootageFolder], keep_until: datetime | None
) -> datetime | None:
    """Until when its footage is not disposed of by age; None where it never is."""
    waits = [each.wait_until for each in folders if each.is_here and each.wait_until]
    return keep_until and max([keep_until, *waits])
