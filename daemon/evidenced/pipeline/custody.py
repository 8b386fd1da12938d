"""Footage that lies on shares: hashed again, and disposed of when it is old enough.

    compare    the folder with its record: every file is hashed again
    intend     the row says so, unless somebody holds the incident meanwhile
    delete     the files that the record lists and that are what they were
    tell       a statement beside the record, then the entry in the chain

A share that is away, a folder that cannot be read or a file that was altered means
later: nothing is deleted that is not proved to be what was recorded. Whatever is found
that is not, by `recheck` or before it would go, is a loss.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput, StoreError
from evidenced.core.folders.whereabouts import Destination
from evidenced.core.ids import DestinationName, IncidentId
from evidenced.core.instants import MINUTE
from evidenced.core.keeping import footage as states
from evidenced.core.keeping.evidence import RecordState, SeenFile
from evidenced.core.keeping.footage import FootageFolder, FootageState
from evidenced.core.keeping.loss import LossKind
from evidenced.core.keeping.place import Place
from evidenced.core.phrase import phrase, plural
from evidenced.core.spoken import spoken
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.drafting import Desk
from evidenced.pipeline.hashing import Comparer, Comparison, FileReader
from evidenced.pipeline.indexing import IndexBook
from evidenced.pipeline.shares import Shares, why_of
from evidenced.pipeline.statements import Statements
from evidenced.pipeline.world import World
from evidenced.ports import Tx, View

LOOK_EVERY = 10 * MINUTE
AT_ONCE = 100
"""Files that one call deletes: a share that hangs is noticed soon."""

Work = Callable[[FootageFolder], Awaitable[None]]


class Custody:
    """The loop that looks after footage for as long as it is kept."""

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
        self._log = log
        reader = FileReader(world, shares, desk.folders, metrics)
        self.index = IndexBook(world, shares, desk, log)
        self._failing: dict[DestinationName, tuple[FootageFolder, str]] = {}
        self._statements = Statements(world, shares, desk)
        self._comparer = Comparer(reader, shares, desk.folders)

    @property
    def problems(self) -> dict[DestinationName, str]:
        """Destinations with footage that is to be hashed, and cannot be read."""
        return {name: why for name, (_, why) in self._failing.items()}

    async def run(self) -> None:
        """Forever, a look every ten minutes."""
        while True:
            while await self.once():
                pass
            await self.index.keep()
            await self._agenda.wait(names.CUSTODY, at_most=LOOK_EVERY)

    async def once(self) -> bool:
        """One folder; whether there was any."""
        if self._world.is_stopping:
            return False
        await self._forget()
        for destination in self._world.site.destinations.values():
            found = await self._old(destination)
            if found is not None:
                await self._safely(found, self._dispose)
                return True
            found = await self._unchecked(destination)
            if found is not None:
                await self._safely(found, self._check)
                return True
        return False

    async def _old(self, destination: Destination) -> FootageFolder | None:
        """The oldest folder there that is to go, if one is, and the clock is right.

        What was begun is ended, also where a reload has taken `keep` away since.
        """
        now, name, keep = self._world.now(), destination.name, destination.keep
        if destination.mount is None or name in self._shares.problems:
            return None
        if not now.may_delete:
            return None
        before = None if keep is None else now.at - keep
        return await self._world.read(
            lambda view: view.footage.to_dispose(name, before, now.at)
        )

    async def _unchecked(self, destination: Destination) -> FootageFolder | None:
        """The folder there that was hashed longest ago, if it is to be hashed again."""
        now, every, name = self._world.now().at, self._recheck, destination.name
        is_away = name in self._shares.problems
        if not every or destination.mount is None or is_away:
            return None
        return await self._world.read(
            lambda view: view.footage.to_check(name, now - every, now)
        )

    @property
    def _recheck(self) -> timedelta:
        return self._world.site.care.recheck

    async def _check(self, footage: FootageFolder) -> None:
        """Raises OSError: it cannot be read now."""
        found = await self._comparer.compare(self._place(footage), footage.sha256)
        await self._found(footage, "" if found.is_whole else _differing(found))

    async def _found(self, footage: FootageFolder, fault: str) -> None:
        """What lies there is what was recorded, or something else: that is a loss."""
        after = states.check(footage, fault, self._world.now().at)
        is_news = fault != footage.fault

        def step(tx: Tx) -> bool:
            if footage not in tx.footage.of([footage.incident]):
                return False  # another revision was written, or it went
            tx.footage.save([after])
            if is_news:
                tx.history.write(states.entry_of_check(after))
                lost = states.loss_of_footage(tx.footage.of([footage.incident]))
                tx.losses.settle(LossKind.ALTERED, footage.incident, lost)
            return True

        if await self._world.write(step) and is_news:
            self._agenda.hint(names.OUTBOX)
            log = self._log.warning if fault else self._log.info
            log(
                "footage is not what was recorded"
                if fault
                else "footage is again what was recorded",
                incident=footage.incident,
                path=footage.path,
                why=fault,
            )

    async def _safely(self, footage: FootageFolder, work: Work) -> None:
        """One folder's trouble is none of the others'."""
        try:
            await work(footage)
            self._is_over(footage)
        except (OSError, BadInput) as error:
            await self._postpone(footage, why_of(error))
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - one folder must not stop the daemon
            self._log.exception("footage tripped over a fault in evidenced")
            await self._postpone(
                footage, phrase("fault in evidenced: {error}", error=error)
            )

    def _is_over(self, footage: FootageFolder) -> None:
        """What is told of one folder ends with it; another may be told next."""
        known, _ = self._failing.get(footage.destination, (footage, ""))
        if known.path == footage.path:
            self._failing.pop(footage.destination, None)

    async def _forget(self) -> None:
        """Folders that people moved or deleted meanwhile are not asked for any more."""
        for known, _ in list(self._failing.values()):
            found = await self._world.read(partial(_folders_of, known.incident))
            if not any(each.path == known.path and each.is_here for each in found):
                self._is_over(known)

    async def _dispose(self, footage: FootageFolder) -> None:
        """Raises OSError: it cannot be done now. BadInput: the key cannot be used."""
        place = self._place(footage)
        found = await self._comparer.compare(place, footage.sha256)
        begun = footage
        if footage.state is FootageState.KEPT:
            if not found.is_whole:
                await self._found(footage, _differing(found))
                return
            intended = await self._intend(footage)
            if intended is None:
                return
            begun = intended
        elif found.why:
            raise OSError(found.why)
        left = [*found.altered, *await self._delete(place, found.as_recorded)]
        await self._finish(begun, place, found, left)

    def _place(self, footage: FootageFolder) -> Place:
        found = self._shares.place(footage.path, footage.destination)
        if found is None:
            raise OSError(phrase("no share shows {path} here", path=footage.path))
        destination, mount, way = found
        return Place(mount=mount, marker=destination.marker, names=way)

    async def _intend(self, footage: FootageFolder) -> FootageFolder | None:
        """Committed before anything goes; None where it must not go now."""
        now, keep = self._world.now(), self._keep(footage.destination)
        if keep is None or not now.may_delete:
            return None
        rule = f"destinations.{footage.destination}.keep = {spoken(keep)}"
        after = states.begin_disposal(footage, now.at, rule)
        jitter = self._world.dice.jitter()

        def step(tx: Tx) -> FootageFolder | None:
            if footage not in tx.footage.of([footage.incident]):
                return None
            if tx.held.get(footage.incident) is not None:
                return None
            if _is_busy(tx, footage.incident):
                tx.footage.save([states.postpone(footage, now.at, jitter)])
                return None
            tx.footage.save([after])
            return after

        return await self._world.write(step)

    def _keep(self, name: DestinationName) -> timedelta | None:
        destination = self._world.site.destinations.get(name)
        return None if destination is None else destination.keep

    async def _delete(self, place: Place, files: Sequence[SeenFile]) -> list[str]:
        """The names of files that changed since they were hashed: they stay."""
        left = list[str]()
        for at in range(0, len(files), AT_ONCE):
            some = files[at : at + AT_ONCE]
            remove = partial(self._desk.folders.remove, place, some)
            left += await self._shares.change(place.mount, remove)
        return left

    async def _finish(
        self, begun: FootageFolder, place: Place, found: Comparison, left: Sequence[str]
    ) -> None:
        """The statement, then the answer with its entry in the chain."""
        gone = {each.name for each in found.as_recorded} | {*found.missing}
        went = sorted(gone - {*left})
        written = await self._statements.write(begun, place, went)
        after = states.end_disposal(begun, self._world.now().at, written)
        entry = states.entry_of_disposal(after, len(went), left)

        def step(tx: Tx) -> None:
            tx.footage.save([after])
            tx.history.write(entry)

        await self._world.write(step)
        self._agenda.hint(names.OUTBOX)
        self._log.info(
            "footage disposed of",
            incident=after.incident,
            path=after.path,
            files=len(went),
            rule=after.comment,
        )
        if left:
            self._log.warning(
                "files were altered and are not disposed of",
                incident=after.incident,
                path=after.path,
                files=left[:AT_ONCE],
            )

    async def _postpone(self, footage: FootageFolder, why: str) -> None:
        now, jitter = self._world.now().at, self._world.dice.jitter()
        log = self._log.debug if footage.tries else self._log.warning
        log(
            "footage on a share cannot be looked at now",
            incident=footage.incident,
            path=footage.path,
            why=why,
        )
        text = f"footage cannot be hashed again: {footage.path}: {why}"
        self._failing.setdefault(footage.destination, (footage, text))

        def step(tx: Tx) -> None:
            for known in tx.footage.of([footage.incident]):
                if known.path == footage.path and known.is_here:
                    tx.footage.save([states.postpone(known, now, jitter)])

        await self._world.write(step)


def _folders_of(incident: IncidentId, view: View) -> list[FootageFolder]:
    return view.footage.of([incident])


def _is_busy(tx: Tx, incident: IncidentId) -> bool:
    """Whether more footage or another record of it is under way."""
    known = tx.incidents.get([incident])
    records = tx.evidence.of([incident])
    return any(not each.is_ended for each in known) or any(
        each.state is RecordState.WANTED for each in records
    )


def _differing(found: Comparison) -> str:
    """What is not as it was recorded, in one sentence."""
    if found.why:
        return found.why
    what, listed = (
        ("altered", found.altered) if found.altered else ("missing", found.missing)
    )
    about = {"what": what, "file": one_line(listed[0], 100)}
    more = len(listed) - 1
    if not more:
        return phrase("a file is {what}: {file}", **about)
    return plural(
        "a file is {what}: {file} and {n} more",
        "a file is {what}: {file} and {n} more",
        more,
        **about,
    )
