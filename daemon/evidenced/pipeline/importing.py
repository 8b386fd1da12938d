"""Records on shares are taken into the store, one folder an order.

Whoever gives the order has hashed the files (`evidenced incidents import`), which may
take hours; here the record, its signature, its page, its pictures and the sizes of the
files are checked again, for an order may come from anywhere. Files are hashed by
`recheck`, if that is wished, and in any case before they are disposed of.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput, NotFound, Refused
from evidenced.core.folders.whereabouts import Destination
from evidenced.core.incidents.history import Change, Event
from evidenced.core.instants import MINUTE
from evidenced.core.keeping import held as holding
from evidenced.core.keeping.footage import FootageFolder
from evidenced.core.keeping.importing import (
    ImportOrder,
    SharedRecord,
    TakenIn,
    check_is_new,
    detail_of,
    entry_of,
    folder_of,
    record_of,
    stays_until,
)
from evidenced.core.keeping.jpeg import picture_size
from evidenced.core.keeping.place import Place
from evidenced.core.keeping.still import MOST_KEPT
from evidenced.core.telling.imported import MOST_BYTES, Imported, read_import
from evidenced.core.telling.written import WrittenRecord, read_record
from evidenced.core.terms import Terms
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.drafting import Desk
from evidenced.pipeline.shares import Shares, why_of
from evidenced.pipeline.world import World
from evidenced.ports import Tx


class Importing:
    """`ports.ImportPort`."""

    def __init__(
        self,
        world: World,
        shares: Shares,
        desk: Desk,
        agenda: Agenda,
        retain: Callable[[], timedelta],
    ) -> None:
        self._world = world
        self._shares = shares
        self._desk = desk
        self._agenda = agenda
        self._retain = retain

    async def take_in(self, order: ImportOrder, who: str) -> TakenIn:
        """See the port."""
        destination, place = self._place(order)
        found = await self._read(order, place)
        written = read_record(found.data)
        self._check_instance(order, written)
        path = self._path(destination, place, written)
        now = self._world.now().at
        said = await self._shares.aside(
            lambda: read_import(found.data, _terms(destination), path, now)
        )
        footage = folder_of(said.incident, path, found, written.written, now)
        intake = _Intake(
            said=said,
            found=found,
            written=written,
            footage=footage,
            detail=detail_of(footage, found, written.instance, who),
            who=who,
            now=now,
        )
        is_new, folders = await self._world.store.write(partial(_take, intake))
        self._agenda.hint(names.OUTBOX)
        keep = destination.keep
        return TakenIn(
            incident=said.incident.id,
            is_new=is_new,
            kept_until=now + self._retain(),
            stays_until=stays_until(
                folders, None if keep is None else footage.ended_at + keep
            ),
        )

    def _place(self, order: ImportOrder) -> tuple[Destination, Place]:
        destination = self._world.site.destinations.get(order.destination)
        if destination is None or destination.mount is None:
            raise NotFound(
                f"there is no destination {order.destination!r} with a mount"
            )
        if destination.name in self._shares.problems:
            raise Refused(self._shares.problems[destination.name])
        return destination, Place(
            mount=destination.mount, marker=destination.marker, names=order.way
        )

    async def _read(self, order: ImportOrder, place: Place) -> SharedRecord:
        if order.key is None and not order.is_unsigned:
            own = await self._shares.aside(self._desk.signer.public)
            order = replace(order, key=own)
        read = partial(self._desk.reader.read, place, order, MOST_BYTES)
        try:
            return await self._shares.on(place.mount, read)
        except OSError as error:
            raise Refused(f"it cannot be read: {why_of(error)}") from None

    def _check_instance(self, order: ImportOrder, written: WrittenRecord) -> None:
        wanted = order.instance or self._world.site.instance
        if written.instance != wanted:
            other = one_line(written.instance, 60)
            raise Refused(
                f"instance {other!r} wrote it, not {wanted!r}: --instance {other} "
                "takes what that one wrote"
            )

    def _path(
        self, destination: Destination, place: Place, written: WrittenRecord
    ) -> str:
        """Where the recorder sees the folder: as the record says, if that is it.

        The share may have another root there by now.
        """
        path = "\\".join((destination.root.rstrip("\\"), *place.names))
        for each in (written.folder, path):
            there = self._shares.place(each, destination.name)
            if (
                there is not None
                and there[0] == destination
                and there[2] == place.names
            ):
                return each
        raise BadInput(f"no path below {destination.root} leads to {place.folder}")


def _terms(destination: Destination) -> Terms:
    return Terms(
        destination=destination.name,
        path=destination.path.text,
        root=destination.root,
        max_length=MINUTE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intake:
    """All that one folder brings, ready to be written."""

    said: Imported
    found: SharedRecord
    written: WrittenRecord
    footage: FootageFolder
    detail: Mapping[str, object]
    who: str
    now: datetime


def _take(intake: _Intake, tx: Tx) -> tuple[bool, list[FootageFolder]]:
    footage, incident = intake.footage, intake.said.incident
    known = next(iter(tx.incidents.get([incident.id])), None)
    there = tx.footage.at(footage.destination, footage.path)
    if not check_is_new(known, there, footage):
        return False, tx.footage.of([incident.id])
    if known is None:
        _take_incident(intake, tx)
    else:
        _take_folder(intake, tx)
    if there is None:
        tx.footage.save([footage])
    record = next(iter(tx.evidence.of([incident.id])), None)
    tx.evidence.save(
        record_of(record, footage, intake.written.revision, intake.found.key)
    )
    return True, tx.footage.of([incident.id])


def _take_incident(intake: _Intake, tx: Tx) -> None:
    said, now = intake.said, intake.now
    exports = tuple(replace(each, id=tx.exports.new_id()) for each in said.exports)
    change = Change(
        before=None,
        after=said.incident,
        event=Event.IMPORTED,
        detail=intake.detail,
        exports=exports,
    )
    tx.ledger.save([change], now)
    tx.alarms.save(said.alarms)
    _keep_pictures(intake, tx)
    if intake.written.held:
        known = holding.hold_again(
            intake.written.held, said.incident.id, intake.who, now
        )
        tx.held.save(known)
        tx.history.write(holding.entry_of_hold(known))


def _take_folder(intake: _Intake, tx: Tx) -> None:
    """One more of an incident that was taken in by another of its folders."""
    said, now = intake.said, intake.now
    known = {(each.recorder, each.n) for each in tx.exports.of([said.incident.id])}
    tx.exports.add(
        replace(each, id=tx.exports.new_id())
        for each in said.exports
        if (each.recorder, each.n) not in known
    )
    tx.history.write(entry_of(intake.footage, intake.detail, now))


def _keep_pictures(intake: _Intake, tx: Tx) -> None:
    """Those that are whole pictures, while there is room for any."""
    room = MOST_KEPT - tx.stills.kept_bytes()
    for each in intake.said.stills:
        data = intake.found.pictures.get(each.file, b"")
        room -= len(data)
        if room > 0 and each.sha256 == sha256(data).hexdigest():
            with suppress(ValueError):
                width, height = picture_size(data)
                kept = replace(each, width=width, height=height, size_bytes=len(data))
                tx.stills.keep(kept, data)
