"""Pictures in a storm of alarms: what a thousand incidents' stills cost its rate."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
import structlog
from rates import CONFIG, queue_alarms
from recording import spread
from test_due import fill

from conftest import MosquittoFactory
from evidenced.app import Daemon, tune_collector
from evidenced.config.compile import build_site
from evidenced.config.load import load
from evidenced.host.clock import SystemClock
from evidenced.host.dice import SystemDice
from evidenced.pipeline.world import World
from evidenced.store import StoreSettings, open_store
from fakes.mosquitto import free_port

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

ALARMS = 10_000
PICTURED = 1_000
"""Incidents of before whose pictures are due, of one camera each."""
ROUNDS = 3
KEPT = 0.95
WHOLE = '{"gaps":[],"is_loss":0,"state":"whole","text":"","unseen":0}'
ENDED = """
UPDATE incidents SET state = 'exported', finished_at = end_at, is_open = 0,
    turn_at = NULL, alert_at = NULL
"""
END_CLIPS = "UPDATE clips SET state = 'exported', coverage = ?"
COUNT = "INSERT INTO tally SELECT state, count(*) FROM incidents GROUP BY state"
"""Their footage is there: nothing but pictures is asked for."""


async def test_stills_of_a_thousand_incidents_leave_the_alarms_their_rate(
    mosquitto_factory: MosquittoFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the first alarm stored to the last incident opened, with and without.

    The recorder is another process; processor time is that of the daemon's own.
    """
    monkeypatch.setenv("BENCH_PASSWORD", "secret")
    tune_collector()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    broker = mosquitto_factory(is_persistent=False)
    rounds = []
    async with recorder() as url:
        for n in range(ROUNDS):
            rates, costs = [], []
            for stills in (0, 3):
                await asyncio.to_thread(queue_alarms, broker, "ours", ALARMS)
                folder = tmp_path / f"{n}-{stills}"
                rate, cost = await storm(folder, broker.port, url, stills)
                rates.append(rate)
                costs.append(cost)
            rounds.append((*rates, rates[1] / rates[0], costs[0] / costs[1]))
    columns = list(zip(*rounds, strict=True))
    names = ("no stills", f"stills of {PICTURED}", "ratio", "ratio of CPU")
    for name, column in zip(names, columns, strict=True):
        spread(f"incidents opened a second: {name}", column)
    assert median(columns[2]) >= KEPT


@asynccontextmanager
async def recorder() -> AsyncIterator[str]:
    """A simulated one with cameras that record, for as long as it is needed."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "evidenced", "simulate"),
        *("--listen", f"127.0.0.1:{port}"),
        stdout=PIPE,
        stderr=PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.communicate()


async def storm(folder: Path, port: int, url: str, stills: int) -> tuple[float, float]:
    """Incidents a second, and processor seconds for each."""
    folder.mkdir()
    file = folder / "evidenced.toml"
    config = CONFIG.format(state=folder / "state", port=port, store="sqlite")
    config = config.replace("http://127.0.0.1:9", url)
    file.write_text(f"{config}stills = {stills}\n")
    await before(file, folder / "state")
    file.write_text(f"{config}stills = 0\n")
    running = Daemon(load(file).config)
    task = asyncio.create_task(running.run())
    opened = running.metrics.alarms.labels("forced", "opened")
    try:
        while not opened._value.get():
            assert not task.done(), task
            await asyncio.sleep(0.01)
        begun, spent = time.perf_counter(), time.process_time()
        first = opened._value.get()
        while opened._value.get() < ALARMS:
            await asyncio.sleep(0.02)
        count = ALARMS - first
        cost = (time.process_time() - spent) / count
        return count / (time.perf_counter() - begun), cost
    finally:
        running.stop()
        await task


async def before(file: Path, state: Path) -> None:
    """Incidents of an hour ago, as the configuration has it: with pictures, or none."""
    store = open_store(StoreSettings(directory=state))
    try:
        site = build_site(load(file).config)
        clock, log = SystemClock(), structlog.get_logger()
        world = World(site, store, clock, SystemDice(), log)
        hour = timedelta(hours=1)
        await fill(world, PICTURED, datetime.now(UTC) - 2 * hour, hour)
        with store._engine.begin() as connection:
            connection.exec_driver_sql(END_CLIPS, (WHOLE,))
            for statement in (ENDED, "DELETE FROM tally", COUNT):
                connection.exec_driver_sql(statement)
    finally:
        store.close()
