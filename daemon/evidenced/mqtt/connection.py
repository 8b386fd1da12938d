"""One connection to the broker on the asyncio loop, from CONNECT to its end.

paho brings the packets, the loop brings readiness: there is no paho thread. A new
client for each connection keeps the lives apart, so an acknowledgement cannot reach the
wrong one, and nothing that paho keeps over a reconnect has to be understood.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from evidenced.core.phrase import phrase
from evidenced.mqtt.client import CONNECT_TIMEOUT_S, BufferedClient
from evidenced.mqtt.dial import Dialler, SocketLog
from evidenced.mqtt.granted import Granted, granted_by
from evidenced.mqtt.problems import (
    HUNG_UP,
    NO_STATES,
    BrokerError,
    explain_end,
    explain_failure,
    explain_refusal,
)
from evidenced.mqtt.publish import Publish, publish_of
from evidenced.mqtt.settings import BrokerSettings

PACKETS_PER_READINESS = 64
"""As many as fit between two turns of the loop; one costs a third of the rate. More
only where more came with one read."""

MAX_PUBLISHING = 16
"""Our publishes in flight, less where the broker announces a smaller window."""

TICK_S = 1.0
_CONNECT = "CONNECT"
DIAL_TIMEOUT_S = 3 * CONNECT_TIMEOUT_S
"""Names, several addresses and TLS together."""

T = TypeVar("T")


class Listener(Protocol):
    """Told on the loop thread, in the order in which the broker sent things."""

    def connected(self, connection: "Connection", *, session_present: bool) -> None: ...

    def heard(self, connection: "Connection") -> None: ...

    def delivered(
        self, connection: "Connection", messages: Sequence[Publish]
    ) -> None: ...


class Connection:
    """One use only: open, use, close. Every method is for the loop thread."""

    def __init__(
        self,
        settings: BrokerSettings,
        listener: Listener,
        dialler: Dialler | None = None,
    ) -> None:
        self._settings = settings
        self._dialler = dialler or Dialler()
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._client: BufferedClient | None = None
        self._connack: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[BrokerError] = self._loop.create_future()
        self._answers: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._slots = asyncio.Semaphore(MAX_PUBLISHING)
        self._packets = 0
        self._fd = -1
        self._is_accepted = False
        self._is_closing = False
        self._cause = SocketLog()
        self.granted = Granted()
        """What the CONNACK says, once there is one."""

    @property
    def is_open(self) -> bool:
        """Whether the broker accepted us and the connection has not ended since."""
        return self._is_accepted and not self._lost.done()

    async def open(self) -> None:
        """Connect and wait for the CONNACK.

        Raises:
            BrokerError: it did not come to that.
        """
        dialled = self._dialler.dial(self._settings, self._prepare)
        client = await self._result(dialled, DIAL_TIMEOUT_S, "the connection")
        self._client = client
        sock = client.socket()
        if sock is None:
            self.end(BrokerError("the connection ended while it was made"))
            return
        client.on_socket_register_write = self._want_write
        client.on_socket_unregister_write = self._want_no_write
        client.on_socket_close = self._forget_socket
        self._fd = sock.fileno()
        self._loop.add_reader(self._fd, self._readable)
        self._writable()
        await self._result(self._connack, CONNECT_TIMEOUT_S, _CONNECT)

    def _prepare(self, client: Client) -> None:
        client.enable_logger(self._cause.logger)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_answer
        client.on_unsubscribe = self._on_answer

    async def keep_alive(self) -> None:
        """Ping when it is quiet, until the connection ends.

        Raises:
            BrokerError: it ended.
        """
        while not self._lost.done():
            await asyncio.wait({self._lost}, timeout=TICK_S)
            if self._client is not None and not self._lost.done():
                self._client.loop_misc()
        while any(each.done() for each in self._answers.values()):  # noqa: ASYNC110
            await asyncio.sleep(0)  # what came right before the end is taken first
        raise self._lost.result()

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """Send PUBACKs. Never blocks; without effect once the connection ended."""
        if self._client is not None and self.is_open:
            self._client.acknowledge(packet_ids)
            self._want_write()

    async def subscribe(self, filters: Sequence[str]) -> list[ReasonCode]:
        """The broker's verdict on each filter, in their order.

        Retained messages are sent only for a subscription that is new: what a resumed
        session missed was queued as live messages. With Retain As Published off, the
        RETAIN flag is set on exactly these replays of an old state and on no live
        message. Source: MQTT 5.0, 3.8.3.1 and 3.3.1.3; 3.1.1 knows nothing else
        (3.3.1.3), but replays at each SUBSCRIBE.

        Raises:
            BrokerError: the connection ended first, or no answer came.
        """
        qos = self._settings.qos
        options = SubscribeOptions(
            qos=qos,
            retainAsPublished=False,
            retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB,
        )
        client = self._live_client()
        if self._settings.is_v5:
            code, mid = client.subscribe([(name, options) for name in filters])
        else:
            code, mid = client.subscribe([(name, qos) for name in filters])
        return await self._answer(code, mid, "SUBSCRIBE")

    async def unsubscribe(self, filters: Iterable[str]) -> list[ReasonCode]:
        """End subscriptions; answered also for those that do not exist.

        Raises:
            BrokerError: the connection ended first, or no answer came.
        """
        code, mid = self._live_client().unsubscribe(list(filters))
        return await self._answer(code, mid, "UNSUBSCRIBE")

    async def publish(self, topic: str, payload: bytes, *, retain: bool) -> ReasonCode:
        """Publish at QoS 1 and return the reason code of the PUBACK.

        Raises:
            BrokerError: the connection ended first, or no answer came.
        """
        async with self._slots:
            info = self._live_client().publish(topic, payload, qos=1, retain=retain)
            return (await self._answer(info.rc, info.mid, "PUBLISH"))[0]

    async def close(self) -> None:
        """DISCONNECT, which keeps the session and discards the last will."""
        self._is_closing = True
        if self._client is not None and self.is_open:
            kept = self._settings.is_kept or not self._settings.is_v5
            self._client.disconnect(properties=None if kept else _forget_session())
            await asyncio.wait({self._lost}, timeout=TICK_S)
        self.end(BrokerError("stopped", is_deliberate=True))

    def end(self, why: BrokerError) -> None:
        """End the connection without a word, when it has not ended. Idempotent."""
        if not self._lost.done():
            self._lost.set_result(why)
        for answer in self._answers.values():
            answer.cancel()
        client, self._client = self._client, None
        if client is not None and (sock := client.socket()) is not None:
            self._forget_socket()
            sock.close()

    def _live_client(self) -> Client:
        if self._lost.done():
            raise self._lost.result()
        if self._client is None or not self._is_accepted:
            raise BrokerError("not connected yet")
        return self._client

    async def _answer(
        self, code: MQTTErrorCode, mid: int | None, what: str
    ) -> list[ReasonCode]:
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise BrokerError(
                phrase("{what} cannot be sent: {name}", what=what, name=code.name)
            )
        answer: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self._answers[mid] = answer
        try:
            return await self._result(answer, CONNECT_TIMEOUT_S, what)
        finally:
            del self._answers[mid]

    async def _result(self, future: asyncio.Future[T], seconds: float, what: str) -> T:
        """Wait for the future, the end of the connection or the deadline."""
        try:
            waits: set[asyncio.Future[Any]] = {future, self._lost}
            await asyncio.wait(
                waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            # An answer first, also where the end came right behind it: RabbitMQ tells
            # which subscription it refuses and hangs up.
            if not future.done() and self._lost.done():
                raise self._lost.result()
            if not future.done() and what is _CONNECT:
                # amqtt and mosca say nothing to a protocol that they do not know
                raise BrokerError(
                    phrase(
                        "the broker at {address} did not answer CONNECT within "
                        "{seconds} s: does it not speak MQTT {protocol} "
                        "(mqtt.protocol)?",
                        address=self._settings.address,
                        seconds=f"{seconds:.0f}",
                        protocol=self._settings.protocol,
                    )
                )
            if not future.done():
                raise BrokerError(
                    phrase(
                        "the broker at {address} did not answer {what} within "
                        "{seconds} s",
                        address=self._settings.address,
                        what=what,
                        seconds=f"{seconds:.0f}",
                    )
                )
            return future.result()
        finally:
            future.cancel()

    # Readiness of the socket

    def _readable(self) -> None:
        self._guard(self._read_packets)

    def _writable(self) -> None:
        self._guard(self._write_packets)

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the loop would only log it; the
            # broker's bytes must end this connection at most, never the daemon
            self.end(
                BrokerError(
                    phrase(
                        "the broker at {address} sent what cannot be read: {kind}: "
                        "{error}",
                        address=self._settings.address,
                        kind=type(error).__name__,
                        error=error,
                    )
                )
            )

    def _read_packets(self) -> None:
        start = self._packets
        while self._packets - start < PACKETS_PER_READINESS:
            before = self._packets
            if self._client is None or self._client.loop_read():
                return
            self._take_publishes()
            if self._packets == before and not _has_more(self._client):
                break
        self._listener.heard(self)
        if self._client is not None and _has_more(self._client):
            self._loop.call_soon(self._readable)

    def _take_publishes(self) -> None:
        """Alarms that came with the packet just read: the short way, all at once."""
        if self._client is None or not self.is_open:
            return
        messages = self._client.take_publishes()
        if messages:
            self._packets += len(messages)
            self._listener.delivered(self, messages)

    def _write_packets(self) -> None:
        if self._client is None:
            return
        if self._client.write_together():
            self._want_no_write()
        else:
            self._want_write()

    def _want_write(self, *_: object) -> None:
        if self._fd >= 0:
            self._loop.add_writer(self._fd, self._writable)

    def _want_no_write(self, *_: object) -> None:
        if self._fd >= 0:
            self._loop.remove_writer(self._fd)

    def _forget_socket(self, *_: object) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._loop.remove_reader(fd)
            self._loop.remove_writer(fd)

    # What paho tells

    def _on_connect(
        self,
        _client: Client,
        _data: object,
        flags: ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._packets += 1
        if code.is_failure:
            self.end(BrokerError(explain_refusal(code, self._settings)))
            return
        limit = getattr(properties, "ReceiveMaximum", MAX_PUBLISHING)
        self._slots = asyncio.Semaphore(min(limit, MAX_PUBLISHING))
        self.granted = granted_by(properties)
        self._is_accepted = True
        self._connack.set_result(None)
        self._listener.connected(self, session_present=flags.session_present)

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        flags: DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self._is_closing:
            why = BrokerError("stopped", is_deliberate=True)
        elif flags.is_disconnect_packet_from_server:
            why = explain_end(code, self._settings)
        elif self._cause.error and not isinstance(self._cause.error, HUNG_UP):
            why = BrokerError(explain_failure(self._cause.error, self._settings))
        else:
            why = BrokerError(self._explain_silence(code))
        if not self._lost.done():
            self._lost.set_result(why)

    def _explain_silence(self, code: ReasonCode) -> str:
        where = phrase("the broker at {address}", address=self._settings.address)
        if str(code) == "Keep alive timeout":
            return phrase("{where} went silent: no answer to a ping", where=where)
        if self._is_accepted:
            return phrase(
                "{where} closed the connection without a reason: it stopped, or "
                "another client uses client_id {client_id}",
                where=where,
                client_id=repr(self._settings.client_id),
            )
        text = phrase(
            "{where} closed the connection before it accepted us: is this a "
            "TLS port, or does it not speak MQTT {protocol} (mqtt.protocol)?",
            where=where,
            protocol=self._settings.protocol,
        )
        if self._settings.status_topic:
            text += phrase(
                " Or does it refuse our last will ({no_states})?", no_states=NO_STATES
            )
        return text

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self._packets += 1
        self._listener.delivered(self, [publish_of(message)])

    def _on_publish(
        self,
        client: Client,
        data: object,
        mid: int,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._on_answer(client, data, mid, [code], properties)

    def _on_answer(
        self,
        _client: Client,
        _data: object,
        mid: int,
        codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._packets += 1
        answer = self._answers.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(codes)


def _forget_session() -> Properties:
    """For a look at the broker: the session ends with the connection."""
    properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 0
    return properties


def _has_more(client: BufferedClient) -> bool:
    """What was read or decrypted already makes no socket readable."""
    return client.has_unread or client.is_decrypted
