"""Rules as they were written when an incident was opened, for its evidence record.

An incident keeps the digest of its rule's settings; the text is a note of the store.
"""

import json
from collections.abc import Mapping

from evidenced.ports import Tx, View

PREFIX = "rule-settings:"


def keep(tx: Tx, settings: Mapping[str, str]) -> None:
    """Note the texts, so that they outlive the configuration."""
    for digest, text in settings.items():
        if tx.notes.get(PREFIX + digest) is None:
            tx.notes.save(PREFIX + digest, text)


def settings_of(view: View, digest: str) -> object:
    """What `keep` noted; None for an incident from before it did."""
    text = view.notes.get(PREFIX + digest) if digest else None
    return None if text is None else json.loads(text)
