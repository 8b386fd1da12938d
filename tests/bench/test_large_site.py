"""A site of 5,000 rules, 20,000 cameras and 500 recorders against one of 20 rules.

By processor time, which other programs on the machine do not change much.
"""

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

import aiohttp
import pytest
from recording import report, spread

from conftest import MosquittoFactory
from evidenced.config.compile import build_site
from evidenced.config.load import load
from evidenced.core.alarms.alarm import Alarm
from evidenced.core.site import Site
from evidenced.core.trust import exactly
from evidenced.pipeline.taking import take
from evidenced.pipeline.understanding import understand
from evidenced.store import StoreSettings, open_store
from fakes.incident import Ids
from fakes.mosquitto import free_port

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

RULES, CAMERAS, RECORDERS = 5_000, 20_000, 500
FEW = 20
ALARMS = 1_000
ROUNDS = 3
WANTED = 0.8
READY_S = 3.0
MEMORY_MB = 200
METRICS_BYTES = 500_000
SETTLED_S, IDLE_S = 240, 120
IDLE_SHARE = 0.03
READY_WITHIN_S = 120
"""It would hang, no more."""

HEAD = """
[daemon]
state_dir = "{state}"
log_level = "warning"
[limits]
incidents_per_rule = 0
[mqtt]
url = "mqtt://127.0.0.1:{port}"
[web]
listen = "127.0.0.1:{web}"
[destinations.nas]
path = 'V:\\evidence\\{{rule}}-{{id}}'
"""
RECORDER = """
[recorders.r{n}]
url = "http://127.0.0.1:9"
username = "export"
password = {{ env = "BENCH_PASSWORD" }}
"""
CAMERA = '[cameras.c{n}]\nrecorder = "r{r}"\nserver = "1"\ndevice = "{n}"\n'
RULE = """
[[rules]]
name = "area-{n}"
topics = ["area{n}/{{door}}/forced"]
when = "state == 'active'"
clear = "state == 'over'"
id = "event"
time = "at"
group_by = ["door"]
cameras = [{cameras}]
"""


def written(
    folder: Path, *, rules: int, cameras: int, recorders: int, **at: int
) -> Path:
    """A configuration in which each rule has cameras of its own."""
    folder.mkdir(parents=True)
    state = folder / "state"
    text = [HEAD.format(state=state, port=at.get("port", 1), web=at.get("web", 1))]
    text += [RECORDER.format(n=n) for n in range(recorders)]
    text += [CAMERA.format(n=n, r=n % recorders) for n in range(cameras)]
    each = cameras // rules
    for n in range(rules):
        named = ", ".join(f'"c{n * each + i}"' for i in range(min(each, 4)))
        text.append(RULE.format(n=n, cameras=named))
    file = folder / "evidenced.toml"
    file.write_text("".join(text))
    return file


def alarms(rules: int, first: int) -> list[Alarm]:
    now = datetime.now(UTC)
    return [
        Alarm(
            topic=f"area{n % rules}/door{n}/forced",
            payload=f'{{"state":"active","event":"{n}","at":{now.timestamp()}}}'.encode(),
            received_at=now,
        )
        for n in range(first, first + ALARMS)
    ]


async def _cost(site: Site, folder: Path, rules: int) -> float:
    """Alarms a second of processor time, from stored messages to incidents."""
    store = open_store(StoreSettings(directory=folder))
    ids = Ids()
    try:
        found, started = alarms(rules, 0), time.process_time()
        for first in range(0, ALARMS, 256):
            now = exactly(datetime.now(UTC))
            batch = [
                each
                for n, alarm in enumerate(found[first : first + 256])
                for each in understand(site, alarm, now, message=first + n)
            ]
            step = partial(take, batch=batch, now=now.at, new_id=ids)
            await store.write(step)
        return ALARMS / (time.process_time() - started)
    finally:
        store.close()


async def test_alarms_of_a_large_site_cost_what_those_of_a_small_one_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_PASSWORD", "unused")
    large = written(tmp_path / "l", rules=RULES, cameras=CAMERAS, recorders=RECORDERS)
    few = written(tmp_path / "f", rules=FEW, cameras=FEW * 4, recorders=2)
    report("configuration of 5,000 rules", megabytes=large.stat().st_size / 1e6)
    sites = {
        "large": (build_site(load(large).config), RULES),
        "few": (build_site(load(few).config), FEW),
    }
    rates: dict[str, list[float]] = {"large": [], "few": []}
    for n in range(ROUNDS):
        for name, (site, rules) in sites.items():
            rates[name].append(await _cost(site, tmp_path / f"{name}{n}", rules))
    for name, column in rates.items():
        spread(f"alarms a second of processor time: {name}", column)
    assert median(rates["large"]) / median(rates["few"]) >= WANTED


async def test_a_large_site_is_ready_soon_and_small(
    mosquitto_factory: MosquittoFactory, tmp_path: Path
) -> None:
    """Until the service manager is told so; then what Prometheus asks for."""
    async with _running(mosquitto_factory, tmp_path) as site:
        used, memory = site.used_s(), site.memory_mb()
        metrics = await site.metrics()
    figures = {"cpu_s": used, "memory_mb": memory, "metrics_bytes": len(metrics)}
    report("large site, as soon as it is ready", **figures)
    assert used < READY_S
    assert memory < MEMORY_MB
    assert len(metrics) < METRICS_BYTES


async def test_500_recorders_that_are_dead_cost_little(
    mosquitto_factory: MosquittoFactory, tmp_path: Path
) -> None:
    """Some minutes after a start, when they are asked seldom."""
    async with _running(mosquitto_factory, tmp_path) as site:
        await asyncio.sleep(SETTLED_S)
        before, started = site.used_s(), time.monotonic()
        await asyncio.sleep(IDLE_S)
        share = (site.used_s() - before) / (time.monotonic() - started)
    report("idle with 500 dead recorders", cpu_share=share)
    assert share < IDLE_SHARE


@dataclass
class _Site:
    pid: int
    web: int

    def used_s(self) -> float:
        """Processor time of all of its threads until now."""
        ticks = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """What is resident, at most until now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1000

    async def metrics(self) -> bytes:
        """As they are without compression."""
        url = f"http://127.0.0.1:{self.web}/metrics"
        async with (
            aiohttp.ClientSession(headers={"Accept-Encoding": "identity"}) as session,
            session.get(url) as answer,
        ):
            return await answer.read()


@asynccontextmanager
async def _running(
    mosquitto_factory: MosquittoFactory, folder: Path
) -> AsyncIterator[_Site]:
    """The daemon as the service manager has it, from when it is ready."""
    broker, web = mosquitto_factory(), free_port()
    size = {"rules": RULES, "cameras": CAMERAS, "recorders": RECORDERS}
    file = written(folder / "l", **size, port=broker.port, web=web)
    command = [sys.executable, "-m", "evidenced", "run", "-c", str(file)]
    told = folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(told))
        manager.setblocking(False)
        environ = os.environ | {"BENCH_PASSWORD": "u", "NOTIFY_SOCKET": str(told)}
        running = subprocess.Popen(command, env=environ)
        try:
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(READY_WITHIN_S):
                while b"READY=1" not in await loop.sock_recv(manager, 4096):
                    pass
            yield _Site(running.pid, web)
        finally:
            running.terminate()
            running.wait()
