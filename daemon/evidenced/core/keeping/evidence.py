"""Evidence records: which folders get one, when, and what is known of their files.

An incident's record is a row. It is `wanted` as soon as footage of the incident was
exported, and again when the incident ends with more to say; the loop `evidence` writes
it beside the footage and makes it `written`. Where no share is mounted nothing can be
seen there: what is known is written up all the same, and kept in the store.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from evidenced.core.exports.retry import RetryPolicy, back_off
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ExportState
from evidenced.core.instants import HOUR, ZERO
from evidenced.core.keeping.loss import Loss, LossKind, loss_about
from evidenced.core.machine import Facts, Machine, Tone
from evidenced.core.phrase import phrase
from evidenced.core.spoken import spoken
from evidenced.core.trust import Now

RECORD = "incident.json"
PAGE = "incident.html"
SIGNED = ".sig"
"""Ends the name of a signature; what is before it is what was signed."""
SIGNATURE = RECORD + SIGNED
DISPOSAL = "incident.disposed.json"
"""What says that footage was disposed of, beside the record that stays."""
NOTE = "incident.unfinished.txt"
"""What says of a folder that its export was lost. It is no part of a record."""
PART = ".evidenced-part"
"""Ends the name of a file that is still being written."""

WAITS = RetryPolicy(first=timedelta(seconds=15), longest=timedelta(minutes=10))
"""Between tries on a share that cannot be looked at or written."""


class RecordState(StrEnum):
    """What became of an incident's record."""

    WANTED = "wanted"
    """There is footage to record."""
    WRITTEN = "written"
    """It lies beside the footage, or in the store where no share shows that."""
    FAILED = "failed"
    """The footage did not come, or did not stop growing, in time."""


_AGAIN = "its incident, when more footage is exported; an operator, by `record`"

RECORDS: Machine[RecordState] = Machine(
    "record",
    {
        RecordState.WANTED: Facts(
            to=frozenset({RecordState.WRITTEN, RecordState.FAILED}),
            by="`evidence`, when its files no longer change",
            crash="the file that was being hashed is hashed again",
            tone=Tone.WAIT,
        ),
        RecordState.WRITTEN: Facts(
            to=frozenset({RecordState.WANTED}),
            by=_AGAIN,
            crash="nothing is lost",
            tone=Tone.GOOD,
            is_ended=True,
        ),
        RecordState.FAILED: Facts(
            to=frozenset({RecordState.WANTED}),
            by=_AGAIN,
            crash="nothing is lost",
            tone=Tone.BAD,
            is_ended=True,
            is_lost=True,
        ),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFolder:
    """One folder's part: `sha256` is that of its incident.json."""

    path: str
    files: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One incident's evidence record.

    `revision` is the last one written, 0 for none. `survey` is what lay in the folders
    at the last look, as a digest, unchanged since `surveyed_at`. Patience began at
    `wanted_at`, the first look. `intended` are hashes of records that are being
    written: what a crash left of them is ours. `key` is the id of the key that signed,
    "" for none.
    """

    incident: IncidentId
    state: RecordState
    wanted_at: datetime
    due_at: datetime | None
    revision: int = 0
    tries: int = 0
    survey: str = ""
    surveyed_at: datetime | None = None
    intended: tuple[str, ...] = ()
    folders: tuple[RecordFolder, ...] = ()
    key: str = ""
    written_at: datetime | None = None
    message: str = ""

    def moved(self, state: RecordState, **changes: Any) -> "Record":  # noqa: ANN401 - fields
        """The record in this state, where it may be already, with these changes.

        Raises:
            IllegalStep: the table has no such step.
        """
        if state is not self.state:
            RECORDS.step(self.state, state)
        return replace(self, state=state, **changes)

    @property
    def is_failed(self) -> bool:
        return self.state is RecordState.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFile:
    """A regular file as it lies in a folder; `name` is relative, parts joined by /."""

    name: str
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What lies in a folder besides records.

    `others` are links, pipes and the like: they are named and never opened.
    """

    files: tuple[SeenFile, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedFile:
    """A file with its hash. `was` are hashes from before it changed, oldest first."""

    folder: str
    file: SeenFile
    sha256: str
    hashed_at: datetime
    was: tuple[str, ...] = ()


def is_own(name: str) -> bool:
    """Whether a name in the folder itself belongs to the record, of any revision."""
    if name.endswith(PART):
        return name.startswith(".incident.") and "/" not in name
    stem = name.removesuffix(SIGNED)
    if name == PAGE or stem in {RECORD, DISPOSAL}:
        return True
    return revision_of(stem) is not None or is_still(name)


def still_name(n: int) -> str:
    """What the picture of this number is called beside footage."""
    return f"incident.still-{n}.jpg"


_STILL = re.compile(r"incident\.still-(?:0|[1-9][0-9]{0,8})\.jpg")
_FORMER = re.compile(r"incident\.r([0-9]{1,9})\.json")
"""Whoever can write a share, and a record there, may write any number of digits."""


def is_still(name: str) -> bool:
    """Whether a picture of some number has this name."""
    return _STILL.fullmatch(name) is not None


def is_litter(name: str) -> bool:
    """Whether it is what Windows and macOS leave in a folder that somebody looked at.

    Such a file comes, changes and goes by itself: it is no footage and no alteration.
    """
    return name.rpartition("/")[2].casefold() in _LITTER


_LITTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store"})


def revision_of(name: str) -> int | None:
    """Which revision's superseded incident.json has this name, if any has."""
    found = _FORMER.fullmatch(name)
    return int(found[1]) if found else None


def found_name(sha256: str) -> str:
    """What a record that the store does not know of is called from then on."""
    return f"incident.found-{sha256[:8] or 'none'}.json"


def former_name(revision: int) -> str:
    """What a superseded incident.json is called."""
    return f"incident.r{revision}.json"


def is_recordable(incident: Incident) -> bool:
    """Whether there is footage to record."""
    return any(clip.has_footage for clip in incident.clips)


def brings_more(before: Incident | None, after: Incident) -> bool:
    """Whether this step brings more to record: a clip was exported, or it is over."""
    if not is_recordable(after) or before is after:
        return False
    earlier = exported_clips(before) if before else set()
    is_new = not exported_clips(after) <= earlier or _gaps(before) != _gaps(after)
    is_over = after.finished_at is not None
    return is_new or (is_over and (before is None or before.finished_at is None))


def _gaps(incident: Incident | None) -> set[int]:
    """The clips whose record has gaps to tell."""
    clips = incident.clips if incident else ()
    return {clip.n for clip in clips if clip.coverage and clip.coverage.gaps}


def exported_clips(incident: Incident) -> set[int]:
    """The clips that have their footage, by number."""
    return {clip.n for clip in incident.clips if clip.has_footage}


def folders_of(incident: Incident, exports: Iterable[ExportRequest]) -> dict[str, bool]:
    """The folders with footage, and whether each must be there.

    One of a request that ended otherwise may hold clips that were done before.
    """
    done = exported_clips(incident)
    found: dict[str, bool] = {}
    for export in exports:
        if export.finished_at is None or done.isdisjoint(
            device.clip for device in export.devices
        ):
            continue
        is_sure = export.state is ExportState.EXPORTED
        if is_sure or export.state in {ExportState.FAILED, ExportState.CANCELLED}:
            found[export.path] = found.get(export.path, False) or is_sure
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """How patiently footage on the share is waited for.

    `stable` is how long nothing may change before it is hashed, `patience` how long it
    may be missing or change before that is told, `rate` bytes per second of hashing,
    0 for as fast as it goes. Recorded footage is hashed again after `recheck`, ZERO for
    never.
    """

    stable: timedelta = timedelta(seconds=10)
    patience: timedelta = HOUR
    rate: int = 50_000_000
    recheck: timedelta = ZERO


def want_again(known: Record | None, incident: IncidentId, now: datetime) -> Record:
    """There is footage to record, or more of it; the revision before is kept."""
    if known is None:
        return Record(
            incident=incident, state=RecordState.WANTED, wanted_at=now, due_at=now
        )
    return known.moved(
        RecordState.WANTED,
        wanted_at=now,
        due_at=now,
        tries=0,
        survey="",
        surveyed_at=None,
        message="",
    )


NOWHERE: Mapping[str, str] = MappingProxyType({})


def look_at(
    record: Record,
    surveys: Mapping[str, Survey | None],
    needed: Mapping[str, bool],
    care: Care,
    now: Now,
    here: Mapping[str, str] = NOWHERE,
) -> Record | None:
    """The record after a look at its folders; None when they are there and stable.

    `here` says where this host sees each of them: a wrong `mount` is seen by that.
    """
    missing = [
        phrase("{path}, here {here}", path=path, here=here[path])
        if path in here
        else path
        for path, must in needed.items()
        if must and not _has_footage(surveys.get(path))
    ]
    mark = digest(surveys)
    is_same = record.surveyed_at is not None and record.survey == mark
    # what was seen by a clock that was ahead was seen now at the latest
    since = (
        min(record.surveyed_at, now.at) if is_same and record.surveyed_at else now.at
    )
    if is_same and not missing and now.at - since >= care.stable:
        return None
    patient_since = min(record.wanted_at, now.at) if record.surveyed_at else now.at
    if now.sure - patient_since >= care.patience:
        what = (
            phrase("no footage lies in {missing}", missing=missing[0])
            if missing
            else "the footage has not stopped changing"
        )
        return fail(
            record,
            phrase(
                "{what} {patience} after it was exported",
                what=what,
                patience=spoken(care.patience),
            ),
        )
    return replace(
        record,
        wanted_at=patient_since,
        survey=mark,
        surveyed_at=since,
        due_at=now.at + care.stable,
        message=phrase("no footage lies in {missing} yet", missing=missing[0])
        if missing
        else "",
    )


def _has_footage(survey: Survey | None) -> bool:
    return survey is not None and any(each.size for each in survey.files)


def digest(surveys: Mapping[str, Survey | None]) -> str:
    """The same for the same files; anything that grows, comes or goes changes it."""
    made = sha256()
    for path in sorted(surveys):
        survey = surveys[path]
        made.update(repr((path, survey and (survey.files, survey.others))).encode())
    return made.hexdigest()


def fail(record: Record, message: str) -> Record:
    return record.moved(RecordState.FAILED, due_at=None, message=message)


def loss_of_record(record: Record, at: datetime) -> Loss | None:
    """What is lost by a record that could not be written; None of any other."""
    if not record.is_failed:
        return None
    return loss_about(LossKind.UNRECORDED, record.incident, record.message, at)


def postpone(record: Record, message: str, now: datetime, jitter: float) -> Record:
    """The share could not be looked at or written: patience begins when it can."""
    wait = back_off(WAITS, record.tries + 1, jitter)
    return replace(
        record,
        tries=record.tries + 1,
        due_at=now + wait,
        survey="",
        surveyed_at=None,
        message=message,
    )


def is_same_file(known: HashedFile | None, seen: SeenFile) -> bool:
    """Whether the hash that is known still stands for what lies there."""
    return known is not None and known.file == seen


def rehash(
    known: HashedFile | None, folder: str, seen: SeenFile, sha: str, now: datetime
) -> HashedFile:
    """The file's hash; one that differs from an earlier one keeps that in sight."""
    was = known.was if known else ()
    if known is not None and known.sha256 != sha:
        was = (*was, known.sha256)
    return HashedFile(folder=folder, file=seen, sha256=sha, hashed_at=now, was=was)
