"""How cameras and shares have done of late: few rows, kept as they go."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select

from evidenced.core.ids import CameraName, DestinationName
from evidenced.core.instants import to_ms
from evidenced.core.keeping.health import (
    FAILURES_FOR,
    ROOM_EVERY,
    ROOM_FOR,
    CameraTally,
    Room,
    RoomSeen,
    day_of,
    news_of,
)
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.part import Step, StorePart
from evidenced.store.schema import camera_failures, camera_tallies, rooms

_TALLIES = select(camera_tallies)
_TALLIES_OF = _TALLIES.where(
    camera_tallies.c.camera.in_(bindparam("ids", expanding=True))
)
_FAILURES = (
    select(camera_failures.c.camera, func.sum(camera_failures.c.number).label("sum"))
    .where(camera_failures.c.day >= bindparam("since"))
    .group_by(camera_failures.c.camera)
)
_OF_DAY = select(camera_failures.c.number).where(
    camera_failures.c.camera == bindparam("name"),
    camera_failures.c.day == bindparam("on"),
)
_ROOMS = (
    select(rooms).where(rooms.c.destination == bindparam("name")).order_by(rooms.c.at)
)
_LAST_SEEN = select(rooms.c.destination, func.max(rooms.c.at).label("at")).group_by(
    rooms.c.destination
)
_OLD_FAILURES = delete(camera_failures).where(
    camera_failures.c.day < bindparam("before")
)
_OLD_ROOMS = delete(rooms).where(rooms.c.at < bindparam("before"))
_OTHER_TALLIES = delete(camera_tallies).where(
    camera_tallies.c.camera.not_in(bindparam("known", expanding=True))
)
_SAVE_TALLY = upsert(camera_tallies, "camera")
_SAVE_FAILURES = upsert(camera_failures, "camera", "day")
_SAVE_ROOM = upsert(rooms, "destination", "at")
_TALLY = Codec(CameraTally)
_ROOM = Codec(RoomSeen)


class StoredHealth(StorePart):
    """As many rows as cameras, and a row a share and hour."""

    def tallies(self) -> dict[CameraName, CameraTally]:
        found = self._values(_TALLY, _TALLIES)
        return {each.camera: each for each in found}

    def failures(self, now: datetime) -> dict[CameraName, int]:
        """How often footage of each was lost lately; those without are left out."""
        since = day_of(now - FAILURES_FOR)
        found = self._rows(_FAILURES, since=since)
        return {CameraName(row["camera"]): int(row["sum"]) for row in found}

    def rooms(self, destination: DestinationName) -> list[RoomSeen]:
        """What was seen of its share, in order."""
        return self._values(_ROOM, _ROOMS, name=destination)

    def see(self, found: Mapping[DestinationName, Room], now: datetime) -> None:
        """Keep the room of each share, once an hour."""
        last = {row["destination"]: row["at"] for row in self._rows(_LAST_SEEN)}
        fresh = to_ms(now - ROOM_EVERY)
        seen = [
            RoomSeen(destination=name, at=now, free=room.free, total=room.total)
            for name, room in found.items()
            if not fresh < last.get(name, fresh) <= to_ms(now)
        ]
        self._many(_SAVE_ROOM, [_ROOM.row(each) for each in seen])

    def prune(self, now: datetime, cameras: Collection[CameraName]) -> None:
        """Remove what is older than anybody asks for."""
        self._db.execute(_OLD_FAILURES, {"before": day_of(now - FAILURES_FOR)})
        self._db.execute(_OLD_ROOMS, {"before": to_ms(now - ROOM_FOR)})
        self._db.execute(_OTHER_TALLIES, {"known": list(cameras)})

    def derive(self, steps: Iterable[Step], at: datetime) -> None:
        """What these steps say of cameras."""
        news = [each for step in steps for each in news_of(*step, at)]
        if not news:
            return
        names = {each.tally.camera for each in news}
        known = {
            row["camera"]: _TALLY.value(row) for row in self._by_ids(_TALLIES_OF, names)
        }
        for each in news:
            name = each.tally.camera
            known[name] = known.get(name, CameraTally(camera=name)).later(each.tally)
            if each.is_failure:
                self._count(name, day_of(at))
        self._many(_SAVE_TALLY, [_TALLY.row(each) for each in known.values()])

    def _count(self, camera: CameraName, day: int) -> None:
        found = self._db.scalar(_OF_DAY, {"name": camera, "on": day}) or 0
        row = {"camera": camera, "day": day, "number": found + 1}
        self._many(_SAVE_FAILURES, [row])
