"""The page's certificate and key: judged, with one sentence for each fault."""

import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from evidenced.core.errors import BadInput
from evidenced.web.answers import Strict
from evidenced.web.tls import PageIdentity, read_identity
from fakes.certificates import Certificates
from fakes.clock import START


@pytest.fixture
def files(tmp_path: Path) -> Certificates:
    made = Certificates(tmp_path)
    made.issue("evidence.example", "*.site.example", "192.0.2.1")
    return made


def read(files: Certificates) -> PageIdentity:
    return read_identity(files.certificate, files.key.read_text())


def encrypted(files: Certificates) -> None:
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )


def foreign(files: Certificates) -> None:
    files.key.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def test_what_belongs_together_is_taken(files: Certificates) -> None:
    found = read(files)
    assert set(found.names) == {"evidence.example", "*.site.example", "192.0.2.1"}
    assert found.context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert "context" not in repr(found)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: f.certificate.unlink(), "{} cannot be read: No such file or direc"),
        (lambda f: f.certificate.write_bytes(b"\xff"), "{} holds no certificate in PE"),
        (lambda f: f.certificate.write_bytes(b""), "{} holds no certificate in PEM; "),
        (
            lambda f: f.certificate.write_bytes(f.key.read_bytes()),
            "{} holds no certificate in PEM; ",
        ),
        (lambda f: f.key.write_text("x"), "the key is no private key in PEM"),
        (encrypted, "the key is encrypted; write it without a password"),
        (foreign, "the key is not that of {}; the two belong together"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    files: Certificates, spoil: Callable[[Certificates], None], said: str
) -> None:
    spoil(files)
    with pytest.raises(BadInput) as caught:
        read(files)
    text = str(caught.value)
    assert text.startswith(said.format(files.certificate))
    assert "\n" not in text
    assert "PRIVATE" not in text


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (31, []),
        (30, ["ends on 2026-12-23; renew it"]),
        (-1, ["ended on 2026-11-22; browsers refuse it: renew it"]),
    ],
)
def test_it_is_told_in_time(files: Certificates, days: int, said: list[str]) -> None:
    files.issue("a.example", until=START + timedelta(days=days))
    assert read(files).faults(START) == said


def test_it_is_told_that_it_begins_later(files: Certificates) -> None:
    files.issue("a.example", since=START + timedelta(hours=1))
    assert read(files).faults(START) == ["begins only on 2026-11-23 07:00 UTC"]


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        ("evidence.example", True),
        ("Evidence.example", True),
        ("wall.site.example", True),
        ("192.0.2.1", True),
        ("site.example", False),
        ("a.wall.site.example", False),
        ("192.0.2.2", False),
    ],
)
def test_it_has_the_name_that_people_use(
    files: Certificates, host: str, is_known: bool
) -> None:
    files.issue(
        "evidence.example",
        "*.site.example",
        "192.0.2.1",
        until=START + timedelta(days=99),
    )
    faults = read(files).faults(START, host)
    assert (faults == []) is is_known
    assert all(host in each for each in faults)


class Asked:
    def __init__(self, host: str, *, secure: bool = True) -> None:
        self.headers = {"Host": host}
        self.secure = secure


class Answered:
    def __init__(self) -> None:
        self.headers: dict[str, str] = {}


@pytest.mark.parametrize(
    ("public_url", "host", "is_secure", "is_strict"),
    [
        ("https://evidence.example", "evidence.example", True, True),
        ("https://evidence.example:443/x", "Evidence.example:443", True, True),
        ("https://evidence.example", "evidence.example", False, False),
        ("https://evidence.example", "127.0.0.1", True, False),
        ("https://evidence.example:8470", "evidence.example:8470", True, False),
        ("http://evidence.example", "evidence.example", True, False),
        ("", "", True, False),
    ],
)
async def test_who_is_told_never_to_come_without_tls(
    public_url: str, host: str, is_secure: bool, is_strict: bool
) -> None:
    """It would be for all ports of the host, and for a year."""
    answered = Answered()
    await Strict(public_url).say(Asked(host, secure=is_secure), answered)  # type: ignore[arg-type]
    assert ("Strict-Transport-Security" in answered.headers) is is_strict
