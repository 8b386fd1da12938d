"""The audit chain: each history row carries the SHA-256 of itself and the one before.

A row that is edited, removed, inserted or moved breaks the chain from there on. Rows
cut off at the end are seen only against a head that was kept elsewhere: it is
published, logged and written into every evidence record.
"""

from hashlib import sha256

GENESIS = "0" * 64
ANCHOR = "audit-anchor"
"""Note of the last row that was pruned: its number and hash, where the chain begins."""


def link(
    previous: str, seq: int, at_ms: int, parts: tuple[str | None, str, str]
) -> str:
    """The hash of one row. `parts` are incident, event and detail, as they are stored.

    Lengths stand before the texts, and a text that is absent is not an empty one, so no
    two rows write the same bytes.
    """
    written = bytearray()
    for text in (previous, str(seq), str(at_ms), *parts):
        if text is None:
            written += b"-:"
            continue
        raw = text.encode("utf-8", "surrogatepass")
        written += b"%d:" % len(raw)
        written += raw
    return sha256(written).hexdigest()
