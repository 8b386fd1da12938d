"""Heads of the audit chain that are kept on the shares, beside the evidence records.

A line an hour, in a file at the root of each destination: whoever has the store alone
cannot make its chain anew, or put an older one back, without their telling. Pure.

    {"at":"2026-11-23T06:00:00.000Z","hash":"...","instance":"hq","seq":17}

Behind it, where the configuration has a key, after tabs: the public key and the
signature of that text, both in base64.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from evidenced.core.instants import HOUR, is_datable, render_utc
from evidenced.core.keeping.kept import AuditHead

KEEP_EVERY = HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptHead:
    """The head as it was at an instant; `place` is the file that says so."""

    head: AuditHead
    at: datetime
    instance: str
    place: str = ""


def file_name(instance: str) -> str:
    """The file with the heads of one instance, at a destination's root."""
    return f"evidenced-heads-{instance}.txt"


def text_of(kept: KeptHead) -> str:
    """What stands in the file for it, and is signed."""
    value = {
        "at": render_utc(kept.at),
        "hash": kept.head.hash,
        "instance": kept.instance,
        "seq": kept.head.seq,
    }
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def read_text(text: str, place: str) -> KeptHead:
    """The other way.

    Raises:
        ValueError: it is none; a crash or a full disk may have cut the line off.
    """
    try:
        value = json.loads(text)
        at = datetime.fromisoformat(str(value.get("at"))).astimezone(UTC)
    except (RecursionError, OverflowError, AttributeError) as error:
        raise ValueError("no head") from error
    if not is_datable(at):
        raise ValueError("no head")
    seq, hashed = value.get("seq"), value.get("hash")
    if not isinstance(seq, int) or not isinstance(hashed, str):
        raise ValueError("no head")  # noqa: TRY004 - it is none
    return KeptHead(
        head=AuditHead(seq=seq, hash=hashed),
        at=at,
        instance=str(value.get("instance")),
        place=place,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What a chain has, and what it says that it has no more.

    `first` and `last` are its rows, `pruned_before` the age of those before them, and
    `lost` the rows that restores took away: after which row, and when.
    """

    first: int
    last: int
    pruned_before: datetime | None
    lost: tuple[tuple[int, datetime], ...] = ()


def faults(
    kept: Iterable[KeptHead], found: Mapping[int, str], chain: Stretch
) -> Iterator[str]:
    """A sentence for each kept head that the chain should have and has not.

    `found` are the hashes of the rows that heads were kept of, of those that are here.
    """
    for each in kept:
        seq, when = each.head.seq, f"on {render_utc(each.at)} {each.place} says"
        if any(seq > after and each.at <= at for after, at in chain.lost):
            continue  # the restore is told
        if seq > chain.last:
            yield (
                f"{when} that there was a row {seq}, and the last is {chain.last}: "
                "rows at the end were cut off, or an older copy was put back"
            )
        elif seq < chain.first:
            if chain.pruned_before is None or each.at >= chain.pruned_before:
                yield (
                    f"{when} that row {seq} was the last, and the chain begins with "
                    f"row {chain.first}: younger rows were cut off than are pruned"
                )
        elif found.get(seq) != each.head.hash:
            yield f"{when} that row {seq} was another: the chain was made anew"


def is_due(kept_at: float | None, now: float, every: timedelta = KEEP_EVERY) -> bool:
    """Whether a head is to be kept again; instants are monotonic seconds."""
    return kept_at is None or now - kept_at >= every.total_seconds()
