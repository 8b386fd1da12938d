"""Reading the heads that are kept on a share, and whether our key signed them."""

import base64
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evidenced.core.errors import BadInput
from evidenced.core.keeping.heads import KeptHead, file_name, read_text
from evidenced.core.keeping.stamps import KeptStamp, read_line, stamps_name
from evidenced.evidence.folder import read_file
from evidenced.host import tree

MOST_HEADS = 64 * 1024 * 1024
"""Bytes of a file of heads, or of stamps; an hour has some 350, a day some 8,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptHeads:
    """What one share keeps. `signed` heads are by the wanted key, `others` are not.

    `forged` are sentences: lines whose signature does not fit.
    """

    signed: tuple[KeptHead, ...] = ()
    others: tuple[KeptHead, ...] = ()
    forged: tuple[str, ...] = ()


def read_heads(mount: Path, instance: str, key: bytes | None) -> KeptHeads:
    """The heads that lie at this mount; none where there is no file. Blocks.

    Raises:
        BadInput: the file cannot be read.
    """
    name = file_name(instance)
    place = str(mount / name)
    lines = _lines(mount, name)
    found = list(_read(lines, place, instance))
    forged = [n for n, _, by in found if by == b""]
    return KeptHeads(
        signed=tuple(head for _, head, by in found if by and by == key),
        others=tuple(head for _, head, by in found if by is None or (by and by != key)),
        forged=tuple(f"{place}, line {n}: its signature does not fit" for n in forged),
    )


def read_stamps(mount: Path, instance: str) -> list[KeptStamp]:
    """The time stamps that lie at this mount, none of them verified. Blocks.

    Raises:
        BadInput: the file cannot be read.
    """
    found, name = list[KeptStamp](), stamps_name(instance)
    for n, line in enumerate(_lines(mount, name), start=1):
        with suppress(ValueError):  # cut off by a crash: what it said is not known
            stamp = read_line(line, f"{mount / name}, line {n},")
            if stamp.head.instance == instance:
                found.append(stamp)
    return found


def _lines(mount: Path, name: str) -> list[str]:
    """Of a file at the mount's root; none where there is no file."""
    try:
        with tree.open_folder(mount, ()) as folder:
            data = read_file(folder, name, MOST_HEADS)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BadInput(f"{mount / name}: {error.strerror or error}") from error
    return data.decode("utf-8", "replace").splitlines()


def _read(
    lines: list[str], place: str, instance: str
) -> Iterator[tuple[int, KeptHead, bytes | None]]:
    """Number, head and the key that signed it: None for none, b"" where it did not."""
    for n, line in enumerate(lines, start=1):
        text, *signed = line.split("\t")
        try:
            head = read_text(text, place)
        except ValueError:
            continue  # cut off by a crash: what it said is not known
        if head.instance == instance:
            yield n, head, _signer_of(text, signed) if signed else None


def _signer_of(text: str, signed: list[str]) -> bytes:
    try:
        key, signature = (base64.b64decode(each, validate=True) for each in signed)
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode())
    except (InvalidSignature, ValueError):
        return b""
    return key
