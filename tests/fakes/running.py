"""The MQTT adapter under test, running: what each test of it would else repeat."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from structlog.testing import CapturingLogger
from structlog.typing import EventDict, FilteringBoundLogger

from evidenced.core.alarms.deliveries import Stamp
from evidenced.mqtt.broker import Broker
from evidenced.mqtt.settings import BrokerSettings
from evidenced.ports import Clock, Delivery, Remembered
from fakes.clock import FakeClock
from fakes.mosquitto import Mosquitto

DEADLINE_S = 60.0


class Log:
    """Collects what is logged: (level, event, values)."""

    def __init__(self) -> None:
        self.captured = CapturingLogger()
        self._told = asyncio.Event()
        self.bound: FilteringBoundLogger = structlog.wrap_logger(
            self.captured,
            processors=[self._tell],
            wrapper_class=structlog.make_filtering_bound_logger(0),
        )

    def _tell(self, _logger: object, _name: str, values: EventDict) -> EventDict:
        self._told.set()
        return values

    async def until(self, level: str, event: str, times: int = 1) -> None:
        """Wait for a line of the loop's own thread."""
        async with asyncio.timeout(DEADLINE_S):
            while self.events(level).count(event) < times:
                self._told.clear()
                await self._told.wait()

    def calls(self, level: str) -> list[dict[str, Any]]:
        return [c.kwargs for c in self.captured.calls if c.method_name == level]

    def events(self, level: str) -> list[str]:
        return [values["event"] for values in self.calls(level)]


def settings_for(server: Mosquitto, **changes: Any) -> BrokerSettings:
    values: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "client_id": "evidenced-test",
    }
    return BrokerSettings(**(values | changes))


def make_broker(
    settings: BrokerSettings,
    filters: Iterable[str] = ("alarms/#",),
    *,
    clock: Clock | None = None,
    log: Log | None = None,
    remembered: Remembered | None = None,
) -> Broker:
    """A broker that retries almost at once."""
    return Broker(
        settings,
        clock or FakeClock(),
        filters,
        log=(log or Log()).bound,
        jitter=lambda: 0.02,
        remembered=remembered,
    )


@asynccontextmanager
async def running(broker: Broker, *, is_crash: bool = False) -> AsyncIterator[Broker]:
    """Subscribed inside; stopped afterwards, or dead without a word with `is_crash`."""
    async with connecting(broker, is_crash=is_crash):
        await until(broker, lambda: broker.is_subscribed)
        yield broker


@asynccontextmanager
async def connecting(
    broker: Broker, *, is_crash: bool = False
) -> AsyncIterator[Broker]:
    """The same without waiting for a connection."""
    task = asyncio.create_task(broker.run())
    try:
        yield broker
    finally:
        if is_crash:
            task.cancel()
            await asyncio.wait({task})
        else:
            await broker.stop()
            await asyncio.wait({task}, timeout=DEADLINE_S)
        if not task.cancelled():
            assert task.done(), "the broker did not stop"
            task.result()


async def until(broker: Broker, condition: Callable[[], bool]) -> None:
    """Wait for the broker's own news till the condition holds."""
    news = asyncio.Event()
    broker.on_change = news.set
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await news.wait()
            news.clear()


async def receive(broker: Broker, count: int) -> list[Delivery]:
    """Exactly so many deliveries, not acknowledged."""
    got: list[Delivery] = []
    async with asyncio.timeout(DEADLINE_S):
        while len(got) < count:
            got += await broker.receive(count - len(got))
    return got


def payloads(deliveries: Iterable[Delivery]) -> list[bytes]:
    return [delivery.alarm.payload for delivery in deliveries]


def stamps(deliveries: Iterable[Delivery]) -> list[Stamp]:
    """Of those at QoS 1."""
    found = [delivery.alarm.stamp for delivery in deliveries]
    return [stamp for stamp in found if stamp is not None]


def packet_ids(deliveries: Iterable[Delivery]) -> list[int]:
    return [stamp.packet_id for stamp in stamps(deliveries)]
