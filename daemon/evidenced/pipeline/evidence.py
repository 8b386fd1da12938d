"""Evidence records: footage on a mounted share is waited for, hashed and written up.

    look     until the folders are there and nothing in them changes any more
    hash     every file, slowly, each committed as it is done: a restart goes on
    write    the record beside the footage, intent first; then the entry in the history

Of a folder that no share shows here the record says so and is kept in the store.

One record at a time, so that hashing has one rate; a share that hangs
or is away postpones its own records and no others.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import BadInput, StoreError
from evidenced.core.ids import DestinationName, IncidentId
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.keeping import evidence
from evidenced.core.keeping.evidence import (
    HashedFile,
    Record,
    RecordState,
    SeenFile,
    Survey,
)
from evidenced.core.keeping.footage import FootageFolder
from evidenced.core.keeping.loss import LossKind
from evidenced.core.keeping.place import Papers
from evidenced.core.phrase import phrase
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.drafting import (
    Desk,
    Docket,
    Drafting,
    Surveys,
    entry_of_record,
    footage_of,
    open_docket,
)
from evidenced.pipeline.hashing import FileReader
from evidenced.pipeline.heads import HeadBook
from evidenced.pipeline.leftovers import note_leftovers
from evidenced.pipeline.shareprobe import ShareProbe
from evidenced.pipeline.shares import Shares, why_of
from evidenced.pipeline.world import World
from evidenced.ports import Tx
from evidenced.ports.evidence import EvidencePort

NOTHING: Mapping[str, Papers] = MappingProxyType({})


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
        self._folders = desk.folders
        self._hashes = FileHashes(world, shares, desk.folders, metrics, log)
        self._drafting = Drafting(world, shares, desk)
        self._heads = HeadBook(world, shares, desk, log)
        self._probe = ShareProbe(world, shares, desk.folders, log)
        self._agenda = agenda
        self._metrics = metrics
        self._log = log
        self._kept: Mapping[str, str] | None = None
        self._waiting: dict[IncidentId, tuple[DestinationName, str]] = {}

    @property
    def problems(self) -> Mapping[DestinationName, str]:
        """Destinations whose share takes no records now, or that records wait for."""
        return {**dict(self._waiting.values()), **self._probe.problems}

    async def run(self) -> None:
        """Forever: what is due, oldest first."""
        while True:
            await self._keep_settings()
            await self._probe.look()
            await self._heads.keep()
            while await self.once():
                await self._probe.look()
            upcoming = await self._world.read(lambda view: view.evidence.next_due())
            await self._agenda.wait(names.EVIDENCE, upcoming)

    async def once(self) -> bool:
        """One step of one record; whether there was any to take."""
        now = self._world.now().at
        due = await self._world.read(lambda view: view.evidence.due(now, 1))
        if not due or self._world.is_stopping:
            return False
        self._waiting.pop(due[0].incident, None)
        docket = await self._world.read(
            lambda view: open_docket(
                view, due[0], self._shares, self._world.site.destinations
            )
        )
        if docket is None:
            await self._world.write(partial(_put_away, record=due[0]))
            return True
        try:
            await self._work(docket)
        except (OSError, BadInput) as error:
            await self._postpone(docket, docket.record, why_of(error))
        except (StoreError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - one record must not stop the daemon
            self._log.exception("an evidence record tripped over a fault in evidenced")
            await self._postpone(
                docket,
                docket.record,
                phrase("fault in evidenced: {error}", error=error),
            )
        return True

    async def _keep_settings(self) -> None:
        """Note the rules in force, once for each configuration."""
        settings = self._world.site.settings
        if settings is not self._kept:
            await self._world.write(lambda tx: tx.settings.keep(settings))
            self._kept = settings

    async def _work(self, docket: Docket) -> None:
        """Look; and if nothing changes any more, hash and write.

        Raises:
            OSError: the share cannot be looked at or written now.
            BadInput: the key cannot be used.
        """
        now, care = self._world.now(), self._world.site.care
        await self._set_aside(docket)
        surveys = await self._survey(docket)
        here = {path: str(place.folder) for path, (_, place) in docket.places.items()}
        waiting = evidence.look_at(
            docket.record, surveys, docket.needed, care, now, here
        )
        is_there = docket.unseen or any(surveys.values())
        if waiting is None and not is_there:
            waiting = evidence.fail(docket.record, "no footage lies in its folders")
        if waiting is not None:
            await self._wait(docket.record, waiting, now.at)
            return
        files = await self._hashes.hashed(docket, surveys)
        if evidence.digest(await self._survey(docket)) != evidence.digest(surveys):
            changed = replace(
                docket.record,
                survey="",
                surveyed_at=None,
                due_at=self._world.now().at + care.stable,
            )
            await self._put(docket.record, changed)
            return
        await self._write(docket, surveys, files)

    async def _set_aside(self, docket: Docket) -> None:
        """Records that the store does not know of become files like the footage.

        They are hashed and listed then, so that nothing is lost and nothing is said to
        have been added: they lie there after a backup from before them was restored.
        """
        record = docket.record
        known = {*record.intended, *(each.sha256 for each in record.folders)}
        for path, (destination, place) in docket.places.items():
            if destination.name in self._shares.problems:
                continue
            move = partial(
                self._folders.set_aside, place, known, max(record.revision, 1)
            )
            try:
                moved = await self._shares.on(place.mount, move)
            except FileNotFoundError:
                continue  # no footage yet
            if moved:
                self._log.warning(
                    "a record that the store does not know of lay beside footage",
                    incident=record.incident,
                    path=path,
                    kept_as=moved,
                )

    async def _survey(self, docket: Docket) -> dict[str, Survey | None]:
        found = {}
        for path, (destination, place) in docket.places.items():
            if destination.name in self._shares.problems:
                raise OSError(self._shares.problems[destination.name])
            look = partial(self._folders.survey, place)
            found[path] = await self._shares.on(place.mount, look)
        return found

    async def _wait(self, record: Record, after: Record, now: datetime) -> None:
        """Look again later; or that was too long, and people are told."""
        if after.state is not RecordState.FAILED:
            await self._put(record, after)
            return
        entry = Entry(
            incident=record.incident,
            at=now,
            event=Event.UNRECORDED,
            detail={"text": after.message},
        )
        if not await self._put(record, after, entry):
            return
        self._metrics.evidence_records.labels(RecordState.FAILED).inc()
        self._log.warning(
            "there is no evidence record of an incident",
            incident=record.incident,
            why=after.message,
        )

    async def _write(
        self, docket: Docket, surveys: Surveys, files: Sequence[HashedFile]
    ) -> None:
        """Intent, then the folders, then the row and its entry in the history."""
        draft = await self._drafting.draft(docket, surveys, files)
        if not await self._put(docket.record, draft.intended):
            return
        asides = []
        kept = {path: draft.papers[path] for path in docket.unseen}
        try:
            for path, papers in draft.papers.items():
                if path in kept:
                    continue  # with the row itself, below
                place = docket.places[path][1]
                write = partial(self._folders.write, place, papers)
                asides.append(await self._shares.change(place.mount, write))
            await note_leftovers(docket, self._shares, self._folders)
        except OSError as error:
            await self._postpone(docket, draft.intended, why_of(error))
            return
        destination = docket.dossier.incident.terms.destination
        entry = entry_of_record(draft.written, destination, draft.at, asides, kept)
        lies = footage_of(docket, draft)
        if await self._put(draft.intended, draft.written, entry, kept, lies):
            self._told_written(draft.written, [name for name in asides if name])

    async def _postpone(self, docket: Docket, record: Record, why: str) -> None:
        """The share or the key is not there now: what was done is kept."""
        destination = docket.dossier.incident.terms.destination
        self._waiting[record.incident] = (
            destination,
            phrase("records wait: {why}", why=why),
        )
        now, jitter = self._world.now().at, self._world.dice.jitter()
        log = self._log.debug if record.tries else self._log.warning
        log("an evidence record has to wait", incident=record.incident, why=why)
        await self._put(record, evidence.postpone(record, why, now, jitter))

    async def _put(
        self,
        before: Record,
        after: Record,
        entry: Entry | None = None,
        kept: Mapping[str, Papers] = NOTHING,
        footage: Collection[FootageFolder] = (),
    ) -> bool:
        """Commit the step, unless the record changed or went away meanwhile."""
        lost = evidence.loss_of_record(after, self._world.now().at)

        def put(tx: Tx) -> bool:
            if tx.evidence.of([before.incident]) != [before]:
                return False
            tx.evidence.save(after)
            if after.state is not RecordState.WANTED:  # then it is not known yet
                tx.losses.settle(LossKind.UNRECORDED, after.incident, lost)
            tx.footage.save(footage)
            for path, each in kept.items():
                tx.evidence.keep_papers(after.incident, path, each.files, each.former)
            if entry is not None:
                tx.history.write(entry)
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
                "a record that the store does not know of lay beside footage",
                incident=record.incident,
                kept_as=asides,
            )


def _put_away(tx: Tx, record: Record) -> None:
    """None is to be written: no share takes it, or all of its footage is gone."""
    known = tx.footage.of([record.incident])
    tx.losses.settle(LossKind.UNRECORDED, record.incident, None)
    if known and not any(each.is_here for each in known):
        tx.evidence.save(record.moved(RecordState.WRITTEN, due_at=None))
    else:
        tx.evidence.drop(record.incident)


class FileHashes:
    """Hashes what lies in the folders of a docket, off the event loop."""

    def __init__(
        self,
        world: World,
        shares: Shares,
        folders: EvidencePort,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._world = world
        self._reader = FileReader(world, shares, folders, metrics)
        self._log = log

    async def hashed(self, docket: Docket, surveys: Surveys) -> list[HashedFile]:
        """Every file of the folders; those that are known and did not change rest."""
        done = []
        for path, survey in surveys.items():
            for file in survey.files if survey else ():
                known = docket.known.get((path, file.name))
                if known is None or not evidence.is_same_file(known, file):
                    known = await self._hash_one(docket, path, file, known)
                done.append(known)
        return done

    async def _hash_one(
        self, docket: Docket, path: str, file: SeenFile, known: HashedFile | None
    ) -> HashedFile:
        digest = await self._reader.sha256(docket.places[path][1], file.name)
        now = self._world.now().at
        hashed = evidence.rehash(known, path, file, digest, now)
        name = docket.record.incident

        def save(tx: Tx) -> None:
            if tx.evidence.of([name]):  # else it was pruned meanwhile
                tx.evidence.save_files(name, [hashed])

        await self._world.write(save)
        if hashed.was:
            self._log.warning(
                "footage was changed after it was recorded",
                incident=name,
                path=path,
                file=file.name,
            )
        return hashed
