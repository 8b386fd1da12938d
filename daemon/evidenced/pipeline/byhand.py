"""What people did to footage by hand, as they tell it: deleted it, or moved it.

Nothing is deleted or moved here. Where the share shows that the files are all still
there, what is told is refused; where the record is still there, a statement is written
beside it; where nothing can be seen, people are believed.
"""

from dataclasses import dataclass, replace
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import BadInput, Refused
from evidenced.core.ids import IncidentId
from evidenced.core.keeping import footage as states
from evidenced.core.keeping.evidence import RECORD
from evidenced.core.keeping.footage import FootageFolder
from evidenced.core.keeping.loss import LossKind
from evidenced.core.keeping.place import Place
from evidenced.core.phrase import phrase
from evidenced.core.telling.written import read_record
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.drafting import Desk
from evidenced.pipeline.shares import Shares, why_of
from evidenced.pipeline.statements import Statements
from evidenced.pipeline.world import World
from evidenced.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class _FolderNow:
    """A folder as it is now: where, and which of its files are gone and still there.

    `place` is None where it cannot be seen, or holds no record any more.
    """

    place: Place | None = None
    gone: tuple[str, ...] = ()
    still: tuple[str, ...] = ()


class ByHand:
    """`ports.FootagePort`."""

    def __init__(
        self,
        world: World,
        shares: Shares,
        desk: Desk,
        agenda: Agenda,
        log: FilteringBoundLogger,
    ) -> None:
        self._world = world
        self._shares = shares
        self._folders = desk.folders
        self._statements = Statements(world, shares, desk)
        self._agenda = agenda
        self._log = log

    async def became(
        self, incident: IncidentId, place: str, comment: str, who: str
    ) -> list[FootageFolder]:
        """See the port."""
        known = await self._world.store.read(lambda view: view.footage.of([incident]))
        told = states.tellable(known, incident, place)
        done = [
            await self._settled(
                states.told(each, place, comment, who, self._world.now().at)
            )
            for each in told
        ]

        def step(tx: Tx) -> list[FootageFolder]:
            if tx.footage.of([incident]) != known:
                raise Refused(
                    phrase(
                        "the footage of incident {incident} changed meanwhile",
                        incident=incident,
                    )
                )
            tx.footage.save(after for after, _ in done)
            lost = states.loss_of_footage(tx.footage.of([incident]))
            tx.losses.settle(LossKind.ALTERED, incident, lost)
            tx.history.write(
                *(
                    states.entry_of_disposal(after, len(gone), ())
                    for after, gone in done
                )
            )
            return tx.footage.of([incident])

        after = await self._world.store.write(step)
        self._agenda.hint(names.OUTBOX)
        return after

    async def _settled(
        self, footage: FootageFolder
    ) -> tuple[FootageFolder, tuple[str, ...]]:
        """The folder as it is told, with a statement where that can be written.

        Raises:
            Refused: all of its files are still there.
        """
        try:
            seen = await self._look(footage)
            if seen.place is None:
                return footage, ()
            if seen.still and not seen.gone:
                raise Refused(
                    phrase(
                        "all {still} files still lie in {folder}: this tells what was "
                        "done, and does nothing to them",
                        still=len(seen.still),
                        folder=seen.place.folder,
                    )
                )
            written = await self._statements.write(footage, seen.place, seen.gone)
        except (OSError, BadInput) as error:
            if isinstance(error, Refused):
                raise
            self._log.warning(
                "what became of footage is not written beside its record",
                incident=footage.incident,
                path=footage.path,
                why=why_of(error),
            )
            return footage, ()
        return replace(footage, statement=written), seen.gone

    async def _look(self, footage: FootageFolder) -> _FolderNow:
        """Raises OSError: it cannot be seen. BadInput: its record is none."""
        found = self._shares.place(footage.path, footage.destination)
        if found is None:
            return _FolderNow()
        destination, mount, way = found
        place = Place(mount=mount, marker=destination.marker, names=way)
        try:
            read = partial(self._folders.read, place, RECORD)
            record = read_record(await self._shares.on(mount, read))
        except (FileNotFoundError, NotADirectoryError):
            return _FolderNow()
        survey = await self._shares.on(mount, partial(self._folders.survey, place))
        there = {each.name for each in survey.files} if survey else set()
        listed = [each.name for each in record.files]
        return _FolderNow(
            place=place,
            gone=tuple(each for each in listed if each not in there),
            still=tuple(each for each in listed if each in there),
        )
