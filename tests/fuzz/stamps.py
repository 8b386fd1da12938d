"""A time stamp, and the files of heads and stamps, whatever somebody did to them.

The stamp is a real one of `fakes.authority`: its certificates ended long ago, and it
verifies all the same.
"""

import base64
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates

from evidenced.core.errors import BadInput
from evidenced.core.keeping.heads import file_name, read_text
from evidenced.core.keeping.stamps import KeptStamp, line_of, stamps_name
from evidenced.evidence.heads import read_heads, read_stamps
from evidenced.evidence.timestamp import verify_stamp

HOME = Path(tempfile.mkdtemp(prefix="evidenced-fuzz-"))
TEXT = '{"at":"2026-11-23T06:00:00.000Z","hash":"00","instance":"hq","seq":17}'
ROOTS = load_pem_x509_certificates(
    b"""\
-----BEGIN CERTIFICATE-----
MIIBczCCARmgAwIBAgIUBD19gLNgoRveG/zu4IBGUc554J0wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEUm9vdDAeFw0yNjExMjkxMzEyNDRaFw0yNjEyMzAxMzEyNDRa
MA8xDTALBgNVBAMMBFJvb3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASjm3cY
44LZf9nG4jTvQICUIKNXeigEYc/Jtf+5oyp1CnVfbEZDdntZx7EeoSSvfZejt8lJ
bxAs9pqvqD1F0Dzgo1MwUTAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBTTI7ob
C4wsUkoDyZH0NErhnbUGlzAfBgNVHSMEGDAWgBTTI7obC4wsUkoDyZH0NErhnbUG
lzAKBggqhkjOPQQDAgNIADBFAiAWFgjkpc5Q0I/zY3glUXf2IZbwnLwfJ1TsFT7S
yjk/YgIhANndffeHpvflJuVOlJnKNro+Xka4fTfRQwUQ3Y7eqxgz
-----END CERTIFICATE-----
"""
)
GOOD = base64.b64decode(
    """\
MIIDbjADAgEAMIIDZQYJKoZIhvcNAQcCoIIDVjCCA1ICAQMxDzANBglghkgBZQMEAgEFADBuBgsqhkiG
9w0BCRABBKBfBF0wWwIBAQYEKgMEATAxMA0GCWCGSAFlAwQCAQUABCDpCgIcYCsEtRQpZVgcnMAcvjsT
23+XoFutGRXcL9QxewIBAhgPMjAyNjExMzAxMzEyNDRaAgkA+NC/U2PW31CgggGLMIIBhzCCASygAwIB
AgIUD37gz3I7guoJPGa7ToDPYEXFIN0wCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEUm9vdDAeFw0yNjEx
MjkxMzEyNDRaFw0yNjEyMzAxMzEyNDRaMBsxGTAXBgNVBAMMEFRpbWUgb2YgdGhlIFRlc3QwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAARDYqNY5ZjCCQFSlJ40JetAXQwFB9B6d8hBpmhoQ1koObSdyP8KxKoA
Fv4s6d92M5kjy7f/ecoaY4ar/JE27JHKo1owWDAWBgNVHSUBAf8EDDAKBggrBgEFBQcDCDAdBgNVHQ4E
FgQUDUpdvSflvkMrq9tb+UroRhdRk+kwHwYDVR0jBBgwFoAU0yO6GwuMLFJKA8mR9DRK4Z21BpcwCgYI
KoZIzj0EAwIDSQAwRgIhANdChbQEs7LVKrJRDfyApd1O4+ojQiVptO9uj0BGaW2uAiEA+qa97JbQubE8
c/k1BIeDOwR5mrc7ZARr9WlBoGigVKcxggE7MIIBNwIBATAnMA8xDTALBgNVBAMMBFJvb3QCFA9+4M9y
O4LqCTxmu06Az2BFxSDdMA0GCWCGSAFlAwQCAQUAoIGkMBoGCSqGSIb3DQEJAzENBgsqhkiG9w0BCRAB
BDAcBgkqhkiG9w0BCQUxDxcNMjYxMTMwMTMxMjQ0WjAvBgkqhkiG9w0BCQQxIgQgi1bUwiJHvGljHonK
3RGY8wd7M1LXD8ft/4vjHfbbxY8wNwYLKoZIhvcNAQkQAi8xKDAmMCQwIgQgaFFkUChhPpNrrvO8evMC
jrhZ2VhAXWEEF9WeXVJy+TswCgYIKoZIzj0EAwIERzBFAiB5/olgYJUmrxvV+N6q3FPwKZKtZdVYoG9c
vIc4uGf0JwIhALOhzS01JjVFOKc3ooRQ6sieI8YNp9TeQ1NMLpuaN8fB
"""
)
VOUCHED = verify_stamp(GOOD, TEXT, ROOTS)
LINE = line_of(KeptStamp(head=read_text(TEXT, ""), response=GOOD)).encode()


def run_stamp(data: bytes) -> None:
    """Somebody writes a stamp: it is no other time's than the authority's."""
    with suppress(BadInput):
        found = verify_stamp(data, TEXT, ROOTS)
        assert (found.at, found.by) == (VOUCHED.at, VOUCHED.by)


def run_heads(data: bytes) -> None:
    """Somebody writes the files that lie at the root of a share."""
    for name in (file_name("hq"), stamps_name("hq")):
        (HOME / name).write_bytes(data)
    read_heads(HOME, "hq", None)
    for stamp in read_stamps(HOME, "hq"):
        run_stamp(stamp.response)


STAMP_WORDS = (
    *(GOOD[n : n + 40] for n in range(0, len(GOOD), 40)),
    *(b"0\x80", b"0\x03", b"0\x84\xff\xff\xff\xff", b"\x02\x01\x00", b"\x31\x00"),
    *(b"\x18\x0f20261130131104Z", b"\x0c\x00", b"\x00", b"\xff", b"\xa0\x82"),
)
HEAD_WORDS = (
    *(b'{ } [ ] : , " null 1 -1 1e999 true \\ud800'.split()),
    *(b'"at": "hash": "seq": "instance": "hq" "00"'.split()),
    *(b'"2026-11-23T06:00:00.000Z" "0001-01-01T00:00:00+14:00" "9999-12-31"'.split()),
    *(b"\t", b"\n", b"\r", b"\x00", b"\xff", b"AAAA", b"====", b"\xe2\x80\xa8"),
)
