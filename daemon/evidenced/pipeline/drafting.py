"""What is written beside footage: the record, its page and its signature, as values.

The record holds the head of the audit chain, its entry in the history the hash of the
record: each proves the other.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import PureWindowsPath

from evidenced.core.folders.whereabouts import Destination
from evidenced.core.ids import DestinationName
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.keeping import evidence
from evidenced.core.keeping.evidence import (
    PAGE,
    RECORD,
    SIGNATURE,
    HashedFile,
    Record,
    RecordFolder,
    RecordState,
    Survey,
    former_name,
)
from evidenced.core.keeping.footage import FootageFolder, recorded
from evidenced.core.keeping.kept import Dossier
from evidenced.core.keeping.place import Papers, Place
from evidenced.core.telling.manifest import (
    Circumstances,
    Folder,
    encode,
    kept_stills,
    manifest,
    with_page,
)
from evidenced.core.telling.story import Story
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.world import World
from evidenced.ports import View
from evidenced.ports.evidence import EvidencePort, PagePort, RecordReader, SignerPort

KEPT_INTENTS = 50

Destinations = Mapping[DestinationName, Destination]
Surveys = Mapping[str, Survey | None]
"""What lies in each folder; None where there is none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What records are written with; `versions` are those of the software now."""

    folders: EvidencePort
    signer: SignerPort
    page: PagePort
    reader: RecordReader
    versions: Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Docket:
    """A record with all that is known of its incident, and where its folders lie."""

    record: Record
    dossier: Dossier
    known: Mapping[tuple[str, str], HashedFile]
    places: Mapping[str, tuple[Destination, Place]]
    needed: Mapping[str, bool]
    unseen: tuple[str, ...]
    """Folders that no share shows here: their record is kept in the store."""
    pictures: Mapping[str, bytes]
    """Stills, by the names that they have beside footage."""
    kept: frozenset[str]
    """Folders of which the store has a record already."""


def open_docket(
    view: View, record: Record, shares: Shares, destinations: Destinations
) -> Docket | None:
    """The docket; None where no record of it is wanted."""
    dossier = view.dossier(record.incident, whole=True)
    if dossier is None:
        return None
    gone = {each.path for each in dossier.footage if not each.is_here}
    folders = evidence.folders_of(dossier.incident, dossier.exports)
    needed = {path: must for path, must in folders.items() if path not in gone}
    name = dossier.incident.terms.destination
    places, unseen = {}, []
    for path in needed:
        found = shares.place(path, name)
        destination = found[0] if found else destinations.get(name)
        if destination is not None and not destination.is_recorded:
            continue
        if found is None:
            unseen.append(path)
            continue
        destination, mount, way = found
        place = Place(mount=mount, marker=destination.marker, names=way)
        places[path] = destination, place
    if not places and not unseen:
        return None
    known = view.evidence.files(record.incident)
    return Docket(
        record=record,
        dossier=dossier,
        known={(each.folder, each.file.name): each for each in known},
        places=places,
        needed={path: needed[path] for path in places},
        unseen=tuple(unseen),
        pictures=_pictures(view, dossier),
        kept=view.evidence.kept_folders(record.incident),
    )


def _pictures(view: View, dossier: Dossier) -> dict[str, bytes]:
    found = {
        each.file: view.stills.picture(each.incident, each.n)
        for each in kept_stills(dossier)
    }
    return {name: data for name, data in found.items() if data is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDraft:
    """The papers of each folder, and the record as it is before and after writing.

    `at` is the instant that they bear.
    """

    at: datetime
    papers: Mapping[str, Papers]
    intended: Record
    written: Record


class Drafting:
    """Draws up what is to be written; nothing of it is on the share yet."""

    def __init__(self, world: World, shares: Shares, desk: Desk) -> None:
        self._world = world
        self._shares = shares
        self._desk = desk

    async def draft(
        self, docket: Docket, surveys: Surveys, files: Sequence[HashedFile]
    ) -> RecordDraft:
        """Raises BadInput where the key cannot be used."""
        key = await self._shares.aside(self._desk.signer.key)
        folders = _folders(docket, surveys, files)
        around = await self._circumstances(docket, key)
        papers = await self._shares.aside(
            partial(self._draw_up, docket, folders, around)
        )
        hashes = {
            path: sha256(each.files[RECORD]).hexdigest()
            for path, each in papers.items()
        }
        intents = (*docket.record.intended, *hashes.values())[-KEPT_INTENTS:]
        intended = replace(docket.record, intended=intents)
        return RecordDraft(
            at=around.now,
            papers=papers,
            intended=intended,
            written=_written(intended, folders, hashes, around),
        )

    async def _circumstances(self, docket: Docket, key: str) -> Circumstances:
        settings = docket.dossier.incident.terms.settings
        head, rule = await self._world.read(
            lambda view: (view.history.head(), settings_of(view, settings))
        )
        return Circumstances(
            instance=self._world.site.instance,
            now=self._world.now().at,
            head=head,
            versions=self._desk.versions(),
            rule=rule,
            key=key,
            zone=self._world.site.zone,
            site=self._world.site.name,
        )

    def _draw_up(
        self, docket: Docket, folders: Sequence[Folder], around: Circumstances
    ) -> dict[str, Papers]:
        """Each folder's record, page and signature. Blocks: a record may be long."""
        papers = {}
        story = Story(
            dossier=docket.dossier,
            now=around.now,
            settles=self._world.site.settles,
            zone=around.zone,
        )
        for folder in folders:
            value = manifest(docket.dossier, docket.record, folder, around)
            page = self._desk.page.render(value, story, docket.pictures)
            data = encode(with_page(value, page))
            signature = self._desk.signer.sign(data)
            files = {RECORD: data, PAGE: page, **docket.pictures}
            if signature is not None:
                files[SIGNATURE] = signature
            before = folder.supersedes or {}
            papers[folder.path] = Papers(
                files=files,
                last=str(before.get("sha256", "")),
                former=former_name(docket.record.revision),
                intended=docket.record.intended,
            )
        return papers


def _folders(
    docket: Docket,
    surveys: Surveys,
    files: Sequence[HashedFile],
) -> list[Folder]:
    seen = [
        Folder(
            path=path,
            place=docket.places[path][1].names,
            files=tuple(each for each in files if each.folder == path),
            others=survey.others,
            supersedes=_supersedes(docket, path),
        )
        for path, survey in surveys.items()
        if survey is not None
    ]
    unseen = [
        Folder(
            path=path,
            place=PureWindowsPath(path).parts[-1:],
            files=(),
            others=(),
            supersedes=_supersedes(docket, path),
            is_seen=False,
        )
        for path in docket.unseen
    ]
    return seen + unseen


def _supersedes(docket: Docket, path: str) -> Mapping[str, object] | None:
    """How the record of this folder names the one before it, which lies beside it.

    One that lies elsewhere, for the share was mounted since, is not named.
    """
    record = docket.record
    before = next((each for each in record.folders if each.path == path), None)
    if before is None or (path in docket.kept) is not (path in docket.unseen):
        return None
    return {
        "revision": record.revision,
        "file": former_name(record.revision),
        "sha256": before.sha256,
    }


def _written(
    record: Record,
    folders: Sequence[Folder],
    hashes: Mapping[str, str],
    around: Circumstances,
) -> Record:
    return record.moved(
        RecordState.WRITTEN,
        due_at=None,
        tries=0,
        revision=record.revision + 1,
        intended=(),
        folders=tuple(
            RecordFolder(
                path=folder.path,
                files=len(folder.files),
                size_bytes=sum(each.file.size for each in folder.files),
                sha256=hashes[folder.path],
            )
            for folder in folders
        ),
        key=around.key,
        written_at=around.now,
        message="" if around.key else "not signed: [evidence] has no key",
    )


def footage_of(docket: Docket, draft: RecordDraft) -> list[FootageFolder]:
    """What lies on shares with a record from now on."""
    incident = docket.dossier.incident
    destination = incident.terms.destination
    return [
        recorded(incident, destination, each, draft.at)
        for each in draft.written.folders
        if each.path in docket.places
    ]


def entry_of_record(
    record: Record,
    destination: DestinationName,
    at: datetime,
    asides: Sequence[str],
    kept: Collection[str] = (),
) -> Entry:
    """The chain names each incident.json by its hash; `kept` are those in the store."""
    detail: dict[str, object] = {
        "destination": destination,
        "revision": record.revision,
        "signed_by": record.key or None,
        "records": [
            {
                "path": each.path,
                "sha256": each.sha256,
                "files": each.files,
                "bytes": each.size_bytes,
            }
            for each in record.folders
        ],
    }
    if kept:
        detail["kept"] = sorted(kept)
    if any(asides):
        detail["set_aside"] = [name for name in asides if name]
    return Entry(
        incident=record.incident,
        at=at,
        event=Event.RECORDED,
        detail=detail,
    )


def settings_of(view: View, digest: str) -> object:
    """The rule of an incident as it was; None for one from before that was kept."""
    text = view.settings.get(digest) if digest else None
    return None if text is None else json.loads(text)
