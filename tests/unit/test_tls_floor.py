"""Nothing below TLS 1.2 is spoken with the broker, a recorder or an authority.

The page's own is looked at in test_web_tls.
"""

import ssl
from datetime import timedelta

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
    for context in (tls_context(BROKER), Transport(RECORDER)._tls(), authority.tls()):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
