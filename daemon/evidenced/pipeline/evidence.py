"""Evidence records: footage on a mounted share is waited for, hashed and written up.

    look     until the folders are there and nothing in them changes any more
    hash     every file, slowly, each committed as it is done: a restart goes on
    write    the record beside the footage, intent first; then the entry in the history

The record holds the head of the audit chain, the entry the hash of the record: each
proves the other. One record at a time, so that hashing has one rate; a share that hangs
or is away postpones its own records and no others.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from structlog.typing import FilteringBoundLogger

from evidenced.config.site import Destination
from evidenced.core import evidence
from evidenced.core.errors import BadInput, StoreError
from evidenced.core.evidence import (
    PAGE,
    RECORD,
    SIGNATURE,
    HashedFile,
    Record,
    RecordFolder,
    RecordState,
    SeenFile,
    Survey,
    former,
)
from evidenced.core.history import Entry, Event
from evidenced.core.ids import DestinationName, IncidentId
from evidenced.core.manifest import (
    Circumstances,
    Folder,
    encode,
    manifest,
    total,
    with_page,
)
from evidenced.core.records import Dossier
from evidenced.core.story import Story
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import LOOK_AGAIN, Agenda
from evidenced.pipeline.rulesettings import keep, settings_of
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.world import World
from evidenced.ports import Tx, View
from evidenced.ports.evidence import (
    EvidencePort,
    PagePort,
    Papers,
    Place,
    SignerPort,
)

SLICE = 1 << 20
"""Bytes read and hashed at a time; a share may hang for one of them at most."""
PROBE_EVERY = timedelta(minutes=5)
KEPT_INTENTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What records are written with; `versions` are those of the software now."""

    folders: EvidencePort
    signer: SignerPort
    page: PagePort
    versions: Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A record with all that is known of its incident, and where its folders lie."""

    record: Record
    dossier: Dossier
    known: Mapping[tuple[str, str], HashedFile]
    places: Mapping[str, tuple[Destination, Place]]
    needed: Mapping[str, bool]


class Evidence:
    """The loop that writes records, one after another."""

    def __init__(
        self,
        world: World,
        shares: Shares,
        desk: Desk,
        agenda: Agenda,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._world = world
        self._shares = shares
        self._desk = desk
        self._agenda = agenda
        self._metrics = metrics
        self._log = log
        self._probed_at: float | None = None
        self._kept: Mapping[str, str] | None = None
        self.problems: dict[DestinationName, str] = {}
        """Destinations whose share takes no records now, and why."""

    async def run(self) -> None:
        """Forever: what is due, oldest first."""
        while True:
            await self._keep_settings()
            await self._probe()
            while await self.once():
                await self._probe()
            upcoming = await self._world.read(lambda view: view.next_record())
            self._agenda.plan(names.EVIDENCE, upcoming)
            await self._agenda.wait(names.EVIDENCE)

    async def once(self) -> bool:
        """One step of one record; whether there was any to take."""
        now = self._world.clock.now()
        due = await self._world.read(lambda view: view.due_records(now, 1))
        if not due or self._world.is_stopping:
            return False
        case = await self._open(due[0])
        if case is None:
            await self._world.write(lambda tx: tx.drop_record(due[0].incident))
            return True
        try:
            await self._work(case)
        except (OSError, BadInput) as error:
            await self._postpone(case.record, _text(error))
        except (StoreError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - one record must not stop the daemon
            self._log.exception("an evidence record tripped over a fault in evidenced")
            await self._postpone(case.record, f"fault in evidenced: {error}")
        return True

    async def _keep_settings(self) -> None:
        """Note the rules in force, once for each configuration."""
        settings = self._world.site.settings
        if settings is not self._kept:
            await self._world.write(lambda tx: keep(tx, settings))
            self._kept = settings

    async def _open(self, record: Record) -> _Case | None:
        """The case; None where no folder of it is to be seen from here."""
        dossier, known = await self._world.read(partial(_read, name=record.incident))
        if dossier is None:
            return None
        needed = evidence.folders_of(dossier.incident, dossier.exports)
        places = {}
        for path in needed:
            place = self._shares.place(path)
            if place is not None and place[0].is_recorded:
                destination, mount, folders = place
                places[path] = (
                    destination,
                    Place(mount=mount, marker=destination.marker, names=folders),
                )
        return (
            _Case(
                record=record,
                dossier=dossier,
                known={(each.folder, each.file.name): each for each in known},
                places=places,
                needed={path: needed[path] for path in places},
            )
            if places
            else None
        )

    async def _work(self, case: _Case) -> None:
        """Look; and if nothing changes any more, hash and write.

        Raises:
            OSError: the share cannot be looked at or written now.
            BadInput: the key cannot be used.
        """
        care, now = self._world.site.care, self._world.clock.now()
        surveys = await self._survey(case)
        waiting = evidence.looked(case.record, surveys, case.needed, care, now)
        if waiting is None and not any(surveys.values()):
            waiting = evidence.failed(case.record, "no footage lies in its folders")
        if waiting is not None:
            await self._wait(case.record, waiting, now)
            return
        files = await self._hash(case, surveys)
        if evidence.digest(await self._survey(case)) != evidence.digest(surveys):
            changed = replace(
                case.record,
                survey="",
                surveyed_at=None,
                due_at=self._world.clock.now() + care.stable,
            )
            await self._put(case.record, changed)
            return
        await self._write(case, surveys, files)

    async def _survey(self, case: _Case) -> dict[str, Survey | None]:
        found = {}
        for path, (destination, place) in case.places.items():
            if destination.name in self._shares.problems:
                raise OSError(self._shares.problems[destination.name])
            look = partial(self._desk.folders.survey, place)
            found[path] = await self._shares.on(place.mount, look)
        return found

    async def _wait(self, record: Record, after: Record, now: datetime) -> None:
        """Look again later; or that was too long, and people are told."""
        if after.state is not RecordState.FAILED:
            await self._put(record, after)
            return
        self._metrics.evidence_records.labels(RecordState.FAILED).inc()
        self._log.warning(
            "there is no evidence record of an incident",
            incident=record.incident,
            why=after.message,
        )
        entry = Entry(
            incident=record.incident,
            at=now,
            event=Event.UNRECORDED,
            detail={"text": after.message},
        )
        await self._put(record, after, entry)

    async def _hash(
        self, case: _Case, surveys: Mapping[str, Survey | None]
    ) -> list[HashedFile]:
        """Every file of the folders; those that are known and did not change rest."""
        done = []
        for path, survey in surveys.items():
            for file in survey.files if survey else ():
                known = case.known.get((path, file.name))
                if known is None or not evidence.is_same_file(known, file):
                    known = await self._hash_one(case, path, file, known)
                done.append(known)
        return done

    async def _hash_one(
        self, case: _Case, path: str, file: SeenFile, known: HashedFile | None
    ) -> HashedFile:
        digest = await self._read_through(case.places[path][1], file.name)
        now = self._world.clock.now()
        hashed = evidence.rehashed(known, path, file, digest, now)
        name = case.record.incident

        def save(tx: Tx) -> None:
            if tx.records_of([name]):  # else it was pruned meanwhile
                tx.save_hashed(name, [hashed])

        await self._world.write(save)
        if hashed.was:
            self._log.warning(
                "footage was changed after it was recorded",
                incident=name,
                path=path,
                file=file.name,
            )
        return hashed

    async def _read_through(self, place: Place, name: str) -> str:
        """The file's SHA-256, read no faster than `hash_rate`."""
        rate, clock = self._world.site.care.rate, self._world.clock
        opening = partial(self._desk.folders.open, place, name)
        hashing = await self._shares.on(place.mount, opening)
        try:
            while True:
                begun = clock.monotonic()
                count = await self._shares.on(place.mount, partial(hashing.step, SLICE))
                if not count:
                    return hashing.digest()
                self._metrics.evidence_hashed_bytes.inc(count)
                took = clock.monotonic() - begun
                await asyncio.sleep(max(0.0, count / rate - took) if rate else 0.0)
        finally:
            hashing.close()

    async def _write(
        self,
        case: _Case,
        surveys: Mapping[str, Survey | None],
        files: Sequence[HashedFile],
    ) -> None:
        """Intent, then the folders, then the row and its entry in the history."""
        key = await self._shares.aside(self._desk.signer.key)
        folders = self._folders(case, surveys, files)
        around = await self._circumstances(case, key)
        papers = await self._shares.aside(partial(self._draw_up, case, folders, around))
        hashes = {
            path: sha256(each.files[RECORD]).hexdigest()
            for path, each in papers.items()
        }
        intents = (*case.record.intended, *hashes.values())[-KEPT_INTENTS:]
        intended = replace(case.record, intended=intents)
        if not await self._put(case.record, intended):
            return
        try:
            asides = [
                await self._shares.on(
                    case.places[path][1].mount,
                    partial(self._desk.folders.write, case.places[path][1], each),
                )
                for path, each in papers.items()
            ]
        except OSError as error:
            await self._postpone(intended, _text(error))
            return
        written = _written(intended, folders, hashes, around)
        await self._put(intended, written, _entry(written, asides))
        self._told_written(written, [name for name in asides if name])

    def _folders(
        self,
        case: _Case,
        surveys: Mapping[str, Survey | None],
        files: Sequence[HashedFile],
    ) -> list[Folder]:
        before = {each.path: each for each in case.record.folders}
        revision = case.record.revision
        return [
            Folder(
                path=path,
                files=tuple(each for each in files if each.folder == path),
                others=survey.others,
                supersedes={
                    "revision": revision,
                    "file": former(revision),
                    "sha256": before[path].sha256,
                }
                if path in before
                else None,
            )
            for path, survey in surveys.items()
            if survey is not None
        ]

    async def _circumstances(self, case: _Case, key: str) -> Circumstances:
        settings = case.dossier.incident.terms.settings
        head, rule = await self._world.read(
            lambda view: (view.head(), settings_of(view, settings))
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
        self, case: _Case, folders: Sequence[Folder], around: Circumstances
    ) -> dict[str, Papers]:
        """Each folder's record, page and signature. Blocks: a record may be long."""
        papers = {}
        story = Story(dossier=case.dossier, now=around.now, settles=self._world.settles)
        for folder in folders:
            value = manifest(case.dossier, case.record, folder, around)
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
                former=former(case.record.revision),
                intended=case.record.intended,
            )
        return papers

    async def _postpone(self, record: Record, why: str) -> None:
        """The share or the key is not there now: what was done is kept."""
        now, jitter = self._world.clock.now(), self._world.dice.jitter()
        log = self._log.debug if record.tries else self._log.warning
        log("an evidence record has to wait", incident=record.incident, why=why)
        await self._put(record, evidence.postponed(record, why, now, jitter))

    async def _put(
        self, before: Record, after: Record, entry: Entry | None = None
    ) -> bool:
        """Commit the step, unless the record changed or went away meanwhile."""

        def put(tx: Tx) -> bool:
            if tx.records_of([before.incident]) != [before]:
                return False
            tx.save_record(after)
            if entry is not None:
                tx.write_entry(entry)
            return True

        is_put = await self._world.write(put)
        if entry is not None:
            self._agenda.hint(names.OUTBOX)
        return is_put

    def _told_written(self, record: Record, asides: Sequence[str]) -> None:
        self._metrics.evidence_records.labels(RecordState.WRITTEN).inc()
        self._log.info(
            "evidence record written",
            incident=record.incident,
            revision=record.revision,
            files=sum(each.files for each in record.folders),
            key=record.key,
        )
        if asides:
            self._log.warning(
                "an incident.json that is not ours lay beside footage",
                incident=record.incident,
                files=asides,
            )

    async def _probe(self) -> None:
        """Now and then: could a record be written to each share at all?"""
        now = self._world.clock.monotonic()
        is_soon = self._probed_at is not None and (
            now - self._probed_at < PROBE_EVERY.total_seconds()
        )
        if is_soon and not self.problems:
            return
        if is_soon and now - (self._probed_at or 0.0) < LOOK_AGAIN.total_seconds():
            return
        self._probed_at = now
        found: dict[DestinationName, str] = {}
        for destination in self._world.site.destinations.values():
            why = await self._refusal(destination)
            if why is not None:
                found[destination.name] = why
        for name in found.keys() - self.problems.keys():
            self._log.warning(
                "evidence records cannot be written to a share",
                destination=name,
                why=found[name],
            )
        for name in self.problems.keys() - found.keys():
            self._log.info("evidence records can be written again", destination=name)
        self.problems = found

    async def _refusal(self, destination: Destination) -> str | None:
        mount = destination.mount
        is_closed = destination.name in self._shares.problems  # told by whoever looked
        if mount is None or not destination.is_recorded or is_closed:
            return None
        look = partial(self._desk.folders.refusal, mount, destination.marker)
        try:
            return await self._shares.on(mount, look)
        except OSError as error:
            return _text(error)


def _read(view: View, name: IncidentId) -> tuple[Dossier | None, list[HashedFile]]:
    return view.dossier(name, whole=True), view.hashed_files(name)


def _written(
    record: Record,
    folders: Sequence[Folder],
    hashes: Mapping[str, str],
    around: Circumstances,
) -> Record:
    return replace(
        record,
        state=RecordState.WRITTEN,
        due_at=None,
        tries=0,
        revision=record.revision + 1,
        intended=(),
        folders=tuple(
            RecordFolder(
                path=folder.path,
                files=len(folder.files),
                size_bytes=total(folder.files),
                sha256=hashes[folder.path],
            )
            for folder in folders
        ),
        key=around.key,
        written_at=around.now,
        message="" if around.key else "not signed: [evidence] has no key",
    )


def _entry(record: Record, asides: Sequence[str]) -> Entry:
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
    if record.written_at is None:
        raise ValueError("a record that is written has an instant")
    return Entry(
        incident=record.incident,
        at=record.written_at,
        event=Event.RECORDED,
        detail=detail,
    )


def _text(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return "the share does not answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
