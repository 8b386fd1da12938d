"""Small values that some part of the daemon keeps over restarts."""

from sqlalchemy import bindparam, select

from evidenced.store.dialect import upsert
from evidenced.store.part import StorePart
from evidenced.store.schema import meta

_NOTE = select(meta.c.value).where(meta.c.key == bindparam("name"))
_SAVE = upsert(meta, "key")


class Notes(StorePart):
    """By name; whoever writes one names it."""

    def get(self, key: str) -> str | None:
        value: str | None = self._db.scalar(self._locked(_NOTE), {"name": key})
        return value

    def save(self, key: str, value: str) -> None:
        self._many(_SAVE, [{"key": key, "value": value}])
