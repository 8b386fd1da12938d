"""Time stamps by RFC 3161, verified offline at any time; `authority` asks for them.

What is kept is the whole response, so that others can check it without us:
`openssl ts -verify`, as systemd/README.md shows.
"""

import re
import ssl
import warnings
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import (
    Certificate,
    load_der_x509_certificate,
    load_pem_x509_certificates,
)
from rfc3161_client import (
    PKIStatus,
    TimeStampRequest,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput
from evidenced.core.keeping.stamps import Vouched

MOST_TEXT = 200
_REASON = re.compile(r'data: "(?:Verify error: ?)?([^"]+)"')
_UNTRUSTED = "local issuer"
"""What OpenSSL says of a certificate whose authority it does not know."""

Roots = Sequence[Certificate]


def roots_of(ca_file: Path | None) -> list[Certificate]:
    """Authorities that are believed: those of the file, else the system's. Blocks.

    Raises:
        BadInput: they cannot be read.
    """
    with warnings.catch_warnings():  # authorities of old have odd serial numbers
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        if ca_file is None:
            known = ssl.create_default_context().get_ca_certs(binary_form=True)
            return [load_der_x509_certificate(each) for each in known]
        try:
            return load_pem_x509_certificates(ca_file.read_bytes())
        except (OSError, ValueError):
            raise BadInput(
                f"evidence.timestamp_ca_file {ca_file} cannot be read as PEM "
                "certificates; check the file"
            ) from None


def verify_stamp(
    response: bytes, text: str, roots: Roots, asked: TimeStampRequest | None = None
) -> Vouched:
    """What an authority vouches for with this response about this text.

    Certificates count as of the instant that it names, so it verifies for ever. Right
    after it was asked for, it has to be the answer to that question too.

    Raises:
        BadInput: it is none, is about something else, or by nobody who is believed.
    """
    if not roots:
        raise BadInput("no authority is trusted here; set evidence.timestamp_ca_file")
    try:
        found = decode_timestamp_response(response)
        if found.status not in {PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS}:
            raise BadInput(_refusal(found))
        builder = VerifierBuilder.from_request(asked) if asked else VerifierBuilder()
        for each in dict.fromkeys(roots):
            builder = builder.add_root_certificate(each)
        builder.build().verify_message(found, text.encode())
        at = found.tst_info.gen_time.astimezone(UTC)
        return Vouched(response=response, at=at, by=_signer(found))
    except VerificationError as error:
        raise BadInput(_unverified(str(error))) from None
    except (ValueError, OverflowError) as error:
        why = one_line(str(error), MOST_TEXT)
        raise BadInput(f"it is no time stamp that can be read: {why}") from None


def _refusal(found: TimeStampResponse) -> str:
    said = one_line("; ".join(found.status_string), MOST_TEXT)
    return f"the authority refuses{said and f': {said}'} (status {found.status})"


def _unverified(text: str) -> str:
    if _UNTRUSTED in text:
        return (
            "its certificate is by no authority that is trusted here; name the right "
            "one in evidence.timestamp_ca_file"
        )
    inner = _REASON.search(text)
    why = inner[1] if inner else text.partition(": ErrorStack")[0]
    return f"it does not verify: {one_line(why, MOST_TEXT)}"


def _signer(found: TimeStampResponse) -> str:
    """The name in the certificate that signed; which one that is was verified."""
    (info,) = found.signed_data.signer_infos
    certificates = map(load_der_x509_certificate, found.signed_data.certificates)
    (mine,) = (  # of two nobody could say which one it was
        each
        for each in certificates
        if (each.issuer, each.serial_number) == (info.issuer, info.serial_number)
    )
    return one_line(mine.subject.rfc4514_string(), MOST_TEXT)
