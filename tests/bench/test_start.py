"""Starting with 100,000 incidents that wait, against starting with none."""

import asyncio
import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from rates import CONFIG
from recording import report
from test_due import fill, make_world

from conftest import MosquittoFactory
from evidenced.core.trust import exactly
from evidenced.pipeline.turn import turn_step
from evidenced.store import StoreSettings, open_store

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

WAITING = 100_000


async def test_start_with_many_waiting(
    mosquitto_factory: MosquittoFactory, tmp_path: Path
) -> None:
    broker = mosquitto_factory()
    empty = await asyncio.to_thread(_start, tmp_path / "empty", broker.port)
    folder = tmp_path / "many"
    store = open_store(StoreSettings(directory=folder / "state"))
    world = make_world(folder, store)
    past = world.clock.now() - timedelta(hours=1)
    await fill(world, WAITING, past, timedelta(minutes=30))
    step = partial(
        turn_step,
        now=exactly(world.clock.now()),
        settles=world.site.settles,
        new_id=world.new_id,
        clearing={},
    )
    while await world.write(step):
        pass
    store.close()
    many = await asyncio.to_thread(_start, folder, broker.port)
    report(
        f"start with {WAITING} waiting",
        seconds=many[0],
        seconds_empty=empty[0],
        memory_ratio=many[1] / empty[1],
    )
    assert many[1] < 2 * empty[1]


def _start(folder: Path, port: int) -> tuple[float, float]:
    """Seconds to subscribed, and kB of memory then."""
    folder.mkdir(exist_ok=True)
    file = folder / "evidenced.toml"
    text = CONFIG.format(state=folder / "state", port=port, store="sqlite")
    file.write_text(text.replace('log_level = "warning"', 'log_level = "info"'))
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "evidenced", "run", "-c", str(file)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"BENCH_PASSWORD": "unused"},
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if json.loads(line)["event"] == "alarms are subscribed":
                break
        took = time.perf_counter() - start
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.terminate()
        process.communicate(timeout=30)
    rss = next(row for row in status.splitlines() if row.startswith("VmRSS"))
    return took, float(rss.split()[1])
