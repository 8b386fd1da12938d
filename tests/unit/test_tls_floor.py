"""Nothing below TLS 1.2 is spoken with the broker, a recorder or an authority.

The page's own is looked at in test_web_tls.
"""

import ssl
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from evidenced.evidence.authority import Authority
from evidenced.mqtt.client import tls_context
from evidenced.mqtt.settings import BrokerSettings
from evidenced.sense import SenseSettings
from evidenced.sense.transport import Transport

BROKER = BrokerSettings(host="broker.example", port=8883, client_id="c", tls=True)
RECORDER = SenseSettings(
    name="main",
    url="https://sense.example",
    username="export",
    password=lambda: "secret",
    nonce="n",
    timeout=timedelta(seconds=1),
)


def test_the_floor_is_tls_1_2_and_certificates_are_checked() -> None:
    authority = Authority("https://tsa.example", None)
    recorder = Transport(RECORDER)._tls()
    for context in (tls_context(BROKER), recorder, authority.tls()):
        assert isinstance(context, ssl.SSLContext)
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


def test_recorders_share_what_they_trust_and_those_without_tls_trust_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 recorders read the system's certificates 500 times: 15 s, 500 MB."""
    read: list[object] = []
    make = ssl.create_default_context

    def reading(cafile: Path | None = None) -> ssl.SSLContext:
        read.append(cafile)
        return make(cafile=cafile)

    monkeypatch.setattr(ssl, "create_default_context", reading)
    file = tmp_path / "ca.pem"
    own = replace(RECORDER, ca_file=file)
    file.write_bytes(trustme.CA().cert_pem.bytes())
    for settings in (own, own, replace(RECORDER, url="HTTP://sense.example")):
        Transport(settings)._tls()
    assert read == [file]
    file.write_bytes(trustme.CA().cert_pem.bytes() + b"\n")
    Transport(own)._tls()
    assert read == [file, file]
