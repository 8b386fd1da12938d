"""The broker, as intake and the outbox see it."""

from typing import Protocol

from evidenced.core.alarms.alarm import Alarm


class Delivery(Protocol):
    """One message together with what its acknowledgement needs."""

    @property
    def alarm(self) -> Alarm: ...


class AlarmSource(Protocol):
    """The broker as intake sees it."""

    async def receive(self, limit: int) -> list[Delivery]:
        """Wait for at least one message, then give up to `limit` that are there.

        Cancel-safe: a cancelled call has taken nothing.
        """
        ...

    def acknowledge(self, deliveries: list[Delivery]) -> None:
        """Let the broker forget these messages. Call after the commit only.

        A delivery of a connection that has ended meanwhile is silently skipped: the
        broker delivers it again. Never blocks, never raises.
        """
        ...


class Publisher(Protocol):
    """State topics. The prefix and instance are put before `topic` by the adapter."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = True) -> None:
        """Published at QoS 1 and confirmed by the broker; waits while disconnected.

        An empty payload with `retain` clears the topic. Idempotent, cancel-safe.
        """
        ...
