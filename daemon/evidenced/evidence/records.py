"""Records below a folder: found, and checked side by side."""

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from evidenced.core.errors import BadInput
from evidenced.core.keeping.evidence import RECORD, is_litter
from evidenced.core.telling.said import said_in
from evidenced.evidence.folder import read_file
from evidenced.evidence.verify import Demand, Finding, Tell, verify
from evidenced.host import tree
from evidenced.host.tree import NameKind, TooMany

MOST_NAMES = 10_000_000
"""Files and folders below one root: a thousand exports a day for years."""
MOST_THREADS = 4
"""A share is not read faster by more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlace:
    """A folder with a record: a root that somebody named, and the way from there."""

    root: Path
    names: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return self.root.joinpath(*self.names)


@dataclass(slots=True, kw_only=True)
class Sweep:
    """What lies below roots.

    `without` are folders that hold files and belong to no record. `faults` say what
    could not be looked at.
    """

    places: list[RecordPlace] = field(default_factory=list)
    without: list[Path] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A folder whose record could not be read, and why: a sentence that names it."""

    folder: Path
    why: str


def sweep(roots: Sequence[Path]) -> Sweep:
    """All records in these folders, or below those that hold none. Blocks."""
    found = Sweep()
    for root in roots:
        if os.path.islink(root):  # noqa: PTH114 - a name may be longer than any
            there = os.path.realpath(root)
            found.faults.append(
                f"{root} is a link, and no link is followed: name {there}"
            )
        elif os.path.lexists(root / RECORD):
            found.places.append(RecordPlace(root=root, names=()))
        else:
            _sweep_below(root, found)
    return found


def _sweep_below(root: Path, found: Sweep) -> None:
    places: list[tuple[str, ...]] = []
    holders: dict[tuple[str, ...], None] = {}

    def told(name: str, error: OSError) -> None:
        found.faults.append(f"{root / name}: {error.strerror or error}")

    try:
        with (
            tree.open_folder(root, ()) as handle,
            closing(tree.walk(handle, MOST_NAMES, told)) as names,
        ):
            for each in names:
                *folders, name = each.name.split("/")
                if name == RECORD:
                    places.append(tuple(folders))
                elif each.kind is NameKind.LINK:
                    found.faults.append(
                        f"{root / each.name} is a link, and no link is followed"
                    )
                elif each.kind is NameKind.FILE and folders and _may_be_footage(name):
                    holders[tuple(folders)] = None
    except FileNotFoundError:
        found.faults.append(f"there is no folder {root}")
        return
    except TooMany:
        found.faults.append(
            f"{root}: more than {MOST_NAMES} names; the rest is not read"
        )
    except OSError as error:
        found.faults.append(f"{root}: {error.strerror or error}")
    if not places and not found.faults:
        found.faults.append(f"{root} holds no {RECORD}, nor does any folder below it")
    recorded = set(places)
    found.places += (RecordPlace(root=root, names=names) for names in places)
    found.without += (
        root.joinpath(*names)
        for names in holders
        if not any(names[:n] in recorded for n in range(1, len(names) + 1))
    )


def _may_be_footage(name: str) -> bool:
    """A hidden file is none: a share's marker is often one."""
    return not (name.startswith(".") or is_litter(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a record says of where it comes from; nothing of it is checked.

    `seq` is the last row that the audit chain of its instance had then, `sha256` that
    of its incident.json.
    """

    instance: str
    incident: str
    written: datetime
    seq: int
    sha256: str


def origin_of(place: RecordPlace) -> Provenance | None:
    """None where that cannot be read: it is nobody's record. Blocks."""
    try:
        with tree.open_folder(place.root, place.names) as folder:
            data = read_file(folder, RECORD)
        said = said_in(data, RECORD)
        return Provenance(
            instance=said.text("instance"),
            incident=said.within("incident").text("id"),
            written=said.instant("written").astimezone(UTC),
            seq=said.within("audit").number("seq"),
            sha256=hashlib.sha256(data).hexdigest(),
        )
    except (OSError, BadInput, OverflowError):
        return None


def check_all(
    places: Sequence[RecordPlace], demand: Demand, tell: Tell
) -> Iterator[Finding | Unread]:
    """Check each, in order, several at a time. `tell` is called on any thread."""
    is_over = threading.Event()

    def told(count: int) -> None:
        if is_over.is_set():
            raise _Over
        tell(count)

    check = partial(_check, demand=demand, tell=told)
    threads = min(MOST_THREADS, os.cpu_count() or 1, max(1, len(places)))
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from pool.map(check, places)
        finally:
            is_over.set()
            pool.shutdown(cancel_futures=True)


class _Over(Exception):  # noqa: N818 - nobody waits for the result any more
    pass


def _check(place: RecordPlace, demand: Demand, tell: Tell) -> Finding | Unread:
    try:
        return verify(place.root, place.names, demand, tell)
    except BadInput as error:
        why, folder = str(error), str(place.folder)
        told = why if folder in why else f"{folder}: {why}"
        return Unread(folder=place.folder, why=told)
