"""Checking a folder with its record: by itself, anywhere, without the daemon.

    intact        every file is what the record says, no other is there, and the
                  folder is the one that the record was written for
    disposed of   the record is intact, and says with what lies beside it since when
                  and by whose will its files are gone
    altered       a file, the record or its signature is not what it was
    unreadable    there is no record, or it cannot be read

Only the signature, with the public key kept elsewhere, proves who wrote the record:
without it somebody could have written files and record anew. A record names the one
before it by its hash, so a signature by the asked for key over the newest one holds
for all: an earlier one may be by the key of its own time.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput
from evidenced.core.keeping.evidence import (
    DISPOSAL,
    PAGE,
    RECORD,
    SIGNATURE,
    SIGNED,
    former_name,
    is_litter,
)
from evidenced.core.telling.statement import Statement, read_statement
from evidenced.core.telling.written import WrittenRecord, read_record, telling_parts
from evidenced.evidence.folder import read_file
from evidenced.evidence.signature import MOST_BYTES, Signature, read_signature
from evidenced.host import tree

CHUNK = 1 << 18
MOST_REVISIONS = 1000

Tell = Callable[[int], None]
"""Hears how many bytes were hashed since it was told last."""


@dataclass(slots=True, kw_only=True)
class Finding:
    """What was found in one folder. `faults` are sentences.

    `signature` says what is known of it; `key` is the id of the key that signed.
    `litter` are files that Windows and macOS leave where somebody has looked.
    """

    folder: Path
    record: WrittenRecord
    sha256: str
    files: int = 0
    size_bytes: int = 0
    altered: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    litter: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    disposal: Statement | None = None
    """Since when and why footage is not there any more; `gone` are its files."""
    gone: list[str] = field(default_factory=list)
    signature: str = ""
    key: str = ""
    is_by_another: bool = False
    """Whether the signature holds, but is not by a key that was asked for."""
    doubts: list[str] = field(default_factory=list)
    """Sentences: what nobody proves who is known here, though nothing is altered."""

    @property
    def is_intact(self) -> bool:
        return self.is_unaltered and not (self.is_by_another or self.doubts)

    @property
    def is_unaltered(self) -> bool:
        return not (self.altered or self.missing or self.added or self.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a record has to be besides whole.

    `keys` are public keys of which one must have signed it, none for any: after a
    change of the key those of before and after. `sha256` is the hash that its
    incident.json must have, `disposal` that of what says that the footage was disposed
    of, "" where nothing may say so; None asks for none. `is_anywhere` is whether the
    folder may have been renamed.
    """

    keys: tuple[bytes, ...] = ()
    sha256: str | None = None
    disposal: str | None = None
    is_anywhere: bool = False
    is_quick: bool = False
    """Whether footage is compared by its sizes, and only the rest by its hash."""


ANY = Demand()


def _deaf(_count: int) -> None:
    pass


def verify(
    root: Path,
    names: tuple[str, ...] = (),
    demand: Demand = ANY,
    tell: Tell = _deaf,
) -> Finding:
    """Compare the folder with its record. Blocks; changes nothing.

    Args:
        root: the folder with the footage and incident.json, or one above it.
        names: the way from there to it, on which no link is followed.
        demand: what is asked for besides.
        tell: hears how it goes.

    Raises:
        BadInput: there is no record, or it cannot be read.
    """
    folder = root.joinpath(*names)
    try:
        with tree.open_folder(root, names) as handle:
            data = read_file(handle, RECORD)
            record = read_record(data)
            sha = hashlib.sha256(data).hexdigest()
            found = Finding(folder=folder, record=record, sha256=sha)
            if demand.sha256 is not None and sha != demand.sha256:
                found.faults.append(
                    f"{RECORD} is not the one that the audit chain names: its SHA-256 "
                    f"is {sha}, not {demand.sha256}"
                )
            if not demand.is_anywhere:
                found.faults += _misplaced(folder, names, record)
            _check_signature(handle, data, demand.keys, found)
            own = {RECORD, *_check_former(handle, found)}
            own |= _check_disposal(handle, demand, found)
            _check_files(handle, own, found, demand, tell)
    except FileNotFoundError as error:
        if not folder.is_dir():
            raise BadInput(f"there is no folder {folder}") from None
        raise BadInput(f"{folder} holds no {error.filename or RECORD}") from None
    except OSError as error:
        raise BadInput(f"{folder}: {error.strerror or error}") from None
    return found


def faults_of_papers(papers: Mapping[str, bytes], wanted: str) -> list[str]:
    """What is wrong with a record that lies in no folder: its files by their names.

    `wanted` is the SHA-256 that its incident.json must have.
    """
    data = papers.get(RECORD, b"")
    if hashlib.sha256(data).hexdigest() != wanted:
        return [f"{RECORD} is not the one that the audit chain names"]
    record = read_record(data)
    faults = []
    if hashlib.sha256(papers.get(PAGE, b"")).hexdigest() != record.page:
        faults.append(f"{PAGE} is not the one that {RECORD} names")
    faults += [
        f"{each.name} is not the one that {RECORD} names"
        for each in record.stills
        if hashlib.sha256(papers.get(each.name, b"")).hexdigest() != each.sha256
    ]
    if record.key:
        try:
            signature = read_signature(papers.get(SIGNATURE, b""))
            faults += _signature_faults(signature, RECORD, data, record)
        except BadInput as error:
            faults.append(f"{SIGNATURE}: {error}")
    return faults


def _misplaced(
    folder: Path, names: tuple[str, ...], record: WrittenRecord
) -> Iterator[str]:
    """Whether the folder has the name that the record was written for.

    A copy may lie anywhere, so only as much of the way is compared as was walked from
    the root that somebody named, and in any case as much as tells whose folder it is.
    Letters are those of Windows: A and a are one.
    """
    there = names or folder.resolve().parts
    least = telling_parts(record.place, record.incident)
    count = min(len(names) or least, len(there), len(record.place))
    if [*map(str.casefold, there[-count:])] != [
        *map(str.casefold, record.place[-count:])
    ]:
        yield (
            f"the record was written for the folder {'/'.join(record.place)!r}, not "
            f"for this one: it is another incident's, or the folder was renamed"
        )


def _check_files(
    handle: int, own: set[str], found: Finding, demand: Demand, tell: Tell
) -> None:
    record = found.record
    survey = tree.survey(handle, own.__contains__)
    papers = {each.name: each.sha256 for each in record.stills} | {PAGE: record.page}
    known = {each.name: each.sha256 for each in record.files} | papers
    there = {each.name: each.size for each in survey.files}
    went = frozenset(found.disposal.files if found.disposal else ())
    found.litter += sorted(filter(is_litter, there))
    sizes = {each.name: each.size for each in record.files} if demand.is_quick else {}
    for name in sorted(known):
        if is_litter(name):
            continue  # listed by an earlier version; whoever looks changes it
        if name not in there:
            (found.gone if name in went else found.missing).append(name)
            continue
        try:
            if name in sizes and name not in papers:
                size, is_same = there[name], there[name] == sizes[name]
            else:
                size, sha = _hash(handle, name, tell)
                is_same = sha == known[name]
        except OSError as error:
            found.faults.append(f"{name} cannot be read: {error.strerror or error}")
            continue
        if name not in papers:
            found.files += 1
            found.size_bytes += size
        if not is_same:
            found.altered.append(name)
    found.added += sorted(there.keys() - known.keys() - set(found.litter))
    found.added += sorted(set(survey.others) - set(record.others))


def _hash(handle: int, name: str, tell: Tell) -> tuple[int, str]:
    size, made, room = 0, hashlib.sha256(), memoryview(bytearray(CHUNK))
    with open(tree.open_file(handle, name), "rb", buffering=0) as file:  # noqa: PTH123
        while count := file.readinto(room):
            made.update(room[:count])
            size += count
            tell(count)
    return size, made.hexdigest()


def _check_disposal(handle: int, demand: Demand, found: Finding) -> set[str]:
    """What says that footage was disposed of, if anything does: the names of it.

    Whoever deletes footage can write such a thing. It counts where it is about this
    very record, and signed if the record is: by a key that is asked for, else by the
    record's own, else by that of its time, if the audit chain names it. By another
    key it is in doubt: after a change of the key it is ours, else whose deleted files.
    """
    try:
        data = read_file(handle, DISPOSAL)
    except FileNotFoundError:
        if demand.disposal:
            found.missing.append(DISPOSAL)
        return set()
    except OSError as error:
        found.faults.append(f"{DISPOSAL} cannot be read: {error.strerror or error}")
        return {DISPOSAL}
    faults = list[str]()
    try:
        said = read_statement(data)
    except BadInput as error:
        found.faults.append(str(error))
        return {DISPOSAL}
    if demand.disposal is not None and (
        hashlib.sha256(data).hexdigest() != demand.disposal
    ):
        faults.append(f"{DISPOSAL} is not what the audit chain names")
    if (said.incident, said.record) != (found.record.incident, found.sha256):
        faults.append(f"{DISPOSAL} is about another record")
    own = {DISPOSAL}
    if said.key or found.record.key or demand.keys:
        own.add(DISPOSAL + SIGNED)
        faults += _disposal_faults(handle, data, said, demand.keys)
        is_known = demand.keys or demand.disposal is not None
        if found.record.key not in {"", said.key} and not is_known and not faults:
            found.doubts.append(
                f"{DISPOSAL} is signed by key {one_line(said.key, 40) or 'none'} and "
                f"{RECORD} by key {found.record.key}: whoever deletes files may have "
                "signed it; name both keys by --key if both are yours, or ask "
                "`evidenced audit verify`"
            )
    found.faults += faults
    found.disposal = None if faults else said
    return own


def _disposal_faults(
    handle: int, data: bytes, said: Statement, expected: tuple[bytes, ...]
) -> Iterator[str]:
    """What is wrong with its signature."""
    try:
        signature = read_signature(read_file(handle, DISPOSAL + SIGNED, MOST_BYTES))
    except FileNotFoundError:
        yield f"{DISPOSAL} is not signed: whoever can write here may have deleted files"
        return
    except (OSError, BadInput) as error:
        yield f"{DISPOSAL}{SIGNED} cannot be read: {error}"
        return
    if not signature.fits(data):
        yield f"{DISPOSAL}{SIGNED} is not the signature of this {DISPOSAL}"
    if said.key != signature.key:
        yield f"{DISPOSAL} says that {said.key or 'nobody'} signs, not {signature.key}"
    if expected and signature.public_key not in expected:
        yield f"{DISPOSAL} is signed by key {signature.key}, not by the one asked for"


def _check_former(handle: int, found: Finding) -> set[str]:
    """Each record that this one supersedes, back to the first, and its signature.

    Returns the names that belong to them: no other is hidden by looking like one.
    """
    own = {SIGNATURE} if found.record.key or found.key else set()
    record = found.record
    for _ in range(MOST_REVISIONS):
        before = record.supersedes
        if before is None:
            break
        if before.file != former_name(record.revision - 1):
            found.faults.append(
                f"revision {record.revision} names {before.file!r} as the one before it"
            )
            break
        own.add(before.file)
        earlier = _former(handle, before.file, before.sha256, found)
        if earlier is None or earlier.key:
            own.add(before.file + SIGNED)
        if earlier is None:
            break
        record = earlier
    return own


def _former(
    handle: int, name: str, sha256: str, found: Finding
) -> WrittenRecord | None:
    """A superseded record; None where it is not the one that was superseded."""
    try:
        data = read_file(handle, name)
        if hashlib.sha256(data).hexdigest() != sha256:
            found.altered.append(name)
            return None
        record = read_record(data)
    except FileNotFoundError:
        found.missing.append(name)
        return None
    except (OSError, BadInput) as error:
        found.faults.append(f"{name} cannot be read: {error}")
        return None
    if record.key:
        signature = _signature_of(handle, name + SIGNED, found)
        if signature is not None:
            found.faults += _signature_faults(signature, name, data, record)
    if record.incident != found.record.incident:
        found.faults.append(f"{name} is the record of another incident")
    return record


def _signature_of(handle: int, name: str, found: Finding) -> Signature | None:
    """The signature of that name; what hinders is told, and None."""
    try:
        return read_signature(read_file(handle, name, MOST_BYTES))
    except FileNotFoundError:
        found.missing.append(name)
    except (OSError, BadInput) as error:
        found.faults.append(f"{name} cannot be read: {error}")
    return None


def _check_signature(
    handle: int, data: bytes, expected: tuple[bytes, ...], found: Finding
) -> None:
    if not found.record.key and not _is_there(handle, SIGNATURE):
        found.signature = "not signed: whoever can write here could have made it anew"
        if expected:
            found.faults.append("it is not signed, and a key was asked for")
        return
    signature = _signature_of(handle, SIGNATURE, found)
    if signature is None:
        found.signature = "missing or unreadable"
        return
    found.key = signature.key
    faults = list(_signature_faults(signature, RECORD, data, found.record))
    found.faults += faults
    is_asked_for = not expected or signature.public_key in expected
    found.is_by_another = not faults and not is_asked_for
    found.signature = _told(signature, expected, is_good=not faults)


def _is_there(handle: int, name: str) -> bool:
    try:
        read_file(handle, name, MOST_BYTES)
    except FileNotFoundError:
        return False
    except OSError:
        pass  # something is, and it is told when it is read
    return True


def _signature_faults(
    signature: Signature, name: str, data: bytes, record: WrittenRecord
) -> Iterator[str]:
    if not signature.fits(data):
        yield f"{name}{SIGNED} is not the signature of this {name}"
    if record.key != signature.key:
        yield f"{name} says that {record.key or 'nobody'} signs, not {signature.key}"


def _told(signature: Signature, expected: tuple[bytes, ...], *, is_good: bool) -> str:
    if not is_good:
        return f"does not hold, key {signature.key}"
    if not expected:
        return f"good, by key {signature.key}: compare it with yours, or use --key"
    if signature.public_key not in expected:
        return f"good, but by key {signature.key}, not by the one asked for"
    return f"good, by the expected key {signature.key}"
