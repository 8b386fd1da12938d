"""Small values that some part of the daemon keeps over restarts, and texts of rules."""

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, delete, select

from evidenced.store.dialect import insert_new, upsert
from evidenced.store.part import StorePart
from evidenced.store.schema import meta, rule_settings

_NOTE = select(meta.c.value).where(meta.c.key == bindparam("name"))
_SAVE = upsert(meta, "key")
_LIKE = select(meta.c.key).where(meta.c.key.like(bindparam("form")))
_FORGET = delete(meta).where(meta.c.key == bindparam("name"))


class Notes(StorePart):
    """By name; whoever writes one names it."""

    def get(self, key: str) -> str | None:
        value: str | None = self._db.scalar(self._locked(_NOTE), {"name": key})
        return value

    def save(self, key: str, value: str) -> None:
        self._many(_SAVE, [{"key": key, "value": value}])

    def keep_only(self, head: str, keys: Collection[str]) -> None:
        """Of those that begin so: the others' subjects are gone."""
        found = self._db.scalars(_LIKE, {"form": f"{head}%"})
        self._many(_FORGET, [{"name": key} for key in found if key not in keys])


_SETTINGS = select(rule_settings.c.text).where(
    rule_settings.c.digest == bindparam("name")
)
_KEEP = insert_new(rule_settings)


class StoredSettings(StorePart):
    """Rules as they are written, each under its digest: an incident keeps only that."""

    def get(self, digest: str) -> str | None:
        """None for an incident from before it was kept."""
        text: str | None = self._db.scalar(_SETTINGS, {"name": digest})
        return text

    def keep(self, texts: Mapping[str, str]) -> None:
        """So that they outlive the configuration; those that are known rest."""
        rows = [{"digest": digest, "text": text} for digest, text in texts.items()]
        self._many(_KEEP, rows)
