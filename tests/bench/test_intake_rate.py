"""Alarms accepted durably against a bare subscriber on the same broker."""

import asyncio
import time
from pathlib import Path
from statistics import median

import pytest
import structlog
from rates import bare_rate, daemon, queue_alarms
from recording import spread

from conftest import MosquittoFactory
from evidenced.app import tune_collector
from evidenced.mqtt.broker import Broker
from evidenced.ports import Delivery
from fakes.postgres import Postgres

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

COUNT = 10_000
ROUNDS = 5
WANTED = 0.8
"""Of a bare subscriber; 0.9 and more where the machine is ours alone."""
SERVED = 0.5
"""Of what a file accepts, by a server on the same host."""


async def test_alarms_accepted_against_a_bare_subscriber(
    mosquitto_factory: MosquittoFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every one in the store before its PUBACK, each an incident of its own after.

    Both sides take turns, and the medians are compared: the machine is not ours alone.
    """
    monkeypatch.setenv("BENCH_PASSWORD", "unused")
    tune_collector()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    broker = mosquitto_factory(is_persistent=False)
    rounds = []
    for n in range(ROUNDS):
        bare = await asyncio.to_thread(bare_rate, broker, COUNT)
        await asyncio.to_thread(queue_alarms, broker, "ours", COUNT)
        ours = await _our_rates(broker.port, tmp_path / str(n), monkeypatch)
        rounds.append((bare, *ours, ours[0] / bare))
    columns = list(zip(*rounds, strict=True))
    names = ("bare", "accepted", "incidents opened", "accepted / bare")
    for name, column in zip(names, columns, strict=True):
        spread(f"alarms a second: {name}", column)
    assert median(columns[1]) / median(columns[0]) >= WANTED


async def test_alarms_accepted_by_a_server_against_a_file(
    mosquitto_factory: MosquittoFactory,
    postgres: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every one durable in PostgreSQL, on this host and without a standby."""
    monkeypatch.setenv("BENCH_PASSWORD", "unused")
    tune_collector()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    broker = mosquitto_factory(is_persistent=False)
    rounds = []
    for n in range(ROUNDS):
        both = list[float]()
        for name, store in (("file", "sqlite"), ("server", postgres.database())):
            await asyncio.to_thread(queue_alarms, broker, "ours", COUNT)
            folder = tmp_path / f"{name}-{n}"
            both += await _our_rates(broker.port, folder, monkeypatch, store)
        rounds.append((*both, both[2] / both[0]))
    columns = list(zip(*rounds, strict=True))
    names = (
        *("accepted by a file", "opened there"),
        *("accepted by a server", "opened there", "server / file"),
    )
    for name, column in zip(names, columns, strict=True):
        spread(f"alarms a second: {name}", column)
    assert median(columns[2]) / median(columns[0]) >= SERVED


async def _our_rates(
    port: int, folder: Path, monkeypatch: pytest.MonkeyPatch, store: str = "sqlite"
) -> tuple[float, float]:
    done, started, ended = 0, 0.0, 0.0
    original = Broker.acknowledge

    def counting(self: Broker, deliveries: list[Delivery]) -> None:
        nonlocal done, started, ended
        original(self, deliveries)
        if done == 0:
            started = time.perf_counter()
        done += len(deliveries)
        ended = time.perf_counter()

    with monkeypatch.context() as patch:
        patch.setattr(Broker, "acknowledge", counting)
        async with daemon(folder, port, store) as running:
            await running.started.wait()
            opened = running.metrics.alarms.labels("forced", "opened")
            while opened._value.get() < COUNT:
                await asyncio.sleep(0.02)
            took = time.perf_counter() - started
    return done / (ended - started), COUNT / took
