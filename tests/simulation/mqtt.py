"""An MQTT broker with one persistent session, and the daemon's connection to it.

QoS 1 as in the standard: packet ids, receive maximum, DUP at a redelivery after a
disconnect. The daemon's own Broker, Inbox and Subscriptions run as they are; only the
socket is replaced. Source: MQTT 5.0, 3.3.4, 4.4, 4.9.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial

from paho.mqtt.client import topic_matches_sub
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from typing_extensions import override

from evidenced.mqtt.broker import Broker
from evidenced.mqtt.connection import Connection, Listener
from evidenced.mqtt.problems import BrokerError
from evidenced.mqtt.publish import Publish
from evidenced.mqtt.settings import BrokerSettings
from simulation.ground import Ground
from simulation.loop import OUTSIDE

_GRANTED = ReasonCode(PacketTypes.SUBACK, "Granted QoS 1")
_DONE = ReasonCode(PacketTypes.PUBACK, "Success")
_GONE = ReasonCode(PacketTypes.UNSUBACK, "Success")
PING_S = 20.0


@dataclass(frozen=True, slots=True)
class Message:
    """`uid` is the simulation's own name of it; it is not on the wire."""

    uid: int
    topic: str
    payload: bytes
    retained: bool = False


class SimServer:
    """The broker. `grows`: packet ids grow, else the lowest free one is taken."""

    def __init__(self, ground: Ground, *, grows: bool) -> None:
        self._ground = ground
        self._grows = grows
        self._last_mid = 0
        self._is_away = False
        self._has_session = False
        self._filters: set[str] = set()
        self._queue: deque[Message] = deque()
        self._inflight: OrderedDict[int, Message] = OrderedDict()
        self._link: SimConnection | None = None
        self._window = 1
        self._kept: dict[str, Message] = {}
        self.states: dict[str, bytes] = {}
        self.routed: list[Message] = []
        self.acknowledged: list[Message] = []
        self.lost: list[Message] = []
        self.on_send: Callable[[], None] = lambda: None
        """Called whenever a message leaves for the daemon: where faults strike best."""

    @property
    def is_idle(self) -> bool:
        return not self._queue and not self._inflight

    @property
    def is_away(self) -> bool:
        return self._is_away

    def publish(self, message: Message) -> None:
        """A device publishes; kept for the session whether we are there or not."""
        if message.retained:
            self._kept[message.topic] = message
        if any(topic_matches_sub(name, message.topic) for name in self._filters):
            live = Message(message.uid, message.topic, message.payload)
            self.routed.append(live)
            self._queue.append(live)
            self._pump()

    def leave(self) -> None:
        """The broker is gone for a while; its sessions are kept."""
        self._is_away = True
        self.drop()

    def return_(self, *, keeps_session: bool) -> None:
        self._is_away = False
        if not keeps_session:
            self.drop()  # it began anew: also where it had come back in between
            self.lost += [*self._inflight.values(), *self._queue]
            self._inflight.clear()
            self._queue.clear()
            self._filters.clear()
            self._has_session = False
            self._last_mid = 0

    def drop(self) -> None:
        """The connection breaks; what was not acknowledged will come again."""
        link, self._link = self._link, None
        if link is not None:
            link.lose()

    # What the connection sends

    def connect(self, link: "SimConnection", window: int) -> bool:
        """Whether a session was there. Takes over from an older connection."""
        self.drop()
        had_session, self._has_session = self._has_session, True
        self._link = link
        self._window = window
        return had_session

    def resume(self, link: "SimConnection") -> None:
        if link is self._link:
            for mid, message in self._inflight.items():
                link.send(mid, message, is_repeat=True)
            self._pump()

    def acknowledge(self, link: "SimConnection", mid: int) -> None:
        if link is self._link and mid in self._inflight:
            self.acknowledged.append(self._inflight.pop(mid))
            self._pump()

    def subscribe(self, filters: Iterable[str]) -> None:
        new = sorted(set(filters) - self._filters)
        self._filters.update(new)
        for message in self._kept.values():
            if any(topic_matches_sub(name, message.topic) for name in new):
                self.routed.append(message)
                self._queue.append(message)
        self._pump()

    def unsubscribe(self, filters: Iterable[str]) -> None:
        self._filters.difference_update(filters)

    def hang_up(self, link: "SimConnection") -> None:
        if link is self._link:
            self._link = None

    def _pump(self) -> None:
        while self._link and self._queue and len(self._inflight) < self._window:
            mid, message = self._next_mid(), self._queue.popleft()
            self._inflight[mid] = message
            self._link.send(mid, message, is_repeat=False)
            self.on_send()

    def _next_mid(self) -> int:
        if not self._grows:
            self._last_mid = 0
        while True:
            self._last_mid = self._last_mid % 0xFFFF + 1
            if self._last_mid not in self._inflight:
                return self._last_mid


class SimConnection(Connection):
    """The daemon's end of one connection; packets keep their order, both ways."""

    def __init__(
        self,
        settings: BrokerSettings,
        listener: Listener,
        ground: Ground,
        server: SimServer,
        is_dead: Callable[[], bool],
    ) -> None:
        super().__init__(settings, listener)
        self._ground = ground
        self._server = server
        self._is_dead = is_dead
        self.is_cut: Callable[[], bool] = lambda: False
        self._own = copy_context()
        self._down_at = self._up_at = 0.0
        self._mid = 0

    @override
    async def open(self) -> None:
        self._check()
        await asyncio.sleep(self._ground.latency(0.2))
        self._check()
        if self._server.is_away or self.is_cut():
            raise BrokerError("the broker refused the connection")
        had_session = self._server.connect(self, self._settings.inflight)
        await asyncio.sleep(self._ground.latency(0.05))
        self._check()
        if self._lost.done():
            raise self._lost.result()
        self._is_accepted = True
        self._listener.connected(self, session_present=had_session)
        self._up(lambda: self._server.resume(self))

    @override
    async def keep_alive(self) -> None:
        while not self._lost.done():
            await asyncio.wait({self._lost}, timeout=PING_S)
            if not self._is_dead() and not self._lost.done():
                self._listener.heard(self)
        raise self._lost.result()

    @override
    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        if self.is_open and not self._is_dead():
            for packet_id in packet_ids:
                self._up(partial(self._server.acknowledge, self, packet_id))

    @override
    async def subscribe(self, filters: Sequence[str]) -> list[ReasonCode]:
        return await self._asked(
            "SUBSCRIBE",
            lambda: self._server.subscribe(filters),
            [_GRANTED] * len(filters),
        )

    @override
    async def unsubscribe(self, filters: Iterable[str]) -> list[ReasonCode]:
        named = list(filters)
        return await self._asked(
            "UNSUBSCRIBE",
            lambda: self._server.unsubscribe(named),
            [_GONE] * len(named),
        )

    @override
    async def publish(self, topic: str, payload: bytes, *, retain: bool) -> ReasonCode:
        def arrive() -> None:
            if retain and payload:
                self._server.states[topic] = payload
            else:
                self._server.states.pop(topic, None)

        async with self._slots:
            return (await self._asked("PUBLISH", arrive, [_DONE]))[0]

    @override
    async def close(self) -> None:
        self._up(lambda: self._server.hang_up(self))
        self.end(BrokerError("stopped", is_deliberate=True))

    @override
    def end(self, why: BrokerError) -> None:
        if not self._is_dead():
            self._up(lambda: self._server.hang_up(self))
        super().end(why)

    # What the server does

    def lose(self) -> None:
        if not self._lost.done():
            self._lost.set_result(BrokerError("the broker closed the connection"))

    def send(self, mid: int, message: Message, *, is_repeat: bool) -> None:
        packet = Publish(
            message.topic, message.payload, mid, is_repeat, message.retained
        )

        def arrive() -> None:
            self._ground.note(f"deliver {mid} #{message.uid} dup={is_repeat}")
            self._listener.delivered(self, [packet])
            self._listener.heard(self)

        self._down(arrive)

    # The two directions

    def _check(self) -> None:
        if self._is_dead():
            raise asyncio.CancelledError

    async def _asked(
        self, what: str, arrive: Callable[[], None], codes: list[ReasonCode]
    ) -> list[ReasonCode]:
        self._check()
        if self._lost.done():
            raise self._lost.result()
        self._mid += 1
        mid = self._mid

        def answer() -> None:
            future = self._answers.get(mid)
            if future is not None and not future.done():
                future.set_result(codes)
            self._listener.heard(self)

        def handle() -> None:
            if self._server.is_away:
                return
            arrive()
            self._down(answer)

        self._up(handle)
        return await self._answer(MQTTErrorCode.MQTT_ERR_SUCCESS, mid, what)

    def _up(self, work: Callable[[], None]) -> None:
        """To the broker. What the kernel has taken arrives though we may be dead."""
        at = max(self._up_at, self._ground.loop.time() + self._ground.latency(0.05))
        self._up_at = at + 1e-6
        self._ground.loop.call_at(self._up_at, work, context=OUTSIDE)

    def _down(self, work: Callable[[], None]) -> None:
        at = max(self._down_at, self._ground.loop.time() + self._ground.latency(0.05))
        self._down_at = at + 1e-6

        def arrive() -> None:
            if self.is_open and not self._is_dead():
                work()

        self._ground.loop.call_at(self._down_at, arrive, context=self._own)


class SimBroker(Broker):
    """The daemon's Broker with a simulated socket."""

    dial: Callable[[BrokerSettings, Listener], Connection]

    @override
    def _make_connection(self) -> Connection:
        return self.dial(self._settings, self)
