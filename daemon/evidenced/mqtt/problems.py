"""Why there is no connection: one sentence with what, where and what to do."""

import socket
import ssl

from paho.mqtt.client import WebsocketConnectionError
from paho.mqtt.reasoncodes import ReasonCode

from evidenced.core.errors import EvidencedError
from evidenced.core.phrase import phrase
from evidenced.host.trusting import why_not_trusted
from evidenced.mqtt.settings import BrokerSettings

SESSION_TAKEN_OVER = 0x8E
"""Another client came with our client id. Source: MQTT 5.0, 3.14.2.1."""

BAD_LOGIN = frozenset({0x86, 0x87})
"""CONNACK: bad user name or password, not authorized. Source: MQTT 5.0, 3.2.2.2."""

NO_STATES = 'publish_prefix = "" publishes no states and leaves no will'
WILL_REFUSED = frozenset({0x9A, 0x9B})
"""CONNACK: retain not supported, QoS not supported. Both speak of the will: nothing
else is asked for in CONNECT. Source: MQTT 5.0, 3.2.2.2."""

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
    where = phrase("the broker at {address}", address=settings.address)
    if isinstance(error, ssl.SSLError):
        return _explain_tls(error, settings)
    if isinstance(error, ConnectionRefusedError):
        return phrase(
            "{where} refuses connections: is it running, and is the port right?",
            where=where,
        )
    if isinstance(error, socket.gaierror):
        return phrase(
            "the broker's name {host} cannot be resolved: {strerror}",
            host=repr(settings.host),
            strerror=error.strerror,
        )
    if isinstance(error, TimeoutError):
        return phrase(
            "{where} does not answer: is it up, and does a firewall stand between?",
            where=where,
        )
    if isinstance(error, HUNG_UP) and settings.tls:
        return phrase(
            "{where} closed the connection in the TLS handshake: is it a TLS port?",
            where=where,
        )
    if isinstance(error, WebsocketConnectionError | IndexError):
        why = phrase(
            "it lets no WebSocket in at {websocket_path}; is it the path ",
            websocket_path=repr(settings.websocket_path),
        )
        error = Exception(
            phrase(
                "{why}that the broker, or the proxy before it, has for MQTT?", why=why
            )
        )
    return phrase("{where} cannot be reached: {error}", where=where, error=error)


def _explain_tls(error: ssl.SSLError, settings: BrokerSettings) -> str:
    where = phrase("the broker at {address}", address=settings.address)
    if isinstance(error, ssl.SSLCertVerificationError):
        what = why_not_trusted(error)
        trust = settings.ca_file or "the system's CA store"
        return phrase(
            "the certificate of {where} {what} (checked against {trust})",
            where=where,
            what=what,
            trust=trust,
        )
    reason = (error.reason or str(error)).replace("_", " ").lower()
    if "wrong version number" in reason:
        return phrase(
            "{where} does not speak TLS: mqtt:// instead of mqtts://, or its TLS port",
            where=where,
        )
    mine = settings.client_cert or "none is configured"
    if "alert" in reason:
        return phrase(
            "{where} refuses our client certificate ({mine}): {reason}",
            where=where,
            mine=mine,
            reason=reason,
        )
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        # The alert that says it is often lost: the server closes right behind it.
        return phrase(
            "{where} ended TLS: does it refuse our client certificate ({mine})?",
            where=where,
            mine=mine,
        )
    return phrase("TLS with {where} fails: {reason}", where=where, reason=reason)


def explain_refusal(code: ReasonCode, settings: BrokerSettings) -> str:
    """One sentence for a CONNACK that is not a success."""
    where = phrase("the broker at {address}", address=settings.address)
    if code.value in BAD_LOGIN:
        who = (
            phrase("user {username}", username=repr(settings.username))
            if settings.username
            else "no user name"
        )
        will = settings.status_topic
        right = (
            phrase(", and the right to publish {will}", will=repr(will)) if will else ""
        )
        return phrase(
            "{where} refuses the login with {who} ({code}): check name and "
            "password{right}",
            where=where,
            who=who,
            code=code,
            right=right,
        )
    if str(code) == "Unsupported protocol version":
        return phrase(
            "{where} does not speak MQTT {protocol}: try protocol = '3.1.1'",
            where=where,
            protocol=settings.protocol,
        )
    if code.value in WILL_REFUSED and settings.status_topic:
        return phrase(
            "{where} refuses our retained last will ({code}): {no_states}",
            where=where,
            code=code,
            no_states=NO_STATES,
        )
    return phrase("{where} refuses the connection: {code}", where=where, code=code)


def explain_end(code: ReasonCode, settings: BrokerSettings) -> BrokerError:
    """What a DISCONNECT from the broker means."""
    if code.value == SESSION_TAKEN_OVER:
        return BrokerError(
            phrase(
                "another client took over client_id {client_id} at {address}: give "
                "each daemon its own",
                client_id=repr(settings.client_id),
                address=settings.address,
            ),
            is_takeover=True,
        )
    return BrokerError(
        phrase(
            "the broker at {address} disconnected us: {code}",
            address=settings.address,
            code=code,
        )
    )
