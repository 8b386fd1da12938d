"""A paho client that is set up but not connected: session, login, TLS and last will."""

import ssl
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from socket import socket

from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from typing_extensions import override

from evidenced.core.errors import BadInput
from evidenced.host.trusting import why_no_certificate, why_no_key
from evidenced.mqtt.problems import BrokerError
from evidenced.mqtt.publish import Publish, read_publishes
from evidenced.mqtt.settings import BrokerSettings

CONNECT_TIMEOUT_S = 10.0
"""For each of TCP connect, TLS handshake and the answer to a packet of ours."""

MAX_PACKET_BYTES = 4 * 1024 * 1024
"""The broker drops larger messages instead of sending them to us: an alarm is some
kilobytes, with a snapshot in it some hundred. Source: MQTT 5.0, 3.1.2.11.4. In 3.1.1
only the broker can set such a limit (mosquitto: message_size_limit)."""

READ_AHEAD_BYTES = 64 * 1024

PUBACK_HEAD = b"\x40\x02"
"""Type, and the two bytes of the packet identifier. Source: MQTT 5.0, 3.4.1."""

ONLINE, OFFLINE = b"online", b"offline"


class BufferedClient(Client):
    """paho that asks the socket for all there is, and gives it many packets at once.

    By itself it reads a packet in four calls and writes each acknowledgement in one,
    and every call lets go of the interpreter's lock, which a busy writer thread then
    keeps for milliseconds. The methods overridden are paho's own seam between packets
    and socket; tests hold them. Alarms and their acknowledgements, which are many, pass
    it by: see `publish`. Together five times the rate with a queue of alarms.

    Whatever is written goes through `_unsent`, a whole packet at a time: paho never
    keeps a rest of its own, into which an acknowledgement could be put.
    """

    _ahead = b""
    _at = 0
    _is_corked = False
    _unsent = b""
    _dialled: socket | None = None

    @override
    def _create_socket_connection(self) -> socket:
        self._dialled = super()._create_socket_connection()
        return self._dialled

    @override
    def _ssl_wrap_socket(self, tcp_sock: socket) -> ssl.SSLSocket:
        self._dialled = wrapped = super()._ssl_wrap_socket(tcp_sock)
        return wrapped

    def abandon(self) -> None:
        """Close what was dialled: paho leaves it open where the handshake fails."""
        if self._dialled is not None:
            self._dialled.close()

    @property
    def has_unread(self) -> bool:
        """Whether bytes were read that no packet took: the socket tells nothing."""
        return self._at < len(self._ahead)

    @property
    def is_decrypted(self) -> bool:
        """Whether TLS has more than it was asked for, also below a WebSocket."""
        pending = getattr(self.socket(), "pending", None)
        return pending is not None and pending() > 0

    @override
    def _sock_recv(self, bufsize: int) -> bytes:
        if not self.has_unread:
            self._ahead, self._at = super()._sock_recv(READ_AHEAD_BYTES), 0
        taken = self._ahead[self._at : self._at + bufsize]
        self._at += len(taken)
        return taken

    def take_publishes(self) -> list[Publish]:
        """Messages that were read as a whole and that paho has not begun with."""
        if self._in_packet["command"]:
            return []  # paho is in the middle of a packet
        found, self._at = read_publishes(
            self._ahead, self._at, is_v5=self.protocol == MQTTv5
        )
        return found

    def acknowledge(self, packet_ids: Iterable[int]) -> None:
        """PUBACKs behind what waits to be written; `write_together` sends them.

        Without a reason code, which means success. Source: MQTT 5.0, 3.4.2.1.
        """
        self._unsent += b"".join(
            [PUBACK_HEAD + packet_id.to_bytes(2, "big") for packet_id in packet_ids]
        )

    def write_together(self) -> bool:
        """Write every packet that waits, in one go; whether the socket took it all."""
        self._is_corked = True
        try:
            self.loop_write()
        finally:
            self._is_corked = False
        return self._flush()

    def _flush(self) -> bool:
        while self._unsent and self.socket() is not None:
            try:
                sent = super()._sock_send(self._unsent)
            except BlockingIOError:
                return False
            self._unsent = self._unsent[sent:]
        return True

    @override
    def _sock_send(self, buf: bytes | bytearray) -> int:
        self._unsent += buf
        if not self._is_corked:
            self._flush()  # what it leaves is the beginning of the next
        return len(buf)

    @override
    def _sock_close(self) -> None:
        with suppress(OSError):  # DISCONNECT may be among it
            self._flush()
        super()._sock_close()


def build_client(settings: BrokerSettings) -> BufferedClient:
    """One client for one connection.

    Raises:
        BrokerError: a certificate, a key or the password cannot be read.
    """
    client = BufferedClient(
        CallbackAPIVersion.VERSION2,
        client_id=settings.client_id,
        protocol=MQTTv5 if settings.is_v5 else MQTTv311,
        clean_session=None if settings.is_v5 else not settings.is_kept,
        manual_ack=True,
        # paho would else reconnect on its own, blocking, inside loop_read
        reconnect_on_failure=False,
        transport="websockets" if settings.websocket_path else "tcp",
    )
    if settings.websocket_path:
        client.ws_set_options(settings.websocket_path)
    client.connect_timeout = CONNECT_TIMEOUT_S
    if settings.username is not None:
        client.username_pw_set(settings.username, _password(settings))
    if settings.tls:
        client.tls_set_context(tls_context(settings))
    if settings.status_topic:
        client.will_set(settings.status_topic, OFFLINE, qos=1, retain=True)
    return client


def connect(client: Client, settings: BrokerSettings) -> None:
    """Connect TCP, TLS and send CONNECT. Blocking; raises what the socket raises."""
    keepalive = round(settings.keepalive.total_seconds())
    if not settings.is_v5:
        client.connect(settings.host, settings.port, keepalive)
        return
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = round(settings.session_expiry.total_seconds())
    properties.ReceiveMaximum = settings.inflight
    properties.MaximumPacketSize = MAX_PACKET_BYTES
    client.connect(
        settings.host,
        settings.port,
        keepalive,
        # Never a clean start: mosquitto (2.0.11, 2.1.2) does not restore a session that
        # was first opened with one, and paho's default is one.
        clean_start=False,
        properties=properties,
    )


class _TidySocket(ssl.SSLSocket):
    """paho leaves a socket whose handshake failed open until it is collected."""

    @override
    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def tls_context(settings: BrokerSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer, the broker's certificate and host name checked.

    Raises:
        BrokerError: a file is missing or is not what it should be.
    """
    context = _trust(settings.ca_file)
    context.sslsocket_class = _TidySocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.client_cert is not None:
        key = settings.client_key or settings.client_cert
        try:
            # An encrypted key would else ask for its password on the terminal.
            context.load_cert_chain(settings.client_cert, key, password=lambda: "")
        except (OSError, ValueError) as error:
            why = why_no_certificate(settings.client_cert) or why_no_key(key)
            raise BrokerError(
                f"the client certificate {settings.client_cert} with key {key} cannot "
                f"be used: {why or _reason(error)}"
            ) from error
    return context


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        why = "" if ca_file is None else why_no_certificate(ca_file)
        raise BrokerError(
            f"the CA file {ca_file} cannot be used: {why or _reason(error)}"
        ) from error


def _password(settings: BrokerSettings) -> str | None:
    try:
        return settings.password() if settings.password else None
    except (OSError, BadInput) as error:
        raise BrokerError(f"the MQTT password cannot be read: {error}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return getattr(error, "strerror", None) or str(error)
