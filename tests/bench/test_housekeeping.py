"""How long intake waits for its commits while the store's files are kept small."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import quantiles

import pytest
from recording import report

from evidenced.core.alarms.alarm import Alarm
from evidenced.pipeline.intake import accept
from evidenced.store import SqlStore, StoreSettings, open_store

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

COMMITS = 400
BATCH = 64
WANTED = 5.0
"""p99 beside housekeeping that never rests, against without: it rests 15 s by day."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(StoreSettings(directory=tmp_path))
    yield opened
    opened.close()


async def test_housekeeping_does_not_stall_intake(store: SqlStore) -> None:
    await grown(store)
    alone = await waits(store)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(keep_house(store))
        beside = await waits(store)
        keeping.cancel()
    report(
        "commit of 64 alarms, ms",
        alone_p99=alone * 1000,
        beside_p99=beside * 1000,
        ratio=beside / alone,
    )
    assert beside < WANTED * alone


async def grown(store: SqlStore) -> None:
    """A store with much room to give back."""
    for n in range(80):
        step = partial(save, name=f"n{n}", text="x" * (1 << 20))
        await store.write(step)
    await store.write(lambda tx: [save(tx, f"n{n}", "") for n in range(80)])


def save(tx: object, name: str, text: str) -> None:
    tx.notes.save(name, text)  # type: ignore[attr-defined]


async def keep_house(store: SqlStore) -> None:
    while True:
        await store.checkpoint()
        await store.give_back()


async def waits(store: SqlStore) -> float:
    """p99 of seconds from a batch to its commit."""
    now = datetime.now(UTC)
    took = []
    for n in range(COMMITS):
        alarms = [
            Alarm(topic=f"a/{i}", payload=b"x" * 300, received_at=now)
            for i in range(BATCH)
        ]
        start = time.perf_counter()
        await store.write(partial(accept, alarms=alarms))
        took.append(time.perf_counter() - start)
        await asyncio.sleep(0.002 * (n % 2))
    return quantiles(took, n=100)[98]
