"""Checking a folder with its record: by itself, anywhere, without the daemon.

    intact        every file is what the record says, and no other is there
    altered       a file, the record or its signature is not what it was
    unreadable    there is no record, or it cannot be read

Only the signature, with the public key kept elsewhere, proves who wrote the record:
without it somebody could have written files and record anew.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidenced.core.errors import BadInput
from evidenced.core.keeping.evidence import PAGE, RECORD, SIGNATURE, former_name
from evidenced.core.telling.manifest import FORMAT, VERSION
from evidenced.evidence.folder import FileHashing, read_file
from evidenced.evidence.signature import MOST_BYTES, Signature, read_signature
from evidenced.host import tree

CHUNK = 1 << 20
MOST_REVISIONS = 1000


@dataclass(slots=True, kw_only=True)
class Finding:
    """What was found in one folder. `faults` are sentences.

    `signature` says what is known of it; `key` is the id of the key that signed.
    """

    folder: Path
    incident: str = ""
    revision: int = 0
    sha256: str = ""
    files: int = 0
    size_bytes: int = 0
    altered: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    signature: str = ""
    key: str = ""
    is_by_another: bool = False
    """Whether the signature holds, but is not by the key that was asked for."""

    @property
    def is_intact(self) -> bool:
        return self.is_unaltered and not self.is_by_another

    @property
    def is_unaltered(self) -> bool:
        return not (self.altered or self.missing or self.added or self.faults)


def verify(
    root: Path,
    names: tuple[str, ...] = (),
    *,
    expected: bytes | None = None,
    wanted: str | None = None,
) -> Finding:
    """Compare the folder with its record. Blocks; changes nothing.

    Args:
        root: the folder with the footage and incident.json, or one above it.
        names: the way from there to it, on which no link is followed.
        expected: the public key that has to have signed it; None asks for none.
        wanted: the SHA-256 that incident.json must have; None asks for none.

    Raises:
        BadInput: there is no record, or it cannot be read.
    """
    folder = root.joinpath(*names)
    try:
        with tree.open_folder(root, names) as handle:
            data = read_file(handle, RECORD)
            said = _read(data)
            finding = Finding(folder=folder, sha256=hashlib.sha256(data).hexdigest())
            finding.incident = str(said["incident"].get("id", ""))
            finding.revision = said["revision"]
            if wanted is not None and finding.sha256 != wanted:
                finding.faults.append(
                    f"{RECORD} is not the one that the audit chain names: its SHA-256 "
                    f"is {finding.sha256}, not {wanted}"
                )
            _check_signature(handle, data, said, expected, finding)
            _check_files(handle, said, finding)
            _check_former(handle, said, finding)
    except FileNotFoundError as error:
        if not folder.is_dir():
            raise BadInput(f"there is no folder {folder}") from None
        raise BadInput(f"{folder} holds no {error.filename or RECORD}") from None
    except OSError as error:
        raise BadInput(f"{folder}: {error.strerror or error}") from None
    return finding


def _read(data: bytes) -> dict[str, Any]:
    try:
        said = json.loads(data)
        is_ours = said["format"] == FORMAT and isinstance(said["incident"], dict)
        numbers = [said["version"], said["revision"]]
        texts = [said["page"], *(each["name"] for each in said["files"])]
        texts += [each["sha256"] for each in said["files"]]
        is_ours = is_ours and isinstance(said.get("others", []), list)
        is_ours = is_ours and all(type(number) is int for number in numbers)
        is_ours = is_ours and all(isinstance(text, str) for text in texts)
    except (ValueError, KeyError, TypeError, RecursionError):
        is_ours, said = False, {}
    if not is_ours:
        raise BadInput(f"{RECORD} is no evidence record, or it is damaged")
    if said["version"] > VERSION:
        raise BadInput(
            f"{RECORD} has form {said['version']}, written by a newer evidenced; "
            f"this one reads up to {VERSION}"
        )
    return dict(said)


def _check_files(handle: int, said: Mapping[str, Any], finding: Finding) -> None:
    own = {RECORD, SIGNATURE, *_revision_files(said)}
    survey = tree.survey(handle, own.__contains__)
    known = {each["name"]: each["sha256"] for each in said["files"]}
    known |= {PAGE: said["page"]}
    there = {each.name for each in survey.files}
    for name in sorted(known):
        if name not in there:
            finding.missing.append(name)
            continue
        size, sha = _hash(handle, name)
        if name != PAGE:
            finding.files += 1
            finding.size_bytes += size
        if sha != known[name]:
            finding.altered.append(name)
    finding.added += sorted(there - known.keys())
    finding.added += sorted(set(survey.others) - set(map(str, said.get("others", []))))


def _revision_files(said: Mapping[str, Any]) -> set[str]:
    """Names that belong to records set aside; only those below this revision."""
    count = min(said["revision"], MOST_REVISIONS)
    return {former_name(n) + end for n in range(1, count) for end in ("", ".sig")}


def _hash(handle: int, name: str) -> tuple[int, str]:
    hashing = FileHashing(tree.open_file(handle, name))
    try:
        size = 0
        while count := hashing.step(CHUNK):
            size += count
    finally:
        hashing.close()
    return size, hashing.digest()


def _check_former(handle: int, said: Mapping[str, Any], finding: Finding) -> None:
    """Each record that this one supersedes, back to the first."""
    for _ in range(MOST_REVISIONS):
        before = said.get("supersedes")
        if not isinstance(before, dict):
            return
        name = str(before.get("file", ""))
        if name not in _revision_files(said):
            finding.faults.append(f"{RECORD} names {name!r} as the record before it")
            return
        try:
            data = read_file(handle, name)
        except FileNotFoundError:
            finding.missing.append(name)
            return
        if hashlib.sha256(data).hexdigest() != before.get("sha256"):
            finding.altered.append(name)
            return
        try:
            said = _read(data)
        except BadInput:
            finding.altered.append(name)
            return


def _check_signature(
    handle: int,
    data: bytes,
    said: Mapping[str, Any],
    expected: bytes | None,
    finding: Finding,
) -> None:
    signature = None
    try:
        signature = read_signature(read_file(handle, SIGNATURE, MOST_BYTES))
    except FileNotFoundError:
        finding.signature = "not signed: whoever can write here could have made it anew"
        if said.get("signed_by"):
            finding.missing.append(SIGNATURE)
        elif expected is not None:
            finding.faults.append("it is not signed, and a key was asked for")
    except BadInput as error:
        finding.signature = "unreadable"
        finding.faults.append(f"{SIGNATURE}: {error}")
    if signature is not None:
        finding.key = signature.key
        faults = list(_signature_faults(signature, data, said))
        finding.faults += faults
        is_asked_for = expected in {None, signature.public_key}
        finding.is_by_another = not faults and not is_asked_for
        finding.signature = _told(signature, expected, is_good=not faults)


def _signature_faults(
    signature: Signature,
    data: bytes,
    said: Mapping[str, Any],
) -> Iterator[str]:
    if not signature.fits(data):
        yield f"{SIGNATURE} is not the signature of this {RECORD}"
    if said.get("signed_by") != signature.key:
        yield f"{RECORD} says that {said.get('signed_by')} signs, not {signature.key}"


def _told(signature: Signature, expected: bytes | None, *, is_good: bool) -> str:
    if not is_good:
        return f"does not hold, key {signature.key}"
    if expected is None:
        return f"good, by key {signature.key}: compare it with yours, or use --key"
    if signature.public_key != expected:
        return f"good, but by key {signature.key}, not by the one asked for"
    return f"good, by the expected key {signature.key}"
