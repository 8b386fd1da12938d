"""Why there is no connection: one sentence with what, where and what to do."""

import socket
import ssl

from paho.mqtt.client import WebsocketConnectionError
from paho.mqtt.reasoncodes import ReasonCode

from evidenced.core.errors import EvidencedError
from evidenced.mqtt.settings import BrokerSettings

SESSION_TAKEN_OVER = 0x8E
"""Another client came with our client id. Source: MQTT 5.0, 3.14.2.1."""

BAD_LOGIN = frozenset({0x86, 0x87})
"""CONNACK: bad user name or password, not authorized. Source: MQTT 5.0, 3.2.2.2."""

NO_STATES = 'publish_prefix = "" publishes no states and leaves no will'
WILL_REFUSED = frozenset({0x9A, 0x9B})
"""CONNACK: retain not supported, QoS not supported. Both speak of the will: nothing
else is asked for in CONNECT. Source: MQTT 5.0, 3.2.2.2."""

_X509 = {
    10: "has expired: renew it, or set this host's clock",
    9: "is not valid yet: set this host's clock",
    18: "is self-signed and not trusted: name its CA in ca_file",
    19: "is signed by a CA that is not trusted: name that CA in ca_file",
    20: "is signed by a CA that is not trusted: name that CA in ca_file",
    21: "is signed by a CA that is not trusted: name that CA in ca_file",
    62: "is made out to another host: use a name in url that the certificate has",
    64: "is made out to another address: use a name in url that the certificate has",
}
"""OpenSSL's X509_V_ERR_* codes, the ones people meet. Source: openssl-verify(1)."""


HUNG_UP = (ConnectionResetError, BrokenPipeError)
"""The other side closed the connection, in the words of the socket."""


class BrokerError(EvidencedError):
    """There is no connection to the broker, or no longer; the text says why.

    `is_takeover` is another client with our id; `is_deliberate` our own wish.
    """

    def __init__(
        self, text: str, *, is_takeover: bool = False, is_deliberate: bool = False
    ) -> None:
        super().__init__(text)
        self.is_takeover = is_takeover
        self.is_deliberate = is_deliberate


def explain_failure(error: Exception, settings: BrokerSettings) -> str:
    """One sentence for an exception met while connecting or reading."""
    where = f"the broker at {settings.address}"
    if isinstance(error, ssl.SSLError):
        return _explain_tls(error, settings)
    if isinstance(error, ConnectionRefusedError):
        return f"{where} refuses connections: is it running, and is the port right?"
    if isinstance(error, socket.gaierror):
        return (
            f"the broker's name {settings.host!r} cannot be resolved: {error.strerror}"
        )
    if isinstance(error, TimeoutError):
        return f"{where} does not answer: is it up, and does a firewall stand between?"
    if isinstance(error, HUNG_UP) and settings.tls:
        return f"{where} closed the connection in the TLS handshake: is it a TLS port?"
    if isinstance(error, WebsocketConnectionError | IndexError):
        why = f"it lets no WebSocket in at {settings.websocket_path!r}; is it the path "
        error = Exception(
            f"{why}that the broker, or the proxy before it, has for MQTT?"
        )
    return f"{where} cannot be reached: {error}"


def _explain_tls(error: ssl.SSLError, settings: BrokerSettings) -> str:
    where = f"the broker at {settings.address}"
    if isinstance(error, ssl.SSLCertVerificationError):
        what = _X509.get(error.verify_code, f"is refused: {error.verify_message}")
        trust = settings.ca_file or "the system's CA store"
        return f"the certificate of {where} {what} (checked against {trust})"
    reason = (error.reason or str(error)).replace("_", " ").lower()
    if "wrong version number" in reason:
        return (
            f"{where} does not speak TLS: mqtt:// instead of mqtts://, or its TLS port"
        )
    mine = settings.client_cert or "none is configured"
    if "alert" in reason:
        return f"{where} refuses our client certificate ({mine}): {reason}"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        # The alert that says it is often lost: the server closes right behind it.
        return f"{where} ended TLS: does it refuse our client certificate ({mine})?"
    return f"TLS with {where} fails: {reason}"


def explain_refusal(code: ReasonCode, settings: BrokerSettings) -> str:
    """One sentence for a CONNACK that is not a success."""
    where = f"the broker at {settings.address}"
    if code.value in BAD_LOGIN:
        who = f"user {settings.username!r}" if settings.username else "no user name"
        will = settings.status_topic
        right = f", and the right to publish {will!r}" if will else ""
        return (
            f"{where} refuses the login with {who} ({code}): "
            f"check name and password{right}"
        )
    if str(code) == "Unsupported protocol version":
        return (
            f"{where} does not speak MQTT {settings.protocol}: try protocol = '3.1.1'"
        )
    if code.value in WILL_REFUSED and settings.status_topic:
        return f"{where} refuses our retained last will ({code}): {NO_STATES}"
    return f"{where} refuses the connection: {code}"


def explain_end(code: ReasonCode, settings: BrokerSettings) -> BrokerError:
    """What a DISCONNECT from the broker means."""
    if code.value == SESSION_TAKEN_OVER:
        return BrokerError(
            f"another client took over client_id {settings.client_id!r} at "
            f"{settings.address}: give each daemon its own",
            is_takeover=True,
        )
    return BrokerError(f"the broker at {settings.address} disconnected us: {code}")
