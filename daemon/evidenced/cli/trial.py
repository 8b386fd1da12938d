"""A look at the broker beside the daemon: another client id, and nothing is left.

It asks for what the daemon asks for, so that what the broker grants is seen: a will and
states under a topic of its own, a session that ends with DISCONNECT.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Never
from uuid import uuid4

import structlog

from evidenced.config import Config
from evidenced.connections import broker_settings
from evidenced.host.clock import SystemClock
from evidenced.mqtt.broker import Broker

DEADLINE = timedelta(seconds=12)


def trial_broker(config: Config, filters: Iterable[str]) -> Broker:
    """One that leaves nothing behind, not yet connected.

    Raises:
        ValueError: the settings are out of range.
    """
    settings = broker_settings(config)
    settings = replace(
        settings,
        client_id=f"evidenced-look-{uuid4().hex[:8]}",
        is_kept=False,
        base_topic=f"{settings.base_topic}/check" if settings.base_topic else "",
    )
    log = structlog.wrap_logger(None, processors=[_drop])
    return Broker(settings, SystemClock(), filters, log=log, jitter=lambda: 0.5)


async def connect(broker: Broker) -> str | None:
    """Wait till it is subscribed; a sentence why the broker does not let us listen.

    The first failure counts: somebody is waiting. `broker.run` has to run meanwhile.
    """
    news = asyncio.Event()
    broker.on_change = news.set
    try:
        async with asyncio.timeout(DEADLINE.total_seconds()):
            while not broker.is_subscribed and not broker.has_failed:
                await news.wait()
                news.clear()
    except TimeoutError:
        return broker.problem or "no answer in time"
    return broker.problem


@asynccontextmanager
async def running(broker: Broker) -> AsyncIterator[None]:
    """It runs within this block, and leaves the broker at its end."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(broker.run(), name="broker")
        try:
            yield
        finally:
            await broker.stop()
            task.cancel()


def _drop(_logger: object, _name: str, _event: object) -> Never:
    """Say nothing: what the broker has to tell is in its `problem`."""
    raise structlog.DropEvent
