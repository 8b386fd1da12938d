"""What is known of each camera's recording: a row each, few of them."""

from collections.abc import Collection, Iterable

from sqlalchemy import bindparam, delete, select

from evidenced.core.exports.watching import CameraWatch
from evidenced.core.ids import CameraName
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.part import StorePart
from evidenced.store.schema import watches

_ALL = select(watches)
_OF = select(watches).where(watches.c.camera.in_(bindparam("ids", expanding=True)))
_SAVE = upsert(watches, "camera")
_FORGET = delete(watches).where(
    watches.c.camera.not_in(bindparam("known", expanding=True))
)
_WATCH = Codec(CameraWatch)


class StoredWatches(StorePart):
    """As many as there are cameras."""

    def all(self) -> list[CameraWatch]:
        return self._values(_WATCH, _ALL)

    def of(self, cameras: Collection[CameraName]) -> list[CameraWatch]:
        return [_WATCH.value(row) for row in self._by_ids(_OF, cameras)]

    def save(self, found: Iterable[CameraWatch]) -> None:
        self._many(_SAVE, [_WATCH.row(each) for each in found])

    def forget(self, known: Collection[CameraName]) -> None:
        """Those of cameras that are configured no more."""
        self._db.execute(_FORGET, {"known": list(known)})
