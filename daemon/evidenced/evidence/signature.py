"""Ed25519 signatures of evidence records, detached, in a text form of our own.

    evidenced-signature: 1
    file: incident.json
    sha256: 64 digits
    key-id: the first 16 hex digits of the SHA-256 of the public key's 32 bytes
    public-key: base64 of these 32 bytes
    signature: base64 of the 64 bytes of Ed25519 over the file's bytes

Whoever has OpenSSL can check it without us: systemd/README.md says how.
"""

import base64
import binascii
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from evidenced.core.errors import BadInput
from evidenced.core.keeping.evidence import RECORD

RAW = 32
MOST_BYTES = 4096
"""Of a signature's or a public key's file; both are a few hundred."""
_LINE = re.compile(r"([a-z0-9-]{1,40}): ([!-~]{1,200})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a signature's file says; nothing of it is checked yet."""

    sha256: str
    public_key: bytes
    signature: bytes

    @property
    def key(self) -> str:
        return key_id(self.public_key)

    def fits(self, data: bytes) -> bool:
        """Whether that key signed exactly these bytes, whose hash stands beside it."""
        if self.sha256 != sha256(data).hexdigest():
            return False
        try:
            key = Ed25519PublicKey.from_public_bytes(self.public_key)
            key.verify(self.signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """Signs with the key of the configuration, which is read each time."""

    def __init__(self, reveal: Callable[[], str] | None) -> None:
        self._reveal = reveal

    def key(self) -> str:
        """The id of the key that signs; "" when there is none. Blocks on a file.

        Raises:
            BadInput: it cannot be read or is no Ed25519 key.
        """
        return "" if self._reveal is None else key_id(_public(self._private()))

    def sign(self, data: bytes, name: str = RECORD) -> bytes | None:
        """The signature's file for these bytes; None without a key. Blocks on a file.

        Raises:
            BadInput: as `key`.
        """
        if self._reveal is None:
            return None
        private = self._private()
        public = _public(private)
        lines = (
            ("evidenced-signature", "1"),
            ("file", name),
            ("sha256", sha256(data).hexdigest()),
            ("key-id", key_id(public)),
            ("public-key", base64.b64encode(public).decode()),
            ("signature", base64.b64encode(private.sign(data)).decode()),
        )
        return "".join(f"{name}: {value}\n" for name, value in lines).encode()

    def sign_line(self, text: str) -> str:
        """The text, and behind tabs public key and signature; alone without a key.

        Raises:
            BadInput: as `key`.
        """
        if self._reveal is None:
            return text
        private = self._private()
        parts = (_public(private), private.sign(text.encode()))
        return "\t".join([text, *(base64.b64encode(each).decode() for each in parts)])

    def public(self) -> bytes | None:
        """The public half of the key; None without one. Raises BadInput as `key`."""
        return None if self._reveal is None else _public(self._private())

    def _private(self) -> Ed25519PrivateKey:
        if self._reveal is None:
            raise BadInput("[evidence] has no key")
        try:
            key = load_pem_private_key(self._reveal().encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise BadInput(_NO_KEY) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise BadInput(_NO_KEY)
        return key


_NO_KEY = "[evidence] key is no private key of Ed25519; make one with evidenced keygen"


def read_signature(data: bytes) -> Signature:
    """What a signature's file says.

    Raises:
        BadInput: it is none.
    """
    lines = data[:MOST_BYTES].decode("ascii", "replace").splitlines()
    matches = [match for line in lines if (match := _LINE.fullmatch(line))]
    said = {match[1]: match[2] for match in matches}
    if said.get("evidenced-signature") != "1":
        raise BadInput("it is no signature of evidenced")
    try:
        return Signature(
            sha256=said["sha256"],
            public_key=base64.b64decode(said["public-key"], validate=True),
            signature=base64.b64decode(said["signature"], validate=True),
        )
    except (KeyError, ValueError):  # binascii.Error is one
        raise BadInput("it is no signature of evidenced") from None


def read_public_key(text: str) -> bytes:
    """The 32 bytes of a public key, from its PEM form or its line of base64.

    Raises:
        BadInput: it is none.
    """
    if "-----BEGIN" in text:
        try:
            key = load_pem_public_key(text.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise BadInput("it is no public key in PEM form") from None
        if not isinstance(key, Ed25519PublicKey):
            raise BadInput("it is no public key of Ed25519")
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != RAW:
        raise BadInput("it is no public key: 44 characters of base64, or a PEM file")
    return raw


def key_id(public_key: bytes) -> str:
    """What people compare: short, and not to be forged in a lifetime by chance."""
    return sha256(public_key).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was made: its public half, which is not secret."""

    key: str
    public_key: str
    pem: str


def make_key(path: Path) -> NewKey:
    """Write a new private key to a file that only its owner can read.

    Raises:
        BadInput: the file exists, or cannot be written.
    """
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(path, flags, 0o600), "wb") as file:  # noqa: PTH123 - O_EXCL
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise BadInput(
            f"{path} exists; a key is not written over: records that it signed could "
            "not be told from forged ones any more"
        ) from None
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from None
    public = private.public_key()
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return NewKey(
        key=key_id(raw), public_key=base64.b64encode(raw).decode(), pem=text.decode()
    )


def _public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
