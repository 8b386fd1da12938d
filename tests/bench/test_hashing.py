"""What hashing a 5 GB export costs the alarms that come meanwhile."""

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

import pytest
import rates
import structlog
from rates import alarm, daemon
from recording import report, spread

from conftest import MosquittoFactory
from evidenced.app import tune_collector
from evidenced.core.incidents.history import Change, Event
from evidenced.mqtt.broker import Broker
from evidenced.ports import Delivery
from evidenced.store import StoreSettings, open_store
from fakes.evidence import exported
from fakes.incident import ended, requested
from fakes.mosquitto import Mosquitto, Peer

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

SIZE = 5_000_000_000
RATE = 200
"""Alarms a second: a bad day, and far below what a storm is."""
MEASURED_S = 8.0
ROUNDS = 3
MOST = 2.0
"""The p99 of alarm to PUBACK while a file is hashed, over that without."""
SHARE = 'root = \'V:\\evidence\'\nmount = "{mount}"\nmarker = ".share"'
EVIDENCE = '[evidence]\nstable = "1s"\nhash_rate = {rate}\n[[rules]]'


@pytest.mark.parametrize("rate", ['"50 MB/s"', "0"])
async def test_alarms_are_acknowledged_while_a_large_export_is_hashed(
    mosquitto_factory: MosquittoFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rate: str,
) -> None:
    """Quiet and hashing take turns; the file is sparse, so only hashing costs.

    Each look takes a part of the file: all of it is minutes at the default rate.
    """
    monkeypatch.setenv("BENCH_PASSWORD", "unused")
    tune_collector()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    broker = mosquitto_factory(is_persistent=False)
    mount = _share(tmp_path)
    rows = []
    for n in range(ROUNDS):
        p99 = []
        for hashes in (False, True):
            folder = tmp_path / f"{n}-{hashes}"
            with monkeypatch.context() as patch:
                _configure(patch, mount, rate)
                if hashes:
                    await _export(folder)
                p99.append(await _measure(folder, broker, patch, hashes=hashes))
        rows.append((p99[0][0], p99[1][0], p99[1][1], p99[1][0] / p99[0][0]))
    columns = list(zip(*rows, strict=True))
    report("hash_rate", setting=rate)
    for name, column in zip(
        ("quiet p99 ms", "hashing p99 ms", "hashed MB/s", "hashing / quiet"),
        columns,
        strict=True,
    ):
        spread(f"alarm to PUBACK: {name}", column)
    if rate != "0":
        assert median(columns[1]) / median(columns[0]) < MOST


def _share(folder: Path) -> Path:
    mount = folder / "share"
    (mount / "i1").mkdir(parents=True)
    (mount / ".share").touch()
    with (mount / "i1" / "video.dvi").open("wb") as file:
        file.truncate(SIZE)
    return mount


def _configure(patch: pytest.MonkeyPatch, mount: Path, rate: str) -> None:
    text = rates.CONFIG.replace(
        "root = 'V:\\evidence'", SHARE.format(mount=mount)
    ).replace("[[rules]]", EVIDENCE.format(rate=rate))
    patch.setattr(rates, "CONFIG", text)


async def _export(folder: Path) -> None:
    """An incident in the store whose footage the recorder has just finished."""
    store = open_store(StoreSettings(directory=folder / "state"))
    incident, export = requested(ended())
    now = datetime.now(UTC)
    first = Change(before=None, after=incident, event=Event.OPENED)
    steps = [first, *exported(incident, export, now=now)]
    await store.write(lambda tx: tx.ledger.save(steps, now))
    store.close()


async def _measure(
    folder: Path, broker: Mosquitto, patch: pytest.MonkeyPatch, *, hashes: bool
) -> tuple[float, float]:
    """The p99 in milliseconds, and megabytes hashed a second meanwhile."""
    took: list[float] = []
    original = Broker.acknowledge

    def timed(self: Broker, deliveries: Sequence[Delivery]) -> None:
        original(self, deliveries)
        now = time.perf_counter()
        took.extend(now - json.loads(each.alarm.payload)["sent"] for each in deliveries)

    patch.setattr(Broker, "acknowledge", timed)
    async with daemon(folder, broker.port) as running:
        await running.started.wait()
        hashed = running.metrics.evidence_hashed_bytes
        while running.metrics.mqtt_connected._value.get() == 0 or (
            hashes and hashed._value.get() == 0
        ):
            await asyncio.sleep(0.05)
        before, begun = hashed._value.get(), time.perf_counter()
        count = await asyncio.to_thread(_publish, broker.port)
        speed = (hashed._value.get() - before) / (time.perf_counter() - begun)
        while len(took) < count:
            await asyncio.sleep(0.05)
    return quantiles(took, n=100)[98] * 1000, speed / 1e6


def _publish(port: int) -> int:
    count = int(RATE * MEASURED_S)
    with Peer(port) as peer:
        begun = time.perf_counter()
        for n in range(count):
            topic, payload = alarm(n, datetime.now(UTC))
            said = json.loads(payload) | {"sent": time.perf_counter()}
            peer.publish(topic, json.dumps(said))
            time.sleep(max(0.0, begun + (n + 1) / RATE - time.perf_counter()))
    return count
