"""The broker as the rest sees it: AlarmSource and Publisher over one kept session."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from evidenced.core.alarms.deliveries import Deliveries
from evidenced.core.errors import first_of
from evidenced.core.instants import render_utc
from evidenced.core.streak import Reasons, Streak
from evidenced.mqtt.client import OFFLINE, ONLINE
from evidenced.mqtt.connection import Connection
from evidenced.mqtt.dial import Dialler
from evidenced.mqtt.inbox import Inbox
from evidenced.mqtt.outage import Outage
from evidenced.mqtt.problems import NO_STATES, BrokerError
from evidenced.mqtt.publish import Publish
from evidenced.mqtt.settings import BrokerSettings
from evidenced.mqtt.statetopics import StateTopics
from evidenced.mqtt.subscriptions import Subscriptions
from evidenced.ports import Clock, Delivery, Remembered

WINDOW_V311 = 20
"""3.1.1 has no receive maximum; assumed: mosquitto's default max_inflight_messages."""

BEAT_S = 1.0
NOTE_S = 5.0
"""A new session waits so long for its note: without a subscription alarms are lost,
without the note only a crash and a repeat of the same text can do harm."""
CONFIRM_PAUSE_S = 1.0
RESUBSCRIBE_S = 60.0
GOODBYE_S = 2.0
"""For the last words at a stop, all of them; DISCONNECT is sent in any case."""
STOP_TIMEOUT_S = GOODBYE_S + 1.25
"""The whole of a stop: DISCONNECT has a second."""

PROBE_FILTER = "evidenced/no-such-subscription"
"""UNSUBSCRIBE of a filter that nobody has: needs no right, changes nothing, is always
answered. Source: MQTT 5.0, 3.10.4; MQTT 3.1.1, 3.10.4. Not PINGREQ: paho does not tell
of its answer."""


STATES_REFUSED = (
    "the broker refuses our states; alarms are not affected: allow them in its access "
    'rules, or write publish_prefix = ""'
)


class Broker:
    """Keeps one session at the broker: call `run` in a task, `stop` to end it well."""

    def __init__(
        self,
        settings: BrokerSettings,
        clock: Clock,
        filters: Iterable[str],
        *,
        log: FilteringBoundLogger,
        jitter: Callable[[], float],
        remembered: Remembered | None = None,
    ) -> None:
        """Nothing is sent before `run`. `jitter` gives numbers from 0 up to 1."""
        remembered = remembered or Remembered()
        self._settings = settings
        self._clock = clock
        self._log = log
        window = settings.inflight if settings.is_v5 else WINDOW_V311
        self._inbox = Inbox(
            clock,
            window,
            remembered.last_alive,
            Deliveries(session=remembered.session, last=remembered.delivery),
        )
        self._dialler = Dialler()
        self._outage = Outage(settings, jitter, log)
        self._subscriptions = Subscriptions(filters, remembered.filters)
        self._connection: Connection | None = None
        self._connected = asyncio.Event()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._leaving = asyncio.Event()
        self._acknowledged = asyncio.Event()
        self._topics = StateTopics(settings, log)
        self._dropping = Streak()
        self._short = Reasons[str]()
        self.sessions_lost = 0
        """How often the broker had forgotten the session, and with it what it held."""
        self._noted = remembered.session
        self.note: Callable[[], Awaitable[None]] = _nowhere
        """Awaited where what is `remembered` has to be durable first."""
        self.on_change: Callable[[], None] = _ignore
        """Called on the loop when one of the properties below has changed."""

    @property
    def address(self) -> str:
        return self._settings.address

    @property
    def is_connected(self) -> bool:
        return self._connection is not None and self._connection.is_open

    @property
    def is_subscribed(self) -> bool:
        """Whether the broker granted every filter on this connection."""
        return self.is_connected and self._subscriptions.is_complete

    @property
    def problem(self) -> str | None:
        """One sentence why alarms may not reach us; None when they do."""
        return self._subscriptions.problem if self.is_connected else self._outage.why

    @property
    def shortfalls(self) -> list[str]:
        """Sentences about what the broker grants less of than was asked for."""
        refused = [STATES_REFUSED] if self._topics.is_refused else []
        return self._granted_less() + refused

    @property
    def granted(self) -> str:
        """What the broker grants, in one line; "" while there is no connection."""
        if self._connection is None:
            return ""
        return self._connection.granted.told(self._settings)

    def _granted_less(self) -> list[str]:
        if self._connection is None or not self.is_connected:
            return []
        granted = self._connection.granted
        if self._subscriptions.is_weak:
            granted = replace(granted, qos=0)
        return granted.shortfalls(self._settings)

    @property
    def has_refused_topics(self) -> bool:
        """Whether it has refused a subscription; it may have hung up then, too."""
        return self._subscriptions.has_refused

    @property
    def has_failed(self) -> bool:
        """Whether `problem` is an answer, not only that there is none yet."""
        return bool(self._outage.failures) or self._subscriptions.has_refused

    @property
    def held_since(self) -> datetime | None:
        """When the oldest message came that is not in the store for sure."""
        return self._inbox.held_since

    @property
    def remembered(self) -> Remembered:
        """See ports.Session."""
        deliveries = self._inbox.deliveries
        return Remembered(
            last_alive=self._inbox.last_alive,
            filters=self._subscriptions.in_session,
            session=deliveries.session,
            delivery=deliveries.number,
            over=deliveries.over,
        )

    def set_filters(self, filters: Iterable[str]) -> None:
        """Subscribe what is new, unsubscribe what is gone; at once when connected."""
        self._subscriptions.want(filters)
        self.on_change()

    async def receive(self, limit: int) -> list[Delivery]:
        """See AlarmSource."""
        return await self._inbox.take(limit)

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """See AlarmSource."""
        settled = [
            stamp.packet_id
            # The order of delivery is demanded. Source: MQTT 5.0, 4.6.
            for each in sorted(deliveries, key=lambda one: one.number)
            if self._inbox.settle(each) and (stamp := each.alarm.stamp) is not None
        ]
        if settled and self._connection is not None:
            self._connection.acknowledge(settled)
        self._acknowledged.set()
        if self._inbox.surplus and self._inbox.is_caught_up:
            self._leaving.set()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = True) -> None:
        """See Publisher. A topic that the broker refuses is logged once, then skipped.

        Without a `base_topic` nothing is published.
        """
        if not self._settings.base_topic:
            return
        is_settled = False
        while not is_settled:
            await self._connected.wait()
            if pause := self._topics.paused_for(self._clock.monotonic()):
                await asyncio.sleep(pause)
                continue
            connection = self._connection
            if connection is None or not connection.is_open:
                self._connected.clear()  # else this would spin till `run` notices
            else:
                is_settled = await self._topics.publish(
                    connection, topic, payload, retain=retain
                )

    async def run(self) -> None:
        """Connect, serve, and connect again, until `stop`. One task, once."""
        self._ended.clear()
        try:
            while not self._stopping.is_set():
                await self._pause(await self._serve_once())
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """Confirm what was acknowledged, say `offline`, leave; the session is kept.

        Bounded: after some seconds it cuts the connection. `run` ends with it.
        """
        self._stopping.set()
        self._leaving.set()
        if self._connection is not None and not self._connection.is_open:
            self._connection.end(BrokerError("stopped", is_deliberate=True))
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._ended.wait()
        except TimeoutError:
            self._log.warning("the broker did not let us leave in time")
            if self._connection is not None:
                self._connection.end(BrokerError("stopped", is_deliberate=True))

    # Listener: called by the connection

    def connected(self, connection: Connection, *, session_present: bool) -> None:
        if connection is not self._connection:
            return
        if not self._stopping.is_set():
            self._leaving.clear()  # a wish of the last connection
        if not session_present:
            self._note_lost_session()
        away_since = self._away_since() if session_present else None
        self._inbox.begin(away_since=away_since)
        self._subscriptions.begin(session_present=session_present)
        self._connected.set()
        self._log.info(
            "connected to the broker",
            broker=self._settings.address,
            session_present=session_present,
            failures=self._outage.failures,
        )
        self.on_change()

    def heard(self, connection: Connection) -> None:
        if connection is self._connection and connection.is_open:
            self._inbox.heard()

    def delivered(self, connection: Connection, messages: Sequence[Publish]) -> None:
        if connection is not self._connection:
            return
        if self._inbox.is_empty:
            self._dropping.over()
        dropped = self._inbox.dropped
        self._inbox.accept(messages)
        if self._inbox.dropped > dropped and self._dropping.met():
            self._log.warning(
                "QoS 0 messages come faster than they are taken: some are dropped; "
                "let the source publish alarms at QoS 1"
            )

    def _away_since(self) -> datetime:
        """Since when the resumed session may hold messages; the expiry bounds it.

        An instant that is still to come was noted by a clock that was ahead: it tells
        nothing.
        """
        now = self._clock.now()
        earliest, alive = now - self._settings.session_expiry, self._inbox.last_alive
        return max(alive, earliest) if alive and alive <= now else earliest

    def _note_lost_session(self) -> None:
        since = self._inbox.last_alive
        if since is None:
            return  # the first connection of all
        self.sessions_lost += 1
        self._log.error(
            "the broker has forgotten our session: what was published while we were "
            "away is lost; let it keep sessions (mosquitto: persistence true)",
            away_since=render_utc(since),
        )

    # The life of one connection

    async def _serve_once(self) -> float:
        """One connection from begin to end; the seconds to wait before the next."""
        began = self._clock.monotonic()
        self._connection = connection = self._make_connection()
        try:
            await connection.open()
            await self._converse(connection)
        except BrokerError as ended:
            now = self._clock.monotonic()
            wait = self._outage.ended(self._explained(ended, now), now - began, now)
            self.on_change()
            return wait
        finally:
            connection.end(BrokerError("stopped", is_deliberate=True))
            self._connected.clear()
            self._inbox.end()
        return 0.0

    def _explained(self, why: BrokerError, now: float) -> BrokerError:
        """Brokers that refuse something hang up, some of them, and give no reason."""
        if why.is_deliberate or why.is_takeover:
            return why
        if self._topics.ended(now):
            return BrokerError(
                f"{why}, or it does not let us publish under "
                f"{self._settings.base_topic!r}: allow it in the broker's access "
                f"rules; {NO_STATES}"
            )
        if self._subscriptions.has_refused:
            self._subscriptions.hung_up()
            return BrokerError(f"{self._subscriptions.problem}; then: {why}")
        return why

    def _make_connection(self) -> Connection:
        """The simulation gives one without a socket."""
        return Connection(self._settings, self, self._dialler)

    async def _converse(self, connection: Connection) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(connection.keep_alive(), name="mqtt-keep-alive")
                group.create_task(self._beat(), name="mqtt-beat")
                group.create_task(
                    self._announce(connection, ONLINE), name="mqtt-announce"
                )
                group.create_task(self._subscribe(connection), name="mqtt-subscribe")
                group.create_task(self._confirm(connection), name="mqtt-confirm")
                group.create_task(self._leave(connection), name="mqtt-leave")
        except ExceptionGroup as group_of:
            ends, bugs = group_of.split(BrokerError)
            if bugs is not None or ends is None:
                raise
            raise first_of(ends) from None

    async def _announce(self, connection: Connection, payload: bytes) -> None:
        await self._topics.announce(connection, payload, self._clock.monotonic())

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _beat(self) -> None:
        while True:
            self._inbox.backlog.beat(self._clock.now(), self._clock.monotonic())
            await asyncio.sleep(BEAT_S)

    async def _subscribe(self, connection: Connection) -> None:
        """Follow the wanted filters; ask again for refused ones now and then."""
        subscriptions = self._subscriptions
        await self._note_session()
        while True:
            subscriptions.changed.clear()
            before = subscriptions.problem
            await subscriptions.settle(connection, self._settings.qos)
            self._inbox.backlog.subscribed(self._clock.monotonic())
            if subscriptions.has_refused and subscriptions.problem != before:
                self._log.error("not all topics", problem=subscriptions.problem)
            for why in self._short.look(dict.fromkeys(self._granted_less(), ""))[0]:
                self._log.warning("the broker grants less than was asked for", why=why)
            self.on_change()
            try:
                async with asyncio.timeout(
                    RESUBSCRIBE_S if subscriptions.has_refused else None
                ):
                    await subscriptions.changed.wait()
            except TimeoutError:
                continue

    async def _note_session(self) -> None:
        """A new session's number is durable before anything can come in it.

        A repeat after a crash is told from another alarm by it.
        """
        session = self._inbox.deliveries.session
        if session != self._noted:
            with suppress(TimeoutError):
                async with asyncio.timeout(NOTE_S):
                    await self.note()
                    self._noted = session

    async def _confirm(self, connection: Connection) -> None:
        """Ask the broker for an answer after acknowledgements: see `Deliveries`.

        It handles the packets of one connection in order (assumed; true of mosquitto).
        A broker that is killed may still fall back to what it last saved (mosquitto:
        autosave_interval).
        """
        while True:
            await self._acknowledged.wait()
            if (what := self._inbox.confirmable()) is not None:
                self._acknowledged.clear()
                await connection.unsubscribe([PROBE_FILTER])
                self._inbox.deliveries.confirm(what)
                # Marks must go before we die: one that is left would take another
                # alarm under its identifier for its repeat.
                await self.note()
            await asyncio.sleep(CONFIRM_PAUSE_S)

    async def _leave(self, connection: Connection) -> None:
        """At a stop, or to have the surplus sent again (see inbox): leave in order."""
        await self._leaving.wait()
        self._leaving.clear()
        is_last = self._stopping.is_set()
        try:
            async with asyncio.timeout(GOODBYE_S if is_last else None):
                if is_last:
                    await self._announce(connection, OFFLINE)
                # Its answer says that the acknowledgements before it have arrived;
                # without it a quick new connection overtakes them.
                await connection.unsubscribe([PROBE_FILTER])
        except TimeoutError:
            self._log.warning("the broker did not let us leave in time")
        await connection.close()


def _ignore() -> None:
    """Nobody listens yet."""


async def _nowhere() -> None:
    """Whoever keeps no marks needs no note."""
