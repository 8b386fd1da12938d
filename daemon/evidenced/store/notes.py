"""Small values that some part of the daemon keeps over restarts, and texts of rules."""

from collections.abc import Mapping

from sqlalchemy import bindparam, select

from evidenced.store.dialect import insert_new, upsert
from evidenced.store.part import StorePart
from evidenced.store.schema import meta, rule_settings

_NOTE = select(meta.c.value).where(meta.c.key == bindparam("name"))
_SAVE = upsert(meta, "key")


class Notes(StorePart):
    """By name; whoever writes one names it."""

    def get(self, key: str) -> str | None:
        value: str | None = self._db.scalar(self._locked(_NOTE), {"name": key})
        return value

    def save(self, key: str, value: str) -> None:
        self._many(_SAVE, [{"key": key, "value": value}])


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
