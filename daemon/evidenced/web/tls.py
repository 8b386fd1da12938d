"""The page's own TLS: its certificate and key, judged before browsers see them."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtensionOID

from evidenced.core.errors import BadInput
from evidenced.core.phrase import phrase

SOON = timedelta(days=30)
"""A certificate that ends so soon has not been renewed as it should have been."""
MAX_BYTES = 256 * 1024
"""A chain of certificates has some 10 kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageIdentity:
    """What the page shows that it is: from when until when, and under which names."""

    begins: datetime
    ends: datetime
    names: tuple[str, ...]
    context: ssl.SSLContext = field(repr=False, compare=False)

    def faults(self, now: datetime, host: str = "") -> list[str]:
        """Why browsers refuse it, or will soon: sentences without their place.

        `host` is the name that people reach the page by; empty where it is not known.
        """
        found: list[str] = []
        if now >= self.ends:
            found.append(
                phrase(
                    "ended on {ends}; browsers refuse it: renew it",
                    ends=f"{self.ends:%Y-%m-%d}",
                )
            )
        elif now >= self.ends - SOON:
            found.append(
                phrase("ends on {ends}; renew it", ends=f"{self.ends:%Y-%m-%d}")
            )
        if now < self.begins:
            found.append(
                phrase(
                    "begins only on {begins} UTC",
                    begins=f"{self.begins:%Y-%m-%d %H:%M}",
                )
            )
        if host and not any(_fits(each, host.lower()) for each in self.names):
            named = ", ".join(self.names[:5]) or "no name at all"
            found.append(
                phrase(
                    "is for {named} and not for {host} of web.public_url",
                    named=named,
                    host=host,
                )
            )
        return found


def read_identity(certificate: Path, key: str) -> PageIdentity:
    """The certificate, its chain and its key, ready to serve TLS 1.2 and later.

    Blocks on files.

    Raises:
        BadInput: one of them cannot be used: one sentence, nothing of the key in it.
    """
    leaf = _leaf(certificate)
    _check_key(leaf, certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    with _in_memory(key) as place:
        try:
            context.load_cert_chain(certificate, place, password="")
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", None) or type(error).__name__
            raise BadInput(
                phrase(
                    "{certificate} cannot be used for TLS: {why}",
                    certificate=certificate,
                    why=why,
                )
            ) from None
    return PageIdentity(
        begins=leaf.not_valid_before_utc,
        ends=leaf.not_valid_after_utc,
        names=_names(leaf),
        context=context,
    )


def _leaf(path: Path) -> x509.Certificate:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES)
    except OSError as error:
        raise BadInput(
            phrase(
                "{path} cannot be read: {strerror}", path=path, strerror=error.strerror
            )
        ) from None
    try:
        return x509.load_pem_x509_certificates(raw)[0]
    except ValueError:
        raise BadInput(
            phrase(
                "{path} holds no certificate in PEM; it begins with -----BEGIN "
                "CERTIFICATE-----, the page's own first, then its chain",
                path=path,
            )
        ) from None


def _check_key(leaf: x509.Certificate, path: Path, key: str) -> None:
    try:
        private = serialization.load_pem_private_key(key.encode(), None)
    except TypeError:
        raise BadInput(
            phrase("the key is encrypted; write it without a password")
        ) from None
    except ValueError:
        raise BadInput(phrase("the key is no private key in PEM")) from None
    forms = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if private.public_key().public_bytes(*forms) != leaf.public_key().public_bytes(
        *forms
    ):
        raise BadInput(
            phrase("the key is not that of {path}; the two belong together", path=path)
        )


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    """Of the only extension that browsers look at."""
    try:
        found = leaf.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        ).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    if not isinstance(found, x509.SubjectAlternativeName):
        return ()
    addresses = found.get_values_for_type(x509.IPAddress)
    names = found.get_values_for_type(x509.DNSName)
    return (*(each.lower() for each in names), *map(str, addresses))


def _fits(name: str, host: str) -> bool:
    if name.startswith("*."):
        return host.partition(".")[2] == name.removeprefix("*.")
    return name == host


@contextmanager
def _in_memory(text: str) -> Iterator[str]:
    """A file that is on no disk: OpenSSL takes keys from files only."""
    file = os.memfd_create("key", os.MFD_CLOEXEC)
    try:
        os.write(file, text.encode())
        yield f"/proc/self/fd/{file}"
    finally:
        os.close(file)
