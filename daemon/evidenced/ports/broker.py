"""The broker, as intake, the outbox and housekeeping see it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.deliveries import Over


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Delivery:
    """A message, and its number among all deliveries: what acknowledging it needs."""

    alarm: Alarm
    number: int


class AlarmSource(Protocol):
    """The broker as intake sees it."""

    async def receive(self, limit: int) -> list[Delivery]:
        """Wait for at least one message, then give up to `limit` that are there.

        Cancel-safe: a cancelled call has taken nothing.
        """

    def acknowledge(self, deliveries: list[Delivery]) -> None:
        """Let the broker forget these messages. Call after the commit only.

        A delivery of a connection that has ended meanwhile is silently skipped: the
        broker delivers it again. Never blocks, never raises.
        """


class Publisher(Protocol):
    """State topics. The prefix and instance are put before `topic` by the adapter."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = True) -> None:
        """Published at QoS 1 and confirmed by the broker; waits while disconnected.

        An empty payload with `retain` clears the topic. Idempotent, cancel-safe.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a process knows of its session at the broker.

    Nothing that the broker sends from now on was published before `last_alive`.
    `filters` are those that it may hold for us, so that those which are gone from the
    configuration are unsubscribed. `session` counts the sessions that it began for us;
    `delivery` is the number of the last delivery, and `over` those that will not come
    again: their marks may go.
    """

    last_alive: datetime | None = None
    filters: frozenset[str] = frozenset()
    session: int = 0
    delivery: int = 0
    over: Over = field(default_factory=Over)


class Session(Protocol):
    """What the broker keeps for us, and what of it must outlive a process."""

    @property
    def problem(self) -> str | None:
        """One sentence why alarms may not reach us; None when they do."""

    @property
    def shortfalls(self) -> list[str]:
        """Sentences about what the broker grants less of than was asked for."""

    @property
    def held_since(self) -> datetime | None:
        """When the oldest message came that is not in the store for sure."""

    @property
    def remembered(self) -> Remembered:
        """To be saved now and then, and handed to the next process."""


class BrokerPort(AlarmSource, Publisher, Session, Protocol):
    """The broker, whole."""
