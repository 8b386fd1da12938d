"""What must hold of evidence records after a run, looked at on the share itself."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidenced.core.errors import BadInput
from evidenced.core.incidents.states import INCIDENT_ENDED
from evidenced.core.keeping.evidence import NOTE, still_name
from evidenced.evidence.verify import Demand, Finding, verify
from evidenced.sense.address import read_address
from evidenced.simulator.places import FILE_SIZE
from simulation.disk import Disk
from simulation.folders import RecordedShare
from simulation.plan import Plan
from simulation.recording import PUBLIC_KEY
from simulation.share import SimShare
from simulation.site import ROOT, Shape

RECORD = "incident.json"
LOST = "SELECT path FROM exports WHERE state IN ('vanished', 'cancelled')"
PAPERS = {RECORD, "incident.html", "incident.json.sig"}


def record_problems(plan: Plan, disk: Disk, share: SimShare) -> Iterator[str]:
    """One sentence for each; none where nothing is recorded."""
    if not isinstance(share, RecordedShare):
        return
    told = dict(_told(disk))
    yield from (each for one in told.values() for each in one.problems)
    without = _without(disk) if plan.shape.is_partly else set()
    if not any(shape.gone_destination for shape in _shapes(plan)):
        # else what goes to a destination that is gone may lie below another one
        yield from (
            f"record: one of {incident}, whose destination has none"
            for incident in without
            if told[incident].revision
        )
    folders = {path: one for one in told.values() for path in one.hashes}
    if "lies" not in plan.allows:  # it may write on after it said that it is done
        yield from _left_out(disk, told, without)
        yield from _whole(disk, share, without)
        for path, one in folders.items():
            yield from _folder(share, path, one)
    yield from _strangers(disk, share, folders)
    yield from (f"record: {path.name} on a wrong share" for path in share.spoilt())


def _shapes(plan: Plan) -> Iterator[Shape]:
    yield plan.shape
    yield from (e.value for e in plan.events if isinstance(e.value, Shape))


def _without(disk: Disk) -> set[str]:
    """Incidents whose destination has no records, where only `nas` has."""
    rows = disk.rows("SELECT id, terms FROM incidents")
    return {name for name, terms in rows if json.loads(terms)["destination"] != "nas"}


@dataclass(slots=True)
class _Told:
    """What the history says of one incident's records."""

    incident: str
    revision: int = 0
    hashes: dict[str, str] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    """Folders whose record is in the store, for their destination is gone."""
    causes: int = 0
    has_footage: bool = False
    has_failed: str = ""
    problems: list[str] = field(default_factory=list)

    def take(self, event: str, detail: dict[str, Any]) -> None:
        state = detail.get("state", {}).get("to", "")
        is_new = any(
            step["to"] == "exported" for step in detail.get("clips", {}).values()
        )
        self.has_footage = self.has_footage or is_new
        has_gaps = event == "covered" and bool(detail.get("gaps"))
        is_more = has_gaps or event == "pictured"
        self.causes += is_new or is_more or state in INCIDENT_ENDED
        if event == "unrecorded":
            self.has_failed = detail["text"]
        if event == "recorded":
            self._record(detail)

    def _record(self, detail: dict[str, Any]) -> None:
        if not self.has_footage:
            self.problems.append(
                f"record: one of {self.incident}, of which nothing was exported"
            )
        if detail["revision"] != self.revision + 1 or not self.causes:
            self.problems.append(
                f"record: revision {detail['revision']} of {self.incident} after "
                f"{self.revision}, with {self.causes} reasons"
            )
        self.revision, self.causes, self.has_failed = detail["revision"], 0, ""
        self.kept |= set(detail.get("kept", ()))
        self.hashes |= {
            each["path"]: each["sha256"]
            for each in detail["records"]
            if each["path"] not in self.kept
        }


def _told(disk: Disk) -> dict[str, _Told]:
    found: dict[str, _Told] = {}
    query = """SELECT incident, event, detail FROM history
        WHERE incident IS NOT NULL ORDER BY seq"""
    for incident, event, detail in disk.rows(query):
        one = found.setdefault(incident, _Told(incident))
        one.take(event, json.loads(detail))
    return found


def _left_out(disk: Disk, told: dict[str, _Told], without: set[str]) -> Iterator[str]:
    """Everything that was exported has its record, and its row says so."""
    rows = dict(disk.rows("SELECT incident, state FROM records"))
    for incident, one in told.items():
        if incident in without:
            continue
        if one.has_failed:
            yield f"record: none of {incident}: {one.has_failed}"
        elif one.has_footage and rows.get(incident) != "written":
            yield f"record: that of {incident} is {rows.get(incident)}"
    exported = set(disk.rows("SELECT incident, n FROM clips WHERE state = 'exported'"))
    query = "SELECT incident, path, devices FROM exports WHERE state = 'exported'"
    for incident, path, devices in disk.rows(query):
        is_kept = any((incident, n) in exported for n, *_ in _asked(devices))
        is_wanted = is_kept and incident not in without
        if is_wanted and path not in told[incident].hashes.keys() | told[incident].kept:
            yield f"record: none of {incident} in {path}"


def _folder(share: RecordedShare, path: str, one: _Told) -> Iterator[str]:
    """The folder is what its record says, and the record what the chain says."""
    try:
        found = verify(
            _where(share, path),
            demand=Demand(keys=(PUBLIC_KEY,), sha256=one.hashes[path]),
        )
    except BadInput as error:
        yield f"record: of {one.incident}: {error}"
        return
    if not found.is_intact or found.record.incident != one.incident:
        yield f"record: of {one.incident}: {_faults(found)}"


def _faults(found: Finding) -> str:
    return (
        f"{found.folder.name} of {found.record.incident}: altered {found.altered} "
        f"missing {found.missing} added {found.added} {found.faults} "
        f"{found.signature}"
    )


def _strangers(
    disk: Disk, share: RecordedShare, folders: dict[str, _Told]
) -> Iterator[str]:
    """No record lies where none belongs, and no other beside one."""
    pictures = defaultdict(set)
    for incident, n in disk.rows("SELECT incident, n FROM stills WHERE state = 'kept'"):
        pictures[incident].add(still_name(n))
    known = {_where(share, path): one for path, one in folders.items()}
    lost = {_where(share, path) for (path,) in disk.rows(LOST)}
    for path in sorted(share.folder.rglob("*incident*")):
        one = known.get(path.parent)
        if path.name == NOTE and path.parent in lost:
            continue
        name = path.relative_to(share.folder)
        if one is None:
            yield f"record: {name} belongs to nothing that was exported"
            continue
        former = {f"incident.r{n}.json" for n in range(1, one.revision)}
        former |= {f"{each}.sig" for each in former}
        if path.name not in PAPERS | former | pictures[one.incident]:
            yield f"record: {name} is a stranger"


def _asked(devices: str) -> Iterator[tuple[int, str, str]]:
    for each in json.loads(devices):
        yield each["clip"], *read_address(each["asked"]["address"])


def _whole(disk: Disk, share: RecordedShare, without: set[str]) -> Iterator[str]:
    """The footage of every clip that is exported is listed, and complete."""
    footage: dict[tuple[str, int], list[str]] = defaultdict(list)
    query = "SELECT incident, path, devices FROM exports WHERE finished_at IS NOT NULL"
    for incident, path, devices in disk.rows(query):
        record = _where(share, path) / RECORD
        if not record.is_file():
            continue  # told already
        listed = {
            file["name"]
            for file in json.loads(record.read_bytes())["files"]
            if file["bytes"] == FILE_SIZE
        }
        for n, server, device in _asked(devices):
            footage[incident, n] += [
                name for name in listed if name.startswith(f"{server}-{device}-")
            ]
    for incident, n in disk.rows(
        "SELECT incident, n FROM clips WHERE state = 'exported'"
    ):
        if incident not in without and not footage[incident, n]:
            yield f"record: clip {n} of {incident} is not whole in any"


def _where(share: RecordedShare, path: str) -> Path:
    return share.folder.joinpath(*path.removeprefix(ROOT + "\\").split("\\"))
