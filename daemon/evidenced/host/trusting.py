"""Why a certificate is not trusted, or a file of one cannot be used: what to do."""

import ssl
from pathlib import Path

from evidenced.core.phrase import phrase

_MOST = 1024 * 1024
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_KEY = "PRIVATE KEY-----"
_NOT_TRUSTED = (
    "is signed by a CA that is not trusted: name that CA in ca_file; if it is there, "
    "the server does not send the certificates between"
)
_X509 = {
    2: "is signed by a CA whose issuer is missing: ca_file needs it too, to the root",
    10: "has expired: renew it, or set this host's clock",
    9: "is not valid yet: set this host's clock",
    18: "is self-signed and not trusted: name its CA in ca_file",
    19: _NOT_TRUSTED,
    20: _NOT_TRUSTED,
    21: _NOT_TRUSTED,
    62: "is made out to another host: use a name in url that the certificate has",
    64: "is made out to another address: use a name in url that the certificate has",
}
"""OpenSSL's X509_V_ERR_* codes, the ones people meet. Source: openssl-verify(1)."""


def why_not_trusted(error: ssl.SSLCertVerificationError) -> str:
    """What is wrong with a certificate, and what to do, as in "is signed by ..."."""
    refused = phrase(
        "is refused: {verify_message}", verify_message=error.verify_message
    )
    return _X509.get(error.verify_code, refused)


def why_no_certificate(file: Path) -> str:
    """What a file has in place of certificates; empty: that is not known."""
    if _CERTIFICATE in _text(file):
        return ""
    return f"{file} holds no certificate in PEM; that begins with {_CERTIFICATE}"


def why_no_key(file: Path) -> str:
    """The same of a private key."""
    text = _text(file)
    if "ENCRYPTED" in text:
        return (
            f"{file} is encrypted, and nobody is there to type its password: write it "
            "without (openssl pkey -in ... -out ...)"
        )
    if _KEY in text:
        return ""
    return f"{file} holds no private key in PEM; that begins with -----BEGIN"


def _text(file: Path) -> str:
    """What is in a file, as far as it can be read; a folder or nothing: all of it."""
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST).decode("latin-1")
    except OSError:
        return f"{_CERTIFICATE}{_KEY}"
