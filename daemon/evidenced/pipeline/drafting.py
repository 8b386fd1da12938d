"""What is written beside footage: the record, its page and its signature, as values.

The record holds the head of the audit chain, its entry in the history the hash of the
record: each proves the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256

from evidenced.core.incidents.history import Entry, Event
from evidenced.core.keeping.evidence import (
    PAGE,
    RECORD,
    SIGNATURE,
    HashedFile,
    Record,
    RecordFolder,
    RecordState,
    former_name,
)
from evidenced.core.telling.manifest import (
    Circumstances,
    Folder,
    encode,
    manifest,
    total_bytes,
    with_page,
)
from evidenced.core.telling.story import Story
from evidenced.pipeline.docket import Desk, Docket, Surveys
from evidenced.pipeline.rulesettings import settings_of
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.world import World
from evidenced.ports.evidence import Papers

KEPT_INTENTS = 50


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
            now=self._world.clock.now(),
            head=head,
            versions=self._desk.versions(),
            rule=rule,
            key=key,
        )

    def _draw_up(
        self, docket: Docket, folders: Sequence[Folder], around: Circumstances
    ) -> dict[str, Papers]:
        """Each folder's record, page and signature. Blocks: a record may be long."""
        papers = {}
        story = Story(
            dossier=docket.dossier, now=around.now, settles=self._world.site.settles
        )
        for folder in folders:
            value = manifest(docket.dossier, docket.record, folder, around)
            page = self._desk.page.render(value, story)
            data = encode(with_page(value, page))
            signature = self._desk.signer.sign(data)
            files = {RECORD: data, PAGE: page}
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
    before = {each.path: each for each in docket.record.folders}
    revision = docket.record.revision
    return [
        Folder(
            path=path,
            files=tuple(each for each in files if each.folder == path),
            others=survey.others,
            supersedes={
                "revision": revision,
                "file": former_name(revision),
                "sha256": before[path].sha256,
            }
            if path in before
            else None,
        )
        for path, survey in surveys.items()
        if survey is not None
    ]


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
                size_bytes=total_bytes(folder.files),
                sha256=hashes[folder.path],
            )
            for folder in folders
        ),
        key=around.key,
        written_at=around.now,
        message="" if around.key else "not signed: [evidence] has no key",
    )


def entry_of_record(record: Record, at: datetime, asides: Sequence[str]) -> Entry:
    """The chain names each incident.json by its hash."""
    detail: dict[str, object] = {
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
    if any(asides):
        detail["set_aside"] = [name for name in asides if name]
    return Entry(
        incident=record.incident,
        at=at,
        event=Event.RECORDED,
        detail=detail,
    )
